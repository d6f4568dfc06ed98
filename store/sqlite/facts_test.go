package sqlite_test

import (
	"paylinks/job"
)

// factsOf looks up one invoice.
func (l *ledger) factsOf(row job.NewItem) ([]job.Facts, error) {
	l.t.Helper()
	found, err := l.Facts(l.t.Context(), [][16]byte{row.Invoice})
	return found[row.Invoice], err
}
