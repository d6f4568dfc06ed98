package xlsx

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Type is what a cell holds.
type Type uint8

const (
	Blank  Type = iota
	Text        // words, or digits that are kept as words
	Number      // Cell.Text is its plain decimal: see [Cell]
	Date        // a number that is shown as a date or time: Cell.Text is by ISO 8601
	Bool        // TRUE or FALSE
	Failed      // a formula's error, such as #REF!
)

// Cell is what a cell holds. A number is the shortest decimal of the stored double at 15 significant digits, which is what the spreadsheet
// shows in its formula bar; beyond 20 digits it is in scientific notation.
type Cell struct {
	Type   Type
	Stale  bool // a formula whose value is not in the file, or is said there to be out of date; Text may be empty
	Text   string
	Format *Format // of a Number or Date
}

// Row is a row that has cells. It is valid until the next.
type Row struct {
	Number int // as the spreadsheet counts: from 1
	Hidden bool
	Cells  []Cell // from column A on, up to the last that is not blank; at least one
}

// Rows reads a sheet from its top to its end.
type Rows struct {
	book   *Book
	sheet  Sheet
	part   *part
	within bool // among the rows
	ended  bool
	row    Row
	last   int // number of the last row that was read
	column int // of the next cell without a reference
	text   []byte
	merged []Range
}

// maxMerged is how many merged blocks are kept.
const maxMerged = 1 << 20

// Rows begins to read a sheet of the book. It must be closed before another is read.
func (b *Book) Rows(sheet Sheet) (*Rows, error) {
	if err := b.load(); err != nil {
		return nil, err
	}
	p, err := b.archive.open(sheet.part, maxSheet)
	if err != nil {
		return nil, inSheet(err, sheet.Name, 0)
	}
	r := &Rows{book: b, sheet: sheet, part: p}
	root, err := p.begin()
	if err == nil && (root.Name.Local != "worksheet" || !isMain(root.Name.Space)) {
		err = damaged("has a part that is no sheet (" + sheet.part + ")")
	}
	if err != nil {
		p.close()
		return nil, inSheet(err, sheet.Name, 0)
	}
	return r, nil
}

// Close ends the reading.
func (r *Rows) Close() { r.part.close() }

// Merged are the merged blocks of the sheet, after Next has returned io.EOF: the file has them behind the rows.
func (r *Rows) Merged() []Range { return r.merged }

// Next returns the next row that has cells, and io.EOF after the last, when the sheet was read to its end and is whole.
func (r *Rows) Next() (*Row, error) {
	for !r.ended {
		found, err := r.next()
		if err != nil {
			return nil, inSheet(err, r.sheet.Name, r.last)
		}
		if found {
			return &r.row, nil
		}
	}
	return nil, io.EOF
}

// next reads the next token of the sheet or row; found says that it was a row with cells.
func (r *Rows) next() (found bool, err error) {
	token, err := r.part.next()
	if err != nil {
		return false, err
	}
	switch e := token.(type) {
	case xml.EndElement:
		switch {
		case r.within:
			r.within = false
		case r.part.depth == 0:
			r.ended = true
			return false, r.part.end()
		}
	case xml.StartElement:
		own := e.Name.Space == r.part.space
		switch {
		case own && r.within && e.Name.Local == "row":
			return r.readRow(e)
		case own && !r.within && e.Name.Local == "sheetData":
			r.within = true
		case own && !r.within && e.Name.Local == "mergeCells":
		case own && !r.within && e.Name.Local == "mergeCell":
			block, ok := parseRange(attribute(e, "ref"))
			if !ok {
				return false, damaged(fmt.Sprintf("has a merged block that is none, %q", attribute(e, "ref")))
			}
			if len(r.merged) == maxMerged {
				return false, tooLarge("has more than a million merged blocks")
			}
			r.merged = append(r.merged, block)
			return false, r.part.skip()
		default:
			return false, r.part.skip()
		}
	}
	return false, nil
}

// readRow reads the row that has just begun.
func (r *Rows) readRow(e xml.StartElement) (found bool, err error) {
	number := r.last + 1
	r.row.Hidden = false
	for _, a := range e.Attr {
		if a.Name.Space != "" {
			continue
		}
		switch a.Name.Local {
		case "r":
			n, ok := parseRow(a.Value)
			if !ok || n <= r.last {
				return false, damaged(fmt.Sprintf("is followed by a row that is called %q", a.Value))
			}
			number = n
		case "hidden":
			r.row.Hidden = r.row.Hidden || isTrue(a.Value)
		case "ht":
			height, err := strconv.ParseFloat(a.Value, 64)
			r.row.Hidden = r.row.Hidden || err == nil && height == 0
		}
	}
	if number > MaxRows {
		return false, tooLarge("has more rows than a spreadsheet can have")
	}
	r.last, r.column = number, 0
	r.row.Number, r.row.Cells = number, r.row.Cells[:0]
	for {
		token, err := r.part.next()
		if err != nil {
			return false, err
		}
		switch e := token.(type) {
		case xml.EndElement:
			return len(r.row.Cells) > 0, nil
		case xml.StartElement:
			if e.Name.Local != "c" || e.Name.Space != r.part.space {
				err = r.part.skip()
			} else {
				err = r.readCell(e)
			}
			if err != nil {
				return false, err
			}
		}
	}
}

// stored is a cell as it stands in the file.
type stored struct {
	kind    string // the attribute t
	format  *Format
	formula bool
	has     bool // it has a value, which may be empty
}

// readCell reads the cell that has just begun. Its name may be left out: it stands behind the one before, then.
func (r *Rows) readCell(e xml.StartElement) error {
	s := stored{kind: "n"}
	style := "0"
	for _, a := range e.Attr {
		if a.Name.Space != "" {
			continue
		}
		switch a.Name.Local {
		case "r":
			column, row, ok := parseReference(a.Value)
			if !ok || row != r.last || column < r.column {
				return damaged(fmt.Sprintf("has a cell called %q where none can be", a.Value))
			}
			r.column = column
		case "t":
			s.kind = a.Value
		case "s":
			style = a.Value
		}
	}
	if r.column >= MaxColumns {
		return tooLarge("has more columns than a spreadsheet can have")
	}
	n, err := strconv.Atoi(style)
	if err != nil || n < 0 || n >= len(r.book.formats) {
		return r.damagedCell(fmt.Sprintf("refers to style %q, which the workbook lacks", style))
	}
	s.format = r.book.formats[n]
	if err := r.readValue(&s); err != nil {
		return err
	}
	cell, err := r.cell(&s)
	if err != nil {
		return err
	}
	if cell.Type != Blank || cell.Stale {
		for len(r.row.Cells) < r.column {
			r.row.Cells = append(r.row.Cells, Cell{})
		}
		r.row.Cells = append(r.row.Cells, cell)
	}
	r.column++
	return nil
}

func (r *Rows) damagedCell(what string) error {
	return &Error{Kind: Damaged, Cell: Reference(r.column, r.last), What: what}
}

// readValue reads the cell up to its end; the value is in r.text.
func (r *Rows) readValue(s *stored) error {
	r.text = r.text[:0]
	for {
		token, err := r.part.next()
		if err != nil {
			return err
		}
		e, begins := token.(xml.StartElement)
		if _, ends := token.(xml.EndElement); ends {
			return nil
		}
		if !begins {
			continue
		}
		name := e.Name.Local
		if e.Name.Space != r.part.space {
			name = ""
		}
		switch {
		case name == "v" && s.has, name == "is" && s.has:
			return r.damagedCell("has two values")
		case name == "v":
			s.has = true
			r.text, err = r.part.text(r.text)
		case name == "is":
			s.has = true
			r.text, err = r.part.richText(r.text)
		default:
			s.formula = s.formula || name == "f"
			err = r.part.skip()
		}
		if err != nil {
			return err
		}
	}
}

// cell is what the value in r.text is.
func (r *Rows) cell(s *stored) (Cell, error) {
	c := Cell{Stale: s.formula && (!s.has || r.book.outdated)}
	value := r.text
	switch s.kind {
	case "s":
		if len(value) == 0 {
			return c, nil
		}
		i, err := strconv.Atoi(strings.TrimSpace(string(value)))
		if err != nil || i < 0 || i >= r.book.strings.count {
			return c, r.damagedCell(fmt.Sprintf("refers to text %q, which the workbook lacks", value))
		}
		c.Text = r.book.strings.at(i)
	case "str":
		c.Text = string(unescape(value, 0))
	case "inlineStr":
		c.Text = string(value)
	case "b":
		switch string(value) {
		case "":
			return c, nil
		case "0", "false":
			c.Text = "FALSE"
		case "1", "true":
			c.Text = "TRUE"
		default:
			return c, r.damagedCell(fmt.Sprintf("is %q, which is neither true nor false", value))
		}
		c.Type = Bool
		return c, nil
	case "e":
		c.Type, c.Text = Failed, string(value)
		return c, nil
	case "d":
		c.Text = withoutMidnight(string(value))
		if c.Text != "" {
			c.Type, c.Format = Date, s.format
		}
		return c, nil
	case "n":
		return r.number(c, s.format, s.formula)
	default:
		return c, r.damagedCell(fmt.Sprintf("is of a kind that no spreadsheet has, %q", s.kind))
	}
	if c.Text != "" {
		c.Type = Text
	}
	return c, nil
}

// number is a cell that holds a number.
func (r *Rows) number(c Cell, format *Format, formula bool) (Cell, error) {
	text := strings.TrimSpace(string(r.text))
	if text == "" {
		c.Stale = formula
		return c, nil
	}
	decimal, value, ok := plain(text)
	if !ok {
		return c, r.damagedCell(fmt.Sprintf("is said to be a number and is %q", text))
	}
	c.Type, c.Text, c.Format = Number, decimal, format
	if s, _ := format.section(value); s != nil && (s.date || s.clock) {
		if date, ok := isoDate(value, s, r.book.from1904); ok {
			c.Type, c.Text = Date, date
		}
	}
	return c, nil
}
