package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// shared is a ledger for several senders, with a connection of its own to look at it and to break it.
type shared struct {
	t    *testing.T
	name string
	sql  *pgx.Conn
}

func newShared(t *testing.T, server *pgtest.Server) *shared {
	t.Helper()
	return sharedAs(t, server.Ledger(t))
}

func sharedAs(t *testing.T, name string) *shared {
	t.Helper()
	url, schema, _ := strings.Cut(name, "&schema=")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), `SET search_path = `+schema); err != nil {
		t.Fatal(err)
	}
	return &shared{t, name, conn}
}

// sender is one that sends from the shared ledger.
type sender struct {
	*postgres.Ledger
	t     *testing.T
	close sync.Once
}

// Close closes the ledger once.
func (s *sender) Close() (err error) {
	s.close.Do(func() { err = s.Ledger.Close() })
	return err
}

func (s *shared) open(host string, lease time.Duration) *sender {
	s.t.Helper()
	l, err := postgres.OpenToSend(s.t.Context(), s.name, senderOn(host, lease))
	if err != nil {
		s.t.Fatal(err)
	}
	opened := &sender{Ledger: l, t: s.t}
	s.t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// senderOn is a sender whose requests take no time, so that what it leaves behind is recovered at once.
func senderOn(host string, lease time.Duration) job.Sender {
	return job.Sender{Doing: "run", Host: host, Process: 1, Lease: lease, Timeout: -job.Sender{}.RecoverAfter()}
}

// until waits until the database says yes.
func (s *shared) until(condition string, args ...any) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		if err := s.sql.QueryRow(s.t.Context(), `SELECT `+condition, args...).Scan(&yes); err != nil {
			s.t.Fatal(err)
		}
		if yes {
			return
		}
		select {
		case <-tick.C:
		case <-s.t.Context().Done():
			s.t.Fatalf("never came: %s", condition)
		}
	}
}

func (s *shared) over(host string) {
	s.t.Helper()
	s.until(`bool_and(lease_until < clock_timestamp()) FROM sender WHERE host = $1`, host)
}

func (s *shared) want(query, want string) {
	s.t.Helper()
	var got string
	if err := s.sql.QueryRow(s.t.Context(), query).Scan(&got); err != nil {
		s.t.Fatal(err)
	}
	if got != want {
		s.t.Errorf("%s: %s, want %s", query, got, want)
	}
}

func (s *sender) imported(name string, rows ...job.NewItem) job.Job {
	s.t.Helper()
	j, err := s.Import(ledgertest.NewJob(name), ledgertest.Good(rows...), false, ledgertest.At)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *sender) items(jobID int64) []job.Item {
	s.t.Helper()
	items, err := s.Open(s.t.Context(), jobID, 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	return items
}

func (s *sender) begin(item *job.Item) int {
	s.t.Helper()
	r, number, err := s.Begin(item, time.Now(), nil)
	if err != nil || r.Action != job.Send {
		s.t.Fatalf("Begin: %+v, %v", r, err)
	}
	return number
}

func (s *sender) end(item *job.Item, number int, end job.End) (decision job.Decision, err error) {
	done := make(chan struct{})
	s.End(item, number, ledgertest.OwnSession(item, end), func(d job.Decision, e error) {
		decision, err = d, e
		close(done)
	})
	<-done
	return decision, err
}

func (s *sender) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

const (
	short = 1500 * time.Millisecond
	long  = time.Minute
)

// Promise: one sender a job. Who comes second is told who has it, and has changed nothing.
func TestOneSenderAJob(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(2)...)
	var held *job.HeldError
	if err := b.Take(j.ID); !errors.As(err, &held) || held.JobID != j.ID || !strings.Contains(held.Holder, "run (process 1 on host-a, since ") {
		t.Errorf("taken by a second: %v", err)
	}
	senders, err := b.Senders(t.Context())
	if err != nil || len(senders) != 2 || senders[0].Host != "host-a" || senders[0].Over || fmt.Sprint(senders[0].Jobs) != fmt.Sprint([]int64{j.ID}) {
		t.Errorf("the senders are %+v, %v", senders, err)
	}
	other := b.imported("b", ledgertest.Invoice(2, "another"))
	b.must(a.Release(j.ID))
	b.must(b.Take(j.ID))
	b.must(b.Take(j.ID))
	if err := a.Take(other.ID); !errors.As(err, &held) {
		t.Errorf("taken by a second: %v", err)
	}
	b.must(b.Close())
	a.must(a.Take(other.ID))
	a.must(a.Take(j.ID))
	if err := a.Take(99); !errors.Is(err, job.ErrNoJob) {
		t.Errorf("taken: %v", err)
	}
}

// Promise: a sender whose lease is over is fenced by who takes its job: it records no intent any more, and its doubts are on record.
func TestTakenOver(t *testing.T) {
	for _, midway := range []bool{false, true} {
		t.Run(fmt.Sprint("stopped in a transaction ", midway), func(t *testing.T) {
			s := newShared(t, pgtest.Shared(t))
			a, b := s.open("host-a", short), s.open("host-b", long)
			j := a.imported("a", ledgertest.Invoices(5)...)
			items := a.items(j.ID)
			a.begin(&items[0])
			a.begin(&items[1])
			a.begin(&items[2])
			if midway {
				release, ended := a.Hold()
				defer func() { release(); <-ended }()
			} else {
				a.Pause()
			}
			var held *job.HeldError
			if err := b.Take(j.ID); !errors.As(err, &held) && err != nil {
				t.Errorf("taken while the lease runs: %v", err)
			}
			s.over("host-a")
			b.must(b.Take(j.ID))
			if n := b.Crashed(j.ID); n != 3 {
				t.Errorf("%d rows are in doubt, want 3", n)
			}
			s.want(`SELECT string_agg(state || ' ' || unknown_ends, ', ' ORDER BY id) FROM item`, "unknown 1, unknown 1, unknown 1, pending 0, pending 0")
			if err := a.MaySend(); !errors.Is(err, job.ErrPastDeadline) {
				t.Errorf("it may send: %v", err)
			}
			if midway {
				return
			}
			a.Continue()
			if _, _, err := a.Begin(&items[3], time.Now(), nil); !errors.Is(err, job.ErrFenced) {
				t.Errorf("a fenced sender begins: %v", err)
			}
			if err := a.MaySend(); !errors.Is(err, job.ErrFenced) {
				t.Errorf("it may send: %v", err)
			}
			for what, err := range map[string]error{
				"takes a job": a.Take(j.ID), "ends a run": a.EndRun(j.ID, time.Now(), job.Finished, ""), "writes a file": a.LinksFileWritten(j.ID, "x"),
			} {
				if !errors.Is(err, job.ErrFenced) {
					t.Errorf("a fenced sender %s: %v", what, err)
				}
			}

			// Ends are facts. One that comes late counts as long as nobody has gone on.
			decision, err := a.end(&items[0], 1, ledgertest.Ends[job.OutcomeCreated])
			if err != nil || decision.State != job.Created {
				t.Errorf("a late end: %+v, %v", decision, err)
			}
			if _, err := a.end(&items[1], 1, ledgertest.Ends[job.OutcomeUnknown]); err != nil {
				t.Errorf("a late doubt: %v", err)
			}
			again := b.items(j.ID)
			if again[1].ID != items[2].ID {
				t.Fatalf("the open rows are %+v", again)
			}
			number := b.begin(&again[1])
			if _, err := a.end(&items[2], 1, ledgertest.Ends[job.OutcomeCreated]); err != nil {
				t.Errorf("an end that comes too late: %v", err)
			}
			s.want(`SELECT string_agg(state || ' ' || unknown_ends || ' ' || url, ', ' ORDER BY id) FROM item`,
				"created 0 https://pay.test/sess_1, unknown 1 , sending 1 , pending 0 , pending 0 ")
			s.want(fmt.Sprintf(`SELECT outcome || ' ' || session_id FROM attempt WHERE item_id = %d AND number = 1`, items[2].ID), fmt.Sprint("unknown sess_", items[2].ID))
			end := ledgertest.Ends[job.OutcomeCreated]
			end.SessionID = "the second"
			done := make(chan error)
			b.End(&again[1], number, end, func(_ job.Decision, err error) { done <- err })
			b.must(<-done)
			s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "created, unknown, created, pending, pending")
			s.want(`SELECT (lease_until < fenced_at)::text FROM sender WHERE host = 'host-a'`, "true") // it was never renewed
			s.checkTallies()
		})
	}
}

// checkTallies compares the counts with a recount.
func (s *shared) checkTallies() {
	s.t.Helper()
	s.want(`
		SELECT count(*)
		FROM (SELECT job_id, state, currency, count(*) AS items, sum(amount) AS amount FROM item GROUP BY 1, 2, 3) AS counted
		FULL JOIN (SELECT * FROM item_tally WHERE items <> 0 OR amount <> 0) AS tally USING (job_id, state, currency)
		WHERE tally.items IS DISTINCT FROM counted.items
			OR tally.amount IS DISTINCT FROM counted.amount
	`, "0")
	s.want(`
		SELECT count(*)
		FROM (SELECT item_id >> 32 AS job_id, outcome, count(*) AS attempts FROM attempt GROUP BY 1, 2) AS counted
		FULL JOIN (SELECT * FROM attempt_tally WHERE attempts <> 0) AS tally USING (job_id, outcome)
		WHERE tally.attempts IS DISTINCT FROM counted.attempts
	`, "0")
	s.want(`SELECT count(*) FROM item WHERE attempts <> (SELECT count(*) FROM attempt WHERE item_id = item.id)`, "0")
}

// What a sender had handed to its kernel may still arrive: until its requests have ended for certain, their rows are left alone.
func TestGrace(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	dying := senderOn("host-a", short)
	dying.Timeout += 3 * time.Second
	l, err := postgres.OpenToSend(t.Context(), s.name, dying)
	if err != nil {
		t.Fatal(err)
	}
	a, b := &sender{Ledger: l, t: t}, s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(2)...)
	items := a.items(j.ID)
	a.begin(&items[0])
	a.Pause()
	defer func() {
		a.Continue()
		_ = a.Close()
	}()
	s.over("host-a")
	b.must(b.Take(j.ID))
	if n := b.Crashed(j.ID); n != 1 {
		t.Errorf("%d rows are in doubt, want 1", n)
	}
	recovered, wait, err := b.Recover(j.ID)
	if err != nil || len(recovered) != 0 || wait <= 0 || wait > 3*time.Second {
		t.Fatalf("recovered %+v, more in %s, %v", recovered, wait, err)
	}
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "sending, pending")
	s.until(`fenced_at + recover < clock_timestamp() FROM sender WHERE host = 'host-a'`)
	recovered, wait, err = b.Recover(j.ID)
	if err != nil || len(recovered) != 1 || wait != 0 || recovered[0].UnknownEnds != 1 || recovered[0].Request.MerchantReferenceID == "" {
		t.Fatalf("recovered %+v, more in %s, %v", recovered, wait, err)
	}
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "unknown, pending")
}

// A row waits while its invoice is being sent in another job. Where that one's sender is gone, whoever meets the row fences it.
func TestExpiredSenderIsMet(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a := s.open("host-a", short)
	j := a.imported("a", ledgertest.Invoices(1)...)
	items := a.items(j.ID)
	a.begin(&items[0])
	a.Pause()
	defer a.Continue()
	b := s.open("host-b", long)
	row := ledgertest.Invoices(1)
	other := b.imported("b", row...)
	mine := b.items(other.ID)
	s.over("host-a")
	if r, _, err := b.Begin(&mine[0], time.Now(), nil); err != nil || r.Action != job.Later {
		t.Fatalf("Begin: %+v, %v", r, err)
	}
	s.want(`SELECT (fenced_at IS NOT NULL)::text FROM sender WHERE host = 'host-a'`, "true")
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "unknown, pending")
	if r, _, err := b.Begin(&mine[0], time.Now(), nil); err != nil || r.Action != job.TakeOver {
		t.Fatalf("Begin: %+v, %v", r, err)
	}
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "superseded, sending")
}

// Promise: two jobs with the same invoices, sent at once by two hosts, make one request an invoice at a time, and one link.
func TestSameInvoicesAtOnce(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	const invoices, workers = 1000, 8
	a, b := s.open("host-a", long), s.open("host-b", long)
	rows := ledgertest.Invoices(invoices)
	jobs := map[*sender]job.Job{a: a.imported("a", rows...), b: b.imported("b", rows...)}
	// What the later job has taken over is open in both again: as when both were imported at the same moment.
	if _, err := s.sql.Exec(t.Context(), `UPDATE item SET state = 'pending', error = ''`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sql.Exec(t.Context(), `DELETE FROM item_tally; INSERT INTO item_tally SELECT job_id, state, currency, count(*), sum(amount) FROM item GROUP BY 1, 2, 3`); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	onTheWay, links := map[string]int{}, map[string]int{}
	var group sync.WaitGroup
	for sender, j := range jobs {
		todo := make(chan *job.Item, 2*invoices)
		left := sync.WaitGroup{}
		items := sender.items(j.ID)
		for i := range items {
			left.Add(1)
			todo <- &items[i]
		}
		go func() { left.Wait(); close(todo) }()
		for range workers {
			group.Go(func() {
				for item := range todo {
					r, number, err := sender.Begin(item, time.Now(), nil)
					if err != nil {
						t.Error(err)
						left.Done()
						continue
					}
					if r.Action == job.Later {
						todo <- item
						continue
					}
					if r.Action == job.Send || r.Action == job.TakeOver {
						mu.Lock()
						onTheWay[item.InvoiceID]++
						if onTheWay[item.InvoiceID] > 1 {
							t.Errorf("%s is on its way twice", item.InvoiceID)
						}
						mu.Unlock()
						end := ledgertest.Ends[job.OutcomeCreated]
						end.ExpiresAt = time.Now().Add(time.Hour)
						mu.Lock()
						onTheWay[item.InvoiceID]--
						links[item.InvoiceID]++
						mu.Unlock()
						if _, err := sender.end(item, number, end); err != nil {
							t.Error(err)
						}
					}
					left.Done()
				}
			})
		}
	}
	group.Wait()
	for invoice, n := range links {
		if n != 1 {
			t.Errorf("%s has %d links", invoice, n)
		}
	}
	s.want(`SELECT count(*) FILTER (WHERE state = 'created') || ' of ' || count(DISTINCT invoice) FROM item`, fmt.Sprintf("%d of %[1]d", invoices))
	s.want(`SELECT count(*) FROM item WHERE state NOT IN ('created', 'duplicate', 'superseded')`, "0")
	s.checkTallies()
}

// Promise: while an intent is about to be recorded, no other sender can record one for the same invoice: it does not see the first, and
// would take its row over.
func TestIntentsOfOneInvoiceExclude(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	earlier := a.imported("a", ledgertest.Invoices(1)...)
	mine := a.items(earlier.ID)
	later := b.imported("b", ledgertest.Invoices(1)...)
	others := b.items(later.ID)
	if _, err := s.sql.Exec(t.Context(), `UPDATE item SET state = 'pending', error = ''`); err != nil { // as if both had been imported at one moment
		t.Fatal(err)
	}
	a.Pause()
	begun := make(chan job.Resolution)
	go func() {
		r, _, err := a.Begin(&mine[0], time.Now(), nil)
		if err != nil {
			t.Error(err)
		}
		begun <- r
	}()
	a.WaitForRecord()
	// The first is the earlier job's: it sends only where the later one is not open.
	if _, err := s.sql.Exec(t.Context(), `UPDATE job SET ran = 3 - ran`); err != nil {
		t.Fatal(err)
	}
	release, ended := a.Hold()
	done := make(chan job.Resolution)
	go func() {
		r, _, err := b.Begin(&others[0], time.Now(), nil)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	select {
	case r := <-done:
		if r.Action != job.Later {
			t.Errorf("beside an intent of the same invoice: %+v", r)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits for the other sender's transaction")
	}
	release()
	<-ended
	if r := <-begun; r.Action != job.TakeOver {
		t.Errorf("the first: %+v", r)
	}
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "sending, superseded")
}

// Promise: a late end that gives an invoice its link while another sender is about to take that row over is seen by that one.
func TestLateEndWhileTakenOver(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", short), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(1)...)
	late := a.items(j.ID)
	a.begin(&late[0])
	a.Pause()
	other := b.imported("b", ledgertest.Invoices(1)...)
	mine := b.items(other.ID)
	s.over("host-a")
	b.must(b.Take(j.ID))
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "unknown, pending")
	ended := make(chan error, 1)
	end := ledgertest.Ends[job.OutcomeCreated]
	end.ExpiresAt = time.Now().Add(time.Hour)
	a.End(&late[0], 1, end, func(_ job.Decision, err error) { ended <- err })
	release, done := a.Hold()
	begun := make(chan job.Resolution, 1)
	go func() {
		r, _, err := b.Begin(&mine[0], time.Now(), nil)
		if err != nil {
			t.Error(err)
		}
		begun <- r
	}()
	s.until(`EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE%item%' AND pid <> pg_backend_pid())`)
	release()
	<-done
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r := <-begun; r.Action != job.Later {
		t.Errorf("Begin: %+v", r)
	}
	if r, _, err := b.Begin(&mine[0], time.Now(), nil); err != nil || r.Action != job.Reuse {
		t.Errorf("Begin: %+v, %v", r, err)
	}
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "created, duplicate")
	s.checkTallies()
}

// Promise: who renews its lease while another one wants its job keeps it, be it late.
func TestRenewedWhileAnotherFences(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", 6*time.Second), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(1)...)
	a.Pause()
	s.over("host-a")
	release, ended := a.Hold() // the renewal is under way
	taken := make(chan error)
	go func() { taken <- b.Take(j.ID) }()
	s.until(`EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%fenced_at = clock_timestamp()%' AND pid <> pg_backend_pid())`)
	release()
	<-ended
	var held *job.HeldError
	if err := <-taken; !errors.As(err, &held) {
		t.Errorf("taken: %v", err)
	}
	a.must(a.BeginRun(j.ID, time.Now()))
}

// Promise: a file that two hosts import at once becomes one job, of the first that comes to its end.
func TestImportAtOnce(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	rows := ledgertest.Invoices(3)
	midway := func(yield func(job.NewItem, error) bool) {
		for _, row := range rows[:2] {
			if !yield(row, nil) {
				return
			}
		}
		b.imported("a", rows...)
		yield(rows[2], nil)
	}
	if _, err := a.Import(ledgertest.NewJob("a"), midway, false, ledgertest.At); !errors.Is(err, job.ErrImported) {
		t.Errorf("imported twice: %v", err)
	}
	s.want(`SELECT string_agg(id || ' ' || imported, ', ') FROM job`, "2 true")
	s.want(`SELECT count(*) FROM item`, "3")
	s.checkTallies()
}

// An import's last transaction looks up again what another host has made seen meanwhile.
func TestImportLooksAgain(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	same, dearer, open := ledgertest.Invoice(2, "same"), ledgertest.Invoice(3, "dearer"), ledgertest.Invoice(4, "open")
	for _, skipInvalid := range []bool{false, true} {
		midway := func(yield func(job.NewItem, error) bool) {
			other := b.imported(fmt.Sprint("b", skipInvalid), same, dearer, open)
			for i, item := range b.items(other.ID) {
				if i == 2 {
					break
				}
				end := ledgertest.Ends[job.OutcomeCreated]
				end.ExpiresAt = time.Now().AddDate(10, 0, 0)
				if _, err := b.end(&item, b.begin(&item), end); err != nil {
					t.Error(err)
				}
			}
			mine := dearer
			mine.Amount *= 2
			_ = yield(same, nil) && yield(mine, nil) && yield(open, nil)
		}
		_, err := a.Import(ledgertest.NewJob(fmt.Sprint("a", skipInvalid)), midway, skipInvalid, ledgertest.At)
		var conflict *job.ConflictError
		if !skipInvalid {
			if !errors.As(err, &conflict) || conflict.Row != 3 {
				t.Errorf("imported: %v", err)
			}
			if _, err := s.sql.Exec(t.Context(), `DELETE FROM attempt; DELETE FROM item; DELETE FROM item_tally; DELETE FROM attempt_tally`); err != nil {
				t.Fatal(err)
			}
			continue
		}
		a.must(err)
		s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item WHERE job_id = (SELECT max(id) FROM job WHERE file LIKE '%atrue.csv')`, "duplicate, invalid, pending")
		s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item WHERE job_id = (SELECT max(id) FROM job WHERE file LIKE '%btrue.csv')`, "created, created, superseded")
		s.checkTallies()
	}
}

// A half import is taken out by the next who opens the ledger, but not while its sender lives; that one cannot finish it any more.
func TestHalfImport(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a := s.open("host-a", short)
	midway := func(yield func(job.NewItem, error) bool) {
		many := ledgertest.Invoices(5000)
		for _, row := range many {
			if !yield(row, nil) {
				return
			}
		}
		s.until(`count(*) > 0 FROM item`)
		s.open("host-b", long).must(nil)
		s.want(`SELECT (count(*) > 0)::text FROM item`, "true")
		a.Pause()
		s.over("host-a")
		s.open("host-c", long).must(nil)
		s.want(`SELECT count(*) FROM item`, "0")
		s.want(`SELECT count(*) FROM job`, "0")
		a.Continue()
		yield(ledgertest.Invoice(9000, "the last"), nil)
	}
	if _, err := a.Import(ledgertest.NewJob("a"), midway, false, ledgertest.At); !errors.Is(err, job.ErrFenced) {
		t.Errorf("imported: %v", err)
	}
	s.want(`SELECT count(*) FROM item`, "0")
	s.want(`SELECT count(*) FROM job`, "0")
}
