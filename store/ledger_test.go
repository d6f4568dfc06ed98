package store_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"paylinks/job"
)

// inState makes a job whose only item is in this state, and returns the item as it is on record.
func (l *ledger) inState(s job.State) *job.Item {
	l.t.Helper()
	row := invoice(2, "INV-1")
	if s == job.Duplicate {
		l.send(l.first(l.imported(newJob("older"), row).ID), job.OutcomeCreated)
	}
	if s == job.Invalid {
		row = job.NewItem{Row: 2, Cells: []string{"?"}, Problem: "amount: missing"}
	}
	j := l.imported(newJob("the job"), row)
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
		l.imported(newJob("newer"), row)
	}
	got := l.result(j.ID)
	if got.State != s {
		l.t.Fatalf("the item is %s", got.State)
	}
	return &job.Item{
		ID: got.ItemID, JobID: j.ID, Row: 2, State: s, Currency: "USD", Amount: 100_000, Attempts: got.Attempts,
	}
}

// withLink returns a created item of another job, for another invoice.
func (l *ledger) withLink() *job.Item {
	l.t.Helper()
	item := l.first(l.imported(newJob("with a link"), invoice(2, "INV-LINK")).ID)
	l.send(item, job.OutcomeCreated)
	return item
}

// TestTransitions tries every step from every state: those that the state machine has lead to their state, and all
// others are job.ErrMoved and leave no trace, even where the caller believes in the state that is on record.
func TestTransitions(t *testing.T) {
	type step struct {
		name string
		do   func(l *ledger, item, link *job.Item) error
		from []job.State
		to   job.State // empty: it stays
	}
	open := []job.State{job.Pending, job.Unknown}
	steps := []step{
		{"Begin", func(l *ledger, item, _ *job.Item) error {
			_, _, err := l.Begin(item, at, nil)
			return err
		}, open, job.Sending},
		{"Begin of a repeat", func(l *ledger, item, _ *job.Item) error {
			item.Repeat = true
			_, _, err := l.Begin(item, at, nil)
			return err
		}, open, job.Sending},
		{"Reuse", func(l *ledger, item, link *job.Item) error {
			return l.Reuse(item, link.ID, "paid")
		}, open, job.Duplicate},
		{"Refuse", func(l *ledger, item, _ *job.Item) error {
			return l.Refuse(item, job.CodeConflict, "why")
		}, open, job.Failed},
		{"Note", func(l *ledger, item, _ *job.Item) error {
			return l.Note(item, job.CodeUnclear, "why")
		}, open, ""},
		{"Checked", func(l *ledger, item, _ *job.Item) error {
			return l.Checked(item.ID, job.LinkExpired, at)
		}, []job.State{job.Created, job.Duplicate}, ""},
		{"Replace", func(l *ledger, item, _ *job.Item) error {
			item.SessionID = l.query("SELECT session_id FROM item WHERE id = ?", item.ID)[0]
			return l.Replace(item, at)
		}, []job.State{job.Created}, job.Pending},
	}
	for outcome, end := range ends {
		steps = append(steps, step{"End " + string(outcome), func(l *ledger, item, _ *job.Item) error {
			return l.End(item, item.Attempts, end)
		}, []job.State{job.Sending}, end.State})
	}
	for _, step := range steps {
		for _, s := range job.States {
			t.Run(step.name+" from "+string(s), func(t *testing.T) {
				l := newLedger(t)
				item, link := l.inState(s), l.withLink()
				if !slices.Contains(step.from, s) {
					l.unchanged(func() { wantError(t, step.do(l, item, link), job.ErrMoved) })
					return
				}
				if err := step.do(l, item, link); err != nil {
					t.Fatal(err)
				}
				want := step.to
				if want == "" {
					want = s
				}
				l.state(item.JobID, want)
			})
		}
	}
}

// TestStaleItem tries steps with an item that was read before something happened to it.
func TestStaleItem(t *testing.T) {
	for name, step := range map[string]func(l *ledger, item, link *job.Item) error{
		"Begin": func(l *ledger, item, _ *job.Item) error {
			_, _, err := l.Begin(item, at, nil)
			return err
		},
		"Reuse":  func(l *ledger, item, link *job.Item) error { return l.Reuse(item, link.ID, "paid") },
		"Refuse": func(l *ledger, item, _ *job.Item) error { return l.Refuse(item, job.CodeConflict, "why") },
		"Note":   func(l *ledger, item, _ *job.Item) error { return l.Note(item, job.CodeUnclear, "why") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			item, link := l.inState(job.Unknown), l.withLink()
			item.State = job.Pending
			l.unchanged(func() { wantError(t, step(l, item, link), job.ErrMoved) })
		})
	}
	for name, attempts := range map[string]int{"fewer attempts": -1, "more attempts": 1} {
		t.Run("Begin with "+name, func(t *testing.T) {
			l := newLedger(t)
			item := l.inState(job.Unknown)
			item.Attempts += attempts
			l.unchanged(func() {
				_, _, err := l.Begin(item, at, nil)
				wantError(t, err, job.ErrMoved)
			})
		})
		for _, meeting := range []struct {
			action job.Action
			row    job.NewItem
			at     time.Time
		}{
			{job.Reuse, invoice(2, "INV-1"), at},
			{job.Refuse, other(invoice(2, "INV-1")), at},
			{job.Ask, invoice(2, "INV-1"), at.Add(48 * time.Hour)},
		} {
			t.Run(fmt.Sprintf("Begin with %s, action %d", name, meeting.action), func(t *testing.T) {
				l := newLedger(t)
				older, item := l.bothOpen(newJob("older"), newJob("newer"), invoice(2, "INV-1"), meeting.row)
				l.aside(item, func() { l.send(older, job.OutcomeCreated) })
				item.Attempts += attempts
				l.unchanged(func() {
					_, _, err := l.Begin(item, meeting.at, nil)
					wantError(t, err, job.ErrMoved)
				})
				item.Attempts -= attempts
				if got, _, err := l.Begin(item, meeting.at, nil); err != nil || got.Action != meeting.action {
					t.Errorf("Begin as it is on record: %+v, %v", got, err)
				}
			})
		}
	}
	t.Run("Reuse of what has no link", func(t *testing.T) {
		l := newLedger(t)
		item := l.inState(job.Pending)
		another := l.first(l.imported(newJob("another"), invoice(2, "INV-2")).ID)
		l.unchanged(func() { wantError(t, l.Reuse(item, another.ID, "paid"), job.ErrMoved) })
	})
	t.Run("a step of an item that is not there", func(t *testing.T) {
		l := newLedger(t)
		item := l.inState(job.Pending)
		item.ID = 4711
		l.unchanged(func() {
			_, _, err := l.Begin(item, at, nil)
			wantError(t, err, job.ErrMoved)
		})
	})
}

// aside has an open item stand aside, so that no other job's item meets it, while do is done.
func (l *ledger) aside(item *job.Item, do func()) {
	l.t.Helper()
	exec := func(text string, args ...any) (changed int64) {
		result, err := l.raw.Exec(text, args...)
		if err != nil {
			l.t.Fatal(err)
		}
		changed, _ = result.RowsAffected()
		return changed
	}
	fresh := exec("DELETE FROM fresh WHERE item_id = ?", item.ID)
	stood := exec("UPDATE standing SET state = 'superseded' WHERE item_id = ?", item.ID)
	if stood == 0 {
		exec("INSERT INTO standing (item_id, state) VALUES (?, 'superseded')", item.ID)
	}
	do()
	if stood == 1 {
		exec("UPDATE standing SET state = ? WHERE item_id = ?", item.State, item.ID)
	} else {
		exec("DELETE FROM standing WHERE item_id = ?", item.ID)
	}
	if fresh == 1 {
		exec("INSERT INTO fresh VALUES (?)", item.ID)
	}
}

// bothOpen makes two jobs with one item each, both open, which can be when the older one failed and is retried.
func (l *ledger) bothOpen(older, newer job.Job, olderRow, newerRow job.NewItem) (olderItem, newerItem *job.Item) {
	l.t.Helper()
	older = l.imported(older, olderRow)
	l.send(l.first(older.ID), job.OutcomeRejected)
	newer = l.imported(newer, newerRow)
	if n, err := l.Retry(older.ID, false); n != 1 || err != nil {
		l.t.Fatal(n, err)
	}
	return l.first(older.ID), l.first(newer.ID)
}

func TestBegin(t *testing.T) {
	l := newLedger(t)
	item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
	for number := 1; number <= 3; number++ {
		meeting, got, err := l.Begin(item, at.Add(time.Duration(number)*time.Millisecond), nil)
		if err != nil || meeting.Action != job.Send || got != number {
			t.Fatalf("Begin: %+v, %d, %v", meeting, got, err)
		}
		l.want("SELECT number, sent_at, ended_at, outcome FROM attempt WHERE outcome = ''", fmt.Sprintf("%d|2026-03-01T12:00:00.%03dZ||", number, number))
		if err := l.End(item, got, ends[job.OutcomeUnknown]); err != nil {
			t.Fatal(err)
		}
		item = l.first(1)
		if item.State != job.Unknown || item.Attempts != number || item.UnknownEnds != number {
			t.Errorf("the item is %+v", item)
		}
	}
}

func TestEnd(t *testing.T) {
	expires := at.Add(24 * time.Hour)
	for outcome, want := range map[job.Outcome]job.Result{
		job.OutcomeCreated: {
			State: job.Created, SessionID: "sess_1", URL: "https://pay.test/sess_1", ExpiresAt: expires, CreatedAt: at,
		},
		job.OutcomeMismatch: {State: job.Failed, SessionID: "sess_2", CreatedAt: at, ErrorCode: "mismatch", Error: "another amount"},
		job.OutcomeRejected: {State: job.Failed, ErrorCode: "400", Error: "CUSTOMER_NOT_FOUND"},
		job.OutcomeUnknown:  {State: job.Unknown, ErrorCode: "unknown", Error: "timeout"},
		job.OutcomeNotSent:  {State: job.Pending, ErrorCode: "not_sent", Error: "no connection"},
		job.OutcomeThrottled: {
			State: job.Pending, ErrorCode: "429", Error: "slow down",
		},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			l := newLedger(t)
			item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
			l.send(item, outcome)
			want.ItemID, want.Row, want.InvoiceID, want.Reference, want.Attempts = 1, 2, "INV-1", "INV-1", 1
			want.Cells = []string{"INV-1", "10.00"}
			if got := l.result(1); !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
			end := ends[outcome]
			attempt := job.Attempt{
				Row: 2, Reference: "INV-1", Number: 1, SentAt: at, EndedAt: at, Outcome: outcome, Status: end.Status,
				Code: end.Code, Message: end.Reason, SessionID: end.SessionID,
			}
			if got := l.attempts(1, false); !reflect.DeepEqual(got, []job.Attempt{attempt}) {
				t.Errorf("\n got %+v\nwant %+v", got, attempt)
			}
			l.unchanged(func() { wantError(t, l.End(item, 1, end), job.ErrMoved) })
		})
	}
	t.Run("a created one keeps its warning", func(t *testing.T) {
		l := newLedger(t)
		item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
		end := ends[job.OutcomeCreated]
		end.Reason, end.ExpiresAt = "no expiry", time.Time{}
		if err := l.End(item, l.begin(item), end); err != nil {
			t.Fatal(err)
		}
		if got := l.result(1); !got.ExpiresAt.IsZero() || got.Error != "no expiry" || got.ErrorCode != "" {
			t.Errorf("the item is %+v", got)
		}
	})
	t.Run("of another attempt", func(t *testing.T) {
		l := newLedger(t)
		item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
		l.send(item, job.OutcomeUnknown)
		l.begin(item)
		l.unchanged(func() {
			wantError(t, l.End(item, 1, ends[job.OutcomeCreated]), job.ErrMoved)
			wantError(t, l.End(item, 3, ends[job.OutcomeCreated]), job.ErrMoved)
		})
	})
	t.Run("of an item that was moved by hand", func(t *testing.T) {
		l := newLedger(t)
		item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
		number := l.begin(item)
		l.aside(item, func() {
			l.unchanged(func() { wantError(t, l.End(item, number, ends[job.OutcomeCreated]), job.ErrMoved) })
		})
	})
	t.Run("what the constraints do not know", func(t *testing.T) {
		l := newLedger(t)
		item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
		number := l.begin(item)
		for _, change := range []func(*job.End){
			func(e *job.End) { e.Outcome = "great" },
			func(e *job.End) { e.State = "done" },
			func(e *job.End) { e.SessionID = "" },
		} {
			end := ends[job.OutcomeCreated]
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
func TestNoteGoes(t *testing.T) {
	l := newLedger(t)
	item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
	if err := l.Note(item, job.CodeUnclear, "why"); err != nil {
		t.Fatal(err)
	}
	if got := l.result(1); got.ErrorCode != job.CodeUnclear || got.Error != "why" || got.State != job.Pending {
		t.Errorf("the item is %+v", got)
	}
	l.send(item, job.OutcomeCreated)
	if got := l.result(1); got.ErrorCode != "" || got.Error != "" {
		t.Errorf("the item is %+v", got)
	}
}

func TestRetry(t *testing.T) {
	// A job with an item for each way to fail or be in doubt.
	prepare := func(t *testing.T) *ledger {
		l := newLedger(t)
		id := l.imported(newJob("a"), invoices(8)...).ID
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
		open := l.open(id)
		if err := l.Refuse(open[len(open)-1], job.CodeConflict, "why"); err != nil {
			t.Fatal(err)
		}
		l.imported(newJob("another"), invoice(2, "INV-100")) // which stays as it is
		l.send(l.first(2), job.OutcomeRejected)
		l.want("SELECT state, unknown_ends, attempts FROM item",
			"created|0|1", "failed|0|1", "failed|1|2", "unknown|2|2", "pending|1|2", "pending|0|1", "pending|0|0", "failed|0|0", "failed|0|1")
		return l
	}
	t.Run("failed", func(t *testing.T) {
		l := prepare(t)
		if n, err := l.Retry(1, false); n != 3 || err != nil {
			t.Errorf("Retry: %d, %v", n, err)
		}
		l.want("SELECT state, unknown_ends, attempts, session_id, created_at <> '', error_code, error FROM item",
			"created|0|1|sess_1|1||", "pending|0|1||0||", "pending|0|2||0||", "unknown|2|2||0|unknown|timeout",
			"pending|1|2||0|not_sent|no connection", "pending|0|1||0|not_sent|no connection", "pending|0|0||0||", "pending|0|0||0||",
			"failed|0|1||0|400|CUSTOMER_NOT_FOUND")
		// The session of the mismatch is still on record, as a possible orphan.
		l.want("SELECT item_id, number, session_id FROM attempt WHERE outcome = 'mismatch'", "3|2|sess_2")
		l.unchanged(func() {
			if n, err := l.Retry(1, false); n != 0 || err != nil {
				t.Errorf("Retry again: %d, %v", n, err)
			}
		})
		for _, item := range l.open(1) {
			l.send(item, job.OutcomeCreated)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		l := prepare(t)
		if n, err := l.Retry(1, true); n != 2 || err != nil {
			t.Errorf("Retry: %d, %v", n, err)
		}
		l.want("SELECT state, unknown_ends, attempts, error_code FROM item",
			"created|0|1|", "failed|0|1|400", "failed|1|2|mismatch", "pending|0|2|", "pending|0|2|", "pending|0|1|not_sent", "pending|0|0|",
			"failed|0|0|conflict", "failed|0|1|400")
		l.want("SELECT count(*) FROM attempt WHERE outcome = 'unknown'", "4")
	})
	t.Run("of a job that is not there", func(t *testing.T) {
		l := prepare(t)
		l.unchanged(func() {
			if n, err := l.Retry(9, false); n != 0 || err != nil {
				t.Errorf("Retry: %d, %v", n, err)
			}
		})
	})
}

// What is on its way is nobody else's affair.
func TestRetryBesideAnItemOnItsWay(t *testing.T) {
	l := newLedger(t)
	j := l.imported(newJob("a"), invoices(3)...)
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeRejected)
	l.begin(items[1])
	if n, err := l.Retry(j.ID, false); n != 1 || err != nil {
		t.Errorf("Retry: %d, %v", n, err)
	}
}

// No other job would meet an item without an invoice.
func TestAnItemWithoutAnInvoiceIsNotSent(t *testing.T) {
	l := newLedger(t)
	items := l.open(l.imported(newJob("a"), invoices(2)...).ID)
	l.send(items[1], job.OutcomeNotSent)
	if _, err := l.raw.Exec("UPDATE input SET invoice = NULL"); err != nil {
		t.Fatal(err)
	}
	l.unchanged(func() {
		for _, item := range l.open(1) {
			_, _, err := l.Begin(item, at, nil)
			wantError(t, err, job.ErrMoved)
		}
	})
}

func TestCrashRecovery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	if l.Crashed() != 0 {
		t.Errorf("%d crashed in a new ledger", l.Crashed())
	}
	for _, name := range []string{"a", "b"} {
		row := invoice(2, name)
		j := l.imported(newJob(name), row, invoice(3, name+"2"), invoice(4, name+"3"))
		items := l.open(j.ID)
		l.send(items[0], job.OutcomeUnknown)
		l.begin(items[0])
		l.begin(items[1])
	}
	l.close()
	for _, want := range []int{4, 0} {
		l = openLedger(t, path)
		if l.Crashed() != want {
			t.Errorf("%d crashed, want %d", l.Crashed(), want)
		}
		l.want("SELECT state, attempts, unknown_ends, error_code FROM item",
			"unknown|2|2|unknown", "unknown|1|1|unknown", "pending|0|0|", "unknown|2|2|unknown", "unknown|1|1|unknown", "pending|0|0|")
		l.want("SELECT item_id, number, outcome, ended_at <> '' FROM attempt",
			"1|1|unknown|1", "1|2|unknown|1", "2|1|unknown|1", "4|1|unknown|1", "4|2|unknown|1", "5|1|unknown|1")
		tally, err := l.Tally(t.Context(), 1)
		if err != nil || tally.PossibleOrphans() != 3 || tally.AllAttempts() != 3 {
			t.Errorf("the tally is %+v, %v", tally, err)
		}
		l.close()
	}
}

// The constraints stand behind the guards.
func TestConstraints(t *testing.T) {
	l := newLedger(t)
	items := l.open(l.imported(newJob("a"), invoices(4)...).ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeUnknown)
	l.send(items[2], job.OutcomeCreated)
	for name, statement := range map[string]string{
		"a state nobody knows":             "UPDATE standing SET state = 'done' WHERE item_id = 2",
		"created without a session":        "UPDATE standing SET state = 'created' WHERE item_id = 2",
		"created without a time":           "UPDATE standing SET created_at = '' WHERE item_id = 1",
		"duplicate without a session":      "UPDATE standing SET state = 'duplicate' WHERE item_id = 2",
		"a URL without a link":             "UPDATE standing SET url = 'https://pay.test/x' WHERE item_id = 2",
		"failed with its URL":              "UPDATE standing SET state = 'failed' WHERE item_id = 1",
		"an invoice key that is too long":  "UPDATE input SET invoice = zeroblob(17) WHERE id = 2",
		"an amount of nothing":             "UPDATE input SET amount = 0 WHERE id = 2",
		"a negative amount":                "UPDATE input SET amount = -1 WHERE id = 2",
		"a fraction":                       "UPDATE input SET amount = 1.5 WHERE id = 2",
		"an amount that is a text":         "UPDATE input SET amount = 'ten' WHERE id = 2",
		"no request":                       "UPDATE input SET request = '' WHERE id = 2",
		"an item of no job":                "UPDATE input SET job_id = 9 WHERE id = 2",
		"an outcome nobody knows":          "UPDATE past_attempt SET outcome = 'fine'",
		"an attempt twice":                 "INSERT INTO past_attempt SELECT * FROM past_attempt",
		"an attempt of no item":            "INSERT INTO past_attempt SELECT 9, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced FROM past_attempt",
		"a standing of no item":            "INSERT INTO standing (item_id, state) VALUES (9, 'pending')",
		"a session twice":                  "UPDATE standing SET session_id = (SELECT session_id FROM standing WHERE item_id = 1) WHERE item_id = 3",
		"an item on its way twice":         "INSERT INTO intent SELECT 4, n, '' FROM (SELECT 1 AS n UNION ALL SELECT 2)",
		"created without an attempt":       "UPDATE standing SET attempts = 0 WHERE item_id = 1",
		"created by nothing that was sent": "UPDATE standing SET sent_at = '' WHERE item_id = 1",
		"a job twice":                      "INSERT INTO job SELECT 9, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, allow_repeats, raw_cells, bom, output, created_at, 0, -1 FROM job",
		"a policy nobody knows":            "UPDATE job SET on_unknown = 'guess'",
		"an environment nobody knows":      "UPDATE job SET environment = 'test'",
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.unchanged(func() {
				if _, err := l.raw.Exec(statement); err == nil {
					t.Error("it went through")
				}
			})
		})
	}
	l.t = t
}

func (l *ledger) attempts(jobID int64, orphans bool) (all []job.Attempt) {
	l.t.Helper()
	for a, err := range l.Attempts(l.t.Context(), jobID, orphans) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// One session must not be published for two invoices, whoever answers so: of this job, or of another.
func TestSharedSession(t *testing.T) {
	l := newLedger(t)
	first := l.imported(newJob("a"), invoices(2)...).ID
	items := l.open(first)
	l.send(items[0], job.OutcomeCreated)
	other := l.first(l.imported(newJob("b"), invoice(2, "INV-9")).ID)
	want := job.SharedSession(items[0].Row, first)
	for _, item := range []*job.Item{items[1], other} {
		shared := ownSession(items[0], ends[job.OutcomeCreated])
		if got, err := ended(l.Store, item, l.begin(item), shared); err != nil || got != want {
			t.Errorf("recorded %+v, %v, want %+v", got, err, want)
		}
	}
	for id, state := range map[int64]job.State{items[0].ID: job.Created, items[1].ID: job.Failed, other.ID: job.Failed} {
		l.want(fmt.Sprintf("SELECT state, url <> '' FROM item WHERE id = %d", id), fmt.Sprintf("%s|%d", state, map[bool]int{true: 1}[state == job.Created]))
	}
	l.want("SELECT count(*) FROM attempt WHERE outcome = 'mismatch' AND session_id = 'sess_1'", "2")
}

// It is no other for an item that is sent again.
func TestSharedSessionOfALaterAttempt(t *testing.T) {
	l := newLedger(t)
	items := l.open(l.imported(newJob("a"), invoices(2)...).ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeUnknown)
	shared := ownSession(items[0], ends[job.OutcomeCreated])
	want := job.SharedSession(items[0].Row, items[0].JobID)
	if got, err := ended(l.Store, items[1], l.begin(items[1]), shared); err != nil || got != want {
		t.Errorf("recorded %+v, %v, want %+v", got, err, want)
	}
	l.want("SELECT state, url <> '' FROM item ORDER BY id", "created|1", "failed|0")
	l.want("SELECT number, outcome FROM attempt WHERE item_id = 2", "1|unknown", "2|mismatch")
}

// An end belongs to the attempt that is on its way, and to the item as that attempt found it.
func TestEndOfALaterAttemptIsGuarded(t *testing.T) {
	l := newLedger(t)
	item := l.first(l.imported(newJob("a"), invoice(2, "INV-1")).ID)
	l.send(item, job.OutcomeUnknown)
	number := l.begin(item)
	refused := func(number int) {
		l.unchanged(func() { wantError(t, l.End(item, number, ends[job.OutcomeUnknown]), job.ErrMoved) })
	}
	refused(number + 1)
	for _, attempts := range []int{2, 1} {
		if _, err := l.raw.Exec("UPDATE standing SET attempts = ?", attempts); err != nil {
			t.Fatal(err)
		}
		if attempts == 2 {
			refused(number)
		}
	}
	if err := l.End(item, number, ends[job.OutcomeUnknown]); err != nil {
		t.Error(err)
	}
}

// What is on its way is left, too, and counts once, whether it is sent for the first time or again.
func TestLeftWhileItemsAreOnTheirWay(t *testing.T) {
	l := newLedger(t)
	j := l.imported(newJob("a"), invoices(3)...)
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeUnknown)
	l.begin(items[0])
	l.begin(items[1])
	if sendable, waiting, err := l.Left(t.Context(), j, 5); sendable != 3 || waiting != 0 || err != nil {
		t.Errorf("%d to send, %d waiting, %v", sendable, waiting, err)
	}
}
