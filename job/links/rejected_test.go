package links_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"paylinks/job/links"
)

func bad(cell string) links.Rejected {
	return links.Rejected{Line: 2, Cells: []string{cell}, Column: "id", Error: "is empty"}
}

func rejectedText(cell string) string {
	return "id,row,error_column,error\n" + cell + ",2,id,is empty\n"
}

func TestRejectedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.rejected.csv")
	f := links.Format{Columns: []string{"id", "=Error", "Error"}, Delimiter: ';'}
	at, err := links.WriteRejected(path, f, rowsOf(nil,
		links.Rejected{Line: 3, Cells: []string{"=1", "two", "three"}, Column: "=Error", Error: `"two" is no amount; it is late`},
		links.Rejected{Line: 4, Cells: []string{"short"}, Column: "Error", Error: "=too few cells"},
		links.Rejected{Line: 5, Cells: []string{"1", "2", "3", "four;", "@five"}, Column: "id", Error: "too many cells"},
	))
	must(t, err)
	if at != path {
		t.Errorf("written at %s", at)
	}
	wantPrivate(t, path, `id;'=Error;Error;row;error_column;error
'=1;two;three;3;'=Error;"""two"" is no amount; it is late"
short;;;4;Error;'=too few cells
1;2;3;5;id;too many cells;"four;";'@five
`)
	r := csv.NewReader(strings.NewReader(contents(t, path)))
	r.Comma, r.FieldsPerRecord = ';', -1
	records, err := r.ReadAll()
	must(t, err)
	equal(t, records[3], []string{"1", "2", "3", "5", "id", "too many cells", "four;", "'@five"})
}

func TestRejectedFileIsNeverOverwritten(t *testing.T) {
	const first, second, third = "a.rejected.csv", "a.rejected.2.csv", "a.rejected.3.csv"
	mine := rejectedText("x")
	changed := strings.Replace(mine, "x", "y", 1) // of the same length
	for _, tt := range []struct {
		name  string
		there map[string]string
		want  string
	}{
		{"nothing there", nil, first},
		{"the same", map[string]string{first: mine}, first},
		{"changed", map[string]string{first: changed}, second},
		{"cut off", map[string]string{first: mine[:10]}, second},
		{"grown", map[string]string{first: mine + "x"}, second},
		{"empty", map[string]string{first: ""}, second},
		{"changed, the second the same", map[string]string{first: changed, second: mine}, second},
		{"both changed", map[string]string{first: changed, second: changed}, third},
		{"only the second there", map[string]string{second: changed}, first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			want := map[string]string{tt.want: mine}
			for name, text := range tt.there {
				put(t, filepath.Join(folder, name), text, 0o600)
				want[name] = text
			}
			at, err := links.WriteRejected(filepath.Join(folder, first), format, rowsOf(nil, bad("x")))
			must(t, err)
			if at != filepath.Join(folder, tt.want) {
				t.Errorf("written at %s, want %s", filepath.Base(at), tt.want)
			}
			for _, name := range names(t, folder) {
				wantPrivate(t, filepath.Join(folder, name), want[name])
				delete(want, name)
			}
			if len(want) != 0 {
				t.Errorf("missing: %q", want)
			}
		})
	}
}

func TestRejectedFileBesideOtherThings(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(path string) error
		want string
	}{
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, "a.2.csv"},
		{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "a.2.csv"},
		{"a link to nothing", func(path string) error { return os.Symlink("nothing", path) }, "a.2.csv"},
		{"a link to a device", func(path string) error { return os.Symlink(os.DevNull, path) }, "a.2.csv"},
		{"a link to the same", func(path string) error {
			real := filepath.Join(filepath.Dir(path), "real")
			return errors.Join(os.WriteFile(real, []byte(rejectedText("x")), 0o600), os.Symlink("real", path))
		}, "a.csv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.csv")
			must(t, tt.make(path))
			at, err := links.WriteRejected(path, format, rowsOf(nil, bad("x")))
			if err != nil || filepath.Base(at) != tt.want {
				t.Errorf("written at %s, %v, want %s", at, err, tt.want)
			}
		})
	}
}

func TestRejectedFileHalfWay(t *testing.T) {
	folder := t.TempDir()
	reading := errors.New("read invoices.csv: input/output error")
	at, err := links.WriteRejected(filepath.Join(folder, "a.csv"), format, rowsOf(reading, bad("x")))
	if err != reading || at != "" {
		t.Errorf("got %q, %v, want the reader's error as it was", at, err)
	}
	if got := names(t, folder); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestRejectedFileWithoutFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "missing")
	path := filepath.Join(folder, "a.csv")
	_, err := links.WriteRejected(path, format, rowsOf(nil, bad("x")))
	wantFailure(t, err, path, "there is no folder "+folder)
}

// TestRejectedFileRace: writers of four different files, eight of each, and one file of the user's.
func TestRejectedFileRace(t *testing.T) {
	const kinds, each = 4, 8
	folder := t.TempDir()
	path := filepath.Join(folder, "a.csv")
	put(t, path, "the user's\n", 0o600)
	var mu sync.Mutex
	written := map[string]string{} // where, by what
	var writers sync.WaitGroup
	for i := range kinds * each {
		writers.Go(func() {
			cell := strconv.Itoa(i % kinds)
			at, err := links.WriteRejected(path, format, rowsOf(nil, bad(cell)))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if other, ok := written[cell]; ok && other != at {
				t.Errorf("%s stands in both %s and %s", cell, other, at)
			}
			written[cell] = at
		})
	}
	writers.Wait()
	for cell, at := range written {
		wantPrivate(t, at, rejectedText(cell))
	}
	wantPrivate(t, path, "the user's\n")
	if got, want := names(t, folder), []string{"a.2.csv", "a.3.csv", "a.4.csv", "a.5.csv", "a.csv"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}
