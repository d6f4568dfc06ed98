package postgres_test

import (
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres/pgtest"
)

// A row that this sender has tried before, and that another job has taken over since, is another sender's: its own last attempt does not
// mean that it has moved the row itself.
func TestTriedRowIsTakenOver(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(2)...)
	items := a.items(j.ID)
	for i, outcome := range []job.Outcome{job.OutcomeThrottled, job.OutcomeUnknown} {
		if _, err := a.end(&items[i], a.begin(&items[i]), ledgertest.Ends[outcome]); err != nil {
			t.Fatal(err)
		}
	}
	items = a.items(j.ID)
	b.imported("b", ledgertest.Invoices(2)...)
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "superseded, superseded, pending, pending")
	for i := range items {
		if r, _, err := a.Begin(&items[i], time.Now(), nil); err != nil || r.Action != job.Overtaken || items[i].State != job.Superseded {
			t.Errorf("Begin: %+v, %v, %+v", r, err, items[i])
		}
	}
	s.checkTallies()
}
