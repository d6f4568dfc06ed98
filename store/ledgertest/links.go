package ledgertest

import (
	"fmt"
	"maps"
	"paylinks/job"
	"slices"
	"strings"
	"testing"
	"time"
)

// withLink returns a created item of a job of its own.
func (l *ledger) withLink() *job.Item {
	l.t.Helper()
	item := l.first(l.imported(NewJob("with a link"), Invoice(2, "INV-LINK")).ID)
	l.send(item, job.OutcomeCreated)
	return item
}

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
		if i.Replace != (q.Which != job.NotFinal) || i.SessionID == "" || (i.JobID != q.JobID) != (q.Which == job.EndedElsewhere) {
			l.t.Errorf("got %+v", i)
		}
		of, err := l.Job(l.t.Context(), i.JobID)
		if err != nil || i.Hold != (of.OnUnknown == job.Hold) {
			l.t.Errorf("got %+v of a job under %s, %v", i, of.OnUnknown, err)
		}
		ids = append(ids, i.ID)
	}
	return ids
}

func (c contract) testWhichLinksAreAskedAbout(t *testing.T) {
	now := At.Add(time.Hour)
	tests := []struct {
		name             string
		expires          time.Duration  // after at; 0 is none
		said             job.LinkStatus // by Clink, so long after At
		when             time.Duration
		refresh, reissue bool
	}{
		{"live", 12 * time.Hour, "", 0, true, false},
		{"expired by the clock", time.Hour, "", 0, true, true},
		{"no expiry known", 0, "", 0, true, false},
		{"found open", 0, job.LinkOpen, 10 * time.Minute, true, false},
		{"found open, expired since", 30 * time.Minute, job.LinkOpen, 10 * time.Minute, true, true},
		{"found processing, expired since", 30 * time.Minute, job.LinkProcessing, 10 * time.Minute, true, true},
		{"found paid, expired since", 30 * time.Minute, job.LinkPaid, 10 * time.Minute, false, false},
		{"found refunded, expired since", 30 * time.Minute, job.LinkRefunded, 10 * time.Minute, false, false},
		{"found expired before its time", 12 * time.Hour, job.LinkExpired, 10 * time.Minute, false, true},
		{"asked about before the clock was set back", 30 * time.Minute, job.LinkOpen, 10000 * 24 * time.Hour, true, true},
		{"asked about since", 30 * time.Minute, job.LinkOpen, time.Hour, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := c.newLedger(t)
			holds := NewJob("with a link")
			holds.OnUnknown = job.Hold
			item := l.first(l.imported(holds, Invoice(2, "INV-LINK")).ID)
			expires := time.Time{}
			if tt.expires > 0 {
				expires = At.Add(tt.expires)
			}
			l.created(item, expires)
			duplicate := l.imported(NewJob("with its duplicate"), Invoice(2, "INV-LINK"))
			if tt.said != "" {
				l.must(l.Checked(item.ID, tt.said, At.Add(tt.when)))
			}
			for _, q := range []struct {
				which job.LinkChoice
				jobID int64
				want  bool
			}{
				{job.NotFinal, item.JobID, tt.refresh},
				{job.Ended, item.JobID, tt.reissue},
				{job.EndedElsewhere, item.JobID, false},
				{job.Ended, duplicate.ID, false},
				{job.EndedElsewhere, duplicate.ID, tt.reissue}, // the item that has the link
			} {
				got := l.asked(job.LinkQuery{JobID: q.jobID, At: now, Which: q.which})
				if (len(got) == 1) != q.want || q.want && got[0] != item.ID {
					t.Errorf("job %d, choice %d: asked about %v", q.jobID, q.which, got)
				}
			}
			if got := l.asked(job.LinkQuery{JobID: duplicate.ID, At: now}); (len(got) == 1) != tt.refresh {
				t.Errorf("the duplicate: asked about %v", got)
			}
			if got := l.asked(job.LinkQuery{JobID: duplicate.ID + 4711, At: now}); len(got) != 0 {
				t.Errorf("another job: asked about %v", got)
			}
		})
	}
	t.Run("not those of a purged job, to replace them", func(t *testing.T) {
		l := c.newLedger(t)
		first := l.withLink().JobID
		duplicate := l.imported(NewJob("later"), Invoice(2, "INV-LINK"))
		l.purged(first)
		for id, which := range map[int64]job.LinkChoice{first: job.Ended, duplicate.ID: job.EndedElsewhere} {
			if got := l.asked(job.LinkQuery{JobID: id, At: At.AddDate(0, 2, 0), Which: which}); len(got) != 0 {
				t.Errorf("job %d: asked about %v", id, got)
			}
		}
	})
	t.Run("page by page", func(t *testing.T) {
		l := c.newLedger(t)
		j := l.imported(NewJob("a"), Invoices(5)...)
		for _, item := range l.open(j.ID) {
			l.send(item, job.OutcomeCreated)
		}
		q := job.LinkQuery{JobID: j.ID, At: now}
		all := l.asked(q)
		var got []int64
		for after := int64(0); ; {
			items, err := l.Links(t.Context(), q, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) == 0 {
				break
			}
			for _, i := range items {
				after = i.ID
				got = append(got, i.ID)
			}
		}
		if len(all) != 5 || !slices.Equal(got, all) {
			t.Errorf("got %v, and at once %v", got, all)
		}
	})
}

// What Clink said of a link that was paid stays, whatever it says later, but for a refund; so it does for those who share it.
func (c contract) testPaidIsFinal(t *testing.T) {
	l := c.newLedger(t)
	all := job.LinkStatuses
	rows := Invoices(len(all) * len(all))
	for _, item := range l.open(l.imported(NewJob("a"), rows...).ID) {
		l.send(item, job.OutcomeCreated)
	}
	shares := l.imported(NewJob("b"), rows...)
	for i, r := range l.results(shares.ID) {
		l.must(l.Checked(r.ItemID, all[i/len(all)], At))
		l.must(l.Checked(r.ItemID, all[i%len(all)], At.Add(time.Hour)))
	}
	for _, id := range l.jobs() {
		for i, r := range l.results(id) {
			before, said := all[i/len(all)], all[i%len(all)]
			want := said
			if before == job.LinkRefunded || before == job.LinkPaid && said != job.LinkRefunded {
				want = before
			}
			if r.Link != want || !r.CheckedAt.Equal(At.Add(time.Hour)) {
				t.Errorf("job %d, %s and then %s: %s at %s, want %s", id, before, said, r.Link, r.CheckedAt, want)
			}
		}
	}
}

func (c contract) testReplaceGivesTheOldLinkUp(t *testing.T) {
	l := c.newLedger(t)
	first := l.withLink().JobID
	later := At.AddDate(0, 1, 0)
	var shares []int64
	for _, name := range []string{"b", "c", "d"} {
		shares = append(shares, l.imported(NewJob(name), Invoice(2, "INV-LINK")).ID)
		l.state(shares[len(shares)-1], job.Duplicate)
	}
	purged := shares[2]
	another := l.first(l.imported(NewJob("another link"), Invoice(2, "INV-2")).ID)
	l.send(another, job.OutcomeCreated)
	l.purged(purged)
	items, err := l.Links(t.Context(), job.LinkQuery{JobID: first, At: later, Which: job.Ended}, 0, 10)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	item := items[0]
	wrong := item
	wrong.SessionID = "sess_other"
	l.unchanged(func() { WantError(t, l.Replace(&wrong, later), job.ErrMoved) })
	for _, id := range []int64{first, shares[0], shares[1]} {
		j, err := l.Job(t.Context(), id)
		l.must(err)
		l.must(l.LinksFileWritten(id, j.Output))
	}
	l.must(l.Replace(&item, later))
	if l.written(first) || !l.written(shares[0]) {
		t.Error("the links file that has the old link counts as written, or another one does not")
	}
	if got := l.result(first); got.State != job.Pending || got.SessionID+got.URL+string(got.Link) != "" || !got.ExpiresAt.IsZero() || !got.CreatedAt.IsZero() || !got.CheckedAt.IsZero() {
		t.Errorf("the item is %+v", got)
	}
	if a := l.attempts(first, false); len(a) != 1 || a[0].Outcome != job.OutcomeCreated || a[0].SessionID != item.SessionID || !a[0].Replaced.Equal(later) {
		t.Errorf("the attempts are %+v", a)
	}
	if got := l.result(shares[0]); got.State != job.Duplicate || got.SessionID != item.SessionID || got.Link != job.LinkExpired {
		t.Errorf("the duplicate is %+v", got)
	}
	l.checkTallies()
	l.unchanged(func() { WantError(t, l.Replace(&item, later), job.ErrMoved) })

	item.State = job.Pending
	_, number, err := l.Begin(&item, later, nil)
	if err != nil {
		t.Fatal(err)
	}
	end := Ends[job.OutcomeCreated]
	end.SessionID = item.SessionID
	item.Attempts++
	decision, err := ended(l.Ledger, &item, number, end)
	if err != nil || decision.Outcome != job.OutcomeMismatch || !strings.Contains(decision.Reason, fmt.Sprint("row 2 of job ", first)) {
		t.Errorf("the session that was given up came back: %+v, %v", decision, err)
	}

	// The link that comes in the end is that of all who shared the old one.
	l.retry(first, false, 1)
	end.SessionID, end.URL, end.ExpiresAt, end.At = "sess_new", "https://pay.test/sess_new", later.Add(time.Hour), later
	again := l.first(first)
	l.must(second(ended(l.Ledger, again, l.begin(again), end)))
	if l.written(shares[0]) || l.written(shares[1]) {
		t.Error("the links files of the duplicates count as written")
	}
	for _, id := range []int64{first, shares[0], shares[1]} {
		if got := l.result(id); got.SessionID != end.SessionID || got.URL != end.URL || !got.ExpiresAt.Equal(end.ExpiresAt) || !got.CreatedAt.Equal(later) || got.Link != "" || !got.CheckedAt.IsZero() {
			t.Errorf("job %d has %+v", id, got)
		}
	}
	if got := l.result(purged); got.SessionID == end.SessionID || got.URL != "" {
		t.Errorf("the purged job has %+v", got)
	}
	if got := l.result(another.JobID); got.SessionID != sessionOf(another.ID) {
		t.Errorf("the link of another invoice is %+v", got)
	}

	// A link that was paid is never given up.
	l.must(l.Checked(item.ID, job.LinkPaid, later))
	again.SessionID = end.SessionID
	l.unchanged(func() { WantError(t, l.Replace(again, later), job.ErrMoved) })
}

func (c contract) testRefreshedIsRemembered(t *testing.T) {
	l := c.newLedger(t)
	j := l.imported(NewJob("a"), Invoices(1)...)
	if !j.RefreshedAt.IsZero() {
		t.Error("a new job counts as refreshed")
	}
	l.must(l.Refreshed(j.ID, At))
	if got, err := l.Job(t.Context(), j.ID); err != nil || !got.RefreshedAt.Equal(At) {
		t.Errorf("got %+v, %v", got, err)
	}
	WantError(t, l.Refreshed(4711, At), job.ErrNoJob)
}

// A job's links are its own, also those that it shares with another job.
func (c contract) testLinkTallyOfJobsBesideEachOther(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...)
	items := l.open(first.ID)
	for _, item := range items {
		l.send(item, job.OutcomeCreated)
	}
	second := l.imported(NewJob("b"), Invoices(4)...) // three duplicates, and one of its own
	fourth := l.open(second.ID)[0]
	l.send(fourth, job.OutcomeCreated)
	for id, status := range map[int64]job.LinkStatus{items[0].ID: job.LinkPaid, items[1].ID: job.LinkExpired, fourth.ID: job.LinkPaid} {
		l.must(l.Checked(id, status, At))
	}
	for _, want := range []struct {
		job   int64
		links job.LinkTally
		paid  string
	}{
		{first.ID, job.LinkTally{job.LinkPaid: 1, job.LinkExpired: 1, "": 1}, "10.00"},
		{second.ID, job.LinkTally{job.LinkPaid: 2, job.LinkExpired: 1, "": 1}, "20.00"},
	} {
		links, err := l.LinkTally(t.Context(), want.job)
		paid, paidErr := l.PaidTotals(t.Context(), want.job)
		if err != nil || paidErr != nil || !maps.Equal(links, want.links) || !maps.Equal(paid, map[string]string{"USD": want.paid}) {
			t.Errorf("job %d: got %v, %v, paid %v, %v", want.job, links, err, paid, paidErr)
		}
	}
}

func (c contract) testLinkTallyBeyondAnInt64(t *testing.T) {
	l := c.newLedger(t)
	rows := Invoices(3)
	for i := range rows {
		rows[i].Amount = 1<<63 - 1
	}
	j := l.imported(NewJob("a"), rows...)
	for i, item := range l.open(j.ID) {
		l.send(item, job.OutcomeCreated)
		if i < 2 {
			l.must(l.Checked(item.ID, job.LinkPaid, At))
		}
	}
	got, err := l.LinkTally(t.Context(), j.ID)
	paid, paidErr := l.PaidTotals(t.Context(), j.ID)
	if err != nil || paidErr != nil || got.All() != 3 || got[job.LinkPaid] != 2 || got[""] != 1 || paid["USD"] != "1844674407370955.1614" {
		t.Errorf("got %v, %v, paid %v, %v", got, err, paid, paidErr)
	}
}
