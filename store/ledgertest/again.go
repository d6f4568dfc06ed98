package ledgertest

import (
	"paylinks/job"
	"reflect"
	"testing"
	"time"
)

// testRunOrder guards that the file that was run last counts. A file is run, edited and run, put back and run: its rows are sent, those
// of the edited file are not, also by a run that goes on with that job.
func (c contract) testRunOrder(t *testing.T) {
	l := c.newLedger(t)
	var edited []job.NewItem
	for _, row := range Invoices(4) {
		edited = append(edited, other(row))
	}
	a := l.imported(NewJob("a"), Invoices(4)...)
	items := l.open(a.ID)
	l.send(items[1], job.OutcomeUnknown)
	l.send(items[2], job.OutcomeRejected)
	b := l.imported(NewJob("b"), edited...)
	l.send(l.open(b.ID)[3], job.OutcomeRejected)
	l.must(l.Remember(a)) // to go on with a job is not to run its file
	l.must(l.LookAgain(a.ID, At))
	l.rows(a.ID, "superseded 0 ", "superseded 1 ", "failed 1 400", "superseded 0 ")
	if facts := l.factsOf(Invoices(4)[2]); facts[0].Ran >= facts[1].Ran {
		t.Errorf("the edited file is no longer the one that was run last: %+v", facts)
	}

	a.Output, a.OnUnknown = "/files/elsewhere.csv", job.Hold
	l.must(l.RunAgain(a, nil, At))
	if got, err := l.Job(t.Context(), a.ID); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, a)
	}
	l.rows(a.ID, "pending 0 ", "unknown 1 ", "failed 1 400", "pending 0 ")
	l.rows(b.ID, "superseded 0 ", "superseded 0 ", "pending 0 ", "failed 1 400")
	if again := l.open(a.ID)[1]; again.UnknownEnds != 1 || !reflect.DeepEqual(again.Request, Invoices(4)[1].Request.Prepare()) {
		t.Errorf("the row in doubt is %+v", again)
	}
	// What failed in the job that was run last is not sent as an earlier job has it.
	l.resolved(l.first(b.ID), At, job.GiveWay)
	if open := l.open(b.ID); len(open) != 0 {
		t.Errorf("a run that goes on with the edited file sends %+v", open)
	}
	for _, item := range l.open(a.ID) {
		l.send(item, job.OutcomeCreated)
	}
	l.must(l.RunAgain(b, nil, At))
	l.rows(b.ID, "invalid 0 conflict", "invalid 0 conflict", "pending 0 ", "failed 1 400")
	WantError(t, l.RunAgain(job.Job{ID: 4711, OnUnknown: job.Retry}, nil, At), job.ErrNoJob)
}

// A duplicate whose link has ended unpaid gets a new one where the link is kept. Where that cannot be, it is looked at again.
func (c contract) testLookAgainAtDuplicates(t *testing.T) {
	kept := func(*ledger, *job.Item) {}
	purged := func(l *ledger, item *job.Item) { l.purged(item.JobID) }
	said := func(status job.LinkStatus) func(*ledger, *job.Item) {
		return func(l *ledger, item *job.Item) {
			l.must(l.Checked(item.ID, status, At))
			l.purged(item.JobID)
		}
	}
	for name, test := range map[string]struct {
		owner  func(*ledger, *job.Item) // what becomes of the item that has the link
		after  time.Duration
		want   job.State
		action job.Action
	}{
		"live":     {kept, time.Hour, job.Duplicate, 0},
		"replaced": {kept, 48 * time.Hour, job.Duplicate, 0},
		"replaced, and failed": {func(l *ledger, item *job.Item) {
			item.SessionID = l.result(item.JobID).SessionID
			l.must(l.Replace(item, At))
			item.State = job.Pending
			l.send(item, job.OutcomeRejected)
		}, time.Hour, job.Pending, job.Send},
		"purged":                          {purged, 48 * time.Hour, job.Pending, job.Ask},
		"purged, expired before its time": {said(job.LinkExpired), time.Hour, job.Pending, job.Ask},
		"purged, paid":                    {said(job.LinkPaid), 48 * time.Hour, job.Duplicate, 0},
	} {
		for how, look := range map[string]func(*ledger, job.Job) error{
			"run":  func(l *ledger, j job.Job) error { return l.RunAgain(j, nil, At.Add(test.after)) },
			"look": func(l *ledger, j job.Job) error { return l.LookAgain(j.ID, At.Add(test.after)) },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				l := c.newLedger(t)
				item := l.withLink()
				j := l.imported(NewJob("later"), Invoice(2, "INV-LINK"))
				test.owner(l, item)
				if test.want == job.Duplicate {
					l.unchanged(func() { l.must(look(l, j)) })
					return
				}
				l.must(look(l, j))
				if got := l.result(j.ID); got.State != test.want || got.SessionID+got.URL+string(got.Link)+got.Error != "" || !got.ExpiresAt.IsZero() {
					t.Errorf("the duplicate is %+v", got)
				}
				l.resolved(l.first(j.ID), At.Add(test.after), test.action)
			})
		}
	}
	t.Run("nothing of a purged job", func(t *testing.T) {
		l := c.newLedger(t)
		l.withLink()
		j := l.imported(NewJob("later"), Invoice(2, "INV-LINK"), Invoice(3, "INV-1"))
		l.imported(NewJob("newer"), Invoice(2, "INV-1"))
		l.purged(l.nth(1))
		l.purged(j.ID)
		l.must(l.RunAgain(j, nil, At.AddDate(0, 1, 0)))
		l.rows(j.ID, "duplicate 0 ", "superseded 0 ")
	})
}

// A row that was refused because of another job is looked at again when its file is run again, and has kept its request.
func (c contract) testRunAgainAfterARefusal(t *testing.T) {
	row, bad := other(Invoice(2, "INV-1")), job.NewItem{Row: 3, Cells: []string{"?"}, Problem: "amount: missing"}
	for state, refuse := range map[job.State]func(l *ledger) (job.Job, error){
		job.Invalid: func(l *ledger) (job.Job, error) { // when it was imported
			l.send(l.first(l.imported(NewJob("older"), Invoice(2, "INV-1")).ID), job.OutcomeCreated)
			return l.Import(NewJob("newer"), Good(row, bad), true, At)
		},
		job.Failed: func(l *ledger) (job.Job, error) { // when it was to be sent
			older := l.imported(NewJob("older"), Invoice(2, "INV-1")).ID
			l.send(l.first(older), job.OutcomeRejected)
			j := l.imported(NewJob("newer"), row, bad)
			l.retry(older, false, 1)
			item := l.first(older)
			item.Repeat = true // so that the newer job is not looked at
			l.send(item, job.OutcomeCreated)
			l.resolved(l.first(j.ID), At, job.Refuse)
			return j, nil
		},
	} {
		t.Run(string(state), func(t *testing.T) {
			l := c.newLedger(t)
			j, err := refuse(l)
			l.must(err)
			later := At.Add(48 * time.Hour)
			l.unchanged(func() { l.must(l.RunAgain(j, nil, At)) })
			l.unchanged(func() { l.must(l.LookAgain(j.ID, later)) }) // which is for duplicates
			l.rows(j.ID, string(state)+" 0 conflict", "invalid 0 invalid")
			l.must(l.RunAgain(j, nil, later))
			l.rows(j.ID, "pending 0 ", "invalid 0 invalid")
			item := l.first(j.ID)
			if !reflect.DeepEqual(item.Request, row.Request.Prepare()) || item.Amount != row.Amount {
				t.Errorf("it is to be sent as %+v", item)
			}
			item.Heard = map[string]job.LinkStatus{l.results(l.nth(1))[0].SessionID: job.LinkExpired}
			l.resolved(item, later, job.Send)
		})
	}
}

// What another file of the run asks for otherwise is not sent, and is looked at again when its file is run without that.
func (c contract) testDisputed(t *testing.T) {
	l := c.newLedger(t)
	rows := Invoices(5)
	rows[4].Disputed = "stands elsewhere"
	j, err := l.Import(NewJob("a"), Good(rows...), true, At)
	l.must(err)
	l.rows(j.ID, "pending 0 ", "pending 0 ", "pending 0 ", "pending 0 ", "invalid 0 conflict")
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeUnknown)
	disputed := map[int]string{2: "two", 3: "three", 4: "four", 6: "six"}
	l.must(l.RunAgain(j, disputed, At))
	l.rows(j.ID, "created 1 ", "failed 1 conflict", "invalid 0 conflict", "pending 0 ", "invalid 0 conflict")
	if got := l.results(j.ID); got[2].Error != "four" || got[4].Error != "stands elsewhere" {
		t.Errorf("the rows are %+v", got)
	}
	l.unchanged(func() { l.must(l.RunAgain(j, disputed, At)) })
	if facts := l.factsOf(rows[2]); !facts[0].Refused || l.factsOf(rows[3])[0].Refused {
		t.Errorf("the facts are %+v", facts)
	}
	l.must(l.RunAgain(j, nil, At))
	l.rows(j.ID, "created 1 ", "unknown 1 ", "pending 0 ", "pending 0 ", "pending 0 ")
	if again := l.open(j.ID); again[0].UnknownEnds != 1 || !reflect.DeepEqual(again[3].Request, rows[4].Request.Prepare()) {
		t.Errorf("the open rows are %+v", again)
	}
}
