package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"paylinks/job"
)

// IsNew says whether there is no ledger at path: no file, or an empty one without a -wal. It opens nothing.
func IsNew(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	if real, err := realPath(path); err == nil {
		path = real
	}
	wal, err := os.Stat(path + "-wal")
	return info.Mode().IsRegular() && info.Size() == 0 && (err != nil || wal.Size() == 0)
}

// MakeFolder makes the folder of the ledger at path where there is none.
func MakeFolder(path string) error {
	folder := filepath.Dir(path)
	if err := local(nearest(folder)); err != nil {
		return fmt.Errorf("make the folder of the ledger %s: %w", path, err)
	}
	return os.MkdirAll(folder, 0o700)
}

// create makes the ledger's file where there is none. One that is there is not opened.
func create(path string) error {
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return &job.NoFolderError{Folder: folder}
	}
	if err := local(folder); err != nil {
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
		return &job.LinkedError{Names: int(names)}
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

// recognise looks at the file's header without SQLite, which would lock, and could change, a stranger's database: a
// ledger of ours has our mark, a new one is empty or has no table. What is no regular file is not even opened. It must be
// done with the file before SQLite opens it: when a process closes a file, POSIX takes all its locks on that file away.
func recognise(path string) error {
	if err := isRegular(path); err != nil {
		return err
	}
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
		return job.ErrNotLedger
	case err != nil:
		return err
	}
	id, version := binary.BigEndian.Uint32(header[idAt:]), binary.BigEndian.Uint32(header[versionAt:])
	empty := id == 0 && version == 0 && header[rootAt] == leaf && binary.BigEndian.Uint16(header[tablesAt:]) == 0
	if !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) || id != applicationID && !empty {
		return job.ErrNotLedger
	}
	return nil
}

// mayBeLedger refuses what is no ledger before a lock is made beside it. Where there is a lock, the file is not looked into: this
// process may have the ledger open, and closing the file would cost it its locks.
func mayBeLedger(path string) error {
	if err := isRegular(path); err != nil {
		return err
	}
	if _, err := os.Stat(path + ".lock"); err == nil {
		return nil
	}
	return recognise(path)
}

// isRegular refuses what is no regular file, without opening it.
func isRegular(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	kind := "a device"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	}
	return fmt.Errorf("%w: it is %s", job.ErrNotLedger, kind)
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
