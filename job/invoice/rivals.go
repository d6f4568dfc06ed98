package invoice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bojanz/currency"
)

// besideAmounts are headers that name an amount, and are never taken for it by themselves: what is open may be the right one beside
// what was billed.
var besideAmounts = spell(append([]string{"balance", "balance_due", "open_balance", "open_amount", "outstanding", "amount_open"},
	programHeaders("amount", true)...))

// rival is a column that could be the amount, beside the one that was taken for it. They must agree in every row.
type rival struct {
	column       int
	line         int    // the first on which they differ; 0 is none so far
	amount, cell string // there
}

// findRivals finds the columns that could be the amount, too.
func (h *head) findRivals(claimed map[int]bool) {
	amount := columnNamed("amount")
	names := slices.Concat(spellings[amount.Name], besideAmounts)
	taken, found := h.taken["amount"]
	if !found {
		return
	}
	for i, header := range h.Columns {
		if claimed[i] || header == h.Columns[taken] {
			continue
		}
		for _, name := range names {
			if amount.matches(name, header, h.normal[i]) {
				h.rivals = append(h.rivals, rival{column: i})
				h.Others = append(h.Others, Near{header, amount.Name})
				break
			}
		}
	}
}

// isRival says whether the column could be the amount.
func (h *head) isRival(i int) bool {
	return slices.ContainsFunc(h.rivals, func(r rival) bool { return r.column == i })
}

// compareRivals remembers for each rival the first row in which it is another amount.
func (r *Reader) compareRivals(row *Row) {
	for i := range r.head.rivals {
		rival := &r.head.rivals[i]
		amount, cell := row.Cells[r.head.taken["amount"]], row.Cells[rival.column]
		if rival.line == 0 && !r.sameAmount(row, r.head.taken["amount"], rival.column) {
			rival.line, rival.amount, rival.cell = row.Line, amount, cell
		}
	}
}

// amountFormat is how the row's amounts are written.
func (r *Reader) amountFormat(row *Row) amountFormat {
	format := amountFormat{decimalComma: r.judge.options.DecimalComma}
	if digits, known := currency.GetDigits(row.Invoice.Amount.CurrencyCode()); known {
		format.code, format.digits = row.Invoice.Amount.CurrencyCode(), int(digits)
	}
	return format
}

// amountAt reads the row's cell in a column as an amount.
func (r *Reader) amountAt(row *Row, column int) (plain string, bad *Problem) {
	format, cell := r.amountFormat(row), row.Cells[column]
	if number, is := row.number(column); is {
		format.decimalComma, cell = false, number
	}
	plain, _, bad = format.read(cell)
	return plain, bad
}

// sameAmount says whether the cells in two columns are the same amount. A cell that cannot be read is the same as no other.
func (r *Reader) sameAmount(row *Row, a, b int) bool {
	_, isNumber := row.number(a)
	_, alsoNumber := row.number(b)
	if isNumber == alsoNumber && row.Cells[a] == row.Cells[b] || isBlank(row.Cells[a]) && isBlank(row.Cells[b]) {
		return true
	}
	first, badFirst := r.amountAt(row, a)
	second, badSecond := r.amountAt(row, b)
	return badFirst == nil && badSecond == nil && withoutZeros(first) == withoutZeros(second)
}

// differingRivals refuses the file where a rival was another amount in some row.
func (r *Reader) differingRivals() (problems Problems) {
	header := r.head.Taken["amount"]
	for _, rival := range r.head.rivals {
		if rival.line == 0 {
			continue
		}
		other := r.head.Columns[rival.column]
		what := fmt.Sprintf("could be the amount, and so could %s, and they differ: line %d has %s and %s",
			quote(other), rival.line, quote(rival.amount), quote(rival.cell))
		options := []Option{
			{Do: Add, Setting: "map", Column: "amount", Value: header},
			{Do: Add, Setting: "map", Column: "amount", Value: other},
		}
		if r.judge.options.Lines == LinesSum { // one of them may be the total, which must not be added up
			for i := range options {
				options[i].Column, options[i].When = "line_amount", quote(options[i].Value)+" has the amounts of the lines"
			}
		}
		if !strings.ContainsAny(rival.cell, "0123456789") && !isBlank(rival.cell) { // a word such as yes
			options = append(options, Option{Do: Add, Setting: "ignore", Value: other, When: quote(other) + " is no amount"})
		}
		problems = append(problems, flaw(AmountRivals, what, "take the one that is not meant out of the file", options...).
			at(r.file, r.head.line, header, ""))
	}
	return problems
}
