package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// wire is the network between a sender and the database. It can be cut: in the middle of a statement, or after the server got one and
// before its answer is back, so that nobody knows whether it was done.
type wire struct {
	listener net.Listener
	server   atomic.Pointer[string] // its address
	carried  atomic.Int64           // connections to it
	answered atomic.Int64           // bytes of its answers, of the last connection
	breakAt  atomic.Int64           // after so many the next connection after a cut ends. Less than 0: never
	cutAfter atomic.Int64           // so many more messages from the sender; then the connection ends. Less than 0: never
	answers  atomic.Bool            // whether what the sender sent last still arrives
	dark     atomic.Bool            // nothing arrives, and nobody is told
	cuts     atomic.Int64
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener}
	w.server.Store(&server)
	w.cutAfter.Store(-1)
	w.breakAt.Store(-1)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(conn)
		}
	}()
	return w
}

func (w *wire) carry(sender net.Conn) {
	defer sender.Close()
	server, err := net.Dial("tcp", *w.server.Load())
	if err != nil {
		return
	}
	w.carried.Add(1)
	w.answered.Store(0)
	defer server.Close()
	go func() {
		defer sender.Close()
		breakAt := int64(-1)
		if w.cuts.Load() > 0 {
			breakAt = w.breakAt.Swap(-1)
		}
		_, _ = io.Copy(darkened{sender, w, breakAt}, server)
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := sender.Read(buffer)
		if err != nil {
			return
		}
		if w.cutAfter.Load() >= 0 && w.cutAfter.Add(-1) < 0 {
			w.cuts.Add(1)
			if w.answers.Load() { // the server gets it, and its answer does not get back
				_ = sender.Close()
				_, _ = server.Write(buffer[:n])
				// The server reads what it was sent before it notices the end.
				_ = server.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, server)
			}
			return
		}
		if w.dark.Load() {
			continue
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

type darkened struct {
	io.Writer
	w       *wire
	breakAt int64
}

func (d darkened) Write(p []byte) (int, error) {
	if d.w.dark.Load() {
		return len(p), nil
	}
	before := d.w.answered.Add(int64(len(p))) - int64(len(p))
	if d.breakAt >= 0 && before+int64(len(p)) > d.breakAt {
		n, _ := d.Writer.Write(p[:max(0, d.breakAt-before)])
		return n, io.ErrShortWrite
	}
	return d.Writer.Write(p)
}

// through is the ledger's name by way of the wire.
func (w *wire) through(t *testing.T, name string) string {
	t.Helper()
	u, err := url.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(w.listener.Addr().String())
	query := u.Query()
	query.Set("host", host)
	query.Set("port", port)
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	return u.String()
}

// Promise: a connection that breaks at any moment loses nothing, makes nothing twice, and fails no row: what was under way is known to have
// been recorded, or is recorded then.
func TestConnectionBreaksAnywhere(t *testing.T) {
	server := pgtest.Shared(t)
	s := newShared(t, server)
	w := newWire(t, server.Address())
	l, err := postgres.OpenToSend(t.Context(), w.through(t, s.name), senderOn("host-a", 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	a := &sender{Ledger: l, t: t}
	defer a.Close()
	const rows, workers = 400, 8
	j := a.imported("a", ledgertest.Invoices(rows)...)
	items := a.items(j.ID)
	random := rand.New(rand.NewPCG(1, 2))
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if w.cutAfter.Load() < 0 {
				w.answers.Store(random.IntN(2) == 0)
				w.cutAfter.Store(int64(random.IntN(20)))
			}
		}
	})
	outcomes := []job.Outcome{job.OutcomeCreated, job.OutcomeCreated, job.OutcomeCreated, job.OutcomeRejected, job.OutcomeUnknown}
	todo := make(chan *job.Item)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for item := range todo {
				r, number, err := a.Begin(item, time.Now(), nil)
				for err == nil && r.Action == job.Later { // the server still has the locks of the connection that broke
					r, number, err = a.Begin(item, time.Now(), nil)
				}
				if err != nil || r.Action != job.Send || number != 1 {
					t.Errorf("Begin: %+v, %d, %v", r, number, err)
					continue
				}
				decision, err := a.end(item, number, ledgertest.Ends[outcomes[item.Row%len(outcomes)]])
				if err != nil || decision.Outcome != outcomes[item.Row%len(outcomes)] {
					t.Errorf("End: %+v, %v", decision, err)
				}
			}
		})
	}
	for i := range items {
		todo <- &items[i]
	}
	close(todo)
	group.Wait()
	close(stop)
	cutter.Wait()
	w.cutAfter.Store(-1)
	if w.cuts.Load() < 10 {
		t.Errorf("the connection broke %d times", w.cuts.Load())
	}
	t.Logf("the connection broke %d times", w.cuts.Load())
	s.want(`SELECT count(*) FROM attempt`, fmt.Sprint(rows))
	s.want(`SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM item GROUP BY 1) AS x`, "created 240, failed 80, unknown 80")
	s.checkTallies()
}

// Promise: where the answer about a transaction that was made breaks off, too, the next one still says so.
func TestAnswerBreaksOff(t *testing.T) {
	server := pgtest.Shared(t)
	s := newShared(t, server)
	w := newWire(t, server.Address())
	l, err := postgres.OpenToSend(t.Context(), w.through(t, s.name), senderOn("host-a", long))
	if err != nil {
		t.Fatal(err)
	}
	a := &sender{Ledger: l, t: t}
	defer a.Close()
	j := a.imported("a", ledgertest.Invoices(20)...)
	items := a.items(j.ID)
	w.answers.Store(true)
	begin := func(item *job.Item, breakAt int64) {
		t.Helper()
		cuts := w.cuts.Load()
		w.breakAt.Store(breakAt)
		w.cutAfter.Store(1) // the message with COMMIT
		if number := a.begin(item); number != 1 || w.cuts.Load() != cuts+1 {
			t.Errorf("begun as %d, after %d cuts", number, w.cuts.Load()-cuts)
		}
	}
	begin(&items[0], -1)
	whole := w.answered.Load() // of connecting, and of the question whether it was made
	for i := range items[1:] {
		w.cutAfter.Store(-1)
		w.answered.Store(0)
		begin(&items[1+i], whole-1-4*int64(i))
	}
	s.want(`SELECT string_agg(DISTINCT state || attempts, ' ') FROM item`, "sending1")
	s.checkTallies()
}

// An import, too, is made once, whatever breaks on its way.
func TestConnectionBreaksInImport(t *testing.T) {
	server := pgtest.Shared(t)
	for at := range int64(12) {
		for _, answers := range []bool{false, true} {
			s := newShared(t, server)
			w := newWire(t, server.Address())
			l, err := postgres.OpenToSend(t.Context(), w.through(t, s.name), senderOn("host-a", 20*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			a := &sender{Ledger: l, t: t}
			w.answers.Store(answers)
			w.cutAfter.Store(at)
			j := a.imported("a", ledgertest.Invoices(5000)...)
			w.cutAfter.Store(-1)
			if w.cuts.Load() != 1 {
				t.Errorf("at %d the connection broke %d times", at, w.cuts.Load())
			}
			if items := a.items(j.ID); len(items) != 5000 {
				t.Errorf("cut at %d: %d rows", at, len(items))
			}
			s.want(`SELECT count(*) FROM job WHERE imported`, "1")
			s.checkTallies()
			a.must(a.Close())
		}
	}
}

// Promise: who is cut off from the database sends only until its deadline, which is before another one may take its job.
func TestCutOff(t *testing.T) {
	server := pgtest.Shared(t)
	s := newShared(t, server)
	w := newWire(t, server.Address())
	l, err := postgres.OpenToSend(t.Context(), w.through(t, s.name), senderOn("host-a", short))
	if err != nil {
		t.Fatal(err)
	}
	a, b := &sender{Ledger: l, t: t}, s.open("host-b", long)
	defer a.Close()
	j := a.imported("a", ledgertest.Invoices(2)...)
	if err := a.MaySend(); err != nil {
		t.Fatal(err)
	}
	w.dark.Store(true)
	for a.MaySend() == nil {
		s.want(`SELECT (lease_until > clock_timestamp())::text FROM sender WHERE host = 'host-a'`, "true")
	}
	if err := a.MaySend(); !errors.Is(err, job.ErrPastDeadline) {
		t.Errorf("it may send: %v", err)
	}
	s.over("host-a")
	b.must(b.Take(j.ID))
	w.dark.Store(false)
	items := a.items(j.ID)
	if _, _, err := a.Begin(&items[0], time.Now(), nil); !errors.Is(err, job.ErrFenced) {
		t.Errorf("begun: %v", err)
	}
}

// Promise: a restart of the server in the middle of a run is waited out.
func TestRestart(t *testing.T) {
	for _, mode := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate} {
		server := pgtest.New(t)
		s := newShared(t, server)
		a := s.open("host-a", 10*time.Second)
		j := a.imported("a", ledgertest.Invoices(200)...)
		items := a.items(j.ID)
		var group sync.WaitGroup
		todo := make(chan *job.Item)
		for range 4 {
			group.Go(func() {
				for item := range todo {
					_, number, err := a.Begin(item, time.Now(), nil)
					if err != nil {
						t.Errorf("Begin: %v", err)
						continue
					}
					if _, err := a.end(item, number, ledgertest.Ends[job.OutcomeCreated]); err != nil {
						t.Errorf("End: %v", err)
					}
				}
			})
		}
		for i := range items {
			if i == 50 || i == 120 {
				server.Restart(t, mode)
			}
			todo <- &items[i]
		}
		close(todo)
		group.Wait()
		tally, err := a.Tally(t.Context(), j.ID)
		if err != nil || tally.Items[job.Created] != len(items) || tally.AllAttempts() != len(items) {
			t.Errorf("%+v, %v", tally, err)
		}
		a.must(a.Close())
	}
}

// Promise: a database that is behind what it had acknowledged is noticed at the next record. Nobody sends from it until a person has said
// how to go on; then what may have been sent is in doubt, and waits.
func TestWentBack(t *testing.T) {
	for _, back := range []struct{ name, how string }{
		{"fewer records", `UPDATE sender SET renewals = renewals - 1`},
		{"no such sender", `DELETE FROM seat; DELETE FROM sender`},
	} {
		t.Run(back.name, func(t *testing.T) {
			s := newShared(t, pgtest.Shared(t))
			a := s.open("host-a", short)
			j := a.imported("a", ledgertest.Invoices(3)...)
			items := a.items(j.ID)
			if _, err := a.end(&items[0], a.begin(&items[0]), ledgertest.Ends[job.OutcomeCreated]); err != nil {
				t.Fatal(err)
			}
			if _, err := s.sql.Exec(t.Context(), back.how); err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.Begin(&items[1], time.Now(), nil); !errors.Is(err, job.ErrFailedOver) {
				t.Errorf("begun: %v", err)
			}
			if err := a.MaySend(); err == nil {
				t.Error("it may send")
			}
			s.want(`SELECT state FROM ledger`, "failed_over")
			if _, err := postgres.OpenToSend(t.Context(), s.name, senderOn("host-b", long)); !errors.Is(err, job.ErrFailedOver) {
				t.Errorf("opened: %v", err)
			}
			s.until(`NOT EXISTS (SELECT 1 FROM sender WHERE fenced_at IS NULL AND ended_at IS NULL AND lease_until > clock_timestamp())`)
			l, err := postgres.OpenAfterFailover(t.Context(), s.name, senderOn("host-b", long))
			if err != nil {
				t.Fatal(err)
			}
			b := &sender{Ledger: l, t: t}
			defer b.Close()
			s.want(`SELECT string_agg(state || ' ' || attempts || ' ' || unknown_ends, ', ' ORDER BY id) FROM item`, "created 1 0, unknown 1 1, unknown 1 1")
			s.want(`SELECT on_unknown FROM job`, "hold")
			s.want(`SELECT state FROM ledger`, "open")
			s.checkTallies()
			tally, err := b.Tally(t.Context(), j.ID)
			if err != nil || tally.PossibleOrphans() != 2 {
				t.Errorf("%+v, %v", tally, err)
			}
			b.must(b.Take(j.ID))
		})
	}
}

// While a sender may still be at work, a failover is not accepted.
func TestFailoverIsNotAcceptedBesideASender(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	s.open("host-a", long)
	if _, err := s.sql.Exec(t.Context(), `UPDATE ledger SET timeline = 'another'`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.OpenAfterFailover(t.Context(), s.name, senderOn("host-b", long)); !errors.Is(err, job.ErrLeases) {
		t.Errorf("accepted: %v", err)
	}
	if _, err := postgres.OpenToSend(t.Context(), s.name, senderOn("host-b", long)); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("opened: %v", err)
	}
}

// A failover that is said to lose nothing is no reason to stop; records that are missing are.
func TestSynchronousFailover(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	s.open("host-a", short).must(nil)
	if _, err := s.sql.Exec(t.Context(), `UPDATE ledger SET timeline = 'another'`); err != nil {
		t.Fatal(err)
	}
	synchronous := strings.Replace(s.name, "schema=", "failover=synchronous&schema=", 1)
	l, err := postgres.OpenToSend(t.Context(), synchronous, senderOn("host-b", long))
	if err != nil {
		t.Fatal(err)
	}
	b := &sender{Ledger: l, t: t}
	defer b.Close()
	j := b.imported("a", ledgertest.Invoices(1)...)
	if _, err := s.sql.Exec(t.Context(), `UPDATE sender SET renewals = renewals - 1`); err != nil {
		t.Fatal(err)
	}
	if err := b.BeginRun(j.ID, time.Now()); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("recorded: %v", err)
	}
}

// Promise: all senders at an address share one rate, and a pause.
func TestBudget(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long).Budget(job.Sandbox, "x"), s.open("host-b", long).Budget(job.Sandbox, "x")
	rate := func(budget job.Budget, perSecond float64, explicit bool, want float64) {
		t.Helper()
		if got, err := budget.SetRate(t.Context(), perSecond, explicit); err != nil || got != want {
			t.Errorf("the rate is %v, %v; want %v", got, err, want)
		}
	}
	rate(a, 50, false, 50)
	rate(b, 10, false, 50)
	rate(b, 20, true, 20)
	rate(a, 50, false, 20)
	ctx := context.Background()
	var last job.Block
	for i := range 6 {
		budget := []job.Budget{a, b}[i%2]
		block, err := budget.Take(ctx, 2)
		if err != nil || block.N != 2 || block.Every != 50*time.Millisecond || !block.Paused.IsZero() {
			t.Fatalf("block %d: %+v, %v", i, block, err)
		}
		if i > 0 {
			if gap := block.Start.Sub(last.Start); gap < 90*time.Millisecond || gap > 250*time.Millisecond {
				t.Errorf("block %d begins %s after the one before", i, gap)
			}
		}
		last = block
	}
	until, err := a.Throttled(ctx, 0, 3*time.Second)
	if wait := time.Until(until); err != nil || wait < 2*time.Second || wait > 3100*time.Millisecond {
		t.Errorf("paused for %s, %v", wait, err)
	}
	if _, err := b.Throttled(ctx, time.Minute, time.Second); err != nil { // it had left before the pause: nothing is halved again
		t.Error(err)
	}
	block, err := b.Take(ctx, 1)
	if err != nil || time.Until(block.Paused) < 2*time.Second || time.Until(block.Start) < 2*time.Second {
		t.Errorf("in the pause: %+v, %v", block, err)
	}
	s.want(`SELECT reduced::text FROM pace`, "10")
	if _, err := b.Throttled(ctx, 0, 0); err != nil {
		t.Error(err)
	}
	s.want(`SELECT reduced::text || ' ' || streak FROM pace`, "5 1")
	unlimited := s.open("host-c", long).Budget(job.Sandbox, "y")
	rate(unlimited, 0, true, 0)
	if block, err := unlimited.Take(ctx, 1); err != nil || block.Every != 0 || !block.End.After(time.Now()) {
		t.Errorf("without a limit: %+v, %v", block, err)
	}
}

// A server that takes a connection and does not answer, as one does that is stopped for a moment, is waited for like one that cannot be
// reached.
func TestServerThatDoesNotAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = pgx.Connect(t.Context(), fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&connect_timeout=1", listener.Addr()))
	if !postgres.Lost(err) {
		t.Errorf("it is not waited for: %v", err)
	}
}
