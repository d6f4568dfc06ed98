package ledgertest

import (
	"errors"
	"fmt"
	"iter"
	"paylinks/job"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func (c contract) testImport(t *testing.T) {
	l := c.newLedger(t)
	given := NewJob("a")
	given.OnUnknown, given.RawCells, given.AllowRepeats, given.Delimiter = job.Hold, true, true, '\t'
	rows := Invoices(3)
	rows[1].Cells = []string{"ü \x00 \n \" \\ </script> \u2028", ""}
	bad := job.NewItem{Row: 9, Cells: []string{"x"}, Problem: "amount: \"x\" is no amount"}
	want := l.imported(given, append(rows, bad)...)
	if want.ID <= 0 || !want.CreatedAt.Equal(At) {
		t.Errorf("job %d of %s", want.ID, want.CreatedAt)
	}
	got, err := l.Job(t.Context(), want.ID)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Job: %v\n got %+v\nwant %+v", err, got, want)
	}
	if got, err = l.Find(t.Context(), given.Identity); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Find: %v\n got %+v\nwant %+v", err, got, want)
	}
	results := l.results(want.ID)
	for i, row := range rows {
		want := job.Result{ItemID: results[i].ItemID, Row: row.Row, State: job.Pending, InvoiceID: row.InvoiceID, Reference: row.Reference, Cells: row.Cells}
		if !reflect.DeepEqual(results[i], want) {
			t.Errorf("row %d\n got %+v\nwant %+v", i, results[i], want)
		}
		if i > 0 && results[i].ItemID <= results[i-1].ItemID {
			t.Errorf("the number of row %d is %d, after %d", i, results[i].ItemID, results[i-1].ItemID)
		}
	}
	if want := (job.Result{ItemID: results[3].ItemID, Row: 9, State: job.Invalid, Cells: bad.Cells, ErrorCode: "invalid", Error: bad.Problem}); !reflect.DeepEqual(results[3], want) {
		t.Errorf("the bad row\n got %+v\nwant %+v", results[3], want)
	}
	for i, item := range l.open(want.ID) {
		row := rows[i]
		want := &job.Item{
			ID: results[i].ItemID, JobID: want.ID, Row: row.Row, State: job.Pending, Hold: true, InvoiceID: row.InvoiceID, Reference: row.Reference,
			Currency: row.Currency, Amount: row.Amount, Request: row.Request.Prepare(),
		}
		if !reflect.DeepEqual(item, want) {
			t.Errorf("open item %d\n got %+v\nwant %+v", i, item, want)
		}
	}
	second := l.imported(NewJob("b"), Invoice(2, "INV-100"), Invoice(3, "INV-101"))
	if jobs, err := l.Jobs(t.Context()); err != nil || len(jobs) != 2 || jobs[1].ID != second.ID {
		t.Errorf("Jobs: %v, %v", jobs, err)
	}
}

func (c contract) testImportOfNothing(t *testing.T) {
	l := c.newLedger(t)
	id := l.imported(NewJob("a")).ID
	if rows := l.results(id); rows != nil {
		t.Errorf("rows %v", rows)
	}
}

// Rows go into the ledger in groups, and what there is to say of some of them goes elsewhere: each has its own, whatever
// stands around it.
func (c contract) testImportOfManyKinds(t *testing.T) {
	for n, cell := range map[int]string{1: "x", 15: "x", 16: "x", 17: "x", 32: "x", 100: "x", 300: "x", 20: strings.Repeat("x", 1<<20)} {
		t.Run(fmt.Sprintf("%d, cells of %d", n, len(cell)), func(t *testing.T) {
			l := c.newLedger(t)
			var earlier, rows []job.NewItem
			var want []string
			for i := range n {
				row := Invoice(i+2, fmt.Sprintf("INV-%d", i))
				row.Amount += int64(i) * 10_000
				row.Cells = []string{"", cell}
				line := fmt.Sprintf("%d|pending|INV-%d|%d|", i+2, i, row.Amount)
				switch i % 7 {
				case 2:
					earlier = append(earlier, row)
					line = fmt.Sprintf("%d|duplicate|INV-%d|%d|link of job the first", i+2, i, row.Amount)
				case 3, 4:
					row = job.NewItem{Row: i + 2, Cells: row.Cells, Problem: fmt.Sprintf("problem %d", i)}
					line = fmt.Sprintf("%d|invalid||0|problem %d", i+2, i)
				}
				rows = append(rows, row)
				want = append(want, line)
			}
			first := l.imported(NewJob("a"), earlier...).ID
			for _, item := range l.open(first) {
				l.send(item, job.OutcomeCreated)
			}
			for i := range want {
				want[i] = strings.Replace(want[i], "the first", fmt.Sprint(first), 1)
			}
			j, err := l.Import(NewJob("b"), Good(rows...), true, At)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, r := range l.results(j.ID) {
				got = append(got, fmt.Sprintf("%d|%s|%s|%d|%s", r.Row, r.State, r.InvoiceID, rows[i].Amount, r.Error))
			}
			if !slices.Equal(got, want) {
				t.Errorf("\n got %q\nwant %q", got, want)
			}
		})
	}
}

func (c contract) testImportIsAllOrNothing(t *testing.T) {
	broken := errors.New("line 3 cannot be read")
	for name, test := range map[string]struct {
		job  job.Job
		rows iter.Seq2[job.NewItem, error]
		want func(error) bool
	}{
		"the file breaks off": {NewJob("b"), func(yield func(job.NewItem, error) bool) {
			_ = yield(Invoice(2, "INV-9"), nil) && yield(job.NewItem{}, broken) && yield(Invoice(4, "INV-10"), nil)
		}, func(err error) bool { return errors.Is(err, broken) }},
		"a row breaks a constraint": {NewJob("b"), Good(Invoice(2, "INV-9"), job.NewItem{Row: 3, InvoiceID: "x"}), func(err error) bool { return err != nil }},
		"the job is there":          {NewJob("a"), Good(Invoice(2, "INV-9")), func(err error) bool { return errors.Is(err, job.ErrImported) }},
		"a row is in conflict": {NewJob("b"), Good(Invoice(2, "INV-2"), Invoice(3, "INV-9"), other(Invoice(4, "INV-1"))), func(err error) bool {
			var conflict *job.ConflictError
			return errors.As(err, &conflict) && conflict.Row == 4
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.newLedger(t)
			l.send(l.first(l.imported(NewJob("a"), Invoices(2)...).ID), job.OutcomeCreated)
			l.unchanged(func() {
				if _, err := l.Import(test.job, test.rows, false, At); err == nil || !test.want(err) {
					t.Errorf("error %v", err)
				}
			})
			// What failed has left nothing in the writer either.
			if id := l.imported(NewJob("c"), Invoice(2, "INV-11")).ID; l.place(id) != 2 {
				t.Errorf("the next job is %d of %v", id, l.jobs())
			}
		})
	}
}

// other is the same invoice for another amount.
func other(row job.NewItem) job.NewItem {
	row.Amount += 5000
	return row
}

func (c contract) testRemember(t *testing.T) {
	l := c.newLedger(t)
	j := l.imported(NewJob("a"), Invoices(1)...)
	want := j
	want.File, want.Output, want.RawCells, want.BOM, want.OnUnknown, want.AllowRepeats = "/new/a.csv", "-", true, true, job.Hold, true
	l.must(l.Remember(want))
	if got, err := l.Job(t.Context(), j.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// testSameInvoice takes each line of the design's table through Import, and again through Begin, where the older job
// came to that state only after the newer one was imported.
func (c contract) testSameInvoice(t *testing.T) {
	link := func(expires time.Time, said job.LinkStatus) func(*ledger, *job.Item) {
		return func(l *ledger, item *job.Item) {
			l.created(item, expires)
			if said != "" {
				l.must(l.Checked(item.ID, said, At))
			}
		}
	}
	live, past, endless := At.Add(24*time.Hour), At.Add(-time.Hour), time.Time{}
	ended := func(outcomes ...job.Outcome) func(*ledger, *job.Item) {
		return func(l *ledger, item *job.Item) {
			for _, outcome := range outcomes {
				l.send(item, outcome)
			}
		}
	}
	sending := func(l *ledger, item *job.Item) { l.begin(item) }
	same := func(row job.NewItem) job.NewItem { return row }
	otherCurrency := func(row job.NewItem) job.NewItem { row.Currency = "EUR"; return row }
	otherCustomer := func(row job.NewItem) job.NewItem { row.Request.CustomerID = "cus_2"; return row }
	const wantsRefusal = job.State("refused")

	for _, test := range []struct {
		name     string
		older    func(*ledger, *job.Item) // what becomes of the older job's item
		hold     string                   // which job holds: older or newer
		newer    func(job.NewItem) job.NewItem
		imported job.State
		action   job.Action // of Begin
		begun    job.State
		left     job.State // what becomes of the older item
		code     string    // of the newer item, where it stays open
	}{
		{"created, live, same", link(live, ""), "", same, job.Duplicate, job.Reuse, job.Duplicate, job.Created, ""},
		{"created, no expiry, same", link(endless, ""), "", same, job.Duplicate, job.Reuse, job.Duplicate, job.Created, ""},
		{"created, live, other amount", link(live, ""), "", other, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, live, other currency", link(live, ""), "", otherCurrency, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, live, other customer", link(live, ""), "", otherCustomer, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, expired, same", link(past, ""), "", same, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, expired, other amount", link(past, ""), "", other, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, expired, last heard processing", link(past, job.LinkProcessing), "", same, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, said to be expired before its time", link(live, job.LinkExpired), "", same, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, paid, expired", link(past, job.LinkPaid), "", same, job.Duplicate, job.Reuse, job.Duplicate, job.Created, ""},
		{"created, paid, expired, other amount", link(past, job.LinkPaid), "", other, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, refunded, expired, other customer", link(past, job.LinkRefunded), "", otherCustomer, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"sending, same", sending, "", same, job.Pending, job.Later, job.Pending, job.Sending, ""},
		{"sending, other amount", sending, "", other, job.Pending, job.Later, job.Pending, job.Sending, ""},
		{"unknown, same", ended(job.OutcomeUnknown), "", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"unknown, other amount", ended(job.OutcomeUnknown), "", other, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"unknown, other amount, the older job holds", ended(job.OutcomeUnknown), "older", other, job.Pending, job.Wait, job.Pending, job.Unknown, job.CodeHeld},
		{"unknown, the older job holds", ended(job.OutcomeUnknown), "older", same, job.Pending, job.Wait, job.Pending, job.Unknown, job.CodeHeld},
		{"unknown, the newer job holds", ended(job.OutcomeUnknown), "newer", same, job.Pending, job.Wait, job.Pending, job.Unknown, job.CodeHeld},
		{"pending, same", ended(), "", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"pending, both hold", ended(), "both", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"pending, other amount", ended(), "", other, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"failed, refused", ended(job.OutcomeRejected), "", same, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"failed, mismatch", ended(job.OutcomeMismatch), "", other, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"failed after unknown", ended(job.OutcomeUnknown, job.OutcomeRejected), "", other, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"superseded", func(l *ledger, item *job.Item) {
			id := l.imported(NewJob("between"), Invoice(2, "INV-1")).ID
			l.send(l.first(id), job.OutcomeRejected)
		}, "", other, job.Pending, job.Send, job.Sending, job.Superseded, ""},
	} {
		jobs := func() (older, newer job.Job) {
			older, newer = NewJob("older"), NewJob("newer")
			if test.hold == "older" || test.hold == "both" {
				older.OnUnknown = job.Hold
			}
			if test.hold == "newer" || test.hold == "both" {
				newer.OnUnknown = job.Hold
			}
			return older, newer
		}
		row := Invoice(2, "INV-1")
		check := func(l *ledger, older, newer int64) {
			l.t.Helper()
			l.state(older, test.left)
			got := l.result(newer)
			switch {
			case got.State == job.Duplicate:
				link, note := l.result(older), fmt.Sprint("link of job ", older)
				if link.Link != "" {
					note += ", " + string(link.Link)
				}
				if got.SessionID != sessionOf(link.ItemID) || got.URL != link.URL || !got.ExpiresAt.Equal(link.ExpiresAt) || !got.CreatedAt.Equal(link.CreatedAt) ||
					got.Link != link.Link || got.Error != note {
					l.t.Errorf("the duplicate is %+v", got)
				}
			case got.State == job.Failed && got.ErrorCode != job.CodeConflict:
				l.t.Errorf("the refused one is %+v", got)
			case got.State == job.Pending && test.code == job.CodeHeld && !strings.Contains(got.Error, fmt.Sprint("job ", older)):
				l.t.Errorf("the one that waits is %+v", got)
			case got.State == job.Pending && got.ErrorCode != test.code:
				l.t.Errorf("the open one is %+v", got)
			case got.State != job.Duplicate && got.URL != "":
				l.t.Errorf("there is a second link: %+v", got)
			}
			if left := l.result(older); test.left == job.Superseded && left.Error != fmt.Sprint("taken over by job ", newer) && test.name != "superseded" {
				l.t.Errorf("the superseded one is %+v", left)
			}
		}
		t.Run(test.name+"/import", func(t *testing.T) {
			l := c.newLedger(t)
			older, newer := jobs()
			older = l.imported(older, row)
			test.older(l, l.first(older.ID))
			orphans := l.attempts(older.ID, true)
			if test.imported == wantsRefusal {
				l.unchanged(func() {
					_, err := l.Import(newer, Good(test.newer(row)), false, At)
					var conflict *job.ConflictError
					if !errors.As(err, &conflict) || conflict.Row != 2 || conflict.What() == "" || conflict.Advice() == "" {
						t.Errorf("error %v", err)
					}
				})
				j, err := l.Import(newer, Good(test.newer(row)), true, At)
				if err != nil {
					t.Fatal(err)
				}
				if got := l.result(j.ID); got.State != job.Invalid || !strings.Contains(got.Error, fmt.Sprint("job ", older.ID)) {
					t.Errorf("where bad rows are skipped it is %+v", got)
				}
				return
			}
			newer = l.imported(newer, test.newer(row))
			l.state(newer.ID, test.imported)
			check(l, older.ID, newer.ID)
			if got := l.attempts(older.ID, true); !reflect.DeepEqual(got, orphans) {
				t.Errorf("the older job's possible orphans were %v and are %v", orphans, got)
			}
		})
		if test.name == "superseded" {
			continue // by a job between these two, which cannot come when both are there
		}
		t.Run(test.name+"/begin", func(t *testing.T) {
			l := c.newLedger(t)
			older, newer := jobs()
			olderItem, item := l.bothOpen(older, newer, row, test.newer(row))
			olderItem.Repeat = true // so that the newer job is not looked at
			test.older(l, olderItem)
			l.resolved(item, At, test.action)
			if n := len(l.attempts(item.JobID, false)); (n == 1) != (test.begun == job.Sending) {
				t.Errorf("%d attempts are on record", n)
			}
			l.state(item.JobID, test.begun)
			check(l, olderItem.JobID, item.JobID)
		})
	}
}

// An item of a job that was run earlier, put back to pending, gives way to a job that was run later and has its invoice: the file that
// was run last is what counts. A later job that was purged can make nothing of the invoice any more.
func (c contract) testSameInvoiceInALaterJob(t *testing.T) {
	failed := func(l *ledger, item *job.Item) { l.send(item, job.OutcomeRejected) }
	for _, test := range []struct {
		name   string
		later  func(*ledger, *job.Item)
		state  job.State // of the later item, before and after
		action job.Action
	}{
		{"pending", func(*ledger, *job.Item) {}, job.Pending, job.GiveWay},
		{"unknown", func(l *ledger, item *job.Item) { l.send(item, job.OutcomeUnknown) }, job.Unknown, job.GiveWay},
		{"failed", failed, job.Failed, job.GiveWay},
		{"failed, and purged", func(l *ledger, item *job.Item) { failed(l, item); l.purged(item.JobID) }, job.Failed, job.Send},
		{"created, expired", func(l *ledger, item *job.Item) { l.created(item, At.Add(-time.Second)) }, job.Created, job.Ask},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := c.newLedger(t)
			older, later := l.bothOpen(NewJob("older"), NewJob("later"), Invoice(2, "INV-1"), other(Invoice(2, "INV-1")))
			later.Repeat = true // so that the older job is not looked at
			test.later(l, later)
			r := l.resolved(older, At, test.action)
			if got := l.result(older.JobID); test.action == job.GiveWay &&
				(got.State != job.Superseded || got.Error != fmt.Sprint("taken over by job ", later.JobID) || got.Attempts != 1 || r.Other.ItemID != later.ID) {
				t.Errorf("the older item is %+v, since %+v", got, r)
			}
			l.state(later.JobID, test.state)
			if test.state == job.Pending {
				l.send(later, job.OutcomeCreated)
			}
		})
	}
}

// What Clink says when it is asked for an item decides what becomes of that item. What it said before does not: it is asked again.
func (c contract) testSameInvoiceAskedAbout(t *testing.T) {
	later := At.Add(48 * time.Hour)
	for said, want := range map[job.LinkStatus][2]job.Action{ // of the same, and where the amount differs
		job.LinkExpired:    {job.Send, job.Send},
		job.LinkOpen:       {job.Reuse, job.Refuse},
		job.LinkProcessing: {job.Reuse, job.Refuse},
		job.LinkPaid:       {job.Reuse, job.Refuse},
	} {
		for i, row := range []job.NewItem{Invoice(2, "INV-1"), other(Invoice(2, "INV-1"))} {
			t.Run(fmt.Sprint(said, want[i]), func(t *testing.T) {
				l := c.newLedger(t)
				older := l.first(l.imported(NewJob("older"), Invoice(2, "INV-1")).ID)
				l.send(older, job.OutcomeCreated)
				j, err := l.Import(NewJob("newer"), Good(row), false, later)
				l.must(err)
				item := l.first(j.ID)
				if r := l.resolved(item, later, job.Ask); r.Other.ItemID != older.ID || r.Other.SessionID != sessionOf(older.ID) {
					t.Errorf("Clink would be asked about %+v", r.Other)
				}
				l.must(l.Checked(older.ID, said, later))
				if said == job.LinkExpired {
					item.Heard = map[string]job.LinkStatus{"sess_other": said}
					l.resolved(item, later, job.Ask)
				}
				item.Heard = map[string]job.LinkStatus{sessionOf(older.ID): said}
				l.resolved(item, later, want[i])
				if got := l.result(j.ID); want[i] == job.Reuse && (got.State != job.Duplicate || got.SessionID != sessionOf(older.ID) || got.Link != said || !got.CheckedAt.Equal(later)) {
					t.Errorf("the duplicate is %+v", got)
				}
			})
		}
	}
}

// A customer is the same when an identifier that was sent, or that Clink answered with, is in both and none that both have differs:
// also after a purge, which leaves only digests.
func (c contract) testSameCustomer(t *testing.T) {
	for _, test := range []struct {
		name     string
		older    job.Customer
		answered string
		newer    job.Customer
		same     bool
	}{
		{"an email in other letters", job.Customer{Email: "Anna@example.com"}, "", job.Customer{Email: "anna@EXAMPLE.com"}, true},
		{"the id that Clink answered with", job.Customer{Email: "anna@example.com"}, "cus_7", job.Customer{ID: "cus_7"}, true},
		{"another id than Clink answered with", job.Customer{Email: "anna@example.com"}, "cus_7", job.Customer{ID: "cus_8", Email: "anna@example.com"}, false},
		{"one more identifier", job.Customer{ID: "cus_1"}, "cus_1", job.Customer{ID: "cus_1", Reference: "K-1"}, true},
		{"another reference", job.Customer{ID: "cus_1", Reference: "K-1"}, "", job.Customer{ID: "cus_1", Reference: "K-2"}, false},
		{"nothing in common", job.Customer{ID: "cus_1"}, "cus_1", job.Customer{Email: "anna@example.com"}, false},
	} {
		for _, purged := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, purged %t", test.name, purged), func(t *testing.T) {
				l := c.newLedger(t)
				row := Invoice(2, "INV-1")
				request := &row.Request
				request.CustomerID, request.CustomerEmail, request.ReferenceCustomerID = test.older.ID, test.older.Email, test.older.Reference
				item := l.first(l.imported(NewJob("older"), row).ID)
				end := Ends[job.OutcomeCreated]
				end.Customer = test.answered
				l.must(l.End(item, l.begin(item), end))
				l.must(l.Checked(item.ID, job.LinkPaid, At))
				if purged {
					l.purged(item.JobID)
				}
				request.CustomerID, request.CustomerEmail, request.ReferenceCustomerID = test.newer.ID, test.newer.Email, test.newer.Reference
				_, err := l.Import(NewJob("newer"), Good(row), false, At)
				var conflict *job.ConflictError
				if refused := errors.As(err, &conflict) && conflict.Conflict == job.OtherCustomer; refused == test.same || test.same && err != nil {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

// alike is a row without an invoice id; all of them are alike in everything.
func alike(row int) job.NewItem {
	item := Invoice(row, "alike")
	item.InvoiceID, item.Reference = "", fmt.Sprintf("generated-%d", row)
	return item
}

func (c contract) testRowsAlike(t *testing.T) {
	repeats := func(name string) job.Job {
		j := NewJob(name)
		j.AllowRepeats = true
		return j
	}
	older := func(t *testing.T, j job.Job) (*ledger, *job.Item) {
		l := c.newLedger(t)
		return l, l.first(l.imported(j, alike(2)).ID)
	}
	refused := func(t *testing.T, l *ledger) {
		t.Helper()
		l.unchanged(func() {
			_, err := l.Import(NewJob("newer"), Good(alike(2)), false, At)
			var conflict *job.ConflictError
			if !errors.As(err, &conflict) || conflict.Conflict != job.IdenticalRow {
				t.Errorf("error %v", err)
			}
		})
	}
	for _, outcome := range []job.Outcome{"", job.OutcomeCreated, job.OutcomeUnknown} {
		for _, j := range []job.Job{NewJob("older"), repeats("older")} {
			t.Run(fmt.Sprintf("older is open or live: %s, repeats %t", outcome, j.AllowRepeats), func(t *testing.T) {
				l, item := older(t, j)
				if outcome != "" {
					l.send(item, outcome)
				}
				refused(t, l)
				id := l.imported(repeats("newer"), alike(2), alike(3)).ID
				for _, item := range l.open(id) {
					if !item.Repeat {
						t.Errorf("item %+v is not marked", item)
					}
					l.send(item, job.OutcomeCreated)
				}
			})
		}
	}
	t.Run("older has expired", func(t *testing.T) {
		l, item := older(t, NewJob("older"))
		l.send(item, job.OutcomeCreated)
		later := At.Add(48 * time.Hour)
		j, err := l.Import(NewJob("newer"), Good(alike(2)), false, later)
		if err != nil {
			t.Fatal(err)
		}
		l.resolved(l.first(j.ID), later, job.Ask)
	})
	t.Run("older was paid", func(t *testing.T) {
		l, item := older(t, NewJob("older"))
		l.created(item, At.Add(-time.Hour))
		l.must(l.Checked(item.ID, job.LinkPaid, At))
		refused(t, l)
	})
	t.Run("older has failed", func(t *testing.T) {
		l, item := older(t, NewJob("older"))
		l.send(item, job.OutcomeRejected)
		l.begin(l.first(l.imported(NewJob("newer"), alike(2)).ID))
	})
	t.Run("one more of another job takes nothing from this one", func(t *testing.T) {
		l, item := older(t, NewJob("older"))
		l.send(l.first(l.imported(repeats("newer"), alike(2)).ID), job.OutcomeCreated)
		l.send(item, job.OutcomeCreated)
	})
	t.Run("rows with an id are no repeats", func(t *testing.T) {
		l := c.newLedger(t)
		l.send(l.first(l.imported(NewJob("older"), Invoice(2, "INV-1")).ID), job.OutcomeCreated)
		l.state(l.imported(repeats("newer"), Invoice(2, "INV-1")).ID, job.Duplicate)
	})
}

// Invoices are looked up together, some hundreds at a time: those that a job holds are found, whatever stands around them,
// and of each all that hold it, in their order.
func (c contract) testFactsOfMany(t *testing.T) {
	l := c.newLedger(t)
	first, second := Invoice(2, "INV-1"), Invoice(3, "INV-2")
	a := l.imported(NewJob("a"), first, second).ID
	items := l.open(a)
	for i, item := range items {
		l.created(item, At.Add(time.Duration(2*i-1)*time.Hour)) // another job can have the first, too
	}
	b := l.imported(NewJob("b"), first).ID
	var asked [][16]byte
	for i := range 3 * 256 {
		asked = append(asked, [16]byte{1, byte(i), byte(i >> 8)})
	}
	asked[0], asked[len(asked)-1] = first.Invoice, second.Invoice
	found, err := l.Facts(t.Context(), asked)
	if err != nil || len(found) != 2 {
		t.Fatalf("of %d invoices: %v, %v", len(found), found, err)
	}
	if got := found[first.Invoice]; len(got) != 2 || got[0].JobID != a || got[1].JobID != b || got[1].State != job.Pending {
		t.Errorf("of the first: %+v", got)
	}
	if got := found[second.Invoice]; len(got) != 1 || got[0].ItemID != items[1].ID || got[0].State != job.Created {
		t.Errorf("of the last: %+v", got)
	}
	if found, err := l.Facts(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("of none: %v, %v", found, err)
	}
}

// An amount that is no number would be stored, and sent, as something else.
func (c contract) testARequestThatCannotBeSentIsNotImported(t *testing.T) {
	l := c.newLedger(t)
	row := Invoice(2, "INV-1")
	row.Request.Amount = ""
	_, err := l.Import(NewJob("a"), Good(row), false, At)
	if want := `import /files/a.csv: encode the request: amount "" is no number`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
