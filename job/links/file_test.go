package links_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"paylinks/job/links"
)

var (
	format = links.Format{Columns: []string{"id"}}
	one    = links.Row{Line: 2, Cells: []string{"INV-1"}, Status: "created"}
	whole  = "id," + strings.Join(ourNames, ",") + "\nINV-1,2,created,,,,,0,,\n"
)

// names lists a folder, hidden files too.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func contents(t *testing.T, path string) string {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
	must(t, os.Chmod(path, mode))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantPrivate checks promise 9: mode 0600, and the whole file.
func wantPrivate(t *testing.T, path, want string) {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode of %s is %v, want -rw-------", filepath.Base(path), info.Mode())
	}
	if got := contents(t, path); got != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(path), got, want)
	}
}

func wantFailure(t *testing.T, err error, path, cause string) {
	t.Helper()
	var asLinks *links.Error
	if !errors.As(err, &asLinks) {
		t.Fatalf("got %v, want a *links.Error", err)
	}
	if want := "write " + path + ": " + cause; err.Error() != want || asLinks.Path != path {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestWriteIsPrivateWhateverWasThere(t *testing.T) {
	for _, tt := range []struct {
		name  string
		umask int
		there fs.FileMode // 0: nothing
	}{
		{"nothing, umask 000", 0, 0},
		{"nothing, umask 022", 0o022, 0},
		{"nothing, umask 077", 0o077, 0},
		{"nothing, umask 277", 0o277, 0},
		{"readable by all", 0o022, 0o644},
		{"writable by all", 0, 0o666},
		{"read-only", 0o022, 0o400},
		{"executable", 0o022, 0o755},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.links.csv")
			if tt.there != 0 {
				put(t, path, "older", tt.there)
			}
			defer syscall.Umask(syscall.Umask(tt.umask))
			watched := func(yield func(links.Row, error) bool) {
				for _, name := range names(t, filepath.Dir(path)) {
					info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
					must(t, err)
					if name != filepath.Base(path) && (name[0] != '.' || info.Mode() != 0o600) {
						t.Errorf("temporary file %s has mode %v", name, info.Mode())
					}
				}
				yield(one, nil)
			}
			must(t, links.Write(path, format, watched))
			wantPrivate(t, path, whole)
			if got := names(t, filepath.Dir(path)); len(got) != 1 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

func TestWriteHalfWayLeavesNothing(t *testing.T) {
	ledger := errors.New("ledger: disk I/O error")
	big := make([]links.Row, 5000) // far more than is buffered
	for i := range big {
		big[i] = one
	}
	for _, tt := range []struct {
		name  string
		there string
		end   func()
	}{
		{"an error, nothing there", "", nil},
		{"an error, older file there", "older", nil},
		{"a panic", "older", func() { panic("bug") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.links.csv")
			var want []string
			if tt.there != "" {
				put(t, path, tt.there, 0o600)
				want = []string{"a.links.csv"}
			}
			rows := func(yield func(links.Row, error) bool) {
				for row := range rowsOf(nil, big...) {
					yield(row, nil)
				}
				if tt.end != nil {
					tt.end()
				}
				yield(links.Row{}, ledger)
			}
			func() {
				defer func() { recover() }()
				if err := links.Write(path, format, rows); err != ledger {
					t.Errorf("got %v, want the ledger's error as it was", err)
				}
			}()
			if got := names(t, filepath.Dir(path)); !slices.Equal(got, want) {
				t.Errorf("the folder holds %q, want %q", got, want)
			}
			if tt.there != "" {
				wantPrivate(t, path, tt.there)
			}
		})
	}
}

func TestWriteThroughSymlinks(t *testing.T) {
	for _, tt := range []struct{ name, link, dest string }{
		{"to a file", "elsewhere/real.csv", "elsewhere/real.csv"},
		{"to no file yet", "elsewhere/new.csv", "elsewhere/new.csv"},
		{"to another link", "second.csv", "elsewhere/real.csv"},
		{"up from a linked folder", "deep/../beside.csv", "elsewhere/beside.csv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			at := func(name string) string { return filepath.Join(folder, name) }
			must(t, os.MkdirAll(at("elsewhere/inner"), 0o700))
			put(t, at("elsewhere/real.csv"), "older", 0o644)
			must(t, os.Symlink("elsewhere/real.csv", at("second.csv")))
			must(t, os.Symlink("elsewhere/inner", at("deep")))
			must(t, os.Symlink(tt.link, at("a.csv")))
			must(t, links.Try(at("a.csv")))
			must(t, links.Write(at("a.csv"), format, rowsOf(nil, one)))
			wantPrivate(t, at(tt.dest), whole)
			if kept, err := os.Readlink(at("a.csv")); err != nil || kept != tt.link {
				t.Errorf("the link is %q, %v, want %q", kept, err, tt.link)
			}
		})
	}
}

func TestWriteIntoPipe(t *testing.T) {
	for _, through := range []string{"pipe", "link"} {
		t.Run(through, func(t *testing.T) {
			folder := t.TempDir()
			must(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o640))
			must(t, os.Symlink("pipe", filepath.Join(folder, "link")))
			path := filepath.Join(folder, through)
			got := make(chan string)
			go func() {
				text, _ := os.ReadFile(path)
				got <- string(text)
			}()
			must(t, links.Try(path)) // must not end what the reader reads
			must(t, links.Write(path, format, rowsOf(nil, one)))
			if text := <-got; text != whole {
				t.Errorf("the reader got %q, want %q", text, whole)
			}
			info, err := os.Lstat(filepath.Join(folder, "pipe"))
			must(t, err)
			if info.Mode() != fs.ModeNamedPipe|0o640 {
				t.Errorf("the pipe has become %v", info.Mode())
			}
		})
	}
}

func TestPipeWithoutReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(path, 0o600))
	synctest.Test(t, func(t *testing.T) {
		wantFailure(t, links.Write(path, format, rowsOf(nil, one)), path, "nobody reads from this pipe: waited 10s for it")
	})
}

// A reader may come later than the writer.
func TestPipeWithLateReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(path, 0o600))
	synctest.Test(t, func(t *testing.T) {
		done := make(chan error)
		go func() { done <- links.Write(path, format, rowsOf(nil, one)) }()
		synctest.Wait() // it has found no reader, and waits for one
		reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		must(t, err)
		defer reader.Close()
		must(t, <-done)
		if got, err := io.ReadAll(reader); err != nil || string(got) != whole {
			t.Errorf("the reader got %q, want %q; %v", got, whole, err)
		}
	})
}

func TestWriteIntoOpenDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redirected.csv")
	put(t, path, "kept\n", 0o644)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	defer f.Close()
	descriptor := filepath.Join("/dev/fd", strconv.Itoa(int(f.Fd())))
	must(t, links.Try(descriptor))
	must(t, links.Write(descriptor, format, rowsOf(nil, one)))
	if got := contents(t, path); got != "kept\n"+whole {
		t.Errorf("the file holds %q", got)
	}
}

// TestRefusedPlaces: Try says before the first send what Write would say after it.
func TestRefusedPlaces(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.Mkdir(at("folder.csv"), 0o700))
	put(t, at("file"), "", 0o600)
	must(t, os.Symlink("missing/a.csv", at("dangling.csv")))
	must(t, os.Symlink("loop.csv", at("loop.csv")))
	must(t, os.Symlink("folder.csv", at("tofolder.csv")))
	socket, err := net.Listen("unix", at("socket"))
	must(t, err)
	defer socket.Close()
	before := names(t, folder)
	for _, tt := range []struct{ name, path, cause string }{
		{"no folder", at("missing/a.csv"), "there is no folder " + at("missing")},
		{"a link into no folder", at("dangling.csv"), "there is no folder " + at("missing")},
		{"a folder", at("folder.csv"), "it is a folder"},
		{"a folder with a slash", at("folder.csv") + "/", "it is a folder"},
		{"a link to a folder", at("tofolder.csv"), "it is a folder"},
		{"a file for a folder", at("file/a.csv"), "not a directory"},
		{"a link to itself", at("loop.csv"), "too many symbolic links"},
		{"a socket", at("socket"), "it is a socket"},
		{"a name too long", at(strings.Repeat("x", 300)), "file name too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantFailure(t, links.Try(tt.path), tt.path, tt.cause)
			wantFailure(t, links.Write(tt.path, format, rowsOf(nil, one)), tt.path, tt.cause)
			if after := names(t, folder); !slices.Equal(before, after) {
				t.Errorf("the folder holds %q, want %q", after, before)
			}
		})
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	folder := t.TempDir()
	must(t, os.Chmod(filepath.Dir(folder), 0o755))
	must(t, os.Chmod(folder, 0o555))
	path := filepath.Join(folder, "a.csv")
	asNobody(t, func() {
		wantFailure(t, links.Try(path), path, "permission denied")
		wantFailure(t, links.Write(path, format, rowsOf(nil, one)), path, "permission denied")
		_, err := links.WriteRejected(path, format, rowsOf(nil, links.Rejected{}))
		wantFailure(t, err, path, "permission denied")
	})
}

// asNobody gives up root's power to write anywhere, if the tests have it.
func asNobody(t *testing.T, body func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		must(t, syscall.Seteuid(65534))
		defer syscall.Seteuid(0)
	}
	body()
}

func TestTryLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	must(t, links.Try(path))
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
	put(t, path, "older", 0o640)
	must(t, links.Try(path))
	info, err := os.Stat(path)
	must(t, err)
	if got := contents(t, path); got != "older" || info.Mode() != 0o640 {
		t.Errorf("the file is now %v, %q", info.Mode(), got)
	}
}

func TestTryWithRelativeName(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, links.Try("a.csv"))
	must(t, links.Write("a.csv", format, rowsOf(nil, one)))
	wantPrivate(t, "a.csv", whole)
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ input, stem string }{
		{"invoices.csv", "invoices"},
		{"in/march.2026.csv", "in/march.2026"},
		{"/data/invoices", "/data/invoices"},
		{"old.d/invoices", "old.d/invoices"},
		{"export.TXT", "export"},
		{".csv", ".csv"},
		{"in/.csv", "in/.csv"},
		{"invoices.rejected.2.csv", "invoices.rejected.2"},
		{"export.20261124", "export.20261124"},
		{"in/export.20261125", "in/export.20261125"},
		{"export.2026-11-24.CSV", "export.2026-11-24"},
		{"list.Tsv", "list"},
		{"list.tab", "list"},
		{"list.dat", "list.dat"},
		{"export.csv.1", "export.csv.1"},
	} {
		t.Run(tt.input, func(t *testing.T) {
			if got, want := links.DefaultPath(tt.input), tt.stem+".links.csv"; got != want {
				t.Errorf("links file: got %s, want %s", got, want)
			}
			if got, want := links.RejectedPath(tt.input), tt.stem+".rejected.csv"; got != want {
				t.Errorf("rejected file: got %s, want %s", got, want)
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.csv")
	rows := func(yield func(links.Row, error) bool) {
		for b.Loop() {
			if !yield(typical, nil) {
				return
			}
		}
	}
	if err := links.Write(path, typicalFormat, rows); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
