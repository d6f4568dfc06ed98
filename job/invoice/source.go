package invoice

import (
	"errors"

	"paylinks/job/invoice/xlsx"
)

// source is where the rows of a table come from: the lines of a text file, or the rows of a sheet in a workbook. Finding the header,
// fitting rows to it, totals and problems are the same for all of them.
type source interface {
	// tops returns the first rows in each way in which the source can be divided into cells, without taking them. They go some way below the
	// line on which the header is at the latest. Of a text, a line above least is one row. The error is what comes right after them, but
	// for the end of the file.
	tops(least, latest int) ([]top, error)
	// begin takes the rows up to the header, which has so many cells, and settles how the rest is divided.
	begin(t top, header tableRow, width int)
	// next returns the next row that is not empty. Its error is io.EOF after the last; a *[Problem]; an error of the disk; or
	// errUndivided, where the row's flaw says why neither it nor anything below it can be divided into cells.
	next() (tableRow, error)
	// surelyOne says whether this cell of the row that next returned last is certain to be one cell, and no part of one.
	surelyOne(cell int) bool
}

// errUndivided says that a row cannot be divided into cells, and that nobody can tell where the next one begins.
var errUndivided = errors.New("the rows cannot be divided into cells")

// tableRow is a row of a source, before it is fitted to the header.
type tableRow struct {
	line  int // the physical line on which it starts, or the number of the sheet's row
	last  int // the line on which it ends
	cells []string
	cut   bool     // it is the file's last line and has no line break
	bad   *Problem // the cells may stand in wrong columns
	badAt int      // the cell that bad is about

	typed  []xlsx.Cell  // of a workbook, as many as cells
	merged []xlsx.Range // blocks of a workbook that the row is in
}

// top is the first rows of a source, without blank ones, divided in one way.
type top struct {
	delimiter rune // 0 in a workbook
	rows      []tableRow
}
