package invoice

import (
	"fmt"
	"slices"
	"strings"

	"paylinks/job/invoice/xlsx"
)

// shape fits the cells to the header, and leaves out the result columns of a links file or rejected file. A short row may lack cells that nobody
// reads, and a long one may have blank cells too many.
func (r *Reader) shape(t tableRow) Row {
	row := Row{Line: t.line}
	fail := func(column, value string, bad *Problem) {
		row.Problems = append(row.Problems, bad.at(r.file, t.line, column, value))
	}
	cells, width := t.cells, r.head.width
	more := cells[min(len(cells), width):]
	switch {
	case t.bad != nil:
		row.ragged = true
		fail(r.head.columnAt(t.badAt), cellAt(cells, t.badAt), t.bad)
	case slices.ContainsFunc(more, func(cell string) bool { return !isBlank(cell) }):
		row.ragged = true
		fail("", "", r.divided(CellsTooMany, ragged(len(cells), width),
			"put double quotes around a cell that contains a %s", "take out each %s that stands inside a cell"))
	case len(cells) < width && t.cut:
		row.ragged, row.short = true, true
		fail("", "", flaw(RowCutOff, ragged(len(cells), width)+", and the file ends in the middle of it, without a line break",
			"export the file again: what followed is lost"))
	case len(cells) < r.head.needed:
		row.ragged, row.short = true, true
		fail("", "", flaw(CellsTooFew, ragged(len(cells), width),
			fmt.Sprintf("add the missing cells, or a %s for each empty one at the end; a spreadsheet leaves none out where the last column is filled in every row",
				DelimiterName(r.head.Delimiter))))
	}
	if value, column := r.cutAmount(cells); value != "" && t.bad == nil {
		row.ragged, row.short, row.Problems = true, false, nil
		fail(r.head.Taken[column], value, r.divided(AmountCut, "is probably one amount, and its comma divides it into cells",
			"put it in double quotes, or write it without the %s", "write it without the %s"))
	}
	switch {
	case len(cells) > width:
		if row.ragged {
			row.Surplus = more
		}
		cells = cells[:width:width]
	case len(cells) < width:
		row.filled = !row.ragged
		cells = append(cells, make([]string, width-len(cells))...)
	}
	if r.sheet != nil {
		row.typed = &typedRow{sheet: r.sheet.sheet.Name, head: r.head, merged: t.merged, comma: r.judge.options.DecimalComma}
	}
	if r.sheet != nil && !row.ragged {
		row.typed.cells = make([]xlsx.Cell, len(r.head.kept))
		for i, at := range r.head.kept {
			row.typed.cells[i] = t.typed[at]
		}
	}
	if r.head.FedBack {
		if !row.ragged {
			row.Ours = cells[len(r.head.kept):]
		}
		kept := make([]string, len(r.head.kept))
		for i, at := range r.head.kept {
			kept[i] = Unguard(cells[at])
		}
		cells = kept
	}
	for i, cell := range cells {
		if len(cell) > maxCell {
			fail(r.head.Columns[i], cell, flaw(CellTooLong, "holds more than 64 KiB", "shorten it, or look for a double quote that is not closed and takes in the rows below it"))
		}
	}
	row.Cells = cells
	return row
}

// divided is about a cell that a delimiter has divided. Double quotes around it are no remedy where they are text.
func (r *Reader) divided(kind Kind, what, advice, withoutQuotes string) *Problem {
	delimiter := DelimiterName(r.head.Delimiter)
	if !r.head.NoQuotes {
		return flaw(kind, what, fmt.Sprintf(advice, delimiter))
	}
	return flaw(kind, what, fmt.Sprintf(withoutQuotes, delimiter),
		Option{Do: LeaveOut, Setting: "quote", Value: "none", When: "double quotes are around cells in this file"})
}

func ragged(cells, width int) string {
	if cells == 1 {
		return fmt.Sprintf("the row has 1 cell and the header %d", width)
	}
	return fmt.Sprintf("the row has %d cells and the header %d", cells, width)
}

// columnAt is the header above the cell; "" is none, or one of ours.
func (h *head) columnAt(cell int) string {
	if at := slices.Index(h.kept, cell); at >= 0 {
		return h.Columns[at]
	}
	return ""
}

func cellAt(cells []string, at int) string {
	if at < len(cells) {
		return cells[at]
	}
	return ""
}

// cutAmount is the amount that commas divide into cells, where the row's amount may be the first part of one: up to three digits, and then
// cells of three, the last with decimals. In a row that is too long, decimals behind a comma count, too.
func (r *Reader) cutAmount(cells []string) (amount, column string) {
	for _, column := range []string{"amount", "line_amount"} {
		if amount := r.cutAmountIn(column, cells); amount != "" {
			return amount, column
		}
	}
	return "", ""
}

func (r *Reader) cutAmountIn(column string, cells []string) string {
	at, taken := r.head.taken[column]
	if !taken || r.head.Delimiter != ',' {
		return ""
	}
	at = r.head.kept[at]
	if at+1 >= len(cells) || cells[at] == "" || !isDigit(cells[at][len(cells[at])-1]) {
		return ""
	}
	whole := cells[at]
	digits := len(whole) - len(strings.TrimRight(whole, "0123456789"))
	if strings.ContainsAny(whole, ".,") || strings.ContainsAny(whole[:len(whole)-digits], "0123456789") || r.source.surelyOne(at) {
		return ""
	}
	if next := strings.TrimSpace(cells[at+1]); r.judge.options.DecimalComma && len(cells) > r.head.width && len(next) == 2 && allDigits(next) {
		return whole + "," + next
	}
	if digits > 3 {
		return ""
	}
	for end := at + 1; end < len(cells); end++ {
		part := strings.TrimSpace(cells[end])
		if r.source.surelyOne(end) || len(part) < 3 || !allDigits(part[:3]) {
			return ""
		}
		if len(part) > 3 {
			if part[3] != '.' || len(part) == 4 || !isDigit(part[4]) {
				return ""
			}
			return strings.Join(cells[at:end+1], ",")
		}
	}
	return ""
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
