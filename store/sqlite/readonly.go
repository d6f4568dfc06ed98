package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mattn/go-sqlite3"

	"paylinks/job"
)

// needsToWrite says that SQLite wanted to write beside the ledger and may not: even a reader of a ledger in WAL mode makes a -wal and a
// -shm where there are none.
func needsToWrite(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && !neverMade(err) && (failure.Code == sqlite3.ErrCantOpen || failure.Code == sqlite3.ErrReadonly)
}

// openUnchanging opens the ledger as one that nobody changes. Without a -wal nobody does, and the file has all of it.
func (r *Reader) openUnchanging() error {
	wal, err := os.Stat(r.path + "-wal")
	switch {
	case err == nil && wal.Size() > 0:
		return job.ErrReadOnlyPlace
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for changes beside the ledger: %w", err)
	}
	if err := r.read.Close(); err != nil {
		return err
	}
	r.read, err = sql.Open("sqlite3", dsn(r.path, "ro")+"&immutable=1")
	return err
}
