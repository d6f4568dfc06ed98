package invoice

import (
	"fmt"
	"slices"
)

// paidAmounts are headers of what a customer has paid. dueAmounts are those of an amount from which that has been taken off.
var (
	paidAmounts = spell([]string{"amount_paid", "paid_amount", "invoice_amount_paid", "total_paid", "Bezahlter Betrag", "Gezahlter Betrag",
		"Montant payé", "Importe pagado", "Bedrag betaald", "Betaald bedrag", "入金額"})
	dueAmounts = spell([]string{"amount_due", "invoice_amount_due", "Total due", "Amount payable", "Fälliger Betrag", "Zahlbetrag", "Montant dû",
		"Net à payer", "Montant à payer", "Importe adeudado", "Total a pagar", "Verschuldigd bedrag", "Te betalen", "未消込額"})
)

// findPaid finds the columns that say how much of the amount is paid. Nobody has said that the amount was meant.
func (h *head) findPaid(claimed map[int]bool) {
	taken := h.taken["amount"]
	named := func(list []spelling, i int) bool {
		return slices.ContainsFunc(list, func(s spelling) bool { return s.normal == h.normal[i] })
	}
	if named(dueAmounts, taken) {
		return
	}
	for i := range h.Columns {
		if !claimed[i] && named(paidAmounts, i) {
			h.paid = append(h.paid, i)
		}
	}
}

// refusePaid refuses a row of which some is paid: all of its amount would be billed again.
func (r *Reader) refusePaid(row *Row) {
	for _, i := range r.head.paid {
		paid, bad := r.amountAt(row, i)
		if bad != nil {
			continue
		}
		row.Problems = append(row.Problems, flaw(AmountPaid, fmt.Sprintf("says that %s is paid of the amount, which is taken from the column %s", paid, quote(r.head.Taken["amount"])),
			"write what is still due into that column, or take the row out",
			Option{Do: Add, Setting: "map", Column: "amount", When: "another column has what is due"},
			Option{Do: Add, Setting: "ignore", Value: r.head.Columns[i], When: quote(r.head.Columns[i]) + " means something else"}).
			at(r.file, row.Line, r.head.Columns[i], row.Cells[i]))
		r.locate(row)
	}
}
