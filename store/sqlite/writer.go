package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"paylinks/job"
	"paylinks/store/transfer"
)

// batchMost is how many waiting records share a transaction at most: beyond it, a record would wait longer for its
// neighbours than for the disk.
const batchMost = 256

// walMost is what the -wal goes back to, in bytes, after a transaction that made it larger: the last one of an import.
const walMost = 8 << 20

// writer is the one connection that changes the ledger, and the goroutine that owns it. Records that wait at the
// same moment share a transaction.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	made    map[string]fs.FileInfo // by path, the files that are written to: they must still be there
	records chan record
	done    chan struct{} // closed when the goroutine has ended
	tx      *tx
}

// record is one change, made by do. When it is durable or has failed done is called, by the writer's goroutine: it must
// return at once.
type record struct {
	do   func(*tx) error
	done func(error)
}

func openWriter(path string, mark *transfer.Mark) (_ *writer, err error) {
	w := &writer{made: map[string]fs.FileInfo{}, records: make(chan record, batchMost), done: make(chan struct{})}
	if w.db, err = sql.Open("sqlite3", dsn(path, "rw")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			if w.conn != nil {
				_ = w.conn.Close() // else closing db leaves it open, and with it the -wal
			}
			_ = w.db.Close()
		}
	}()
	ctx := context.Background()
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return nil, err
	}
	if err := checkPragmas(ctx, w.conn); err != nil {
		return nil, err
	}
	if _, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA journal_size_limit = %d", walMost)); err != nil {
		return nil, err
	}
	if err := migrate(w.conn, mark); err != nil {
		return nil, err
	}
	// It changes nothing, but a ledger that cannot be written is found out now.
	if _, err := w.conn.ExecContext(ctx, "DELETE FROM attempt WHERE FALSE"); err != nil {
		return nil, err
	}
	for _, file := range []string{path, path + "-wal"} {
		if w.made[file], err = os.Stat(file); err != nil {
			return nil, err
		}
	}
	if w.tx, err = prepareAll(w.conn); err != nil {
		return nil, err
	}
	go w.run()
	return w, nil
}

// checkPragmas reads back what the promises rest on: a driver that did not understand the DSN must not go unseen.
func checkPragmas(ctx context.Context, conn *sql.Conn) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("read PRAGMA %s: %w", pragma, err)
		}
		if got != want {
			return fmt.Errorf("PRAGMA %s is %s, and must be %s: is the ledger on a network file system?", pragma, got, want)
		}
	}
	return nil
}

// write does one change and returns when it is durable. An error means that nothing of it was recorded.
func (w *writer) write(do func(*tx) error) error {
	done := make(chan error, 1)
	w.submit(record{do, func(err error) { done <- err }})
	return <-done
}

// submit has one change made, after those that were submitted before.
func (w *writer) submit(r record) { w.records <- r }

func (w *writer) run() {
	defer close(w.done)
	batch := make([]record, 0, batchMost)
	for r := range w.records {
		batch = append(batch[:0], r)
		// Where goroutines are ready to run, some of them are about to bring a record: they go first. A lone record waits for
		// nobody.
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

// commit records the batch in one transaction. Where one of several cannot be recorded, each gets a transaction of
// its own, so that only that one fails.
func (w *writer) commit(batch []record) {
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	for _, r := range batch {
		r.done(err)
	}
}

func (w *writer) transact(batch []record) error {
	w.tx.reset()
	if _, err := w.tx.stmts.beginTx.exec(); err != nil {
		return err
	}
	err := func() error {
		for _, r := range batch {
			if err := r.do(w.tx); err != nil {
				return err
			}
		}
		if err := w.tx.flushTallies(); err != nil {
			return err
		}
		return w.inPlace()
	}()
	if err == nil {
		_, err = w.tx.stmts.commitTx.exec()
	}
	if err != nil {
		// The cause is err; SQLite has rolled back by itself after some errors, and then this has no work.
		_, _ = w.tx.stmts.rollbackTx.exec()
	}
	return err
}

func (w *writer) inPlace() error {
	for file, made := range w.made {
		if now, err := os.Stat(file); err != nil || !os.SameFile(now, made) {
			return job.ErrGone
		}
	}
	return nil
}

// close ends the goroutine, folds the WAL into the ledger file and closes the connection. It does not wait for a
// reader that is at work: then the WAL stays, and the next sender folds it.
func (w *writer) close() error {
	close(w.records)
	<-w.done
	_, err := w.conn.ExecContext(context.Background(), "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, w.tx.close(), w.conn.Close(), w.db.Close())
}

// tx is the transaction that the writer has open, with its statements and the changes of the tallies, which are
// written once at its end.
type tx struct {
	conn     *sql.Conn
	stmts    statements
	closes   []func() error // of all of stmts
	items    map[itemTally]tallyDelta
	attempts map[attemptTally]int64
}

type itemTally struct {
	jobID    int64
	state    job.State
	currency string
}

type tallyDelta struct{ items, billions, rest int64 }

type attemptTally struct {
	jobID   int64
	outcome job.Outcome
}

const billion = 1_000_000_000

// close lets go of the statements. Closing the connection does not, and SQLite stays open as long as one is left.
func (t *tx) close() error {
	var errs []error
	for _, closeOne := range t.closes {
		errs = append(errs, closeOne())
	}
	return errors.Join(errs...)
}

func (t *tx) reset() {
	clear(t.items)
	clear(t.attempts)
}

// count adds sign items to a tally.
func (t *tx) count(key itemTally, sign, amount int64) {
	d := t.items[key]
	d.items += sign
	d.billions += sign * (amount / billion)
	d.rest += sign * (amount % billion)
	t.items[key] = d
}

func (t *tx) flushTallies() error {
	for key, d := range t.items {
		if d == (tallyDelta{}) {
			continue
		}
		if _, err := t.stmts.tallyItems.exec(key.jobID, string(key.state), key.currency, d.items, d.billions, d.rest); err != nil {
			return err
		}
	}
	for key, n := range t.attempts {
		if n == 0 {
			continue
		}
		if _, err := t.stmts.tallyAttempts.exec(key.jobID, string(key.outcome), n); err != nil {
			return err
		}
	}
	return nil
}
