// Package sqlite keeps a ledger in one SQLite file: every job, item and attempt. Only this package knows SQLite.
//
// # Durability
//
// The ledger is in WAL mode with synchronous=FULL: a method that records something returns when it is on disk, and [Ledger.End] calls
// back then. One connection writes. Records that wait at the same moment share a transaction, so that many workers cost one fsync;
// there is no timer, and a lone record waits for nobody. Readers have connections of their own and always work.
//
// # Tables
//
// job, item and attempt hold what package job calls so. invoice_item finds the items of an invoice. item_tally and attempt_tally count
// items and attempts by job, in the transactions that change them. Every transition of an item is one UPDATE that names the state which
// it leaves. What one item means for another is for [job.Resolve] to say: this package only supplies the facts.
//
// # One sender
//
// [OpenToSend] takes a lock beside the ledger that lasts as long as the process. Its holder marks unknown what a crashed run left
// sending: nobody else can be sending it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"

	"paylinks/job"
	"paylinks/store/transfer"
)

// Reader is a ledger that is open for reading.
type Reader struct {
	path        string
	read        *sql.DB
	facts       *sql.Stmt          // see Facts: compiling it takes longer than running it
	transferred *job.TransferError // see Transferred
}

// Ledger is a ledger that this process alone may change.
type Ledger struct {
	*Reader
	writer  *writer
	lock    *lock
	crashed map[int64]int // by job, the rows that a crashed run had left sending; see Crashed
}

// OpenToSend opens the ledger at path for the one process that may change it, making it where there is none, but no folder: see
// [MakeFolder]. holder says in a few words who that is. The error is a *[job.HeldError] when another process has it, or another one
// of package job's. What is no ledger is neither locked nor changed.
func OpenToSend(path, holder string) (*Ledger, error) {
	l, err := openToSend(path, holder)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, damaged(err))
	}
	return l, nil
}

func openToSend(path, holder string) (_ *Ledger, err error) {
	if err := create(path); err != nil {
		return nil, err
	}
	return openToChange(path, holder, nil, transfer.Mark.Refusal)
}

// openToChange opens the ledger's file, which is there, for the one process that may change it, unless refuse says why not. An empty file
// becomes a ledger with the mark, if there is one.
func openToChange(path, holder string, mark *transfer.Mark, refuse func(transfer.Mark) error) (_ *Ledger, err error) {
	if path, err = realPath(path); err != nil {
		return nil, err
	}
	if err := mayBeLedger(path); err != nil {
		return nil, err
	}
	l := &Ledger{Reader: &Reader{path: path}}
	if l.lock, err = takeLock(path+".lock", holder); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = l.Close()
		}
	}()
	for _, check := range []func(string) error{recognise, hasOneName, closeToOthers} {
		if err := check(path); err != nil {
			return nil, err
		}
	}
	if l.writer, err = openWriter(path, mark); err != nil {
		return nil, err
	}
	found, err := readMark(context.Background(), l.writer.conn)
	if err == nil {
		err = refuse(found)
	}
	if err != nil {
		return nil, err
	}
	if err := l.Reader.open(); err != nil {
		return nil, err
	}
	if err := l.removeUnfinishedImports(); err != nil {
		return nil, err
	}
	l.crashed, err = l.recover(time.Now())
	return l, err
}

// OpenToRead opens an existing ledger for reading, also while another process sends. The error is fs.ErrNotExist when there is none,
// or one of package job's. One with an older schema is brought up to date first. The process that sends reads from the Ledger that it
// has: a second one would cost the first its locks (see recognise).
func OpenToRead(ctx context.Context, path string) (*Reader, error) {
	r, err := openToRead(ctx, path)
	var older *job.VersionError
	if errors.As(err, &older) && older.Found < older.Known {
		updateErr := bringUpToDate(path)
		var held *job.HeldError
		if !errors.As(updateErr, &held) {
			// What failed may have come after the update: then the ledger can be read all the same.
			r, err = openToRead(ctx, path)
		}
		if errors.As(err, &older) && updateErr != nil && held == nil {
			err = updateErr
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, damaged(err))
	}
	return r, nil
}

// bringUpToDate takes a ledger with an older schema through the steps that it lacks, also one that was moved.
func bringUpToDate(path string) error {
	updated, err := openToChange(path, "bringing the ledger up to date", nil, func(transfer.Mark) error { return nil })
	var held *job.HeldError
	switch {
	case err == nil:
		return updated.Close()
	case errors.As(err, &held), errors.Is(err, job.ErrNotUpdated), errors.Is(err, job.ErrUnknownSchema):
		return err
	}
	return fmt.Errorf("%w: %w", job.ErrNotUpdated, err)
}

func openToRead(ctx context.Context, path string) (_ *Reader, err error) {
	r := &Reader{}
	defer func() {
		if err != nil {
			_ = r.Close()
		}
	}()
	if r.path, err = realPath(path); err != nil {
		return nil, err
	}
	if err := local(filepath.Dir(r.path)); err != nil {
		return nil, err
	}
	if err := recognise(r.path); err != nil {
		return nil, err
	}
	if r.read, err = sql.Open("sqlite3", dsn(r.path, "ro")); err != nil {
		return nil, err
	}
	version, err := version(ctx, r.read)
	switch {
	case err == nil && version == 0, neverMade(err):
		return nil, fs.ErrNotExist // a run began to make it, and was killed before its migration ended
	case err != nil:
		return nil, err
	case version != len(migrations):
		return nil, &job.VersionError{Found: version, Known: len(migrations)}
	}
	mark, err := readMark(ctx, r.read)
	if err != nil {
		return nil, err
	}
	if r.transferred, err = mark.ForReader(); err != nil {
		return nil, err
	}
	return r, r.open()
}

// open opens what is not open yet.
func (r *Reader) open() (err error) {
	if r.read == nil {
		if r.read, err = sql.Open("sqlite3", dsn(r.path, "ro")); err != nil {
			return err
		}
	}
	r.facts, err = r.read.PrepareContext(context.Background(), factsOfBatch)
	return err
}

// Take implements [paylinks/store.Ledger]: who has the ledger may send each of its jobs.
func (l *Ledger) Take(int64) error { return nil }

// Crashed implements [paylinks/store.Ledger].
func (l *Ledger) Crashed(jobID int64) int {
	crashed := l.crashed[jobID]
	delete(l.crashed, jobID)
	return crashed
}

// Release implements [paylinks/store.Ledger]: who has the ledger keeps all its jobs.
func (l *Ledger) Release(int64) error { return nil }

// Recover implements job.Ledger: what a crashed run has left was recovered when the ledger was opened.
func (l *Ledger) Recover(int64) ([]job.Item, time.Duration, error) { return nil, 0, nil }

// MaySend implements [paylinks/store.Ledger]: the lock lasts as long as the process.
func (l *Ledger) MaySend() error { return nil }

// Budget implements [paylinks/store.Ledger]: nobody else sends, so a run's own pace is enough.
func (l *Ledger) Budget(job.Environment, string) job.Budget { return nil }

// Senders implements [paylinks/store.Reader]: a ledger in a file has no record of them.
func (r *Reader) Senders(context.Context) ([]job.Sender, error) { return nil, nil }

// Transferred implements [paylinks/store.Reader].
func (r *Reader) Transferred() *job.TransferError { return r.transferred }

// Path is where the ledger is.
func (r *Reader) Path() string { return r.path }

// Files are the paths of the ledger and of what may be beside it and belongs to it.
func (r *Reader) Files() []string { return Files(r.path) }

// Files are the paths where the ledger at path has, or would have, files. SQLite takes a -journal for a change to roll back.
func Files(path string) []string {
	return []string{path, path + "-wal", path + "-shm", path + "-journal", path + ".lock"}
}

// Close closes the ledger.
func (r *Reader) Close() error {
	var errs []error
	if r.facts != nil {
		errs = append(errs, r.facts.Close())
	}
	if r.read != nil {
		errs = append(errs, r.read.Close())
	}
	return r.closed(errs)
}

// Close folds the WAL into the ledger file, closes it, and gives the lock back.
func (l *Ledger) Close() error {
	errs := []error{l.Reader.Close()}
	if l.writer != nil {
		errs = append(errs, l.writer.close())
	}
	return l.closed(append(errs, l.lock.release()))
}

func (r *Reader) closed(errs []error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close ledger %s: %w", r.path, err)
	}
	return nil
}

// damaged adds job.ErrDamaged to what SQLite says of a file that it cannot read.
func damaged(err error) error {
	var failure sqlite3.Error
	if errors.As(err, &failure) && (failure.Code == sqlite3.ErrCorrupt || failure.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%w: %w", job.ErrDamaged, err)
	}
	return err
}

// neverMade says that a reader found a change that only a writer can roll back. In WAL mode there is none, so it is
// the one that was to begin it.
func neverMade(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && failure.ExtendedCode == sqlite3.ErrReadonlyRollback
}
