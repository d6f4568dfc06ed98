package store_test

import (
	"testing"
	"time"

	"paylinks/job"
)

// TestLastRun guards that the ledger says what stopped a job's last run, and that a run without an end has none.
func TestLastRun(t *testing.T) {
	l := newLedger(t)
	id := l.imported(newJob("a"), invoices(1)...).ID
	other := l.imported(newJob("b"), invoice(2, "INV-9")).ID
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
		job.Finished, job.Interrupted, job.LimitReached, job.TooManyFails, job.GaveUp, job.KeyRefused, job.WrongAddress, job.LedgerFailed,
	} {
		if err := l.BeginRun(id, began); err != nil {
			t.Fatal(err)
		}
		check("begun", id, job.LastRun{Began: began})
		if err := l.EndRun(id, began.Add(time.Minute), stop, "a reason"); err != nil {
			t.Fatal(err)
		}
		check(string(stop), id, job.LastRun{Began: began, Ended: began.Add(time.Minute), Stop: stop, Reason: "a reason"})
	}
	check("another job", other, job.LastRun{})
	if err := l.EndRun(id, began, "a word of nobody's", ""); err == nil {
		t.Error("the ledger takes any word for what stopped a run")
	}
}
