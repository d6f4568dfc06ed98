package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

const (
	// batchMost is how many waiting records share a transaction at most: beyond it, a record would wait longer for its neighbours than
	// for the disk.
	batchMost = 256

	// reconnectFor is how long the writer tries to reach the database again: a restart takes seconds, a failover some more.
	reconnectFor = time.Minute

	// againMost is how often a transaction is made again that the server has rolled back for certain: each time another one got further.
	againMost = 20
)

// writer is the one connection that changes the ledger, and the goroutine that owns it. Records that wait at the same moment share a
// transaction.
type writer struct {
	l       *Ledger
	config  *pgx.ConnConfig
	conn    *pgx.Conn // nil: lost
	records chan record
	done    chan struct{}     // closed when the goroutine has ended
	texts   map[string]string // statements with the names of the schema's tables
	failed  error             // the database went back: nothing is recorded any more
}

// record is one change. When it is durable or has failed done is called, by the writer's goroutine: it must return at once.
type record interface {
	done(err error)
}

// change is a record that is made by itself.
type change struct {
	do     func(*tx) error
	ended  func(error)
	fenced bool // it is made, too, by a sender that is fenced: it sends nothing, and moves no seat
}

func (c *change) done(err error) { c.ended(err) }

// write does one change and returns when it is durable. An error means that nothing of it was recorded.
func (w *writer) write(do func(*tx) error) error {
	done := make(chan error, 1)
	w.records <- &change{do: do, ended: func(err error) { done <- err }}
	return <-done
}

func (w *writer) sql(text string) string {
	full, ok := w.texts[text]
	if !ok {
		full = w.l.sql(text)
		w.texts[text] = full
	}
	return full
}

func (w *writer) run() {
	defer close(w.done)
	renew := time.NewTicker(w.l.sender.Lease / 4)
	defer renew.Stop()
	batch := make([]record, 0, batchMost)
	for {
		batch = batch[:0]
		select {
		case r, ok := <-w.records:
			if !ok {
				return
			}
			batch = append(batch, r)
		case <-renew.C:
			if w.l.lease.fresh() {
				continue
			}
		}
		// Where goroutines are ready to run, some of them are about to bring a record: they go first. A lone record waits for nobody.
		runtime.Gosched()
		runtime.Gosched()
	waiting:
		for len(batch) < batchMost {
			select {
			case r, ok := <-w.records:
				if !ok {
					break waiting
				}
				batch = append(batch, r)
			default:
				break waiting
			}
		}
		w.commit(batch)
	}
}

// commit records the batch in one transaction. Where one of several cannot be recorded, each gets a transaction of its own, so that only
// that one fails. Without records it only renews the lease.
func (w *writer) commit(batch []record) {
	err := w.transactAgain(batch)
	if err != nil && len(batch) > 1 && w.failed == nil {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	for _, r := range batch {
		r.done(err)
	}
}

// transactAgain makes the transaction, and makes it again where it has certainly not been made: when the server rolled it back, or was
// lost on the way. Each transaction counts the sender's renewals, so that after a lost connection their number tells whether the last one
// was made.
func (w *writer) transactAgain(batch []record) error {
	if w.failed != nil {
		return w.failed
	}
	for again := 0; ; again++ {
		err := w.transact(batch)
		if err == nil || errors.Is(err, errPart) {
			return err
		}
		switch {
		case undone(err) && again < againMost:
			w.rollback()
			wait := min(time.Second, time.Duration(1+again)*20*time.Millisecond)
			time.Sleep(wait)
			continue
		case !lost(err):
			w.rollback()
			return w.l.explain(err)
		}
		made, gone := w.reconnect()
		if gone != nil {
			return gone
		}
		if made {
			return nil
		}
	}
}

// errLost means that there is no connection.
var errLost = errors.New("the connection is lost")

// lost says whether the connection broke, or answers nothing, so that what was under way may have been done or not.
func lost(err error) bool {
	return Lost(err) || errors.Is(err, errLost)
}

// undone says whether the server has undone the transaction for certain, and making it again may help.
func undone(err error) bool { return RolledBack(err) || stateOf(err) == queryCanceled }

// errPart means that a record of several failed, so that they are made one by one.
var errPart = errors.New("one of several records failed")

func (w *writer) rollback() {
	if w.conn == nil || w.conn.IsClosed() {
		return
	}
	ctx, cancel := w.bounded()
	defer cancel()
	if _, err := w.conn.Exec(ctx, "ROLLBACK"); err != nil {
		w.drop()
	}
}

func (w *writer) drop() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = w.conn.Close(ctx) // it is lost: the cause is known
		w.conn = nil
	}
}

// bounded bounds what is asked of the database, so that a network that is cut is noticed before the lease is over.
func (w *writer) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), w.l.sender.Lease/2+time.Second)
}

// transact makes the transaction. Nothing in it is handed to anybody before COMMIT has come back.
func (w *writer) transact(batch []record) error {
	if w.conn == nil || w.conn.IsClosed() {
		return errLost
	}
	t := &tx{
		l: w.l, conn: w.conn, ending: &pgx.Batch{},
		items: map[itemTally]tallyDelta{}, attempts: map[attemptTally]int64{},
	}
	g := groupOf(batch)
	asked := boottime()
	renewal, made, err := g.together(t)
	if err != nil {
		return err
	}
	if err := w.l.lease.check(renewal); err != nil {
		return w.goneBack(err)
	}
	if renewal.fenced {
		w.l.lease.fence()
	}
	if err := g.oneByOne(t, made, renewal.fenced); err != nil {
		return err
	}
	for _, c := range g.changes {
		if renewal.fenced && !c.fenced {
			err = job.ErrFenced
		} else {
			err = c.do(t)
		}
		if err == nil {
			continue
		}
		if len(batch) > 1 && !lost(err) && !undone(err) {
			w.rollback()
			return errPart
		}
		return err
	}
	t.queueTallies()
	t.ending.Queue("COMMIT")
	ctx, cancel := w.bounded()
	defer cancel()
	if err := t.conn.SendBatch(ctx, t.ending).Close(); err != nil {
		return err
	}
	w.l.lease.renewed(asked, renewal)
	return nil
}

// settings are made in each transaction, since a pooler hands out another session for the next; the parameter is the time for locks and
// statements. What a paused process leaves open must not hold its own takeover up: it ends within a third of the lease.
func settings(parameter int) string {
	return fmt.Sprintf(`
		SELECT
			set_config('lock_timeout', $%[1]d, TRUE),
			set_config('statement_timeout', $%[1]d, TRUE),
			set_config('idle_in_transaction_session_timeout', $%[1]d, TRUE),
			set_config('jit', 'off', TRUE), -- see settingsToRead
			set_config('synchronous_commit', CASE
				WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN 'on'
				ELSE current_setting('synchronous_commit')
			END, TRUE)
	`, parameter)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// reconnect reaches the database again. made says whether the transaction that was under way was made after all. The error is final.
func (w *writer) reconnect() (made bool, err error) {
	w.drop()
	until := time.Now().Add(reconnectFor)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		made, err := w.tryReconnect()
		switch {
		case err == nil:
			return made, nil
		case w.failed != nil:
			return false, w.failed
		case !lost(err) && !undone(err) && !takesNoChanges(err):
			return false, w.l.explain(err)
		case time.Now().After(until):
			return false, fmt.Errorf("the database could not be reached again within %s: %w", reconnectFor, w.l.explain(err))
		}
		w.drop()
		time.Sleep(wait)
	}
}

func (w *writer) tryReconnect() (made bool, err error) {
	ctx, cancel := w.bounded()
	defer cancel()
	if w.conn, err = pgx.ConnectConfig(ctx, w.config); err != nil {
		return false, err
	}
	// The lock of the own row waits for the transaction that was under way, should the server still have it.
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue(settings(1), milliseconds(w.l.sender.Lease/3))
	b.Queue(w.sql(lookAtSender), w.l.sender.ID)
	b.Queue("COMMIT")
	results := w.conn.SendBatch(ctx, b)
	defer func() {
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
	}()
	for range 2 {
		if _, err := results.Exec(); err != nil {
			return false, err
		}
	}
	r, err := scanRenewal(results.QueryRow())
	if err != nil {
		return false, err
	}
	if err := w.l.lease.checkAgain(r); err != nil {
		_ = results.Close() // the mark is a transaction of its own
		return false, w.goneBack(err)
	}
	// Only once all of the answer has come: where it breaks off, the number must tell again the next time.
	if err := results.Close(); err != nil {
		return false, err
	}
	return w.l.lease.settle(r), nil
}

// goneBack marks the ledger, whose database is behind what it had acknowledged: nobody sends from it until a person has said how to go on.
func (w *writer) goneBack(cause error) error {
	w.failed = cause
	w.rollback()
	if w.conn != nil {
		ctx, cancel := w.bounded()
		defer cancel()
		_, _ = w.conn.Exec(ctx, w.sql(markFailedOver)) // this run ends in any case, and each other one finds it out by itself
	}
	w.l.lease.fence()
	return w.failed
}
