package xlsx

import (
	"fmt"
	"regexp"
	"strings"
)

// What a sheet can hold.
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
)

// Reference is the name of a cell: "C7" is column 2 of row 7. Columns are counted from 0, rows from 1.
func Reference(column, row int) string { return fmt.Sprintf("%s%d", columnName(column), row) }

func columnName(column int) string {
	name := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

// parseReference reads the name of a cell.
func parseReference(name string) (column, row int, ok bool) {
	i := 0
	for ; i < len(name); i++ {
		c := name[i] &^ 0x20 // lower case counts, too
		if c < 'A' || c > 'Z' {
			break
		}
		if column = column*26 + int(c-'A') + 1; column > MaxColumns {
			return 0, 0, false
		}
	}
	digits := name[i:]
	row, ok = parseRow(digits)
	return column - 1, row, ok && i > 0
}

// parseRow reads the number of a row.
func parseRow(digits string) (row int, ok bool) {
	if digits == "" || digits[0] == '0' {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		if row = row*10 + int(digits[i]-'0'); row > MaxRows {
			return 0, false
		}
	}
	return row, true
}

// Range is a block of cells, its ends included.
type Range struct {
	FirstColumn, FirstRow int
	LastColumn, LastRow   int
}

func (r Range) String() string {
	return Reference(r.FirstColumn, r.FirstRow) + ":" + Reference(r.LastColumn, r.LastRow)
}

func parseRange(name string) (r Range, ok bool) {
	first, last, two := strings.Cut(name, ":")
	if r.FirstColumn, r.FirstRow, ok = parseReference(first); !ok {
		return r, false
	}
	r.LastColumn, r.LastRow = r.FirstColumn, r.FirstRow
	if two {
		r.LastColumn, r.LastRow, ok = parseReference(last)
	}
	return r, ok && r.FirstColumn <= r.LastColumn && r.FirstRow <= r.LastRow
}

var (
	plainSheet = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_.]*$`)
	likeCell   = regexp.MustCompile(`(?i)^([a-z]{1,3}[0-9]+|r[0-9]*c?[0-9]*|c[0-9]*)$`)
)

// Place is a cell or block of a sheet as formulas write it: Sheet1!C7, or 'Open invoices'!C7.
func Place(sheet, cell string) string {
	if !plainSheet.MatchString(sheet) || likeCell.MatchString(sheet) {
		sheet = "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
	}
	return sheet + "!" + cell
}
