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

// inState makes a job whose only item is in this state, and returns the item as it is on record.
func (l *ledger) inState(s job.State) *job.Item {
	l.t.Helper()
	row := Invoice(2, "INV-1")
	if s == job.Duplicate {
		l.send(l.first(l.imported(NewJob("older"), row).ID), job.OutcomeCreated)
	}
	if s == job.Invalid {
		row = job.NewItem{Row: 2, Cells: []string{"?"}, Problem: "amount: missing"}
	}
	j := l.imported(NewJob("the job"), row)
	var item *job.Item
	if s != job.Invalid && s != job.Duplicate {
		item = l.first(j.ID)
	}
	switch s {
	case job.Sending:
		l.begin(item)
	case job.Unknown:
		l.send(item, job.OutcomeUnknown)
	case job.Created:
		l.send(item, job.OutcomeCreated)
	case job.Failed:
		l.send(item, job.OutcomeMismatch)
	case job.Superseded:
		l.imported(NewJob("newer"), row)
	}
	got := l.result(j.ID)
	if got.State != s {
		l.t.Fatalf("the item is %s", got.State)
	}
	return &job.Item{
		ID: got.ItemID, JobID: j.ID, Row: 2, State: s, Currency: "USD", Amount: 100_000, Attempts: got.Attempts,
	}
}

// testTransitions tries every step from every state: those that the state machine has lead to their state, and all
// others are job.ErrMoved and leave no trace, even where the caller believes in the state that is on record.
func (c contract) testTransitions(t *testing.T) {
	type step struct {
		name string
		do   func(l *ledger, item *job.Item) error
		from []job.State
		to   job.State // empty: it stays
	}
	open := []job.State{job.Pending, job.Unknown}
	steps := []step{
		{"Begin", func(l *ledger, item *job.Item) error {
			return begun(l.Begin(item, At, nil))
		}, open, job.Sending},
		{"Begin of a repeat", func(l *ledger, item *job.Item) error {
			item.Repeat = true
			return begun(l.Begin(item, At, nil))
		}, open, job.Sending},
		{"Note", func(l *ledger, item *job.Item) error {
			return l.Note(item, job.CodeUnclear, "why")
		}, append([]job.State{job.Created}, open...), ""},
		{"Checked", func(l *ledger, item *job.Item) error {
			return l.Checked(item.ID, job.LinkExpired, At)
		}, []job.State{job.Created, job.Duplicate}, ""},
		{"Replace", func(l *ledger, item *job.Item) error {
			item.SessionID = l.result(item.JobID).SessionID
			return l.Replace(item, At)
		}, []job.State{job.Created}, job.Pending},
	}
	for outcome, end := range Ends {
		steps = append(steps, step{"End " + string(outcome), func(l *ledger, item *job.Item) error {
			return l.End(item, item.Attempts, end)
		}, []job.State{job.Sending}, end.State})
	}
	for _, step := range steps {
		for _, s := range job.States {
			t.Run(step.name+" from "+string(s), func(t *testing.T) {
				l := c.newLedger(t)
				item := l.inState(s)
				if !slices.Contains(step.from, s) {
					l.unchanged(func() { wantMoved(t, step.do(l, item)) })
					return
				}
				l.must(step.do(l, item))
				want := step.to
				if want == "" {
					want = s
				}
				l.state(item.JobID, want)
			})
		}
	}
}

// testStaleItem tries steps with an item that was read before something happened to it.
func (c contract) testStaleItem(t *testing.T) {
	for name, step := range map[string]func(l *ledger, item *job.Item) error{
		"Begin": func(l *ledger, item *job.Item) error { return begun(l.Begin(item, At, nil)) },
		"Note":  func(l *ledger, item *job.Item) error { return l.Note(item, job.CodeUnclear, "why") },
	} {
		t.Run(name, func(t *testing.T) {
			l := c.newLedger(t)
			item := l.inState(job.Unknown)
			item.State = job.Pending
			l.unchanged(func() { wantMoved(t, step(l, item)) })
		})
	}
	for name, attempts := range map[string]int{"fewer attempts": -1, "more attempts": 1} {
		t.Run("Begin with "+name, func(t *testing.T) {
			l := c.newLedger(t)
			item := l.inState(job.Unknown)
			item.Attempts += attempts
			l.unchanged(func() { wantMoved(t, begun(l.Begin(item, At, nil))) })
		})
		for _, resolution := range []struct {
			action job.Action
			row    job.NewItem
			at     time.Time
		}{
			{job.Reuse, Invoice(2, "INV-1"), At},
			{job.Refuse, other(Invoice(2, "INV-1")), At},
			{job.Ask, Invoice(2, "INV-1"), At.Add(48 * time.Hour)},
		} {
			t.Run(fmt.Sprintf("Begin with %s, action %d", name, resolution.action), func(t *testing.T) {
				l := c.newLedger(t)
				older, item := l.bothOpen(NewJob("older"), NewJob("newer"), Invoice(2, "INV-1"), resolution.row)
				older.Repeat = true // so that the newer job is not looked at
				l.send(older, job.OutcomeCreated)
				stale := *item
				stale.Attempts += attempts
				l.unchanged(func() { wantMoved(t, begun(l.Begin(&stale, resolution.at, nil))) })
				if got, _, err := l.Begin(item, resolution.at, nil); err != nil || got.Action != resolution.action {
					t.Errorf("Begin as it is on record: %+v, %v", got, err)
				}
			})
		}
	}
	t.Run("a step of an item that is not there", func(t *testing.T) {
		l := c.newLedger(t)
		item := l.inState(job.Pending)
		item.ID += 4711
		l.unchanged(func() { wantMoved(t, begun(l.Begin(item, At, nil))) })
	})
}

// begun is the error of Begin. Where other senders may move items, it says by its action that one has: an error here, too.
func begun(r job.Resolution, _ int, err error) error {
	if err == nil && r.Action == job.Overtaken {
		err = job.ErrOvertaken
	}
	return err
}

// wantMoved checks that a step was refused since the item is in another state than the one that it leaves.
func wantMoved(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, job.ErrMoved) && !errors.Is(err, job.ErrOvertaken) {
		t.Errorf("error: %v\n want: %v, or %v", err, job.ErrMoved, job.ErrOvertaken)
	}
}

// bothOpen makes two jobs with one item each, both open, which can be when the older one failed and is retried.
func (l *ledger) bothOpen(older, newer job.Job, olderRow, newerRow job.NewItem) (olderItem, newerItem *job.Item) {
	l.t.Helper()
	older = l.imported(older, olderRow)
	l.send(l.first(older.ID), job.OutcomeRejected)
	newer = l.imported(newer, newerRow)
	l.retry(older.ID, false, 1)
	return l.first(older.ID), l.first(newer.ID)
}

func (c contract) testBegin(t *testing.T) {
	l := c.newLedger(t)
	item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
	for number := 1; number <= 3; number++ {
		resolution, got, err := l.Begin(item, At.Add(time.Duration(number)*time.Millisecond), nil)
		if err != nil || resolution.Action != job.Send || got != number {
			t.Fatalf("Begin: %+v, %d, %v", resolution, got, err)
		}
		open := l.attempts(item.JobID, false)[number-1]
		if open.Number != number || open.Outcome != "" || !open.EndedAt.IsZero() || !open.SentAt.Equal(At.Add(time.Duration(number)*time.Millisecond)) {
			t.Errorf("the attempt is %+v", open)
		}
		l.must(l.End(item, got, Ends[job.OutcomeUnknown]))
		item = l.first(item.JobID)
		if item.State != job.Unknown || item.Attempts != number || item.UnknownEnds != number {
			t.Errorf("the item is %+v", item)
		}
	}
}

func (c contract) testEnd(t *testing.T) {
	expires := At.Add(24 * time.Hour)
	for outcome, want := range map[job.Outcome]job.Result{
		job.OutcomeCreated: {
			State: job.Created, URL: "https://pay.test/sess_1", ExpiresAt: expires, CreatedAt: At,
		},
		job.OutcomeMismatch: {State: job.Failed, SessionID: "sess_2", CreatedAt: At, ErrorCode: "mismatch", Error: "another amount"},
		job.OutcomeRejected: {State: job.Failed, ErrorCode: "400", Error: "CUSTOMER_NOT_FOUND"},
		job.OutcomeUnknown:  {State: job.Unknown, ErrorCode: "unknown", Error: "timeout"},
		job.OutcomeNotSent:  {State: job.Pending, ErrorCode: "not_sent", Error: "no connection"},
		job.OutcomeThrottled: {
			State: job.Pending, ErrorCode: "429", Error: "slow down",
		},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			l := c.newLedger(t)
			item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
			l.send(item, outcome)
			want.ItemID, want.Row, want.InvoiceID, want.Reference, want.Attempts = item.ID, 2, "INV-1", "INV-1", 1
			if outcome == job.OutcomeCreated {
				want.SessionID = sessionOf(item.ID)
			}
			want.Cells = []string{"INV-1", "10.00"}
			if got := l.result(item.JobID); !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
			end := Ends[outcome]
			attempt := job.Attempt{
				Row: 2, Reference: "INV-1", Number: 1, SentAt: At, EndedAt: At, Outcome: outcome, Status: end.Status,
				Code: end.Code, Message: end.Reason, SessionID: OwnSession(item, end).SessionID,
			}
			if got := l.attempts(item.JobID, false); !reflect.DeepEqual(got, []job.Attempt{attempt}) {
				t.Errorf("\n got %+v\nwant %+v", got, attempt)
			}
			l.unchanged(func() { WantError(t, l.End(item, 1, end), job.ErrMoved) })
		})
	}
	t.Run("a created one keeps its warning", func(t *testing.T) {
		l := c.newLedger(t)
		item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
		end := Ends[job.OutcomeCreated]
		end.Reason, end.ExpiresAt = "no expiry", time.Time{}
		l.must(l.End(item, l.begin(item), end))
		if got := l.result(item.JobID); !got.ExpiresAt.IsZero() || got.Error != "no expiry" || got.ErrorCode != "" {
			t.Errorf("the item is %+v", got)
		}
	})
	t.Run("of another attempt", func(t *testing.T) {
		l := c.newLedger(t)
		item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
		l.send(item, job.OutcomeUnknown)
		l.begin(item)
		l.unchanged(func() {
			WantError(t, l.End(item, 1, Ends[job.OutcomeCreated]), job.ErrMoved)
			WantError(t, l.End(item, 3, Ends[job.OutcomeCreated]), job.ErrMoved)
		})
	})
	t.Run("what the constraints do not know", func(t *testing.T) {
		l := c.newLedger(t)
		item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
		number := l.begin(item)
		for _, change := range []func(*job.End){
			func(e *job.End) { e.Outcome = "great" },
			func(e *job.End) { e.State = "done" },
			func(e *job.End) { e.SessionID = "" },
		} {
			end := Ends[job.OutcomeCreated]
			change(&end)
			l.unchanged(func() {
				if err := l.End(item, number, end); err == nil {
					t.Errorf("%+v was recorded", end)
				}
			})
		}
	})
}

// A note goes when the item goes on.
func (c contract) testNoteGoes(t *testing.T) {
	l := c.newLedger(t)
	item := l.first(l.imported(NewJob("a"), Invoice(2, "INV-1")).ID)
	l.must(l.Note(item, job.CodeUnclear, "why"))
	if got := l.result(item.JobID); got.ErrorCode != job.CodeUnclear || got.Error != "why" || got.State != job.Pending {
		t.Errorf("the item is %+v", got)
	}
	l.send(item, job.OutcomeCreated)
	if got := l.result(item.JobID); got.ErrorCode != "" || got.Error != "" {
		t.Errorf("the item is %+v", got)
	}
}

func (c contract) testRetry(t *testing.T) {
	// A job with an item for each way to fail or be in doubt.
	prepare := func(t *testing.T) (l *ledger, id, other int64) {
		l = c.newLedger(t)
		id = l.imported(NewJob("a"), Invoices(7)...).ID
		for i, outcomes := range [][]job.Outcome{
			{job.OutcomeCreated},
			{job.OutcomeRejected},
			{job.OutcomeUnknown, job.OutcomeMismatch},
			{job.OutcomeUnknown, job.OutcomeUnknown},
			{job.OutcomeUnknown, job.OutcomeNotSent},
			{job.OutcomeNotSent},
			{},
		} {
			open := l.open(id)
			item := open[slices.IndexFunc(open, func(item *job.Item) bool { return item.Row == i+2 })]
			for _, outcome := range outcomes {
				l.send(item, outcome)
			}
		}
		other = l.imported(NewJob("another"), Invoice(2, "INV-100")).ID // which stays as it is
		l.send(l.first(other), job.OutcomeRejected)
		l.rows(id, "created 1 ", "failed 1 400", "failed 2 mismatch", "unknown 2 unknown", "unknown 2 not_sent", "pending 1 not_sent", "pending 0 ")
		return l, id, other
	}
	t.Run("failed", func(t *testing.T) {
		l, id, other := prepare(t)
		l.retry(id, false, 2)
		l.rows(id, "created 1 ", "pending 1 ", "unknown 2 ", "unknown 2 unknown", "unknown 2 not_sent", "pending 1 not_sent", "pending 0 ")
		l.rows(other, "failed 1 400")
		// The session of the mismatch is still on record, as a possible extra one.
		if extra := l.attempts(id, true); !slices.ContainsFunc(extra, func(a job.Attempt) bool { return a.Row == 4 && a.Number == 2 && a.SessionID == "sess_2" }) {
			t.Errorf("the possible extra sessions are %+v", extra)
		}
		if got := l.results(id)[2]; got.SessionID != "" || !got.CreatedAt.IsZero() || got.Error != "" {
			t.Errorf("the mismatch that was put back is %+v", got)
		}
		l.unchanged(func() { l.retry(id, false, 0) })
		for _, item := range l.open(id) {
			l.send(item, job.OutcomeCreated)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		l, id, _ := prepare(t)
		l.retry(id, true, 2)
		l.rows(id, "created 1 ", "failed 1 400", "failed 2 mismatch", "pending 2 ", "pending 2 ", "pending 1 not_sent", "pending 0 ")
		for _, item := range l.open(id) {
			if item.UnknownEnds != 0 {
				t.Errorf("an item that was put back counts %d doubts", item.UnknownEnds)
			}
		}
		if n := len(l.attempts(id, true)); n != 5 {
			t.Errorf("%d possible extra sessions, want 5", n)
		}
	})
	t.Run("of a job that is not there", func(t *testing.T) {
		l, _, _ := prepare(t)
		l.unchanged(func() { l.retry(4711, false, 0) })
	})
}

// A failed row with a doubt on record is in doubt again when it is put back; under a policy of hold only a person's word on doubts moves
// it. What is on its way is nobody's affair.
func (c contract) testRetryOfDoubts(t *testing.T) {
	for policy, want := range map[job.Policy][2][]string{ // after a retry, and after one of doubts
		job.Retry: {{"pending 1 ", "unknown 2 ", "unknown 1 unknown", "sending 1 "}, {"pending 1 ", "pending 2 ", "pending 1 ", "sending 1 "}},
		job.Hold:  {{"pending 1 ", "failed 2 400", "unknown 1 unknown", "sending 1 "}, {"pending 1 ", "pending 2 ", "pending 1 ", "sending 1 "}},
	} {
		l := c.newLedger(t)
		j := NewJob(string(policy))
		j.OnUnknown = policy
		j = l.imported(j, Invoices(4)...)
		items := l.open(j.ID)
		l.begin(items[3])
		l.send(items[0], job.OutcomeRejected)
		l.send(items[1], job.OutcomeUnknown)
		l.send(items[1], job.OutcomeRejected)
		l.send(items[2], job.OutcomeUnknown)
		for i, unknown := range []bool{false, true} {
			l.must(second(l.Retry(j.ID, unknown, At)))
			l.rows(j.ID, want[i]...)
		}
	}
}

// A link that has ended, and of which Clink does not say whether it was paid, holds the rows of its invoice until a person gives it
// up: in one step, also where the row is in doubt itself.
func (c contract) testRetryGivesAnUnsettledLinkUp(t *testing.T) {
	l := c.newLedger(t)
	older := l.imported(NewJob("older"), Invoices(3)...)
	for _, item := range l.open(older.ID) {
		l.created(item, At.Add(-time.Second))
	}
	j := l.imported(NewJob("newer"), Invoices(3)...)
	items := l.open(j.ID)
	items[1].Heard = map[string]job.LinkStatus{l.results(older.ID)[1].SessionID: job.LinkExpired}
	l.send(items[1], job.OutcomeUnknown)
	for _, item := range items[:2] {
		l.must(l.Note(item, job.CodeUnsettled, "why"))
	}
	l.unchanged(func() { l.retry(j.ID, false, 0) })
	l.retry(j.ID, true, 2)
	l.rows(j.ID, "pending 0 ", "pending 1 ", "pending 0 ")
	items = l.open(j.ID)
	l.begin(items[0])
	l.begin(items[1])
	l.resolved(items[2], At, job.Ask)
	l.must(l.Checked(l.results(older.ID)[0].ItemID, job.LinkPaid, At)) // which counts, although it comes late
	if facts := l.factsOf(Invoices(3)[0]); facts[0].GivenUp {
		t.Error("a link that was paid is given up")
	}
}

func (c contract) testCrashRecovery(t *testing.T) {
	opener := c.fresh(t)
	l := openLedger(t, opener)
	for _, name := range []string{"a", "b"} {
		row := Invoice(2, name)
		j := l.imported(NewJob(name), row, Invoice(3, name+"2"), Invoice(4, name+"3"))
		items := l.open(j.ID)
		l.send(items[0], job.OutcomeUnknown)
		l.begin(items[0])
		l.begin(items[1])
	}
	l.close()
	for _, want := range []int{4, 0} {
		l = openLedger(t, opener)
		if crashed := l.recovered(); crashed != want {
			t.Errorf("%d crashed, want %d", crashed, want)
		}
		for _, id := range l.jobs() {
			l.rows(id, "unknown 2 unknown", "unknown 1 unknown", "pending 0 ")
			for _, a := range l.attempts(id, false) {
				if a.Outcome != job.OutcomeUnknown || a.EndedAt.IsZero() {
					t.Errorf("the attempt is %+v", a)
				}
			}
		}
		tally, err := l.Tally(t.Context(), l.nth(1))
		if err != nil || tally.PossibleOrphans() != 3 || tally.AllAttempts() != 3 {
			t.Errorf("the tally is %+v, %v", tally, err)
		}
		l.close()
	}
}

func (l *ledger) attempts(jobID int64, orphans bool) (all []job.Attempt) {
	l.t.Helper()
	for a, err := range l.Attempts(context.Background(), jobID, orphans) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// One session must not be published for two invoices, whoever answers so: of this job, or of another.
func (c contract) testSharedSession(t *testing.T) {
	l := c.newLedger(t)
	first := l.imported(NewJob("a"), Invoices(3)...).ID
	items := l.open(first)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[2], job.OutcomeUnknown)
	other := l.first(l.imported(NewJob("b"), Invoice(2, "INV-9")).ID)
	want := job.SharedSession(items[0].Row, first)
	for _, item := range []*job.Item{items[1], items[2], other} {
		shared := OwnSession(items[0], Ends[job.OutcomeCreated])
		if got, err := ended(l.Ledger, item, l.begin(item), shared); err != nil || got != want {
			t.Errorf("recorded %+v, %v, want %+v", got, err, want)
		}
	}
	l.rows(first, "created 1 ", "failed 1 mismatch", "failed 2 mismatch")
	l.rows(other.JobID, "failed 1 mismatch")
	for _, id := range l.jobs() {
		for _, r := range l.results(id) {
			if (r.URL != "") != (r.State == job.Created) {
				t.Errorf("the link of %+v", r)
			}
		}
	}
}

// A link that has ended, and of which Clink does not say what became of it, is its item's own doubt: a person's word replaces it.
func (c contract) testRetryGivesAnOwnLinkUp(t *testing.T) {
	l := c.newLedger(t)
	j := l.imported(NewJob("a"), Invoices(3)...)
	items := l.open(j.ID)
	for i, expires := range []time.Time{At.Add(time.Hour), At.Add(time.Hour), At.AddDate(100, 0, 0)} {
		l.created(items[i], expires)
		items[i].State, items[i].SessionID = job.Created, l.results(j.ID)[i].SessionID
	}
	shares := l.imported(NewJob("shares"), Invoice(2, "INV-1"))
	l.state(shares.ID, job.Duplicate)
	query := job.LinkQuery{JobID: j.ID, At: At.Add(2 * time.Hour), Which: job.Ended}
	links := func(want int) {
		t.Helper()
		if n, err := l.CountLinks(t.Context(), query); n != want || err != nil {
			t.Errorf("%d links can be asked about, %v; want %d", n, err, want)
		}
	}
	left := func(id int64, want job.Left) {
		t.Helper()
		if got, err := l.Left(t.Context(), job.Job{ID: id, OnUnknown: job.Retry}, 5); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("of job %d are left %+v, %v; want %+v", id, got, err, want)
		}
	}
	links(2)
	for _, item := range []int{0, 2} { // the last one is live
		l.must(l.Note(items[item], job.CodeUnsettled, "why"))
	}
	links(1)
	left(j.ID, job.Left{LinksUnsettled: 1})
	left(shares.ID, job.Left{Held: 1, HeldBy: []int64{j.ID}})
	if asked, err := l.Links(t.Context(), query, 0, 10); err != nil || len(asked) != 2 {
		t.Errorf("asked is about %+v, %v", asked, err) // Clink may know today
	}
	l.unchanged(func() { l.retry(j.ID, false, 0) })
	l.must(l.Checked(items[0].ID, job.LinkOpen, At)) // the word goes when Clink speaks
	left(j.ID, job.Left{})
	if got := l.results(j.ID)[0]; got.ErrorCode+got.Error != "" {
		t.Errorf("the row is %+v", got)
	}
	l.must(l.Note(items[0], job.CodeUnsettled, "why"))
	if n, err := l.Retry(j.ID, true, At.Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("%d rows are put back, %v", n, err)
	}
	l.rows(j.ID, "pending 1 ", "created 1 ", "created 1 unsettled")
	if got := l.attempts(j.ID, false)[0]; got.Replaced.IsZero() {
		t.Errorf("its attempt is %+v", got)
	}
}
