package store_test

import "testing"

// TestKnown guards that looking invoices up together finds those that stand in a job, over several batches.
func TestKnown(t *testing.T) {
	l := newLedger(t)
	l.imported(newJob("a"), invoice(2, "INV-1"), invoice(3, "INV-2"))
	var asked [][16]byte
	for i := range 3 * 256 {
		asked = append(asked, [16]byte{1, byte(i), byte(i >> 8)})
	}
	asked[0], asked[len(asked)-1] = invoice(2, "INV-1").Invoice, invoice(3, "INV-2").Invoice
	known, err := l.Known(t.Context(), asked)
	if err != nil || len(known) != 2 || !known[asked[0]] || !known[asked[len(asked)-1]] {
		t.Errorf("got %v, %v", known, err)
	}
	if known, err := l.Known(t.Context(), nil); err != nil || len(known) != 0 {
		t.Errorf("of none: %v, %v", known, err)
	}
}
