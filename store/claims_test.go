package store_test

import (
	"testing"

	"paylinks/job"
)

// claimsOf looks up one invoice.
func (l *ledger) claimsOf(row job.NewItem) ([]job.Claim, error) {
	l.t.Helper()
	claims, err := l.Claims(l.t.Context(), [][16]byte{row.Invoice})
	return claims[row.Invoice], err
}

// Invoices are looked up together, some hundreds at a time: those that a job holds are found, whatever stands around them,
// and of each all that hold it, in their order.
func TestClaimsOfMany(t *testing.T) {
	l := newLedger(t)
	first, second := invoice(2, "INV-1"), invoice(3, "INV-2")
	l.imported(newJob("a"), first, second)
	for _, item := range l.open(1) {
		l.send(item, job.OutcomeCreated)
	}
	l.query("UPDATE standing SET expires_at = '2020-01-01T00:00:00.000Z' WHERE item_id = 1") // so that another job can have it, too
	l.imported(newJob("b"), first)
	var asked [][16]byte
	for i := range 3 * 256 {
		asked = append(asked, [16]byte{1, byte(i), byte(i >> 8)})
	}
	asked[0], asked[len(asked)-1] = first.Invoice, second.Invoice
	claims, err := l.Claims(t.Context(), asked)
	if err != nil || len(claims) != 2 {
		t.Fatalf("of %d invoices: %v, %v", len(claims), claims, err)
	}
	if got := claims[first.Invoice]; len(got) != 2 || got[0].JobID != 1 || got[1].JobID != 2 || got[1].State != job.Pending {
		t.Errorf("of the first: %+v", got)
	}
	if got := claims[second.Invoice]; len(got) != 1 || got[0].ItemID != 2 || got[0].State != job.Created {
		t.Errorf("of the last: %+v", got)
	}
	if claims, err := l.Claims(t.Context(), nil); err != nil || len(claims) != 0 {
		t.Errorf("of none: %v, %v", claims, err)
	}
}
