package invoice

import (
	"fmt"
	"slices"
)

// findOtherAmounts finds the headers that could be the amount, or what is paid of it, beside the column that was taken for it.
func (h *head) findOtherAmounts() {
	amount := columnNamed("amount")
	names := slices.Concat(spellings[amount.Name], besideAmounts, paidAmounts)
	for i, header := range h.Columns {
		if h.isFree(i) && slices.ContainsFunc(names, func(s spelling) bool { return amount.matches(s, header, h.normal[i]) }) {
			h.OtherAmounts = append(h.OtherAmounts, header)
		}
	}
}

// newAmounts refuses a file with another amount than there was when o.Map chose one: what is due may have moved there.
func (h *head) newAmounts(file string, o Options) (problems Problems) {
	if _, taken := h.taken["amount"]; !o.GuardAmount || !taken {
		return nil
	}
	chosen := h.Columns[h.taken["amount"]]
	for _, header := range h.OtherAmounts {
		if slices.ContainsFunc(o.OtherAmounts, func(known string) bool { return normalise(known) == normalise(header) }) {
			continue
		}
		what := fmt.Sprintf("could be the amount or a part of it, and was not there when the column %s was chosen for it", quote(chosen))
		problems = append(problems, flaw(AmountRivals, what, "",
			Option{Do: Add, Setting: "map", Column: "amount", Value: chosen, When: quote(chosen) + " is still what is due"},
			Option{Do: Add, Setting: "map", Column: "amount", Value: header, When: quote(header) + " is"},
			Option{Do: Add, Setting: "ignore", Value: header, When: "it is no amount"}).
			at(file, h.line, header, ""))
	}
	return problems
}
