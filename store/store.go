// Package store keeps the ledger: one SQLite file that holds every job, item and attempt. It is the only place
// with SQL, and implements [job.Ledger].
//
// # Durability
//
// The ledger is in WAL mode with synchronous=FULL: a method that records something returns when it is on disk, and
// [Store.End] calls back then. One connection writes. Records that wait at the same moment share a transaction, so that
// many workers cost one fsync; there is no timer, and a lone record waits for nobody. Readers have connections of their
// own and always work.
//
// The -wal is folded in from 1,000 pages (4 MB) on. An import is recorded in parts, so that its size does not matter there
// either, until its last transaction, which claims the invoices: that one takes some 30 bytes a row.
//
// # Tables
//
// What a file says of an item is in input, and never changes. Where the item stands is in one of three tables, and it is a
// row's move from one to the next that guards a transition: fresh, then intent while a request is on its way, then standing,
// with the link or the reason why there is none. An item that is sent again has its row in standing all along. The attempt
// that made an item's link is in the link's row; all others that have ended are in past_attempt. The views item and attempt
// put it together, in the design's words, for whoever looks; a ledger of an earlier schema, of which these were tables, is
// brought up to date when it is opened.
//
// # One sender
//
// [OpenForSending] takes a lock beside the ledger that lasts as long as the process. Who holds it may make items
// that a crashed run left in state sending unknown: nobody else can be sending them.
package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3" // registers the driver
)

// Store is an open ledger.
type Store struct {
	path   string
	read   *sql.DB
	claims *sql.Stmt // see Claims: compiling it takes longer than running it
	writer *writer   // nil in a reader
	lock   *lock     // nil in a reader
	found  int       // items that a crashed run had left in state sending
}

// OpenForSending opens the ledger at path for the one process that may change it, making it and its folder where
// there are none. holder says in a few words who that is. The error is a *[HeldError] when another process has it.
// Items that a crashed run left in state sending are unknown afterwards.
func OpenForSending(path, holder string) (*Store, error) {
	s, err := openForSending(path, holder)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, damaged(err))
	}
	return s, nil
}

func openForSending(path, holder string) (_ *Store, err error) {
	if err := create(path); err != nil {
		return nil, err
	}
	if path, err = realPath(path); err != nil {
		return nil, err
	}
	held, err := takeLock(path+".lock", holder)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, lock: held}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if err := recognise(path); err != nil {
		return nil, err
	}
	if err := hasOneName(path); err != nil {
		return nil, err
	}
	if err := closeToOthers(path); err != nil {
		return nil, err
	}
	if s.writer, err = openWriter(path); err != nil {
		return nil, err
	}
	if s.read, err = sql.Open("sqlite3", dsn(path, "ro")); err != nil {
		return nil, err
	}
	if err := s.prepareClaims(); err != nil {
		return nil, err
	}
	if err := s.takeOutUnfinished(context.Background()); err != nil {
		return nil, err
	}
	if s.found, err = s.recover(time.Now()); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenToRead opens an existing ledger for reading, also while another process sends. The error is fs.ErrNotExist
// when there is none. One of an older paylinks is brought up to date first; where that cannot be done since a run of the
// older paylinks goes on, it is a *[VersionError]. The process that sends reads from the
// Store that it has: a second one would cost the first its locks (see recognise).
func OpenToRead(ctx context.Context, path string) (*Store, error) {
	s, err := openToRead(ctx, path)
	var older *VersionError
	if errors.As(err, &older) && older.Found < older.Known {
		updateErr := bringUpToDate(path)
		var held *HeldError
		if !errors.As(updateErr, &held) {
			// What failed may have come behind the update: then the ledger can be read all the same.
			s, err = openToRead(ctx, path)
		}
		if errors.As(err, &older) && updateErr != nil && held == nil {
			err = updateErr
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, damaged(err))
	}
	return s, nil
}

// bringUpToDate takes a ledger of an older paylinks through the steps that it lacks.
func bringUpToDate(path string) error {
	updated, err := openForSending(path, "bringing the ledger up to date")
	var held *HeldError
	switch {
	case err == nil:
		return updated.Close()
	case errors.As(err, &held), errors.Is(err, ErrNotUpdated), errors.Is(err, ErrUnknownSchema):
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotUpdated, err)
}

func openToRead(ctx context.Context, path string) (_ *Store, err error) {
	s := &Store{}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if s.path, err = realPath(path); err != nil {
		return nil, err
	}
	if err := local(filepath.Dir(s.path)); err != nil {
		return nil, err
	}
	if err := recognise(s.path); err != nil {
		return nil, err
	}
	if s.read, err = sql.Open("sqlite3", dsn(s.path, "ro")); err != nil {
		return nil, err
	}
	version, err := version(ctx, s.read)
	switch {
	case err == nil && version == 0, neverMade(err):
		return nil, fs.ErrNotExist // a run began to make it, and was killed before its migration ended
	case err != nil:
		return nil, err
	case version != len(migrations):
		return nil, &VersionError{Found: version, Known: len(migrations)}
	}
	if err := s.prepareClaims(); err != nil {
		return nil, err
	}
	return s, nil
}

// Crashed is how many items a crashed run had left in state sending when this one took the ledger over.
func (s *Store) Crashed() int { return s.found }

// Path is where the ledger is.
func (s *Store) Path() string { return s.path }

// Files are the paths of the ledger and of what may be beside it and belongs to it.
func (s *Store) Files() []string {
	return []string{s.path, s.path + "-wal", s.path + "-shm", s.path + ".lock"}
}

// Close folds the WAL into the ledger file, closes it, and gives the lock back.
func (s *Store) Close() error {
	var errs []error
	if s.claims != nil {
		errs = append(errs, s.claims.Close())
	}
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close ledger %s: %w", s.path, err)
	}
	return nil
}

// create makes the ledger's file and folder where there are none. One that is there is not opened.
func create(path string) error {
	if err := local(nearest(filepath.Dir(path))); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close()) // whatever the umask
}

// closeToOthers takes everybody's rights away but the owner's. A ledger that its owner has made read-only stays so.
func closeToOthers(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Chmod(path, info.Mode().Perm()&0o600)
}

// hasOneName refuses a ledger with hard links: each of its names has a lock and a -wal of its own, so that two senders would
// both send its rows, and SQLite would damage it.
func hasOneName(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if names := info.Sys().(*syscall.Stat_t).Nlink; names > 1 {
		return fmt.Errorf("the file has %d names (hard links), and must have one: leave the one that runs use, and make copies with paylinks backup", names)
	}
	return nil
}

// nearest is the folder, or the first above it that is there.
func nearest(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

// realPath is the absolute path without links, so that a ledger has one lock whatever name it is opened by.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// applicationID marks a SQLite file as a ledger of ours: the bytes of "plnk".
const applicationID = 0x706c6e6b

// ErrNotLedger means that the file is there, but is no ledger of paylinks. It has not been touched.
var ErrNotLedger = errors.New("the file is not a paylinks ledger")

// recognise looks at the file's header without SQLite, which would lock, and could change, a stranger's database: a
// ledger of ours has our mark, a new one is empty or has no table. It must be done with the file before SQLite opens
// it: when a process closes a file, POSIX takes all its locks on that file away.
func recognise(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	const (
		versionAt, idAt, rootAt, tablesAt, size = 60, 68, 100, 103, 105
		leaf                                    = 13 // the kind of page that a root without tables is
	)
	header := make([]byte, size)
	n, err := file.ReadAt(header, 0)
	switch {
	case err == io.EOF && n == 0:
		return nil
	case err == io.EOF:
		return ErrNotLedger
	case err != nil:
		return err
	}
	id, version := binary.BigEndian.Uint32(header[idAt:]), binary.BigEndian.Uint32(header[versionAt:])
	empty := id == 0 && version == 0 && header[rootAt] == leaf && binary.BigEndian.Uint16(header[tablesAt:]) == 0
	if !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) || id != applicationID && !empty {
		return ErrNotLedger
	}
	return nil
}

// dsn is the data source name of the ledger at an absolute path, opened with SQLite's mode ro or rw.
// SQLite's own mutexes are off: nobody uses a connection from two goroutines at a time, and locking them was a tenth of what
// reading a row cost.
func dsn(path, mode string) string {
	options := url.Values{
		"mode":          {mode},
		"_foreign_keys": {"on"},
		"_busy_timeout": {"10000"}, // ms; a reader waits for a checkpoint at most
		"_txlock":       {"immediate"},
		"_mutex":        {"no"},
	}
	if mode == "rw" {
		options.Set("_journal_mode", "WAL")
		options.Set("_synchronous", "FULL")
		options.Set("_cache_size", "-8000") // KiB
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}
