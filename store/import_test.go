package store_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store"
)

func TestImport(t *testing.T) {
	l := newLedger(t)
	given := newJob("a")
	given.OnUnknown, given.RawCells, given.AllowRepeats, given.Delimiter = job.Hold, true, true, '\t'
	rows := invoices(3)
	rows[1].Cells = []string{"ü \x00 \n \" \\ </script> \u2028", ""}
	bad := job.NewItem{Row: 9, Cells: []string{"x"}, Problem: "amount: \"x\" is no amount"}
	want := l.imported(given, append(rows, bad)...)
	if want.ID != 1 || !want.CreatedAt.Equal(at) {
		t.Errorf("job %d of %s", want.ID, want.CreatedAt)
	}
	got, err := l.Job(t.Context(), 1)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Job: %v\n got %+v\nwant %+v", err, got, want)
	}
	if got, err = l.Find(t.Context(), given.Identity); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Find: %v\n got %+v\nwant %+v", err, got, want)
	}
	results := l.results(1)
	for i, row := range rows {
		want := job.Result{ItemID: int64(i + 1), Row: row.Row, State: job.Pending, InvoiceID: row.InvoiceID, Reference: row.Reference, Cells: row.Cells}
		if !reflect.DeepEqual(results[i], want) {
			t.Errorf("row %d\n got %+v\nwant %+v", i, results[i], want)
		}
	}
	if want := (job.Result{ItemID: 4, Row: 9, State: job.Invalid, Cells: bad.Cells, ErrorCode: "invalid", Error: bad.Problem}); !reflect.DeepEqual(results[3], want) {
		t.Errorf("the bad row\n got %+v\nwant %+v", results[3], want)
	}
	for i, item := range l.open(1) {
		row := rows[i]
		want := &job.Item{
			ID: int64(i + 1), JobID: 1, Row: row.Row, State: job.Pending, InvoiceID: row.InvoiceID, Reference: row.Reference,
			Currency: row.Currency, Amount: row.Amount, Request: row.Request.Prepare(),
		}
		if !reflect.DeepEqual(item, want) {
			t.Errorf("open item %d\n got %+v\nwant %+v", i, item, want)
		}
	}
	second := l.imported(newJob("b"), invoice(2, "INV-100"), invoice(3, "INV-101"))
	l.want("SELECT first_item, last_item FROM job", "1|4", "5|6")
	if jobs, err := l.Jobs(t.Context()); err != nil || len(jobs) != 2 || jobs[1].ID != second.ID {
		t.Errorf("Jobs: %v, %v", jobs, err)
	}
}

func TestImportOfNothing(t *testing.T) {
	l := newLedger(t)
	id := l.imported(newJob("a")).ID
	if rows := l.results(id); rows != nil {
		t.Errorf("rows %v", rows)
	}
}

// Rows go into the ledger in groups, and what there is to say of some of them goes elsewhere: each has its own, whatever
// stands around it.
func TestImportOfManyKinds(t *testing.T) {
	for n, cell := range map[int]string{1: "x", 15: "x", 16: "x", 17: "x", 32: "x", 100: "x", 300: "x", 20: strings.Repeat("x", 1<<20)} {
		t.Run(fmt.Sprintf("%d, cells of %d", n, len(cell)), func(t *testing.T) {
			l := newLedger(t)
			var earlier, rows []job.NewItem
			var want []string
			for i := range n {
				row := invoice(i+2, fmt.Sprintf("INV-%d", i))
				row.Amount += int64(i) * 10_000
				row.Cells = []string{"", cell}
				line := fmt.Sprintf("%d|pending|INV-%d|%d|", i+2, i, row.Amount)
				switch i % 7 {
				case 2:
					earlier = append(earlier, row)
					line = fmt.Sprintf("%d|duplicate|INV-%d|%d|link of job 1", i+2, i, row.Amount)
				case 3, 4:
					row = job.NewItem{Row: i + 2, Cells: row.Cells, Problem: fmt.Sprintf("problem %d", i)}
					line = fmt.Sprintf("%d|invalid||0|problem %d", i+2, i)
				}
				rows = append(rows, row)
				want = append(want, line)
			}
			for _, item := range l.open(l.imported(newJob("a"), earlier...).ID) {
				l.send(item, job.OutcomeCreated)
			}
			j, err := l.Import(newJob("b"), good(rows...), true, at)
			if err != nil {
				t.Fatal(err)
			}
			l.want(fmt.Sprintf(`
				SELECT row, state, invoice_id, amount, error
				FROM item
				WHERE job_id = %d
					AND iif(state = 'invalid', request = '', request LIKE '%%"' || reference || '"%%')
				ORDER BY id
			`, j.ID), want...)
		})
	}
}

// A record that fails is taken out of the transaction that it shared, and the others are made again: a part of an import, too,
// as if it had not been made before.
func TestImportBesideRecordsThatFail(t *testing.T) {
	l := newLedger(t)
	var rows []job.NewItem
	for i := range 40 {
		row := invoice(i+2, fmt.Sprintf("INV-%d", i))
		row.Cells = append(row.Cells, strings.Repeat("x", 1<<20))
		rows = append(rows, row)
	}
	l.imported(newJob("a"), rows[:20]...) // to be taken over
	broken := errors.New("broken")
	var beside sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		beside.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := l.Record(func() error { return broken }); !errors.Is(err, broken) {
					t.Errorf("the record that fails: %v", err)
				}
			}
		})
	}
	j, err := l.Import(newJob("b"), good(rows...), false, at)
	close(done)
	beside.Wait()
	if err != nil {
		t.Fatal(err)
	}
	l.want("SELECT job_id, state, count(*), max(id) - min(id) + 1 FROM item GROUP BY 1", "1|superseded|20|20", fmt.Sprintf("%d|pending|40|40", j.ID))
}

func TestImportIsAllOrNothing(t *testing.T) {
	broken := errors.New("line 3 cannot be read")
	for name, test := range map[string]struct {
		job  job.Job
		rows iter.Seq2[job.NewItem, error]
		want func(error) bool
	}{
		"the file breaks off": {newJob("b"), func(yield func(job.NewItem, error) bool) {
			_ = yield(invoice(2, "INV-9"), nil) && yield(job.NewItem{}, broken) && yield(invoice(4, "INV-10"), nil)
		}, func(err error) bool { return errors.Is(err, broken) }},
		"a row breaks a constraint": {newJob("b"), good(invoice(2, "INV-9"), job.NewItem{Row: 3, InvoiceID: "x"}), isError},
		"the job is there":          {newJob("a"), good(invoice(2, "INV-9")), func(err error) bool { return errors.Is(err, store.ErrImported) }},
		"a row is in conflict": {newJob("b"), good(invoice(2, "INV-2"), invoice(3, "INV-9"), other(invoice(4, "INV-1"))), func(err error) bool {
			var conflict *store.ConflictError
			return errors.As(err, &conflict) && conflict.Row == 4
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			l.send(l.first(l.imported(newJob("a"), invoices(2)...).ID), job.OutcomeCreated)
			l.unchanged(func() {
				if _, err := l.Import(test.job, test.rows, false, at); err == nil || !test.want(err) {
					t.Errorf("error %v", err)
				}
			})
			// What failed has left nothing in the writer either.
			if id := l.imported(newJob("c"), invoice(2, "INV-11")).ID; id != 2 {
				t.Errorf("the next job is %d", id)
			}
		})
	}
}

// other is the same invoice for another amount.
func other(row job.NewItem) job.NewItem {
	row.Amount += 5000
	return row
}

// fat is a row so large that some hundreds of them do not stay in SQLite's memory.
func fat(i int) job.NewItem {
	row := invoice(i+2, fmt.Sprintf("FAT-%d", i))
	row.Cells = append(row.Cells, strings.Repeat("x", 40_000))
	return row
}

func init() {
	helpers["import"] = func(args []string) error {
		s, err := store.OpenForSending(args[0], "")
		if err != nil {
			return err
		}
		_, err = s.Import(newJob("b"), func(yield func(job.NewItem, error) bool) {
			for i := range 1000 {
				if i == 900 {
					fmt.Println("nearly done")
					_, _ = io.Copy(io.Discard, os.Stdin)
				}
				if !yield(fat(i), nil) {
					return
				}
			}
		}, false, at)
		return errors.Join(err, s.Close())
	}
}

func TestImportKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), fat(950)) // to be taken over
	before := l.dump()
	l.close()
	p := start(t, "import", path)
	p.line()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() < 1<<20 {
		t.Fatalf("nothing of it is on disk yet, so this tests nothing: %v", err)
	}
	p.kill()
	l = openLedger(t, path)
	if after := l.dump(); after != before {
		t.Error("something of the killed import was recorded")
	}
}

// An import takes several transactions. Before the last one the ledger is for everybody as if there were none.
func TestAnImportIsUnseenUntilItsEnd(t *testing.T) {
	l := newLedger(t)
	older := l.imported(newJob("a"), fat(950)) // to be taken over
	newer := newJob("b")
	looked := false
	j, err := l.Import(newer, func(yield func(job.NewItem, error) bool) {
		for i := range 1000 {
			if i == 900 {
				looked = true
				if n := l.query("SELECT count(*) > 500 FROM item")[0]; n != "1" {
					t.Error("nothing of it is recorded yet, so this tests nothing")
				}
				if jobs, err := l.Jobs(t.Context()); err != nil || len(jobs) != 1 {
					t.Errorf("Jobs: %v, %v", jobs, err)
				}
				if _, err := l.Job(t.Context(), 2); !errors.Is(err, store.ErrNoJob) {
					t.Errorf("Job: %v", err)
				}
				if _, err := l.Find(t.Context(), newer.Identity); !errors.Is(err, store.ErrNoJob) {
					t.Errorf("Find: %v", err)
				}
				if claims, err := l.claimsOf(fat(1)); err != nil || claims != nil {
					t.Errorf("Claims: %v, %v", claims, err)
				}
				if open := l.open(older.ID); len(open) != 1 {
					t.Errorf("the older job has %d open items", len(open))
				}
			}
			if !yield(fat(i), nil) {
				return
			}
		}
	}, false, at)
	if err != nil || !looked {
		t.Fatal(err, looked)
	}
	l.want("SELECT state, count(*) FROM item GROUP BY 1", "pending|1000", "superseded|1")
	l.want("SELECT count(*) FROM claim", "1001")
	if claims, err := l.claimsOf(fat(950)); err != nil || len(claims) != 1 || claims[0].JobID != j.ID {
		t.Errorf("Claims: %v, %v", claims, err)
	}
}

func TestRemember(t *testing.T) {
	l := newLedger(t)
	j := l.imported(newJob("a"), invoices(1)...)
	want := j
	want.File, want.Output, want.RawCells, want.BOM, want.OnUnknown = "/new/a.csv", "-", true, true, job.Hold
	if err := l.Remember(want); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Job(t.Context(), j.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// TestSameInvoice takes each line of the design's table through Import, and again through Begin, where the older job
// came to that state only after the newer one was imported.
func TestSameInvoice(t *testing.T) {
	expired := ends[job.OutcomeCreated]
	expired.ExpiresAt = at.Add(-time.Hour)
	endless := ends[job.OutcomeCreated]
	endless.ExpiresAt = time.Time{}
	end := func(end job.End) func(*ledger, *job.Item) {
		return func(l *ledger, item *job.Item) {
			if err := l.End(item, l.begin(item), end); err != nil {
				l.t.Fatal(err)
			}
		}
	}
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
		{"created, live, same", end(ends[job.OutcomeCreated]), "", same, job.Duplicate, job.Reuse, job.Duplicate, job.Created, ""},
		{"created, no expiry, same", end(endless), "", same, job.Duplicate, job.Reuse, job.Duplicate, job.Created, ""},
		{"created, live, other amount", end(ends[job.OutcomeCreated]), "", other, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, live, other currency", end(ends[job.OutcomeCreated]), "", otherCurrency, wantsRefusal, job.Refuse, job.Failed, job.Created, ""},
		{"created, expired, same", end(expired), "", same, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, expired, other amount", end(expired), "", other, job.Pending, job.Ask, job.Pending, job.Created, ""},
		{"created, expired, found unpaid", func(l *ledger, item *job.Item) {
			end(expired)(l, item)
			if err := l.Checked(item.ID, job.LinkExpired, at); err != nil {
				l.t.Fatal(err)
			}
		}, "", other, job.Pending, job.Send, job.Sending, job.Created, ""},
		{"sending, same", sending, "", same, job.Pending, job.Wait, job.Pending, job.Sending, job.CodeHeld},
		{"sending, other amount", sending, "", other, wantsRefusal, job.Refuse, job.Failed, job.Sending, ""},
		{"unknown, same", ended(job.OutcomeUnknown), "", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"unknown, other amount", ended(job.OutcomeUnknown), "", other, wantsRefusal, job.Refuse, job.Failed, job.Unknown, ""},
		{"unknown, then not sent, same", ended(job.OutcomeUnknown, job.OutcomeNotSent), "", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"unknown, then not sent, other amount", ended(job.OutcomeUnknown, job.OutcomeThrottled), "", other, wantsRefusal, job.Refuse, job.Failed, job.Pending, ""},
		{"unknown, the older job holds", ended(job.OutcomeUnknown), "older", same, job.Pending, job.Wait, job.Pending, job.Unknown, job.CodeHeld},
		{"unknown, then not sent, the older job holds", ended(job.OutcomeUnknown, job.OutcomeNotSent), "older", same, job.Pending, job.Wait, job.Pending, job.Pending, job.CodeHeld},
		{"unknown, the newer job holds", ended(job.OutcomeUnknown), "newer", same, job.Pending, job.Wait, job.Pending, job.Unknown, job.CodeHeld},
		{"pending, same", ended(), "", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"pending, both hold", ended(), "both", same, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"pending, other amount", ended(), "", other, job.Pending, job.TakeOver, job.Sending, job.Superseded, ""},
		{"failed, refused", ended(job.OutcomeRejected), "", same, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"failed, mismatch", ended(job.OutcomeMismatch), "", other, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"failed after unknown", ended(job.OutcomeUnknown, job.OutcomeRejected), "", other, job.Pending, job.Send, job.Sending, job.Failed, ""},
		{"superseded", func(l *ledger, item *job.Item) {
			id := l.imported(newJob("between"), invoice(2, "INV-1")).ID
			l.send(l.first(id), job.OutcomeRejected)
		}, "", other, job.Pending, job.Send, job.Sending, job.Superseded, ""},
	} {
		jobs := func() (older, newer job.Job) {
			older, newer = newJob("older"), newJob("newer")
			if test.hold == "older" || test.hold == "both" {
				older.OnUnknown = job.Hold
			}
			if test.hold == "newer" || test.hold == "both" {
				newer.OnUnknown = job.Hold
			}
			return older, newer
		}
		row := invoice(2, "INV-1")
		check := func(l *ledger, older, newer int64) {
			l.t.Helper()
			l.state(older, test.left)
			got := l.result(newer)
			switch {
			case got.State == job.Duplicate:
				link := l.result(older)
				if got.SessionID != "sess_1" || got.URL != link.URL || !got.ExpiresAt.Equal(link.ExpiresAt) || !got.CreatedAt.Equal(link.CreatedAt) || got.Error != "link of job 1" {
					l.t.Errorf("the duplicate is %+v", got)
				}
			case got.State == job.Failed && got.ErrorCode != job.CodeConflict:
				l.t.Errorf("the refused one is %+v", got)
			case got.State == job.Pending && test.code == job.CodeHeld && !strings.Contains(got.Error, "job 1"):
				l.t.Errorf("the one that waits is %+v", got)
			case got.State == job.Pending && got.ErrorCode != test.code:
				l.t.Errorf("the open one is %+v", got)
			case got.State != job.Duplicate && got.URL != "":
				l.t.Errorf("there is a second link: %+v", got)
			}
			if left := l.result(older); test.left == job.Superseded && left.Error != "taken over by job 2" && test.name != "superseded" {
				l.t.Errorf("the superseded one is %+v", left)
			}
		}
		t.Run(test.name+"/import", func(t *testing.T) {
			l := newLedger(t)
			older, newer := jobs()
			older = l.imported(older, row)
			test.older(l, l.first(older.ID))
			orphans := l.query("SELECT attempts FROM attempt_tally WHERE job_id = 1 AND outcome = 'unknown'")
			if test.imported == wantsRefusal {
				l.unchanged(func() {
					_, err := l.Import(newer, good(test.newer(row)), false, at)
					var conflict *store.ConflictError
					if !errors.As(err, &conflict) || conflict.Row != 2 || conflict.What == "" || conflict.Hint == "" {
						t.Errorf("error %v", err)
					}
				})
				j, err := l.Import(newer, good(test.newer(row)), true, at)
				if err != nil {
					t.Fatal(err)
				}
				if got := l.result(j.ID); got.State != job.Invalid || !strings.Contains(got.Error, "job 1") {
					t.Errorf("with --skip-invalid it is %+v", got)
				}
				return
			}
			newer = l.imported(newer, test.newer(row))
			l.state(newer.ID, test.imported)
			check(l, older.ID, newer.ID)
			if got := l.query("SELECT attempts FROM attempt_tally WHERE job_id = 1 AND outcome = 'unknown'"); !reflect.DeepEqual(got, orphans) {
				t.Errorf("the older job's possible orphans were %v and are %v", orphans, got)
			}
		})
		if test.name == "superseded" {
			continue // by a job between these two, which cannot come when both are there
		}
		t.Run(test.name+"/begin", func(t *testing.T) {
			l := newLedger(t)
			older, newer := jobs()
			olderItem, item := l.bothOpen(older, newer, row, test.newer(row))
			l.aside(item, func() { test.older(l, olderItem) })
			meeting, number, err := l.Begin(item, at, nil)
			if err != nil || meeting.Action != test.action {
				t.Fatalf("Begin: %+v, %v; want action %d", meeting, err, test.action)
			}
			if sent := test.begun == job.Sending; sent != (number == 1) {
				t.Errorf("the attempt has number %d", number)
			}
			l.want(fmt.Sprintf("SELECT count(*) FROM attempt WHERE item_id = %d", item.ID), fmt.Sprint(number))
			l.state(item.JobID, test.begun)
			check(l, olderItem.JobID, item.JobID)
		})
	}
}

// An older job's item that is put back to pending gives way to a later job that has its invoice, and is not sent: the later file
// is what counts.
func TestSameInvoiceInALaterJob(t *testing.T) {
	expired := ends[job.OutcomeCreated]
	expired.ExpiresAt = at.Add(-time.Second)
	link := func(known bool) func(*ledger, *job.Item) {
		return func(l *ledger, item *job.Item) {
			err := l.End(item, l.begin(item), expired)
			if err == nil && known {
				err = l.Checked(item.ID, job.LinkExpired, at)
			}
			if err != nil {
				l.t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name  string
		later func(*ledger, *job.Item)
		state job.State // of the later item, before and after
	}{
		{"pending", func(*ledger, *job.Item) {}, job.Pending},
		{"unknown", func(l *ledger, item *job.Item) { l.send(item, job.OutcomeUnknown) }, job.Unknown},
		{"failed", func(l *ledger, item *job.Item) { l.send(item, job.OutcomeRejected) }, job.Failed},
		{"created, expired", link(false), job.Created},
		{"created, found expired unpaid", link(true), job.Created},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLedger(t)
			older, later := l.bothOpen(newJob("older"), newJob("later"), invoice(2, "INV-1"), other(invoice(2, "INV-1")))
			l.aside(older, func() { test.later(l, later) })
			meeting, number, err := l.Begin(older, at, nil)
			if err != nil || meeting.Action != job.GiveWay || meeting.Other.ItemID != later.ID || number != 0 {
				t.Fatalf("Begin: %+v, %d, %v", meeting, number, err)
			}
			if got := l.result(older.JobID); got.State != job.Superseded || got.Error != "taken over by job 2" || got.Attempts != 1 {
				t.Errorf("the older item is %+v", got)
			}
			l.state(later.JobID, test.state)
			l.checkTallies()
			if test.state == job.Pending {
				l.send(later, job.OutcomeCreated)
			}
		})
	}
}

func TestSameInvoiceInvalidBefore(t *testing.T) {
	l := newLedger(t)
	l.send(l.first(l.imported(newJob("first"), invoice(2, "INV-1")).ID), job.OutcomeUnknown)
	if _, err := l.Import(newJob("invalid"), good(other(invoice(2, "INV-1"))), true, at); err != nil {
		t.Fatal(err)
	}
	newer := l.imported(newJob("newer"), invoice(2, "INV-1")).ID
	l.state(1, job.Superseded)
	l.state(2, job.Invalid)
	l.begin(l.first(newer))
}

func TestSameInvoiceAskedAndFoundUnpaid(t *testing.T) {
	l := newLedger(t)
	l.imported(newJob("another"), invoices(5)[1:]...)
	older := l.first(l.imported(newJob("older"), invoice(2, "INV-1")).ID)
	l.send(older, job.OutcomeCreated)
	later := at.Add(48 * time.Hour)
	j, err := l.Import(newJob("newer"), good(other(invoice(2, "INV-1"))), false, later)
	if err != nil {
		t.Fatal(err)
	}
	item := l.first(j.ID)
	meeting, _, err := l.Begin(item, later, nil)
	if err != nil || meeting.Action != job.Ask || meeting.Other.ItemID != older.ID || meeting.Other.SessionID != fmt.Sprintf("sess_%d", older.ID) {
		t.Fatalf("Begin: %+v, %v", meeting, err)
	}
	if err := l.Checked(older.ID, job.LinkExpired, later); err != nil {
		t.Fatal(err)
	}
	if claims, err := l.claimsOf(invoice(2, "INV-1")); err != nil || len(claims) != 1 || claims[0].ItemID != item.ID {
		t.Errorf("claims %+v, %v", claims, err)
	}
	if number := l.begin(item); number != 1 {
		t.Errorf("attempt %d", number)
	}
}

// alike is a row without an invoice id; all of them are alike in everything.
func alike(row int) job.NewItem {
	item := invoice(row, "alike")
	item.InvoiceID, item.Reference = "", fmt.Sprintf("generated-%d", row)
	return item
}

func TestRowsAlike(t *testing.T) {
	repeats := func(name string) job.Job {
		j := newJob(name)
		j.AllowRepeats = true
		return j
	}
	older := func(t *testing.T, j job.Job) (*ledger, *job.Item) {
		l := newLedger(t)
		return l, l.first(l.imported(j, alike(2)).ID)
	}
	refused := func(t *testing.T, l *ledger, at time.Time) {
		t.Helper()
		l.unchanged(func() {
			_, err := l.Import(newJob("newer"), good(alike(2)), false, at)
			var conflict *store.ConflictError
			if !errors.As(err, &conflict) || !strings.Contains(conflict.Hint, "--allow-repeats") {
				t.Errorf("error %v", err)
			}
		})
	}
	for _, outcome := range []job.Outcome{"", job.OutcomeCreated, job.OutcomeUnknown} {
		for _, j := range []job.Job{newJob("older"), repeats("older")} {
			t.Run(fmt.Sprintf("older is open or live: %s, repeats %t", outcome, j.AllowRepeats), func(t *testing.T) {
				l, item := older(t, j)
				if outcome != "" {
					l.send(item, outcome)
				}
				refused(t, l, at)
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
		l, item := older(t, newJob("older"))
		l.send(item, job.OutcomeCreated)
		later := at.Add(48 * time.Hour)
		j, err := l.Import(newJob("newer"), good(alike(2)), false, later)
		if err != nil {
			t.Fatal(err)
		}
		meeting, _, err := l.Begin(l.first(j.ID), later, nil)
		if err != nil || meeting.Action != job.Ask {
			t.Errorf("Begin: %+v, %v", meeting, err)
		}
	})
	t.Run("older has failed", func(t *testing.T) {
		l, item := older(t, newJob("older"))
		l.send(item, job.OutcomeRejected)
		l.begin(l.first(l.imported(newJob("newer"), alike(2)).ID))
	})
	t.Run("one more of another job takes nothing from this one", func(t *testing.T) {
		l, item := older(t, newJob("older"))
		l.send(l.first(l.imported(repeats("newer"), alike(2)).ID), job.OutcomeCreated)
		l.send(item, job.OutcomeCreated)
	})
	t.Run("rows with an id are no repeats", func(t *testing.T) {
		l := newLedger(t)
		l.send(l.first(l.imported(newJob("older"), invoice(2, "INV-1")).ID), job.OutcomeCreated)
		l.state(l.imported(repeats("newer"), invoice(2, "INV-1")).ID, job.Duplicate)
	})
}
