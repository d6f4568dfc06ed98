package ledgertest

import (
	"slices"
	"testing"

	"paylinks/job"
)

// suspectRows are the job's open rows that have suspect ends, and how many each has.
func (l *ledger) suspectRows(jobID int64) map[int]int {
	l.t.Helper()
	all := map[int]int{}
	for after := int64(0); ; {
		items, err := l.Suspects(l.t.Context(), jobID, after, 2)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(items) == 0 {
			return all
		}
		for _, item := range items {
			all[item.Row], after = item.SuspectEnds, item.ID
		}
	}
}

// testSuspects guards that rows whose last ends may speak of the key are read apart, until Clink has answered for them or a person
// has put them back.
func (c contract) testSuspects(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a"), Invoices(6)...).ID
	items := l.open(id)
	suspect := func(i int, outcome job.Outcome) {
		t.Helper()
		number := l.begin(items[i])
		end := job.End{At: At, Decision: job.Decision{Outcome: outcome, State: items[i].State, Code: string(outcome), Reason: "a page"}}
		if err := l.End(items[i], number, end); err != nil {
			t.Fatal(err)
		}
		items[i].Attempts = number
	}
	check := func(step string, want map[int]int, open ...int) {
		t.Helper()
		got := l.suspectRows(id)
		if len(got) != len(want) {
			t.Errorf("%s: suspect rows %v, want %v", step, got, want)
		}
		for row, n := range want {
			if got[row] != n {
				t.Errorf("%s: suspect rows %v, want %v", step, got, want)
			}
		}
		var rows []int
		for _, item := range l.open(id) {
			rows = append(rows, item.Row)
		}
		if !slices.Equal(rows, open) {
			t.Errorf("%s: open rows %v, want %v", step, rows, open)
		}
	}
	suspect(0, job.OutcomeUnauthorized)
	suspect(1, job.OutcomeRedirected)
	suspect(1, job.OutcomeMisdirected)
	suspect(2, job.OutcomeMisdirected)
	suspect(3, job.OutcomeUnauthorized)
	l.send(items[4], job.OutcomeUnknown)
	suspect(4, job.OutcomeUnauthorized)
	check("refused", map[int]int{2: 1, 3: 2, 4: 1, 5: 1, 6: 1}, 7)
	l.send(items[0], job.OutcomeThrottled)
	l.send(items[0], job.OutcomeUnknown)
	check("what reached nobody or got no answer tells nothing", map[int]int{2: 1, 3: 2, 4: 1, 5: 1, 6: 1}, 7)
	l.send(items[2], job.OutcomeCreated)
	l.send(items[3], job.OutcomeRejected)
	if err := l.Refuse(items[1], "misdirected", "a page"); err != nil {
		t.Fatal(err)
	}
	check("answered, or given up", map[int]int{2: 1, 6: 1}, 7)
	if _, err := l.Retry(id, false, At); err != nil {
		t.Fatal(err)
	}
	check("put back by a person", map[int]int{2: 1, 6: 1}, 3, 5, 7)
}

// testKnownSession guards that a session of any job at the address is found, and none of another address.
func (c contract) testKnownSession(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...).ID
	second := l.imported(NewJob("b"), Invoice(2, "INV-11"), Invoice(3, "INV-12")).ID
	elsewhere := NewJob("c")
	elsewhere.BaseURL = "https://elsewhere.test/api"
	third := l.imported(elsewhere, Invoice(2, "INV-21")).ID
	check := func(step string, jobID int64, want *job.Item) {
		t.Helper()
		session := ""
		if want != nil {
			session = OwnSession(want, Ends[job.OutcomeCreated]).SessionID
		}
		if got, err := l.KnownSession(t.Context(), jobID); got != session || err != nil {
			t.Errorf("%s: %q (%v), want %q", step, got, err, session)
		}
	}
	check("nothing sent", first, nil)
	item, lost := l.open(first)[0], l.open(first)[1]
	l.send(item, job.OutcomeCreated)
	l.send(lost, job.OutcomeMismatch)
	check("its own", first, item)
	check("another job's at the address", second, item)
	check("another address", third, nil)
	latest := l.first(second)
	l.send(latest, job.OutcomeCreated)
	check("the latest job's", first, latest)
	check("no job", 4711, nil)
}

// testAllRejected guards that a job remembers that every row was rejected, over runs that decide nothing, until a session was created.
func (c contract) testAllRejected(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a"), Invoices(4)...).ID
	check := func(step string, want bool) {
		t.Helper()
		if got, err := l.AllRejected(t.Context(), id); got != want || err != nil {
			t.Errorf("%s: %t (%v), want %t", step, got, err, want)
		}
	}
	run := func(stop job.Stop) {
		t.Helper()
		for _, err := range []error{l.BeginRun(id, At), l.EndRun(id, At, stop, "")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	items := l.open(id)
	l.send(items[0], job.OutcomeCreated)
	check("never sent so", false)
	run(job.TooManyFailures)
	check("failed otherwise", false)
	run(job.AllRejected)
	check("all rejected", true)
	run(job.Interrupted)
	l.send(items[1], job.OutcomeRejected)
	check("a run that was interrupted", true)
	l.send(items[2], job.OutcomeCreated)
	check("created one", false)
	run(job.AllRejected)
	check("and again", true)
}
