package links

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"paylinks/job/invoice"
)

// Rejected is a line of the rejected file: one bad row with all its problems.
type Rejected struct {
	Line   int // the physical line of the input where the record starts
	Cells  []string
	Column string // the header of the first problem's column; "" is the whole row
	Error  string // what is wrong and how to correct it, in the words of the caller
}

// WriteRejected writes the rejected file at path, whole or not at all, with mode 0600, and returns where it is. A file
// that exists is never changed: if it has the same bytes its path is returned, else the new file is called <name>.2.csv,
// <name>.3.csv and so on. Any number of processes may do this at once. Errors are those of [Write].
func WriteRejected(path string, f Format, rows iter.Seq2[Rejected, error]) (written string, err error) {
	temp, err := newTemp(path)
	if err != nil {
		return "", failed(path, err)
	}
	defer temp.Cleanup()
	if err := writeRejected(temp, path, f, rows); err != nil {
		return "", err
	}
	if err := temp.Sync(); err != nil {
		return "", failed(path, err)
	}
	for n := 1; ; n++ {
		at := numbered(path, n)
		err := claim(temp.Name(), at)
		if err == nil {
			return at, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", failed(at, err)
		}
		if same(temp.Name(), at) {
			return at, nil
		}
	}
}

func writeRejected(w io.Writer, path string, f Format, rows iter.Seq2[Rejected, error]) error {
	return writeTable(w, path, f, invoice.RejectedColumns, rows, func(t *table, r Rejected) {
		t.userCells(r.Cells)
		t.number(r.Line)
		t.userCell(r.Column)
		t.message(r.Error)
		for i := len(f.Columns); i < len(r.Cells); i++ {
			t.userCell(r.Cells[i])
		}
	})
}

// numbered puts n before the extension, unless n is 1.
func numbered(path string, n int) string {
	if n == 1 {
		return path
	}
	extension := filepath.Ext(path)
	return fmt.Sprintf("%s.%d%s", strings.TrimSuffix(path, extension), n, extension)
}

// claim gives temp the name at, or returns an error that is [fs.ErrExist] if something has that name.
func claim(temp, at string) error {
	if os.Link(temp, at) == nil {
		return nil
	}
	return claimByRename(temp, at)
}

// claimByRename is for file systems without hard links: it creates an empty file, which fails where at exists, and then
// replaces it by temp.
func claimByRename(temp, at string) error {
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := os.Rename(temp, at); err != nil {
		os.Remove(at)
		return err
	}
	return nil
}

// same reports whether at is a regular file with the bytes of temp. One that cannot be read is not.
func same(temp, at string) bool {
	if info, err := os.Stat(at); err != nil || !info.Mode().IsRegular() {
		return false // reading a pipe would wait for its writer
	}
	a, errA := invoice.Digest(temp)
	b, errB := invoice.Digest(at)
	return errA == nil && errB == nil && a == b
}
