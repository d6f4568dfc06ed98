package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store"
)

// asked are the ids of the items that the question is about, and what Unasked counts.
func (l *ledger) asked(q job.Question) []int64 {
	l.t.Helper()
	items, err := l.Links(l.t.Context(), q, 0, 100)
	if err != nil {
		l.t.Fatal(err)
	}
	n, err := l.Unasked(l.t.Context(), q)
	if err != nil || n != len(items) {
		l.t.Errorf("%d links are counted (%v), %d are read", n, err, len(items))
	}
	var ids []int64
	for _, i := range items {
		if i.Replace != q.Replace || i.SessionID == "" || i.JobID != q.JobID {
			l.t.Errorf("got %+v", i)
		}
		ids = append(ids, i.ID)
	}
	return ids
}

func TestWhichLinksAreAskedAbout(t *testing.T) {
	now := at.Add(time.Hour)
	tests := []struct {
		name, set        string
		refresh, reissue bool
	}{
		{"live", "expires_at = '2026-03-02T00:00:00.000Z'", true, false},
		{"expired by the clock", "expires_at = '2026-03-01T13:00:00.000Z'", true, true},
		{"no expiry known", "expires_at = ''", true, false},
		{"found open", "link_status = 'open', expires_at = ''", true, false},
		{"found open, expired since", "link_status = 'open', expires_at = '2026-03-01T12:30:00.000Z'", true, true},
		{"found processing, expired since", "link_status = 'processing', expires_at = '2026-03-01T12:30:00.000Z'", true, true},
		{"found paid, expired since", "link_status = 'paid', expires_at = '2026-03-01T12:30:00.000Z'", false, false},
		{"found expired before its time", "link_status = 'expired', expires_at = '2026-03-02T00:00:00.000Z'", false, true},
		{"asked about before the clock was set back", "link_status = 'open', checked_at = '2999-03-01T13:00:00.000Z', expires_at = '2026-03-01T12:30:00.000Z'", true, true},
		{"asked about since", "link_status = 'open', checked_at = '2026-03-01T13:00:00.000Z', expires_at = '2026-03-01T12:30:00.000Z'", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(t)
			item := l.withLink()
			for _, set := range []string{"checked_at = '2026-03-01T12:10:00.000Z'", tt.set} {
				if _, err := l.raw.Exec("UPDATE standing SET " + set); err != nil {
					t.Fatal(err)
				}
			}
			for replace, want := range map[bool]bool{false: tt.refresh, true: tt.reissue} {
				got := l.asked(job.Question{JobID: item.JobID, At: now, Replace: replace})
				if (len(got) == 1) != want || want && got[0] != item.ID {
					t.Errorf("to replace %v: asked about %v", replace, got)
				}
			}
			if got := l.asked(job.Question{JobID: item.JobID + 1, At: now}); len(got) != 0 {
				t.Errorf("another job: asked about %v", got)
			}
		})
	}
	t.Run("a duplicate is refreshed, and never reissued", func(t *testing.T) {
		l := newLedger(t)
		l.withLink()
		j := l.imported(newJob("later"), invoice(2, "INV-LINK"))
		l.state(j.ID, job.Duplicate)
		now := at.AddDate(1, 0, 0)
		if got := l.asked(job.Question{JobID: j.ID, At: now}); len(got) != 1 {
			t.Errorf("refresh asks about %v", got)
		}
		if got := l.asked(job.Question{JobID: j.ID, At: now, Replace: true}); len(got) != 0 {
			t.Errorf("reissue asks about %v", got)
		}
	})
	t.Run("page by page", func(t *testing.T) {
		l := newLedger(t)
		j := l.imported(newJob("a"), invoices(5)...)
		for _, item := range l.open(j.ID) {
			l.send(item, job.OutcomeCreated)
		}
		q := job.Question{JobID: j.ID, At: now}
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

func TestReplaceGivesTheOldLinkUp(t *testing.T) {
	l := newLedger(t)
	l.withLink()
	later := at.AddDate(0, 1, 0)
	l.state(l.imported(newJob("later"), invoice(2, "INV-LINK")).ID, job.Duplicate)
	items, err := l.Links(t.Context(), job.Question{JobID: 1, At: later, Replace: true}, 0, 10)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	item := items[0]
	wrong := item
	wrong.SessionID = "sess_other"
	l.unchanged(func() { wantError(t, l.Replace(&wrong, later), job.ErrMoved) })
	if err := l.Replace(&item, later); err != nil {
		t.Fatal(err)
	}
	l.want("SELECT state, session_id, url, expires_at, created_at, link_status, checked_at, unknown_ends FROM item WHERE job_id = 1",
		"pending|||||||0")
	l.want("SELECT outcome, session_id, replaced FROM attempt", "created|"+item.SessionID+"|2026-04-01T12:00:00.000Z")
	l.want("SELECT state, session_id, link_status FROM item WHERE job_id = 2", "duplicate|"+item.SessionID+"|expired")
	l.checkTallies()
	l.unchanged(func() { wantError(t, l.Replace(&item, later), job.ErrMoved) })

	item.State = job.Pending
	_, number, err := l.Begin(&item, later, nil)
	if err != nil {
		t.Fatal(err)
	}
	end := ends[job.OutcomeCreated]
	end.SessionID = item.SessionID
	item.Attempts++
	verdict, err := ended(l.Store, &item, number, end)
	if err != nil || verdict.Outcome != job.OutcomeMismatch || !strings.Contains(verdict.Reason, "row 2 of job 1") {
		t.Errorf("the session that was given up came back: %+v, %v", verdict, err)
	}
}

func TestRefreshedIsRemembered(t *testing.T) {
	l := newLedger(t)
	j := l.imported(newJob("a"), invoices(1)...)
	if !j.RefreshedAt.IsZero() {
		t.Error("a new job counts as refreshed")
	}
	if err := l.Refreshed(j.ID, at); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Job(t.Context(), j.ID); err != nil || !got.RefreshedAt.Equal(at) {
		t.Errorf("got %+v, %v", got, err)
	}
	wantError(t, l.Refreshed(9, at), store.ErrNoJob)
}

// A job's links are its own, also those that it shares with another job.
func TestLinkTallyOfJobsBesideEachOther(t *testing.T) {
	l := newLedger(t)
	first := l.imported(newJob("a"), invoices(3)...)
	items := l.open(first.ID)
	for _, item := range items {
		l.send(item, job.OutcomeCreated)
	}
	second := l.imported(newJob("b"), invoices(4)...) // three duplicates, and one of its own
	fourth := l.open(second.ID)[0]
	l.send(fourth, job.OutcomeCreated)
	for id, status := range map[int64]job.LinkStatus{items[0].ID: job.LinkPaid, items[1].ID: job.LinkExpired, fourth.ID: job.LinkPaid} {
		if err := l.Checked(id, status, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		job   int64
		links job.LinkTally
		paid  string
	}{
		{first.ID, job.LinkTally{job.LinkPaid: 1, job.LinkExpired: 1, job.LinkOpen: 0, job.LinkProcessing: 0, "": 1}, "10.00"},
		{second.ID, job.LinkTally{job.LinkPaid: 2, job.LinkExpired: 1, job.LinkOpen: 0, job.LinkProcessing: 0, "": 1}, "20.00"},
	} {
		links, err := l.LinkTally(t.Context(), want.job)
		paid, paidErr := l.PaidTotals(t.Context(), want.job)
		if err != nil || paidErr != nil || !maps.Equal(links, want.links) || !maps.Equal(paid, map[string]string{"USD": want.paid}) {
			t.Errorf("job %d: got %v, %v, paid %v, %v", want.job, links, err, paid, paidErr)
		}
	}
}

func TestLinkTallyBeyondAnInt64(t *testing.T) {
	l := newLedger(t)
	rows := invoices(3)
	for i := range rows {
		rows[i].Amount = 1<<63 - 1
	}
	j := l.imported(newJob("a"), rows...)
	for i, item := range l.open(j.ID) {
		l.send(item, job.OutcomeCreated)
		if i < 2 {
			if err := l.Checked(item.ID, job.LinkPaid, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := l.LinkTally(t.Context(), j.ID)
	paid, paidErr := l.PaidTotals(t.Context(), j.ID)
	if err != nil || paidErr != nil || got.All() != 3 || got[job.LinkPaid] != 2 || got[""] != 1 || paid["USD"] != "1844674407370955.1614" {
		t.Errorf("got %v, %v, paid %v, %v", got, err, paid, paidErr)
	}
}
