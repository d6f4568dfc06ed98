package invoice

import (
	"fmt"
	"io"
	"slices"

	"paylinks/job/invoice/xlsx"
)

// sheetRows is a sheet of a workbook as the source of a table.
type sheetRows struct {
	file   string
	sheet  xlsx.Sheet
	rows   *xlsx.Rows
	first  []sheetRow // read to find the header, and not taken yet
	err    error      // what comes after them: io.EOF, a Problems, or an error of the disk
	header int        // row of the column names
	width  int        // its cells
	hidden HiddenRows // what becomes of hidden rows

	blocks  []xlsx.Range // merged ones that begin in a row to come
	current []xlsx.Range // those that the row at hand is in
	found   Hidden
}

// HiddenRows says what becomes of rows that a filter or a person has hidden.
type HiddenRows string

const (
	HiddenRefused  HiddenRows = ""        // the file is refused where there are any
	HiddenIncluded HiddenRows = "include" // they are rows like the others
	HiddenSkipped  HiddenRows = "skip"    // they are left out
)

// Hidden counts the hidden rows below the header of a sheet that hold something.
type Hidden struct {
	Rows  int
	First int        // its number
	Are   HiddenRows // what became of them
}

type sheetRow struct {
	tableRow
	hidden bool
}

func newSheetRows(file string, book *xlsx.Book, sheet xlsx.Sheet, o Options) (*sheetRows, error) {
	blocks, err := book.Merged(sheet)
	if err != nil {
		return nil, err
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, err
	}
	return &sheetRows{file: file, sheet: sheet, rows: rows, hidden: o.HiddenRows, blocks: blocks}, nil
}

// Close ends the reading.
func (s *sheetRows) Close() error {
	s.rows.Close()
	return nil
}

// failure is why the first rows cannot be read, or nil.
func (s *sheetRows) failure() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

func (s *sheetRows) tops(_, latest int) ([]top, error) {
	for s.err == nil && len(s.first) < latest+sampleRows && (len(s.first) == 0 || s.first[len(s.first)-1].line < latest+sampleRows) {
		var row sheetRow
		if row, s.err = s.read(); s.err == nil {
			s.first = append(s.first, row)
		}
	}
	var t top
	for _, row := range s.first {
		if slices.ContainsFunc(row.cells, func(cell string) bool { return !isBlank(cell) }) {
			t.rows = append(t.rows, row.tableRow)
		}
	}
	return []top{t}, s.failure()
}

func (s *sheetRows) begin(_ top, header tableRow, width int) {
	s.header, s.width = header.line, width
	s.first = slices.DeleteFunc(s.first, func(row sheetRow) bool { return row.line <= header.line })
}

// read returns the next row of the sheet as it stands there.
func (s *sheetRows) read() (sheetRow, error) {
	row, err := s.rows.Next()
	if err != nil {
		return sheetRow{}, workbookProblem(s.file, err)
	}
	t := tableRow{line: row.Number, last: row.Number, typed: slices.Clone(row.Cells), cells: make([]string, len(row.Cells))}
	for i, cell := range row.Cells {
		t.cells[i] = cell.Text
	}
	return sheetRow{t, row.Hidden}, nil
}

func (s *sheetRows) next() (tableRow, error) {
	for {
		var row sheetRow
		switch {
		case len(s.first) > 0:
			row, s.first = s.first[0], s.first[1:]
		case s.err == nil:
			row, s.err = s.read()
		}
		if s.err != nil && row.cells == nil {
			return tableRow{}, s.err
		}
		if row.hidden && s.hidden == HiddenSkipped {
			s.found.add(row.line)
			continue
		}
		if row.hidden {
			s.found.add(row.line)
		}
		return s.fit(row.tableRow), nil
	}
}

func (h *Hidden) add(row int) {
	if h.Rows++; h.First == 0 {
		h.First = row
	}
}

// fit gives the row as many cells as the header has, and the merged blocks that it is in. A row that seems blank may hold formulas.
func (s *sheetRows) fit(t tableRow) tableRow {
	for i := s.width; i < len(t.cells); i++ {
		if !isBlank(t.cells[i]) || t.typed[i].Stale {
			t.bad, t.badAt = flaw(CellsTooMany, fmt.Sprintf("has something in %s, right of the last column that has a name", xlsx.Reference(i, t.line)),
				"write a name above it, or empty it"), i
			break
		}
	}
	if t.bad == nil && !slices.ContainsFunc(t.cells, func(cell string) bool { return !isBlank(cell) }) {
		if i := slices.IndexFunc(t.typed, func(c xlsx.Cell) bool { return c.Stale }); i >= 0 {
			t.bad, t.badAt = staleFormula(t.typed[i]), i
		}
	}
	for len(t.cells) < s.width {
		t.cells, t.typed = append(t.cells, ""), append(t.typed, xlsx.Cell{})
	}
	s.current = slices.DeleteFunc(s.current, func(b xlsx.Range) bool { return b.LastRow < t.line })
	for len(s.blocks) > 0 && s.blocks[0].FirstRow <= t.line {
		if b := s.blocks[0]; b.LastRow >= t.line {
			s.current = append(s.current, b)
		}
		s.blocks = s.blocks[1:]
	}
	t.merged = slices.Clone(s.current)
	return t
}

func (s *sheetRows) surelyOne(int) bool { return true }

// hidden counts the hidden rows of the sheet, once it was read to its end.
func (r *Reader) hidden() Hidden {
	if r.sheet == nil || r.batch.err != io.EOF {
		return Hidden{}
	}
	found := r.sheet.found
	found.Are = r.sheet.hidden
	return found
}

// refusals are why no row of the sheet can be used, once it was read to its end.
func (s *sheetRows) refusals() Problems {
	if s.hidden != HiddenRefused || s.found.Rows == 0 {
		return nil
	}
	what := fmt.Sprintf("has %d hidden rows below the column names, the first of them here", s.found.Rows)
	if s.found.Rows == 1 {
		what = "has this hidden row below the column names"
	}
	bad := flaw(RowsHidden, what, "show all rows, or delete the hidden ones",
		Option{Do: Add, Setting: "hidden_rows", Value: string(HiddenIncluded), When: "they are invoices like the others"},
		Option{Do: Add, Setting: "hidden_rows", Value: string(HiddenSkipped), When: "they are to be left out"})
	return Problems{bad.at(s.file, s.found.First, "", "")}
}
