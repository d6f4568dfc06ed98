package ledgertest

import (
	"errors"
	"fmt"
	"iter"
	"paylinks/job"
	"reflect"
	"slices"
	"testing"
	"time"
)

// linksFile is a links file that is not in a ledger.
func linksFile(name string) job.Job {
	j := NewJob(name + ".links")
	j.Adopted, j.OnUnknown = true, job.Hold
	return j
}

// linked is a row of a links file with a link until tomorrow.
func linked(row int, id, session string) job.AdoptedItem {
	return job.AdoptedItem{
		NewItem: Invoice(row, id), State: job.Created, SessionID: session, URL: "https://pay.test/" + session,
		ExpiresAt: At.Add(24 * time.Hour), CreatedAt: At.Add(-time.Hour),
	}
}

// paid is the row of which Clink has said that its link is paid.
func paid(row job.AdoptedItem) job.AdoptedItem {
	row.Link, row.CheckedAt = job.LinkPaid, At.Add(-time.Minute)
	return row
}

// doubtful is a row of a links file whose answer was lost.
func doubtful(row int, id string) job.AdoptedItem {
	return job.AdoptedItem{NewItem: Invoice(row, id), State: job.Unknown, Reason: "timeout"}
}

func rowsOf(rows ...job.AdoptedItem) iter.Seq2[job.AdoptedItem, error] {
	return func(yield func(job.AdoptedItem, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// adopt adopts the rows, and checks what came of them: links, doubts, known rows, payments, and the conflicts as "line conflict job", the job by its place.
func (l *ledger) adopt(j job.Job, want string, rows ...job.AdoptedItem) job.Job {
	l.t.Helper()
	got, err := l.Adopt(j, rowsOf(rows...), At)
	if err != nil {
		l.t.Fatal(err)
	}
	said := fmt.Sprintf("%d links, %d doubts, %d known, %d payments", got.Links, got.Doubts, got.Known, got.Payments)
	for _, c := range got.Conflicts {
		said += fmt.Sprintf(", %d %s %d", c.Line, c.Conflict, l.place(c.Other.JobID))
	}
	if said != want {
		l.t.Errorf("Adopt: %s\n want %s", said, want)
	}
	if (got.Job.ID == 0) != (got.Links+got.Doubts == 0) {
		l.t.Errorf("job %d of %s", got.Job.ID, said)
	}
	return got.Job
}

func (c contract) testAdopt(t *testing.T) {
	l := c.newLedger(t)
	j := l.adopt(linksFile("a"), "2 links, 1 doubts, 0 known, 0 payments", linked(2, "INV-1", "sess_1"), paid(linked(4, "INV-2", "sess_2")), doubtful(5, "INV-3"))
	got, err := l.Job(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Adopted || got.Unwritten() || got.OnUnknown != job.Hold || !got.RefreshedAt.Equal(At.Add(-time.Minute)) || !got.LastRun.Began.IsZero() {
		t.Errorf("the job is %+v", got)
	}
	results := l.results(j.ID)
	want := job.Result{
		ItemID: results[0].ItemID, Row: 2, State: job.Created, InvoiceID: "INV-1", Reference: "INV-1", Cells: []string{"INV-1", "10.00"},
		SessionID: "sess_1", URL: "https://pay.test/sess_1", ExpiresAt: At.Add(24 * time.Hour), CreatedAt: At.Add(-time.Hour), Attempts: 1,
	}
	if !reflect.DeepEqual(results[0], want) {
		t.Errorf("the first row\n got %+v\nwant %+v", results[0], want)
	}
	if r := results[1]; r.Link != job.LinkPaid || !r.CheckedAt.Equal(At.Add(-time.Minute)) {
		t.Errorf("the paid row is %+v", r)
	}
	if r := results[2]; r.State != job.Unknown || r.ErrorCode != "unknown" || r.Error != "timeout" || r.Attempts != 1 || r.SessionID != "" {
		t.Errorf("the row in doubt is %+v", r)
	}
	var attempts []string
	for _, a := range l.attempts(j.ID, false) {
		attempts = append(attempts, fmt.Sprintf("%d %d %s %s", a.Row, a.Number, a.Outcome, a.SessionID))
	}
	if want := []string{"2 1 created sess_1", "4 1 created sess_2", "5 1 unknown "}; !slices.Equal(attempts, want) {
		t.Errorf("attempts %q, want %q", attempts, want)
	}
	tally, err := l.Tally(t.Context(), j.ID)
	if err != nil || tally.PossibleOrphans() != 1 || tally.Totals(job.Created)["USD"] != "20.00" {
		t.Errorf("tally %+v, %v", tally, err)
	}
	if left, err := l.Left(t.Context(), got, 5); err != nil || left.Sendable != 0 || left.InDoubt != 1 {
		t.Errorf("left %+v, %v", left, err)
	}
	if session, err := l.UnknownSession(t.Context(), []string{"sess_1", "sess_2"}); err != nil || session != "" {
		t.Errorf("unknown session %q, %v", session, err)
	}

	// The same file as an input is another job, whose rows find the links and the doubt.
	l.retry(j.ID, false, 0)
	run := NewJob("a.links")
	second := l.imported(run, Invoice(2, "INV-1"), Invoice(3, "INV-2"), Invoice(4, "INV-3"))
	l.rows(second.ID, "duplicate 0 ", "duplicate 0 ", "pending 0 held")
	l.resolved(l.first(second.ID), At, job.Wait)
	l.retry(j.ID, true, 1)
	l.begin(l.first(second.ID))
}

func (c contract) testAdoptTwice(t *testing.T) {
	l := c.newLedger(t)
	rows := []job.AdoptedItem{linked(2, "INV-1", "sess_1"), linked(3, "INV-1", "sess_1"), doubtful(4, "INV-3")}
	first := l.adopt(linksFile("a"), "1 links, 1 doubts, 1 known, 0 payments", rows...)
	l.unchanged(func() {
		l.adopt(linksFile("a"), "0 links, 0 doubts, 3 known, 0 payments", rows...)
		l.adopt(linksFile("b"), "0 links, 0 doubts, 3 known, 0 payments", rows...)
	})
	// What a person has moved since does not come back from the same file.
	l.retry(first.ID, true, 1)
	l.send(l.first(first.ID), job.OutcomeRejected)
	l.unchanged(func() { l.adopt(linksFile("a"), "0 links, 0 doubts, 3 known, 0 payments", rows...) })
}

func (c contract) testAdoptIsAllOrNothing(t *testing.T) {
	l := c.newLedger(t)
	broken := errors.New("line 3 cannot be read")
	unfit := linked(3, "INV-2", "sess_2")
	unfit.Request.Amount = "ten"
	for name, rows := range map[string]iter.Seq2[job.AdoptedItem, error]{
		"the file breaks off": func(yield func(job.AdoptedItem, error) bool) {
			_ = yield(linked(2, "INV-1", "sess_1"), nil) && yield(job.AdoptedItem{}, broken)
		},
		"a row cannot be recorded": rowsOf(linked(2, "INV-1", "sess_1"), unfit),
	} {
		t.Run(name, func(t *testing.T) {
			l.unchanged(func() {
				got, err := l.Adopt(linksFile("a"), rows, At)
				if err == nil || got.Job.ID != 0 || got.Links != 0 {
					t.Errorf("Adopt: %+v, %v", got, err)
				}
			})
		})
	}
	l.adopt(linksFile("a"), "1 links, 0 doubts, 0 known, 0 payments", linked(2, "INV-1", "sess_1"))
}

// A restored ledger knows some of it: its open rows get the links that were made since, and paid is taken over for all that share a link.
func (c contract) testAdoptIntoARestoredLedger(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...)
	l.created(l.first(first.ID), At.Add(24*time.Hour))
	l.send(l.first(first.ID), job.OutcomeUnknown)
	second := l.imported(NewJob("b"), Invoice(2, "INV-1"))
	l.rows(second.ID, "duplicate 0 ")
	session := l.results(first.ID)[0].SessionID
	l.adopt(linksFile("a"), "1 links, 0 doubts, 2 known, 1 payments", paid(linked(2, "INV-1", session)), doubtful(3, "INV-2"), linked(4, "INV-3", "sess_of_INV-3"))
	for _, id := range []int64{first.ID, second.ID} {
		if r := l.results(id)[0]; r.Link != job.LinkPaid {
			t.Errorf("the link of job %d is %s", id, r.Link)
		}
	}
	if j, err := l.Job(t.Context(), first.ID); err != nil || !j.RefreshedAt.Equal(At.Add(-time.Minute)) {
		t.Errorf("the job was refreshed at %v, %v", j.RefreshedAt, err)
	}
	for _, item := range l.open(first.ID) {
		if item.InvoiceID == "INV-3" {
			l.resolved(item, At, job.Reuse)
		}
	}
	if r := l.results(first.ID)[2]; r.State != job.Duplicate || r.SessionID != "sess_of_INV-3" {
		t.Errorf("the open row is %+v", r)
	}
}

// A doubt of one links file and the link of the same invoice in another come to the same in any order; a doubt of a run waits for it.
func (c contract) testAdoptDoubtAndLink(t *testing.T) {
	l := c.newLedger(t)
	l.adopt(linksFile("a"), "1 links, 0 doubts, 0 known, 0 payments", linked(2, "INV-1", "sess_1"))
	l.adopt(linksFile("b"), "0 links, 0 doubts, 1 known, 0 payments", doubtful(2, "INV-1"))

	l = c.newLedger(t)
	run := l.imported(NewJob("run"), Invoice(2, "INV-1"))
	l.send(l.first(run.ID), job.OutcomeUnknown)
	l.retry(run.ID, true, 1)
	doubt := l.adopt(linksFile("b"), "0 links, 2 doubts, 0 known, 0 payments", doubtful(2, "INV-1"), doubtful(3, "INV-2"))
	l.resolved(l.first(run.ID), At, job.Wait)
	l.adopt(linksFile("a"), "1 links, 0 doubts, 0 known, 0 payments", linked(2, "INV-1", "sess_1"))
	l.rows(doubt.ID, "duplicate 1 ", "unknown 1 unknown")
	if r := l.results(doubt.ID)[0]; r.SessionID != "sess_1" {
		t.Errorf("the row that was in doubt is %+v", r)
	}
	if tally, err := l.Tally(t.Context(), doubt.ID); err != nil || tally.PossibleOrphans() != 2 {
		t.Errorf("%d sessions may exist beside, %v", tally.PossibleOrphans(), err)
	}
	l.rows(run.ID, "pending 1 held")
	l.resolved(l.first(run.ID), At, job.Reuse)
}

func (c contract) testAdoptConflicts(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(2)...)
	items := l.open(first.ID)
	l.created(items[0], At.Add(-time.Minute))
	l.send(items[1], job.OutcomeMismatch)
	own, never := l.results(first.ID)[0].SessionID, l.results(first.ID)[1].SessionID
	dearer := linked(3, "INV-1", own)
	dearer.Amount++
	l.unchanged(func() {
		l.adopt(linksFile("a"), "0 links, 0 doubts, 0 known, 0 payments, 2 session_of_other_invoice 1, 3 session_of_other_money 1, 4 session_unpublished 1",
			paid(linked(2, "INV-9", own)), dearer, linked(4, "INV-2", never))
	})
	items[0].State, items[0].SessionID = job.Created, own
	l.must(l.Replace(items[0], At))
	l.unchanged(func() {
		l.adopt(linksFile("b"), "0 links, 0 doubts, 1 known, 0 payments, 3 session_replaced 1", linked(2, "INV-1", own), paid(linked(3, "INV-1", own)))
	})
	l.adopt(linksFile("c"), "1 links, 0 doubts, 0 known, 0 payments", linked(2, "INV-7", "sess_7"))
	l.adopt(linksFile("d"), "1 links, 0 doubts, 0 known, 0 payments, 2 second_link 2", linked(2, "INV-7", "sess_77"))
}

// A row without an invoice id has a reference at Clink that its links file does not say. A request of its own has one of its own.
func (c contract) testAdoptWithoutReference(t *testing.T) {
	l := c.newLedger(t)
	row := linked(2, "", "sess_1")
	row.Reference, row.Request.MerchantReferenceID = "", "paylinks-2"
	row.ExpiresAt = At.Add(-time.Minute)
	j := l.adopt(linksFile("a"), "1 links, 0 doubts, 0 known, 0 payments", row)
	if r := l.result(j.ID); r.Reference != "" {
		t.Errorf("the reference is %q", r.Reference)
	}
	items, err := l.Links(t.Context(), job.LinkQuery{JobID: j.ID, At: At, Which: job.Ended}, 0, 10)
	if err != nil || len(items) != 1 || items[0].Reference != "" {
		t.Fatalf("links %+v, %v", items, err)
	}
	l.must(l.Replace(&items[0], At))
	l.created(l.first(j.ID), At.Add(time.Hour))
	if r := l.result(j.ID); r.Reference != "paylinks-2" {
		t.Errorf("the reference of the new link is %q", r.Reference)
	}
}
