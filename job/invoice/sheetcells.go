package invoice

import (
	"slices"
	"strings"

	"paylinks/job/invoice/xlsx"
)

// typedRow is what a workbook knows of a row beside the text of its cells.
type typedRow struct {
	sheet  string
	head   *head
	cells  []xlsx.Cell  // one for each of Header.Columns; none in a row with too many cells
	merged []xlsx.Range // blocks that the row is in

	unclear []int // columns whose text alone does not show what is wrong with them
	comma   bool  // amounts are written with a decimal comma where they are text
}

// Cell is what a workbook calls the row's cell below the header, or the row as a whole: Sheet1!C7. It is "" of a text.
func (r *Row) Cell(header string) string {
	if r.typed == nil {
		return ""
	}
	if at := slices.Index(r.typed.head.Columns, header); at >= 0 && header != "" {
		return xlsx.Place(r.typed.sheet, xlsx.Reference(r.typed.head.kept[at], r.Line))
	}
	return rowOf(r.typed.sheet, r.Line)
}

// notCorrected begins a cell of a rejected file that a workbook has refused, and whose text alone would be taken: it must not be run as it is.
const notCorrected = "#CHECK!"

// RejectedCells are the cells as a rejected file has them, which is a text and is read as the file was. What is wrong with a cell of a workbook
// can be lost there, such as the currency of its number format: such a cell gets a mark that is refused, and what a person sees in the workbook.
func (r *Row) RejectedCells() []string {
	if r.typed == nil || r.typed.cells == nil {
		return r.Cells
	}
	cells := slices.Clone(r.Cells)
	for i, c := range r.typed.cells {
		switch {
		case slices.Contains(r.typed.unclear, i):
			shown := c.Text
			if c.Type == xlsx.Number {
				shown = c.Format.Show(c.Text).Text
			}
			cells[i] = strings.TrimSpace(notCorrected + " " + shown)
		case c.Type == xlsx.Number && r.typed.comma && r.typed.head.isAmount(i):
			cells[i] = strings.Replace(c.Text, ".", ",", 1)
		}
	}
	return cells
}

// isAmount says whether the column is read as an amount, or compared with one.
func (h *head) isAmount(i int) bool {
	return h.is("amount", i) || h.is("unit_amount", i) || h.isRival(i) || slices.Contains(h.paid, i)
}

// is says whether the column was taken as the one of this name.
func (h *head) is(name string, i int) bool {
	at, taken := h.taken[name]
	return taken && at == i
}

// unclear remembers that the text of a cell does not show what is wrong with it.
func (f *finding) unclear(name string) {
	f.row.typed.unclear = append(f.row.typed.unclear, f.places[name])
}

// number is the plain decimal of a cell that a workbook keeps as a number.
func (r *Row) number(column int) (plain string, ok bool) {
	if r.typed == nil || r.typed.cells == nil || r.typed.cells[column].Type != xlsx.Number {
		return "", false
	}
	return r.typed.cells[column].Text, true
}

// typedCell is what a workbook knows of the cell in the column; nil where the value is of no workbook.
func (f *finding) typedCell(name string) *xlsx.Cell {
	if f.row.typed == nil {
		return nil
	}
	at, has := f.places[name]
	if !has {
		return nil
	}
	return &f.row.typed.cells[at]
}

// checkTyped finds what is wrong with a cell that only the workbook knows: its text seems sound, and is not what a person sees there.
func (f *finding) checkTyped(name string) *Problem {
	c := f.typedCell(name)
	if c == nil {
		return nil
	}
	if bad := f.checkMerged(name); bad != nil {
		return bad
	}
	switch {
	case c.Stale:
		return staleFormula(*c)
	case !slices.Contains(idColumns, name):
		return nil
	case c.Type == xlsx.Date:
		return flaw(IDDamaged, "is a date in the spreadsheet, and no id", "format the column as text and write the id again: a spreadsheet takes ids such as 3-2 for dates")
	case c.Type == xlsx.Number:
		return checkNumericID(*c)
	}
	return nil
}

// idColumns are the columns whose text is compared, sign by sign.
var idColumns = []string{"customer_id", "reference_customer_id", "invoice_id", "product_id", "price_id", "promotion_code"}

// staleFormula refuses a formula whose value is not known.
func staleFormula(c xlsx.Cell) *Problem {
	what := "is a formula, and the file does not have its value"
	if c.Text != "" {
		what = "is a formula, and the workbook says itself that its value may be out of date"
	}
	return flaw(FormulaNotCalculated, what, "open the workbook in a spreadsheet program and save it: the program that wrote it does not calculate")
}

// checkNumericID refuses an id that is kept as a number and is not what a person sees, or cannot be what was typed.
func checkNumericID(c xlsx.Cell) *Problem {
	const asText = "format the column as text, and write or export the id again"
	whole, _, _ := strings.Cut(strings.TrimPrefix(c.Text, "-"), ".")
	if len(whole) > 15 || strings.Contains(c.Text, "E") {
		return flaw(IDDamaged, "is kept as a number, which holds 15 digits: the ones behind them are lost", asText)
	}
	if shown := c.Format.Show(c.Text).Text; shown != c.Text {
		return flaw(ShownOtherwise, "is shown as "+quote(shown)+" and kept as the number "+c.Text, asText)
	}
	return nil
}

// checkMerged refuses a cell of a merged block whose value may be meant for several rows, or that lost its value to the block.
func (f *finding) checkMerged(name string) *Problem {
	t := f.row.typed
	column := t.head.kept[f.places[name]]
	for _, block := range t.merged {
		first := column == block.FirstColumn
		switch {
		case column < block.FirstColumn || column > block.LastColumn:
		case first && block.FirstRow == block.LastRow: // it has the value, for this row alone
		default:
			return flaw(CellMerged, "is in the merged block "+block.String()+", which has one value for all its cells",
				"take the block apart in the spreadsheet, and fill each cell that needs a value")
		}
	}
	return nil
}

// readNumber reads an amount that is kept as a number. Unlike a text it can be read in one way; but it is refused where a person sees
// something else than that amount in the currency of the row.
func (f amountFormat) readNumber(c xlsx.Cell) (plain string, bad *Problem) {
	shown := c.Format.Show(c.Text)
	if strings.Contains(c.Text, "E") {
		return "", flaw(AmountNotANumber, "is no amount", "is this perhaps an account or invoice number?")
	}
	for _, sign := range shown.Signs {
		if bad := f.refused(f.affix(withoutNoCents(sign)), affix{}); bad != nil {
			return "", bad.inFormat(shown.Text)
		}
	}
	n := number{}
	n.whole, n.decimals, n.point = strings.Cut(strings.TrimPrefix(c.Text, "-"), ".")
	if bad := f.check(&n); bad != nil {
		bad.Options = nil // the other decimal sign is none of a number's
		return "", bad
	}
	if c.Text[0] == '-' {
		return "", flaw(AmountNegative, "is a credit: it is below zero", creditNote)
	}
	if !sameDecimal(shown.Number, c.Text) {
		return "", flaw(ShownOtherwise, "is shown as "+quote(shown.Text)+" and kept as the number "+c.Text,
			"show all its decimals in the spreadsheet, or correct the number")
	}
	return c.Text, nil
}

// inFormat says that the sign which the problem is about comes from the cell's number format.
func (p *Problem) inFormat(shown string) *Problem {
	p.What += ", by its number format: it is shown as " + quote(shown)
	return p
}

// withoutNoCents takes the dash off that stands for no cents: 1234,-
func withoutNoCents(sign string) string {
	for _, comma := range []bool{true, false} {
		if rest, found := (amountFormat{decimalComma: comma}).cutNoCents(sign); found {
			return rest
		}
	}
	return sign
}

// sameDecimal says whether two plain decimals are the same number.
func sameDecimal(a, b string) bool {
	even := func(s string) string {
		whole, decimals, _ := strings.Cut(s, ".")
		return strings.TrimLeft(whole, "0") + "." + strings.TrimRight(decimals, "0")
	}
	return a != "" && even(a) == even(b)
}
