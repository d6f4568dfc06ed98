package invoice

import (
	"fmt"
	"slices"
)

// findOtherAmounts finds the headers that could be the amount, or what is paid of it, beside the column that was taken for it. Beside one
// that was taken for the amount of a line, that may as well be another line's amount.
func (h *head) findOtherAmounts() {
	amount := columnNamed("amount")
	names := slices.Concat(spellings[amount.Name], besideAmounts, paidAmounts)
	if _, taken := h.taken["line_amount"]; taken {
		names = append(names, spellings["line_amount"]...)
	}
	for i, header := range h.Columns {
		if h.isFree(i) && slices.ContainsFunc(names, func(s spelling) bool { return amount.matches(s, header, h.normal[i]) }) {
			h.OtherAmounts = append(h.OtherAmounts, header)
		}
	}
}

// newAmounts refuses a file with another amount than there was when o.Map chose one: what is due may have moved there.
func (h *head) newAmounts(file string, o Options) (problems Problems) {
	for _, header := range h.OtherAmounts {
		if slices.ContainsFunc(o.OtherAmounts, func(known string) bool { return normalise(known) == normalise(header) }) {
			continue
		}
		column := h.guardedAgainst(header, o)
		if column == "" {
			continue
		}
		chosen, is := h.Columns[h.taken[column]], "what is due"
		if column == "line_amount" {
			is = "what a line comes to"
		}
		what := fmt.Sprintf("could be the amount or a part of it, and was not there when the column %s was chosen for it", quote(chosen))
		problems = append(problems, flaw(AmountRivals, what, "",
			Option{Do: Add, Setting: "map", Column: column, Value: chosen, When: quote(chosen) + " is still " + is},
			Option{Do: Add, Setting: "map", Column: column, Value: header, When: quote(header) + " is"},
			Option{Do: Add, Setting: "ignore", Value: header, When: "it is no amount"}).
			at(file, h.line, header, ""))
	}
	return problems
}

// guardedAgainst is the column that o.Map chose and that the header could be, too; "" is none. What could be the amount is compared with the
// one that is taken, or else could be what the lines are meant to be.
func (h *head) guardedAgainst(header string, o Options) string {
	ofLine := slices.ContainsFunc(spellings["line_amount"], func(s spelling) bool { return s.normal == normalise(header) })
	_, amount := h.taken["amount"]
	_, line := h.taken["line_amount"]
	switch {
	case o.GuardAmount && amount && !ofLine:
		return "amount"
	case o.GuardLine && line && (ofLine || !amount):
		return "line_amount"
	}
	return ""
}
