package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"paylinks/job"
	"reflect"
	"slices"
	"testing"
	"time"
)

func (c contract) testResults(t *testing.T) {
	l := c.newLedger(t)
	l.imported(NewJob("before"), Invoice(2, "INV-100"))
	id := l.imported(NewJob("a"), Invoices(6)...).ID
	l.imported(NewJob("after"), Invoice(2, "INV-101"))
	items := l.open(id)
	l.send(items[4], job.OutcomeCreated)
	l.send(items[1], job.OutcomeCreated)
	l.send(items[2], job.OutcomeRejected)
	var rows []int
	for _, r := range l.results(id) {
		rows = append(rows, r.Row)
	}
	if want := []int{2, 3, 4, 5, 6, 7}; !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
	t.Run("each has its own cells", func(t *testing.T) {
		for i, r := range l.results(id) {
			if want := fmt.Sprintf("INV-%d", i+1); r.Cells[0] != want || r.InvoiceID != want {
				t.Errorf("row %d has cells %q", i, r.Cells)
			}
		}
	})
	t.Run("from one moment", func(t *testing.T) {
		open := 0
		for r, err := range l.Results(t.Context(), id) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Row == 2 {
				l.send(items[5], job.OutcomeCreated)
			}
			if r.State == job.Pending {
				open++
			}
		}
		if open != 3 {
			t.Errorf("%d are open, and there were 3 when it began", open)
		}
	})
	t.Run("left early", func(t *testing.T) {
		for range 20 {
			for range l.Results(t.Context(), id) {
				break
			}
			for range l.Attempts(t.Context(), id, false) {
				break
			}
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		n := 0
		defer cancel()
		for _, err := range l.Results(ctx, id) {
			cancel()
			last = err
			n++
		}
		if !errors.Is(last, context.Canceled) || n != 2 {
			t.Errorf("after %d rows: %v", n, last)
		}
	})
}

func (c contract) testAttempts(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a"), Invoices(3)...).ID
	items := l.open(id)
	for _, outcome := range []job.Outcome{job.OutcomeNotSent, job.OutcomeUnknown, job.OutcomeMismatch} {
		l.send(items[2], outcome)
	}
	l.send(items[0], job.OutcomeUnknown)
	l.begin(items[0])
	l.send(l.first(l.imported(NewJob("b"), Invoice(2, "INV-100")).ID), job.OutcomeUnknown)
	for orphans, want := range map[bool][]string{
		false: {"2 1 unknown", "2 2 ", "4 1 not_sent", "4 2 unknown", "4 3 mismatch"},
		true:  {"2 1 unknown", "2 2 ", "4 2 unknown", "4 3 mismatch"}, // the one on its way may turn out to be one
	} {
		var got []string
		for _, a := range l.attempts(id, orphans) {
			got = append(got, fmt.Sprintf("%d %d %s", a.Row, a.Number, a.Outcome))
		}
		if !slices.Equal(got, want) {
			t.Errorf("orphans %t:\n got %q\nwant %q", orphans, got, want)
		}
	}
	tally, err := l.Tally(t.Context(), id)
	if err != nil || tally.PossibleOrphans() != 4 {
		t.Errorf("%d possible orphans, %v", tally.PossibleOrphans(), err)
	}
}

func (c contract) testOpenItemsByPages(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a"), Invoices(10)...).ID
	l.imported(NewJob("b"), Invoice(2, "INV-100"))
	items := l.open(id)
	for _, i := range []int{1, 4, 9} {
		l.send(items[i], job.OutcomeUnknown)
	}
	l.send(items[0], job.OutcomeCreated)
	l.begin(items[5])
	var got []string
	for after := int64(0); ; {
		page, err := l.Open(t.Context(), id, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, item := range page {
			after = item.ID
			got = append(got, fmt.Sprintf("%d %s", item.Row, item.State))
		}
	}
	want := []string{
		"3 unknown", "4 pending", "5 pending", "6 unknown", "8 pending", "9 pending", "10 pending", "11 unknown",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// A person is told why rows wait, and for which job; what no longer waits for one is not counted.
func (c contract) testLeft(t *testing.T) {
	l := c.newLedger(t)
	var inDoubt []job.Job
	for i := range 2 {
		holds := NewJob(fmt.Sprint("holds ", i))
		holds.OnUnknown = job.Hold
		inDoubt = append(inDoubt, l.imported(holds, Invoices(9)[5+i]))
		l.send(l.first(inDoubt[i].ID), job.OutcomeUnknown)
	}
	expired := l.first(l.imported(NewJob("expired"), Invoices(9)[8]).ID)
	l.created(expired, At.Add(-time.Second))
	j := l.imported(NewJob("a"), Invoices(9)...)
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeCreated)
	for i, outcomes := range [][]job.Outcome{
		1: {job.OutcomeUnknown, job.OutcomeRejected},
		2: {job.OutcomeUnknown, job.OutcomeUnknown},
		3: {job.OutcomeUnknown, job.OutcomeUnknown, job.OutcomeNotSent},
		4: {job.OutcomeUnknown},
	} {
		for _, outcome := range outcomes {
			l.send(items[i], outcome)
		}
	}
	l.must(l.Note(items[7], job.CodeUnclear, "why"))
	l.must(l.Note(items[8], job.CodeUnsettled, "why"))
	held := []int64{inDoubt[0].ID, inDoubt[1].ID}
	check := func(policy job.Policy, maxAttempts int, want job.Left) {
		t.Helper()
		j.OnUnknown = policy
		if left, err := l.Left(t.Context(), j, maxAttempts); err != nil || !reflect.DeepEqual(left, want) {
			t.Errorf("%s, at most %d: %+v, %v; want %+v", policy, maxAttempts, left, err, want)
		}
	}
	check(job.Retry, 5, job.Left{Sendable: 4, Unsettled: 1, Held: 2, HeldBy: held})
	check(job.Retry, 2, job.Left{Sendable: 2, InDoubt: 2, Unsettled: 1, Held: 2, HeldBy: held})
	check(job.Retry, 1, job.Left{Sendable: 1, InDoubt: 3, Unsettled: 1, Held: 2, HeldBy: held})
	check(job.Hold, 5, job.Left{Sendable: 1, InDoubt: 3, Unsettled: 1, Held: 2, HeldBy: held, FailedInDoubt: 1})
	// What is on its way counts once, whether it is sent for the first time or again.
	l.begin(items[4])
	l.begin(items[7])
	check(job.Retry, 5, job.Left{Sendable: 4, Unsettled: 1, Held: 2, HeldBy: held})
	// A person's word on one doubt lets the row that was held behind it go, and only that.
	l.retry(inDoubt[0].ID, true, 1)
	check(job.Retry, 5, job.Left{Sendable: 5, Unsettled: 1, Held: 1, HeldBy: held[1:]})
	// So does what Clink says in the end of the link that kept a row waiting.
	l.must(l.Checked(expired.ID, job.LinkPaid, At))
	check(job.Retry, 5, job.Left{Sendable: 6, Held: 1, HeldBy: held[1:]})
}

func (c contract) testNoJob(t *testing.T) {
	l := c.newLedger(t)
	_, err := l.Job(t.Context(), 1)
	WantError(t, err, job.ErrNoJob)
	_, err = l.Find(t.Context(), NewJob("a").Identity)
	WantError(t, err, job.ErrNoJob)
	for _, err := range l.Results(t.Context(), 1) {
		WantError(t, err, job.ErrNoJob)
	}
	for _, err := range l.Attempts(t.Context(), 1, false) {
		WantError(t, err, job.ErrNoJob)
	}
	WantError(t, l.Remember(job.Job{ID: 1, OnUnknown: job.Retry}), job.ErrNoJob)
}

// testProblems has an item in each state: only those with a reason on record are listed, each once and in the file's order.
func (c contract) testProblems(t *testing.T) {
	l := c.newLedger(t)
	older := l.imported(NewJob("a"), Invoice(2, "INV-0"))
	l.send(l.first(older.ID), job.OutcomeCreated)
	bad := job.NewItem{Row: 12, Cells: []string{"x"}, Problem: "it is wrong"}
	id := l.imported(NewJob("b"), append(append([]job.NewItem{Invoice(11, "INV-0")}, Invoices(6)...), bad)...).ID
	for i, item := range l.open(id) {
		switch i {
		case 1:
			l.send(item, job.OutcomeRejected)
		case 2:
			l.send(item, job.OutcomeUnknown)
		case 3:
			l.send(item, job.OutcomeThrottled)
		case 4:
			l.send(item, job.OutcomeCreated)
		}
	}
	l.imported(NewJob("c"), Invoice(2, "INV-6"))
	if got, want := l.problems(id, true), []string{"3 failed", "12 invalid"}; !slices.Equal(got, want) {
		t.Errorf("settled: %q, want %q", got, want)
	}
	if got, want := l.problems(id, false), []string{"4 unknown", "5 pending", "7 superseded"}; !slices.Equal(got, want) {
		t.Errorf("open: %q, want %q", got, want)
	}
	for _, err := range l.Problems(t.Context(), 4711, true) {
		if !errors.Is(err, job.ErrNoJob) {
			t.Errorf("of no job: %v", err)
		}
	}
}

// testLastRun guards that the ledger says what stopped a job's last run, and that a run without an end has none.
func (c contract) testLastRun(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a"), Invoices(1)...).ID
	other := l.imported(NewJob("b"), Invoice(2, "INV-9")).ID
	began := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	check := func(step string, id int64, want job.LastRun) {
		t.Helper()
		j, err := l.Job(t.Context(), id)
		if err != nil || j.LastRun != want {
			t.Errorf("%s: %+v (%v), want %+v", step, j.LastRun, err, want)
		}
	}
	check("before", id, job.LastRun{})
	for _, stop := range []job.Stop{
		job.Finished, job.Interrupted, job.LimitReached, job.TooManyFailures, job.AllRejected, job.GaveUp, job.KeyRefused, job.WrongAddress, job.LedgerFailed,
	} {
		l.must(l.BeginRun(id, began))
		check("begun", id, job.LastRun{Began: began})
		l.must(l.EndRun(id, began.Add(time.Minute), stop, "a reason"))
		check(string(stop), id, job.LastRun{Began: began, Ended: began.Add(time.Minute), Stop: stop, Reason: "a reason"})
	}
	check("another job", other, job.LastRun{})
	if err := l.EndRun(id, began, "a word of nobody's", ""); err == nil {
		t.Error("the ledger takes any word for what stopped a run")
	}
}
