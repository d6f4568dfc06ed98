package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// send records the intents and the ends of the items, one after the other, up to the first error, and returns how many it has done.
func (s *sender) send(items []job.Item) (done int, err error) {
	for i := range items {
		item := &items[i]
		r, number, err := s.Begin(item, time.Now(), nil)
		for err == nil && r.Action == job.Later { // the server still has the locks of a connection that broke
			r, number, err = s.Begin(item, time.Now(), nil)
		}
		if err != nil || r.Action != job.Send {
			return i, fmt.Errorf("begin %d: %+v, %w", item.ID, r, err)
		}
		end := ledgertest.Ends[job.OutcomeCreated]
		end.SessionID, end.URL = "sess_"+item.Reference, "https://pay.test/"+item.Reference
		if _, err := s.end(item, number, end); err != nil {
			return i, fmt.Errorf("end %d: %w", item.ID, err)
		}
	}
	return len(items), nil
}

// Promise: a full disk of the server fails no row, and is said in the server's words. When it has room again, all goes on, with the same
// connection.
func TestFullDisk(t *testing.T) {
	server, disk := pgtest.NewOnSmallDisk(t, 8)
	s := newShared(t, server)
	a := s.open("host-a", long)
	j := a.imported("a", ledgertest.Invoices(600)...)
	items := a.items(j.ID)
	if _, err := a.send(items[:50]); err != nil {
		t.Fatal(err)
	}
	disk.Fill(t)
	done, err := a.send(items[50:])
	if err == nil || !strings.Contains(err.Error(), "is full") || !strings.Contains(err.Error(), "No space left on device") {
		t.Errorf("sent %d rows: %v", done, err)
	}
	if _, err := a.Left(t.Context(), j, 5); err != nil {
		t.Errorf("a read: %v", err)
	}
	disk.Empty(t)
	open := a.items(j.ID)
	if len(open) == 0 {
		t.Fatal("no row is left")
	}
	if _, err := a.send(open); err != nil {
		t.Error(err)
	}
	s.want(`SELECT string_agg(DISTINCT state, ' ') FROM item WHERE state <> 'sending'`, "created")
	s.checkTallies()
}

// Promise: connections that an administrator ends, again and again, lose nothing, and no row fails.
func TestEndedBackends(t *testing.T) {
	server := pgtest.Shared(t)
	s := sharedAs(t, server.Database(t)+"&schema=paylinks")
	a := s.open("host-a", long)
	j := a.imported("a", ledgertest.Invoices(60)...)
	items := a.items(j.ID)
	var done atomic.Int64
	var ended int
	stop := make(chan struct{})
	var administrator sync.WaitGroup
	administrator.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		// Some times in a row, and then not before some rows are done: else nothing would go on where connecting takes long.
		for more, seen := 0, int64(0); ; more-- {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if more <= 0 && done.Load() < seen+3 {
				continue
			}
			if more <= 0 {
				more, seen = rand.IntN(5), done.Load()
			}
			var n int
			err := s.sql.QueryRow(t.Context(), `
				SELECT count(pg_terminate_backend(pid))
				FROM pg_stat_activity
				WHERE datname = current_database()
					AND pid <> pg_backend_pid()
			`).Scan(&n)
			if err != nil {
				t.Error(err)
			}
			ended += n
		}
	})
	for i := range items {
		if _, err := a.send(items[i : i+1]); err != nil {
			t.Error(err)
		}
		done.Add(1)
	}
	close(stop)
	administrator.Wait()
	if ended < 20 {
		t.Errorf("%d connections were ended", ended)
	}
	s.want(`SELECT state || ' ' || count(*) FROM item GROUP BY state`, "created 60")
	s.want(`SELECT count(*) FROM attempt`, "60")
	s.checkTallies()
}

// Promise: a server that ends connections which nobody has used for a while interrupts nothing, however seldom a lease is renewed.
func TestIdleSessions(t *testing.T) {
	server := pgtest.Shared(t)
	s := sharedAs(t, server.Database(t)+"&schema=paylinks")
	var database string
	if err := s.sql.QueryRow(t.Context(), `SELECT current_database()`).Scan(&database); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sql.Exec(t.Context(), `ALTER DATABASE `+database+` SET idle_session_timeout = '100ms'`); err != nil {
		t.Fatal(err)
	}
	// By a socket of the machine, what the server says last is not heard.
	s.name = "postgres://postgres@" + server.Address() + "/" + database + "?schema=paylinks"
	a := s.open("host-a", long)
	items := a.items(a.imported("a", ledgertest.Invoices(2)...).ID)
	for i := range items {
		s.until(`NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())`)
		if _, err := a.send(items[i : i+1]); err != nil {
			t.Error(err)
		}
	}
	s.want(`SELECT state || ' ' || count(*) FROM item GROUP BY state`, "created 2")
}

// Promise: an intent is on disk before its request leaves, whatever the server, the database or the role has set. What is stricter stays.
func TestIntentsAreDurable(t *testing.T) {
	server := pgtest.Shared(t)
	s := sharedAs(t, server.Database(t)+"&schema=paylinks")
	a := s.open("host-a", long)
	items := a.items(a.imported("a", ledgertest.Invoices(5)...).ID)
	_, err := s.sql.Exec(t.Context(), `
		CREATE TABLE seen (setting text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO paylinks.seen VALUES (current_setting('synchronous_commit'));
			RETURN NULL;
		END $$;
		CREATE TRIGGER note AFTER INSERT ON attempt FOR EACH STATEMENT EXECUTE FUNCTION note();
	`)
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct{ is, want string }{
		{"off", "on"}, {"local", "on"}, {"remote_write", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"},
	} {
		var database string
		if err := s.sql.QueryRow(t.Context(), `SELECT current_database()`).Scan(&database); err != nil {
			t.Fatal(err)
		}
		server.Exec(t, "postgres", `ALTER DATABASE `+database+` SET synchronous_commit = `+test.is)
		b := s.open("host-b", long)
		b.begin(&items[i])
		s.want(`DELETE FROM seen RETURNING setting`, test.want)
		b.must(b.Close())
	}
}

// Promise: a server that takes the primary's place is waited for while it takes no changes yet.
func TestPromotedLater(t *testing.T) {
	primary := pgtest.New(t)
	standby := primary.Standby(t)
	primary.RequireStandby(t)
	w := newWire(t, primary.Address())
	name := strings.Replace(primary.Ledger(t), "schema=", "failover=synchronous&schema=", 1)
	l, err := postgres.OpenToSend(t.Context(), w.through(t, name), senderOn("host-a", long))
	if err != nil {
		t.Fatal(err)
	}
	a := &sender{Ledger: l, t: t}
	defer a.Close()
	budget := a.Budget(job.Sandbox, "x")
	if _, err := budget.SetRate(t.Context(), 10, true); err != nil {
		t.Fatal(err)
	}
	j := a.imported("a", ledgertest.Invoices(20)...)
	items := a.items(j.ID)
	if _, err := a.send(items[:10]); err != nil {
		t.Fatal(err)
	}
	address := standby.Address()
	w.server.Store(&address)
	before := w.carried.Load()
	primary.Stop(t, pgtest.Immediate)
	sent, taken := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := a.send(items[10:])
		sent <- err
	}()
	go func() {
		_, err := budget.Take(t.Context(), 1)
		taken <- err
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for w.carried.Load() < before+4 { // both have tried more than once
		<-tick.C
	}
	standby.Promote(t)
	if err := errors.Join(<-sent, <-taken); err != nil {
		t.Error(err)
	}
	tally, err := a.Tally(t.Context(), j.ID)
	if err != nil || tally.Items[job.Created] != len(items) || tally.AllAttempts() != len(items) {
		t.Errorf("%+v, %v", tally, err)
	}
}
