package ledgertest

import (
	"testing"
	"time"

	"paylinks/job"
)

// written says whether the ledger takes the job's links file for written.
func (l *ledger) written(jobID int64) bool {
	l.t.Helper()
	j, err := l.Job(l.t.Context(), jobID)
	if err != nil {
		l.t.Fatal(err)
	}
	return j.Written
}

func (c contract) testLinksFileOnRecord(t *testing.T) {
	l := c.newLedger(t)
	j := l.imported(NewJob("a"), Invoices(1)...)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	elsewhere, otherForm := j, j
	elsewhere.Output, otherForm.BOM = "/elsewhere.csv", true
	for _, step := range []struct {
		name string
		do   func() error
		want bool
	}{
		{"imported", func() error { return nil }, false},
		{"a run has begun", func() error { return l.BeginRun(j.ID, At) }, false},
		{"a run has ended", func() error { return l.EndRun(j.ID, At, job.Finished, "") }, false},
		{"written at another place", func() error { return l.LinksFileWritten(j.ID, "/elsewhere.csv") }, false},
		{"written", func() error { return l.LinksFileWritten(j.ID, j.Output) }, true},
		{"remembered as it is", func() error { return l.Remember(j) }, true},
		{"its output changes", func() error { return l.Remember(elsewhere) }, false},
		{"written there", func() error { return l.LinksFileWritten(j.ID, "/elsewhere.csv") }, true},
		{"its form changes", func() error { elsewhere.BOM = true; return l.Remember(elsewhere) }, false},
		{"written in that form", func() error { return l.LinksFileWritten(j.ID, "/elsewhere.csv") }, true},
		{"another run has begun", func() error { return l.BeginRun(j.ID, At) }, false},
		{"written after it", func() error { return l.LinksFileWritten(j.ID, "/elsewhere.csv") }, true},
		{"something else changes it", func() error { return l.LinksFileChanges(j.ID) }, false},
	} {
		must(step.do())
		if got := l.written(j.ID); got != step.want {
			t.Errorf("%s: written is %v", step.name, got)
		}
	}
}

func (c contract) testLinksFileOwner(t *testing.T) {
	l := c.newLedger(t)
	owner := func(want int64) {
		t.Helper()
		if got, err := l.LinksFileOwner(t.Context(), "/files/a.links.csv"); err != nil || got != want {
			t.Errorf("the file is job %d's (%v), want job %d", got, err, want)
		}
	}
	first := l.imported(NewJob("a"), Invoices(1)...)
	second := l.imported(NewJob("b"), Invoice(2, "INV-B"))
	owner(0)
	for _, id := range []int64{first.ID, second.ID, first.ID} {
		if err := l.LinksFileWritten(id, "/files/a.links.csv"); err != nil {
			t.Fatal(err)
		}
		owner(id)
	}
	l.send(l.first(first.ID), job.OutcomeRejected)
	if err := l.Purge(first, At.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	owner(0)
}

func (c contract) testUnknownSession(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...)
	items := l.open(first.ID)
	l.send(items[0], job.OutcomeCreated)  // stays created
	l.send(items[1], job.OutcomeMismatch) // its session is never published
	l.send(items[2], job.OutcomeCreated)  // is replaced
	l.imported(NewJob("b"), Invoices(1)...)
	sessions := []string{l.results(first.ID)[0].SessionID, l.results(first.ID)[1].SessionID, l.results(first.ID)[2].SessionID}
	later := At.AddDate(0, 1, 0)
	expired, err := l.Links(t.Context(), job.LinkQuery{JobID: first.ID, At: later, Which: job.Ended}, items[0].ID, 1)
	if err != nil || len(expired) != 1 {
		t.Fatal(expired, err)
	}
	if err := l.Replace(&expired[0], later); err != nil {
		t.Fatal(err)
	}
	if id, err := l.UnknownSession(t.Context(), sessions); err != nil || id != "" {
		t.Errorf("of its own sessions %q is unknown, %v", id, err)
	}
	if id, err := l.UnknownSession(t.Context(), append(sessions, "sess_strange", "sess_stranger")); err != nil || id != "sess_strange" {
		t.Errorf("got %q, %v", id, err)
	}
	if id, err := l.UnknownSession(t.Context(), nil); err != nil || id != "" {
		t.Errorf("of none %q is unknown, %v", id, err)
	}
}

func (c contract) testExpiredLinks(t *testing.T) {
	now := At.Add(2 * time.Hour)
	for _, tt := range []struct {
		name    string
		expires time.Duration  // after At; 0 is none
		said    job.LinkStatus // by Clink, so long after At
		when    time.Duration
		want    int
	}{
		{"live", 12 * time.Hour, "", 0, 0},
		{"no expiry known", 0, "", 0, 0},
		{"its time has passed", time.Hour, "", 0, 1},
		{"its time passes now", 2 * time.Hour, "", 0, 1},
		{"paid", time.Hour, job.LinkPaid, 30 * time.Minute, 0},
		{"open when Clink was asked before", time.Hour, job.LinkOpen, 30 * time.Minute, 1},
		{"open when Clink was asked after", time.Hour, job.LinkOpen, 90 * time.Minute, 0},
		{"being paid after its time", time.Hour, job.LinkProcessing, 90 * time.Minute, 0},
		{"said to be expired before its time", 12 * time.Hour, job.LinkExpired, 30 * time.Minute, 1},
		{"said to be expired after its time", time.Hour, job.LinkExpired, 90 * time.Minute, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := c.newLedger(t)
			first := l.imported(NewJob("a"), Invoice(2, "INV-1"))
			item := l.first(first.ID)
			end := Ends[job.OutcomeCreated]
			if end.ExpiresAt = (time.Time{}); tt.expires > 0 {
				end.ExpiresAt = At.Add(tt.expires)
			}
			if err := l.End(item, l.begin(item), end); err != nil {
				t.Fatal(err)
			}
			shares := l.imported(NewJob("b"), Invoice(2, "INV-1")) // a duplicate
			if tt.said != "" {
				if err := l.Checked(item.ID, tt.said, At.Add(tt.when)); err != nil {
					t.Fatal(err)
				}
			}
			for _, id := range []int64{first.ID, shares.ID} {
				if got, err := l.ExpiredLinks(t.Context(), id, now, 10); err != nil || got != tt.want {
					t.Errorf("job %d: %d, %v; want %d", id, got, err, tt.want)
				}
			}
		})
	}
	t.Run("paid before another job shared it", func(t *testing.T) {
		l := c.newLedger(t)
		item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
		l.send(item, job.OutcomeCreated)
		if err := l.Checked(item.ID, job.LinkPaid, At); err != nil {
			t.Fatal(err)
		}
		j := l.imported(NewJob("b"), Invoice(2, "INV-1"))
		l.state(j.ID, job.Duplicate)
		if got, err := l.ExpiredLinks(t.Context(), j.ID, At.AddDate(1, 0, 0), 10); err != nil || got != 0 {
			t.Errorf("%d, %v", got, err)
		}
	})
	t.Run("at most", func(t *testing.T) {
		l := c.newLedger(t)
		j := l.imported(NewJob("a"), Invoices(3)...)
		for _, item := range l.open(j.ID) {
			l.send(item, job.OutcomeCreated)
		}
		for most, want := range map[int]int{1: 1, 3: 3, 10: 3} {
			if got, err := l.ExpiredLinks(t.Context(), j.ID, At.AddDate(1, 0, 0), most); err != nil || got != want {
				t.Errorf("at most %d: %d, %v", most, got, err)
			}
		}
	})
}

func (c contract) testFailedButMade(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...)
	items := l.open(first.ID)
	l.send(items[0], job.OutcomeRejected)
	l.send(items[1], job.OutcomeRejected)
	l.send(items[2], job.OutcomeCreated)
	made := func(jobID int64, want int) {
		t.Helper()
		if got, err := l.FailedButMade(t.Context(), jobID); err != nil || got != want {
			t.Errorf("job %d: %d, %v; want %d", jobID, got, err, want)
		}
	}
	made(first.ID, 0)
	second := l.imported(NewJob("b"), Invoices(2)...)
	again := l.open(second.ID)
	made(first.ID, 0) // pending there
	l.send(again[0], job.OutcomeCreated)
	l.send(again[1], job.OutcomeRejected)
	made(first.ID, 1)
	made(second.ID, 0)
}
