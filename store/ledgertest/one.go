package ledgertest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"paylinks/job"
)

// testOneSender: a second sender cannot take the job, be it that it cannot open the ledger at all, and is told who has it; a reader works
// beside, and sees what is on record. When the first sender is gone the next one can take the job.
func (c contract) testOneSender(t *testing.T) {
	opener := c.fresh(t)
	l := openLedger(t, opener)
	j := l.imported(NewJob("a"), Invoices(2)...)
	l.must(l.Take(j.ID))
	var held *job.HeldError
	if err := takes(t, opener, "another", j.ID); !errors.As(err, &held) || !strings.Contains(held.Holder, "the test") {
		t.Errorf("a second sender: %v", err)
	}
	reader, err := opener.ToRead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.send(l.first(j.ID), job.OutcomeCreated)
	if tally, err := reader.Tally(t.Context(), j.ID); err != nil || tally.Items[job.Created] != 1 {
		t.Errorf("beside it: %+v, %v", tally, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	l.close()
	l.must(takes(t, opener, "the next", j.ID))
}

// takes opens the ledger as this holder, and takes the job.
func takes(t *testing.T, opener Opener, holder string, jobID int64) error {
	t.Helper()
	l, err := opener.ToSend(holder)
	if err != nil {
		return err
	}
	err = l.Take(jobID)
	if closeErr := l.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return err
}

// testManyWorkers: records of many goroutines do not get in each other's way, and one that fails takes none with it.
func (c contract) testManyWorkers(t *testing.T) {
	l := c.newLedger(t)
	const workers, each = 16, 20
	j := l.imported(NewJob("a"), Invoices(workers*each)...)
	items := l.open(j.ID)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for _, item := range items[w*each : (w+1)*each] {
				_, number, err := l.Begin(item, At, nil)
				if err != nil {
					t.Error(err)
					return
				}
				again := *item
				wantMoved(t, begun(l.Begin(&again, At, nil)))
				if err := l.End(item, number, Ends[job.OutcomeCreated]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if tally, err := l.Tally(t.Context(), j.ID); err != nil || tally.Items[job.Created] != workers*each {
		t.Errorf("%+v, %v", tally.Items, err)
	}
}

// testPurge: what recognises an invoice, a customer and a file outlasts a purge, and nothing of it can be read. A job with open rows or
// live links stays.
func (c contract) testPurge(t *testing.T) {
	l := c.newLedger(t)
	row := Invoice(2, "INV-1")
	row.Request.CustomerEmail, row.Request.ReferenceCustomerID = "Anna@example.com", "K-1"
	given := NewJob("a")
	given.AllowRepeats = true
	j := l.imported(given, row, Invoice(3, "INV-2"), alike(4))
	after := At.AddDate(0, 1, 0)
	kept := func(open, live int) {
		t.Helper()
		old, err := l.Purgeable(t.Context(), after, after)
		if err != nil || len(old) != 1 || old[0].Open != open || old[0].Live != live {
			t.Errorf("purgeable: %+v, %v; want %d open, %d live", old, err, open, live)
		}
		if open+live > 0 {
			l.unchanged(func() { WantError(t, l.Purge(j, after), job.ErrKept) })
		}
	}
	kept(3, 0)
	items := l.open(j.ID)
	l.created(items[0], after.AddDate(0, 1, 0))
	l.send(items[1], job.OutcomeRejected)
	l.created(items[2], At.Add(time.Hour))
	kept(0, 1)
	l.must(l.Checked(items[0].ID, job.LinkPaid, At))
	kept(0, 0)
	if old, err := l.Purgeable(t.Context(), At, after); err != nil || len(old) != 0 {
		t.Errorf("a job that is too young: %+v, %v", old, err)
	}
	l.must(l.Purge(j, after))
	for _, r := range l.results(j.ID) {
		if r.InvoiceID+r.Reference+r.URL+r.Error != "" || len(r.Cells) > 0 {
			t.Errorf("this is left of a row: %+v", r)
		}
	}
	for _, a := range l.attempts(j.ID, false) {
		if a.Reference+a.Message != "" {
			t.Errorf("this is left of an attempt: %+v", a)
		}
	}
	facts := l.factsOf(row)
	if len(facts) != 1 || !facts[0].Purged || facts[0].NoID || facts[0].SessionID == "" || facts[0].Link != job.LinkPaid || facts[0].Amount != row.Amount {
		t.Fatalf("the facts of its invoice: %+v", facts)
	}
	seal := func(kind, identifier string) string { return job.Seal(facts[0].Salt, kind, identifier) }
	if want := (job.Customer{
		ID: seal(job.SealCustomerID, "cus_1"), Email: seal(job.SealCustomerEmail, "anna@example.com"), Reference: seal(job.SealCustomerReference, "K-1"),
	}); facts[0].Salt == "" || facts[0].Customer != want || facts[0].Reference != seal(job.SealReference, "INV-1") {
		t.Errorf("what recognises its invoice: %+v", facts[0])
	}
	if facts := l.factsOf(alike(4)); len(facts) != 1 || !facts[0].NoID || !facts[0].Repeat {
		t.Errorf("the facts of a row without an invoice id: %+v", facts)
	}
	if found, err := l.Find(t.Context(), j.Identity); err != nil || !found.PurgedAt.Equal(after) || strings.Contains(found.File, "/") || found.Output != "" {
		t.Errorf("the same file finds %+v, %v", found, err)
	}
	l.retry(j.ID, false, 0)
	if old, err := l.Purgeable(t.Context(), after, after); err != nil || len(old) != 0 {
		t.Errorf("it can be purged again: %+v, %v", old, err)
	}
}
