package store

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// NetworkError means that the ledger would be on a network file system. Nothing has been touched.
type NetworkError struct {
	FileSystem string
}

func (e *NetworkError) Error() string {
	return fmt.Sprintf("the folder is on a network file system (%s), where two machines could send at once", e.FileSystem)
}

// ErrDamaged means that the file is a ledger, but that SQLite cannot make sense of it.
var ErrDamaged = errors.New("the ledger is damaged")

// damaged adds ErrDamaged to what SQLite says of a file that it cannot read.
func damaged(err error) error {
	var failure sqlite3.Error
	if errors.As(err, &failure) && (failure.Code == sqlite3.ErrCorrupt || failure.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// neverMade says that a reader met a change that only a writer can roll back. In WAL mode there is none, so it is
// the one that was to begin it.
func neverMade(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && failure.ExtendedCode == sqlite3.ErrReadonlyRollback
}
