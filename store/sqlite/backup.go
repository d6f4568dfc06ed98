package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"paylinks/job"

	"github.com/mattn/go-sqlite3"
)

// Backup copies the ledger as it is at one moment to path, whole or not at all, with mode 0600; also while another
// process sends. An earlier backup at path is replaced. A ledger that runs have used is no backup and stays, and so
// does any other file: these are job.ErrNotBackup.
func (r *Reader) Backup(ctx context.Context, path string) error {
	if err := r.backup(ctx, path); err != nil {
		return fmt.Errorf("back the ledger up to %s: %w", path, err)
	}
	return nil
}

func (r *Reader) backup(ctx context.Context, path string) (err error) {
	switch real, err := realPath(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case real == r.path:
		return errors.New("this is the ledger itself")
	case recognise(real) != nil || used(real):
		return job.ErrNotBackup
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone already where all went well
	if err := temp.Close(); err != nil {
		return err
	}
	if err := r.copyTo(ctx, temp.Name()); err != nil {
		return err
	}
	// What a reader of the earlier backup has left must not be taken for this one's.
	for _, left := range []string{path + "-wal", path + "-shm"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// used says whether a run has sent from the ledger at path, or has left records beside it.
func used(path string) bool {
	if _, err := os.Stat(path + ".lock"); err == nil {
		return true
	}
	wal, err := os.Stat(path + "-wal")
	return err == nil && wal.Size() > 0
}

// copyTo writes the ledger's pages into the empty file by SQLite's backup API, in one step: a sender that commits
// in the meantime neither waits nor is seen.
func (r *Reader) copyTo(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	to, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw"}).String())
	if err != nil {
		return err
	}
	defer to.Close()
	target, err := to.Conn(ctx)
	if err != nil {
		return err
	}
	defer target.Close()
	source, err := r.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	return target.Raw(func(into any) error {
		return source.Raw(func(from any) error {
			backup, err := into.(*sqlite3.SQLiteConn).Backup("main", from.(*sqlite3.SQLiteConn), "main")
			if err != nil {
				return err
			}
			_, err = backup.Step(-1)
			return errors.Join(err, backup.Finish())
		})
	})
}
