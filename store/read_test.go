package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store"
)

func TestResults(t *testing.T) {
	l := newLedger(t)
	l.imported(newJob("before"), invoice(2, "INV-100"))
	id := l.imported(newJob("a"), invoices(6)...).ID
	l.imported(newJob("after"), invoice(2, "INV-101"))
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

func TestAttempts(t *testing.T) {
	l := newLedger(t)
	id := l.imported(newJob("a"), invoices(3)...).ID
	items := l.open(id)
	for _, outcome := range []job.Outcome{job.OutcomeNotSent, job.OutcomeUnknown, job.OutcomeMismatch} {
		l.send(items[2], outcome)
	}
	l.send(items[0], job.OutcomeUnknown)
	l.begin(items[0])
	l.send(l.first(l.imported(newJob("b"), invoice(2, "INV-100")).ID), job.OutcomeUnknown)
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

func TestOpenItemsByPages(t *testing.T) {
	l := newLedger(t)
	id := l.imported(newJob("a"), invoices(10)...).ID
	l.imported(newJob("b"), invoice(2, "INV-100"))
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

func TestLeft(t *testing.T) {
	l := newLedger(t)
	older := newJob("older")
	older.OnUnknown = job.Hold
	older = l.imported(older, invoices(6)[5])
	l.send(l.first(older.ID), job.OutcomeUnknown)
	expired, link := l.first(l.imported(newJob("expired"), invoices(8)[7]).ID), ends[job.OutcomeCreated]
	link.ExpiresAt = at.Add(-time.Second)
	if err := l.End(expired, l.begin(expired), link); err != nil {
		t.Fatal(err)
	}
	j := l.imported(newJob("a"), invoices(8)...)
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeRejected)
	for _, outcome := range []job.Outcome{job.OutcomeUnknown, job.OutcomeUnknown} {
		l.send(items[2], outcome)
		l.send(items[3], outcome)
	}
	l.send(items[3], job.OutcomeNotSent)
	l.send(items[4], job.OutcomeUnknown)
	for i, code := range map[int]string{6: job.CodeUnclear, 7: job.CodeUnsettled} {
		if err := l.Note(items[i], code, "why"); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		policy            job.Policy
		maxAttempts       int
		sendable, waiting int
	}{
		{job.Retry, 5, 4, 2},
		{job.Retry, 2, 2, 4},
		{job.Retry, 1, 1, 5},
		{job.Hold, 5, 1, 5},
	} {
		t.Run(fmt.Sprintf("%s, at most %d", test.policy, test.maxAttempts), func(t *testing.T) {
			j.OnUnknown = test.policy
			sendable, waiting, err := l.Left(t.Context(), j, test.maxAttempts)
			if err != nil || sendable != test.sendable || waiting != test.waiting {
				t.Errorf("%d sendable, %d waiting, %v; want %d and %d", sendable, waiting, err, test.sendable, test.waiting)
			}
		})
	}
	// A person's word on the older job's doubt lets the row that was held behind it go.
	if _, err := l.Retry(older.ID, true); err != nil {
		t.Fatal(err)
	}
	j.OnUnknown = job.Retry
	if sendable, waiting, err := l.Left(t.Context(), j, 5); sendable != 5 || waiting != 1 || err != nil {
		t.Errorf("%d sendable, %d waiting, %v after the doubt was settled; want 5 and 1", sendable, waiting, err)
	}
	// So does what Clink says in the end of the link that kept the other row waiting.
	if err := l.Checked(expired.ID, job.LinkExpired, at); err != nil {
		t.Fatal(err)
	}
	if sendable, waiting, err := l.Left(t.Context(), j, 5); sendable != 6 || waiting != 0 || err != nil {
		t.Errorf("%d sendable, %d waiting, %v after the link was found expired; want 6 and 0", sendable, waiting, err)
	}
}

func TestNoJob(t *testing.T) {
	l := newLedger(t)
	_, err := l.Job(t.Context(), 1)
	wantError(t, err, store.ErrNoJob)
	_, err = l.Find(t.Context(), newJob("a").Identity)
	wantError(t, err, store.ErrNoJob)
	for _, err := range l.Results(t.Context(), 1) {
		wantError(t, err, store.ErrNoJob)
	}
	for _, err := range l.Attempts(t.Context(), 1, false) {
		wantError(t, err, store.ErrNoJob)
	}
	wantError(t, l.Remember(job.Job{ID: 1, OnUnknown: job.Retry}), store.ErrNoJob)
}

// TestProblems has an item in each state: only those with a reason on record are listed, each once and in the file's order.
func TestProblems(t *testing.T) {
	l := newLedger(t)
	older := l.imported(newJob("a"), invoice(2, "INV-0"))
	l.send(l.first(older.ID), job.OutcomeCreated)
	bad := job.NewItem{Row: 12, Cells: []string{"x"}, Problem: "it is wrong"}
	id := l.imported(newJob("b"), append(append([]job.NewItem{invoice(11, "INV-0")}, invoices(6)...), bad)...).ID
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
	l.imported(newJob("c"), invoice(2, "INV-6"))
	if got, want := l.problems(id, true), []string{"3 failed", "12 invalid"}; !slices.Equal(got, want) {
		t.Errorf("settled: %q, want %q", got, want)
	}
	if got, want := l.problems(id, false), []string{"4 unknown", "5 pending", "7 superseded"}; !slices.Equal(got, want) {
		t.Errorf("open: %q, want %q", got, want)
	}
	for _, err := range l.Problems(t.Context(), 9, true) {
		if !errors.Is(err, store.ErrNoJob) {
			t.Errorf("of no job: %v", err)
		}
	}
}
