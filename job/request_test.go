package job_test

import (
	"testing"

	"github.com/bojanz/currency"

	"paylinks/job"
	"paylinks/job/invoice"
)

// TestNewRowOfASeries guards where a series stands: before the id in the reference, and nowhere that the customer sees.
func TestNewRowOfASeries(t *testing.T) {
	amount, err := currency.NewAmount("5.00", "EUR")
	if err != nil {
		t.Fatal(err)
	}
	id := job.Identity{Environment: job.Sandbox, BaseURL: "https://clink.test"}
	keys := map[[16]byte]string{}
	for _, tt := range []struct{ id, series, reference, item string }{
		{"7", "", "7", "Invoice 7"},
		{"7", "2026", "2026-7", "Invoice 7"},
		{"7", "2027", "2027-7", "Invoice 7"},
		{"", "", "paylinks-0000000000000000-3", "Invoice paylinks-0000000000000000-3"},
		{"", "2026", "paylinks-0000000000000000-3", "Invoice paylinks-0000000000000000-3"},
	} {
		inv := invoice.Invoice{ID: tt.id, Series: tt.series, Amount: amount, AmountText: "5.00", CustomerEmail: "a@example.com"}
		copy(inv.Identity[:], "by its id "+tt.id)
		item := id.NewRow(invoice.Row{Line: 3, Invoice: inv}, "")
		name := item.Request.PriceData[0].Name
		if item.Reference != tt.reference || item.Request.MerchantReferenceID != tt.reference || name != tt.item || item.InvoiceID != tt.id {
			t.Errorf("id %q of series %q: reference %q, item %q", tt.id, tt.series, item.Reference, name)
		}
		if other, taken := keys[item.Invoice]; taken {
			t.Errorf("id %q of series %q is the same invoice as in series %q", tt.id, tt.series, other)
		}
		keys[item.Invoice] = tt.series
	}
}
