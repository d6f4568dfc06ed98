package sqlite_test

import (
	"paylinks/job"
)

// asked are the ids of the items that the question is about, and as many must be counted.
func (l *ledger) asked(q job.LinkQuery) []int64 {
	l.t.Helper()
	items, err := l.Links(l.t.Context(), q, 0, 100)
	if err != nil {
		l.t.Fatal(err)
	}
	n, err := l.CountLinks(l.t.Context(), q)
	if err != nil || n != len(items) {
		l.t.Errorf("%d links are counted (%v), %d are read", n, err, len(items))
	}
	var ids []int64
	for _, i := range items {
		if i.SessionID == "" {
			l.t.Errorf("got %+v", i)
		}
		ids = append(ids, i.ID)
	}
	return ids
}
