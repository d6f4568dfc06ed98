package postgres_test

import (
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

func TestSkew(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct{ database, took, want time.Duration }{
		{0, 0, 0},
		{500 * time.Millisecond, time.Second, 0},
		{-1900 * time.Millisecond, 0, 0}, // the network's
		{time.Hour, 0, time.Hour},
		{-time.Hour, 0, -time.Hour},
		{time.Hour, 4 * time.Second, time.Hour - 2*time.Second},
	} {
		if got := postgres.Skew(at.Add(test.database), at, at.Add(test.took)); got != test.want {
			t.Errorf("the database is ahead by %s, and answered within %s: %s, want %s", test.database, test.took, got, test.want)
		}
	}
}

// Promise: hosts whose clocks differ by an hour have one clock in the ledger, the database's. A link that lives is live for both, leases
// end for neither, and what one has asked Clink about the other does not ask about again.
func TestHostsWhoseClocksDiffer(t *testing.T) {
	const ahead = time.Hour
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	b.ClockIsAhead(ahead)
	here := time.Now
	there := func() time.Time { return time.Now().Add(ahead) }
	on := func(l *sender, name string, at time.Time) job.Job {
		t.Helper()
		j, err := l.Import(ledgertest.NewJob(name), ledgertest.Good(ledgertest.Invoices(2)...), false, at)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := on(a, "a", here())
	for _, item := range a.items(j.ID) {
		_, number, err := a.Begin(&item, here(), nil)
		a.must(err)
		end := ledgertest.Ends[job.OutcomeCreated]
		end.At, end.ExpiresAt = here(), here().Add(ahead/2)
		end.SessionID, end.URL = "sess_"+item.Reference, "https://pay.test/"+item.Reference
		if _, err := a.end(&item, number, end); err != nil {
			t.Fatal(err)
		}
	}
	on(b, "b", there())
	s.want(`SELECT string_agg(state, ' ' ORDER BY id) FROM item`, "created created duplicate duplicate")
	s.want(`SELECT bool_and(abs(extract(epoch FROM clock_timestamp() - created_at)) < 60)::text FROM job`, "true")
	if n, err := b.ExpiredLinks(t.Context(), j.ID, there(), 10); n != 0 || err != nil {
		t.Errorf("%d links have expired, %v", n, err)
	}
	toAsk := func(l *sender, since time.Time, want int) {
		t.Helper()
		if n, err := l.CountLinks(t.Context(), job.LinkQuery{JobID: j.ID, At: since}); n != want || err != nil {
			t.Errorf("%d links are to be asked about, %v; want %d", n, err, want)
		}
	}
	since := there()
	toAsk(b, since, 2)
	links, err := b.Links(t.Context(), job.LinkQuery{JobID: j.ID, At: since}, 0, 10)
	b.must(err)
	for _, link := range links {
		b.must(b.Checked(link.ID, job.LinkOpen, there()))
	}
	toAsk(b, since, 0)
	toAsk(a, since.Add(-ahead), 0)
}
