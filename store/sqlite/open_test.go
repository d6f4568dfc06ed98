package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/sqlite"
)

func TestOpenMakesPrivateFiles(t *testing.T) {
	for _, umask := range []int{0, 0o077} {
		t.Run(fmt.Sprintf("umask %03o", umask), func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(umask))
			folder := filepath.Join(t.TempDir(), "state", "paylinks")
			if err := sqlite.MakeFolder(filepath.Join(folder, "ledger.db")); err != nil {
				t.Fatal(err)
			}
			l := openLedger(t, filepath.Join(folder, "ledger.db"))
			l.imported(newJob("a"), invoices(1)...)
			for name, want := range map[string]fs.FileMode{
				".": 0o700, "..": 0o700, "ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600, "ledger.db.lock": 0o600,
			} {
				info, err := os.Stat(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				if got := info.Mode().Perm(); got != want {
					t.Errorf("%s has mode %o, want %o", name, got, want)
				}
			}
		})
	}
}

// What a run sends from is told of where it is new: a ledger that a run was killed in keeps all in its -wal.
func TestIsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	is := func(want bool) {
		t.Helper()
		if got := sqlite.IsNew(path); got != want {
			t.Errorf("new: %v", got)
		}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	is(true)
	write(path, "")
	is(true)
	write(path+"-wal", "records")
	is(false)
	write(path+"-wal", "")
	write(path, "a ledger")
	is(false)
}

// A mistyped path, or a volume that is not mounted, must not become a new ledger.
func TestOpenMakesNoFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	_, err := sqlite.OpenToSend(filepath.Join(folder, "ledger.db"), "")
	var none *job.NoFolderError
	if !errors.As(err, &none) || none.Folder != folder {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder was made")
	}
}

func TestOpenTakesOthersRightsAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	openLedger(t, path)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}

func TestOpenAtAnyPath(t *testing.T) {
	for _, name := range []string{
		"with space.db", "what?.db", "a#b.db", "100%.db", "a%20b.db", "übung 発票.db", "a&b=c;d+e.db", "quote'\".db", "no extension", "back\\slash", ":memory:",
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
				t.Fatal(err)
			}
			l := openLedger(t, filepath.Join(folder, name, name))
			id := l.imported(newJob("a"), invoices(1)...).ID
			l.close()
			entries, _ := os.ReadDir(filepath.Join(folder, name))
			if len(entries) != 2 || entries[0].Name() != name || entries[1].Name() != name+".lock" {
				t.Errorf("the folder holds %v", entries)
			}
			openLedger(t, filepath.Join(folder, name, name)).state(id, job.Pending)
		})
	}
}

func TestOpenAtRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("state", 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.OpenToSend("state/ledger.db", "")
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := filepath.Abs("state/ledger.db"); s.Path() != want {
		t.Errorf("path %s, want %s", s.Path(), want)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	reader, err := sqlite.OpenToRead(t.Context(), "state/ledger.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFindsWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	want := l.imported(newJob("a"), invoices(2)...)
	l.close()
	for range 2 {
		l = openLedger(t, path)
		if got, err := l.Job(t.Context(), want.ID); err != nil || got.File != want.File {
			t.Errorf("job %+v, %v", got, err)
		}
		l.close()
	}
}

func TestCloseFoldsTheWALIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(100)...)
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the ledger has no WAL: %v", err)
	}
	l.close()
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", suffix, err)
		}
	}
	l = openLedger(t, path)
	l.want("SELECT count(*) FROM item", "100")
}

func TestCloseBesideAReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	for name, atWork := range map[string]bool{"idle": false, "at work": true} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.OpenToSend(path, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Import(newJob(name), good(invoices(100)...), false, at); err != nil {
				t.Fatal(err)
			}
			rows, err := rawDB(t, path, "ro").Query("SELECT id FROM item")
			if err != nil || !rows.Next() {
				t.Fatal(err)
			}
			if !atWork {
				_ = rows.Close()
			}
			before := time.Now()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(before); took > 3*time.Second {
				t.Errorf("it waited %s for the reader", took)
			}
			if info, err := os.Stat(path + "-wal"); !atWork && (err != nil || info.Size() > 0) {
				t.Errorf("the WAL is not folded in: %v", err)
			}
			_ = rows.Close()
			openLedger(t, path).want("SELECT state, count(*) FROM item WHERE job_id = (SELECT max(id) FROM job) GROUP BY 1", "pending|100")
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	database := func(script string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db := rawDB(t, path, "rwc")
			if _, err := db.Exec(script); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	ledgerThen := func(then func(t *testing.T, path string)) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			s, err := sqlite.OpenToSend(path, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Import(newJob("a"), good(invoices(50)...), false, at); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			then(t, path)
		}
	}
	notLedger := func(err error) bool { return errors.Is(err, job.ErrNotLedger) }
	for _, test := range []struct {
		name   string
		make   func(t *testing.T, path string)
		sender func(error) bool
		reader func(error) bool
	}{
		{"a short text", text("invoice_id,amount\n"), notLedger, notLedger},
		{"a long text", text(strings.Repeat("INV-1;10.00\n", 1000)), notLedger, notLedger},
		{"a folder", func(t *testing.T, path string) { _ = os.Mkdir(path, 0o755) }, notLedger, notLedger},
		{"a pipe", func(t *testing.T, path string) { _ = syscall.Mkfifo(path, 0o644) }, notLedger, notLedger},
		{"a socket", func(t *testing.T, path string) {
			listener, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
		}, notLedger, notLedger},
		{"a device", func(t *testing.T, path string) {
			const null = 1<<8 | 3
			if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, null); err != nil {
				_ = os.Symlink(os.DevNull, path) // only root makes devices; and nobody else could take this one's rights away
			}
		}, notLedger, notLedger},
		{"a link to a pipe", func(t *testing.T, path string) {
			_ = syscall.Mkfifo(path+".pipe", 0o644)
			_ = os.Symlink(path+".pipe", path)
		}, notLedger, notLedger},
		{"somebody's database", database("CREATE TABLE t (x); INSERT INTO t VALUES (1)"), notLedger, notLedger},
		{"somebody's database with a mark", database("PRAGMA application_id = 7; CREATE TABLE t (x)"), notLedger, notLedger},
		{"somebody's database without tables", database("PRAGMA user_version = 1"), notLedger, notLedger},
		{"somebody's database with many tables", database(manyTables()), notLedger, notLedger},
		{"a truncated ledger", ledgerThen(func(t *testing.T, path string) {
			if err := os.Truncate(path, 3*4096); err != nil {
				t.Fatal(err)
			}
		}), isError, isError},
		{"a newer ledger", ledgerThen(database("PRAGMA user_version = 1000")), newer, newer},
		{"an older ledger, by a reader", ledgerThen(database("PRAGMA user_version = 0")), nil, func(err error) bool {
			return errors.Is(err, fs.ErrNotExist)
		}},
		{"an empty file, by a reader", text(""), nil, func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
		{"no file, by a reader", func(*testing.T, string) {}, nil, func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "file.db")
			test.make(t, path)
			mode, _ := os.Stat(path)
			content := func() []byte { // of a regular file: reading a pipe would wait for a writer
				if mode == nil || !mode.Mode().IsRegular() {
					return nil
				}
				text, _ := os.ReadFile(path)
				return text
			}
			before := content()
			if _, err := sqlite.OpenToRead(t.Context(), path); err == nil || !test.reader(err) {
				t.Errorf("OpenToRead: %v", err)
			}
			if test.sender == nil {
				return
			}
			if _, err := sqlite.OpenToSend(path, ""); err == nil || !test.sender(err) {
				t.Errorf("OpenForSending: %v", err)
			} else if errors.Is(err, job.ErrNotLedger) {
				if locks, _ := filepath.Glob(filepath.Join(folder, "*.lock")); len(locks) > 0 {
					t.Errorf("there is a lock now: %v", locks)
				}
			}
			if after := content(); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			if now, _ := os.Stat(path); now.Mode() != mode.Mode() && test.name != "a newer ledger" && test.name != "a truncated ledger" {
				t.Errorf("its mode was %o and is %o", mode.Mode(), now.Mode())
			}
			for _, suffix := range []string{"-wal", "-journal"} {
				if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
					t.Errorf("there is a %s now", suffix)
				}
			}
			if s, err := sqlite.OpenToSend(filepath.Join(folder, "file.db"), ""); errors.As(err, new(*job.HeldError)) {
				t.Error("the lock was kept")
			} else if err == nil {
				_ = s.Close()
			}
		})
	}
}

// Two names of one file would be two ledgers to the lock.
func TestOpenRefusesHardLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.OpenToSend(path, "")
	if err == nil {
		err = errors.Join(s.Close(), os.Link(path, path+".other"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".other"} {
		if s, err := sqlite.OpenToSend(name, ""); err == nil || !strings.Contains(err.Error(), "2 names") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	reader, err := sqlite.OpenToRead(t.Context(), path)
	if err == nil {
		err = errors.Join(reader.Close(), os.Remove(path+".other"))
	}
	if err != nil {
		t.Fatal(err)
	}
	openLedger(t, path)
}

func isError(err error) bool { return err != nil }

func newer(err error) bool {
	var version *job.VersionError
	return errors.As(err, &version) && version.Found == 1000 && version.Known > 0
}

// manyTables fills more than a page with the schema.
func manyTables() string {
	var script strings.Builder
	for i := range 100 {
		fmt.Fprintf(&script, "CREATE TABLE t%d (a_rather_long_column_name, another_rather_long_column_name);\n", i)
	}
	return script.String()
}

func TestOpenEmptyFile(t *testing.T) {
	for name, script := range map[string]string{"no byte": "", "a database without anything": "PRAGMA journal_mode = WAL"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			db := rawDB(t, path, "rwc")
			if _, err := db.Exec(script); err != nil {
				t.Fatal(err)
			}
			_ = db.Close()
			openLedger(t, path).imported(newJob("a"), invoices(1)...)
		})
	}
}

func init() {
	helpers["hold"] = func(args []string) error {
		s, err := sqlite.OpenToSend(args[0], "process 4711, since noon")
		if err != nil {
			return err
		}
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return s.Close()
	}
	helpers["read"] = func(args []string) error {
		s, err := sqlite.OpenToRead(context.Background(), args[0])
		if err != nil {
			return err
		}
		tally, err := s.Tally(context.Background(), 1)
		if err != nil {
			return err
		}
		fmt.Println(tally.Rows(), tally.Items[job.Sending])
		return s.Close()
	}
	helpers["try to lock"] = func(args []string) error {
		file, err := os.OpenFile(args[0], os.O_RDWR, 0)
		if err != nil {
			return err
		}
		// The bytes that SQLite locks of a file that it reads.
		shared := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 0x40000002, Len: 510}
		if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &shared); err != nil {
			return err
		}
		fmt.Println(shared.Type != syscall.F_UNLCK)
		return nil
	}
}

func TestOneSender(t *testing.T) {
	wantHeld := func(t *testing.T, path, holder string) {
		t.Helper()
		before := time.Now()
		_, err := sqlite.OpenToSend(path, "me")
		var held *job.HeldError
		if !errors.As(err, &held) || held.Holder != holder {
			t.Errorf("error %v", err)
		}
		if took := time.Since(before); took > time.Second {
			t.Errorf("it took %s to say so", took)
		}
	}
	t.Run("in this process", func(t *testing.T) {
		l := newLedger(t)
		wantHeld(t, l.path, "the test")
	})
	t.Run("in another process", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		p := start(t, "hold", path)
		p.line()
		wantHeld(t, path, "process 4711, since noon")
		p.end()
		openLedger(t, path)
	})
	t.Run("by a linked name", func(t *testing.T) {
		l := newLedger(t)
		link := filepath.Join(t.TempDir(), "link.db")
		if err := os.Symlink(l.path, link); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, link, "the test")
	})
	t.Run("a killed one holds nothing", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		p := start(t, "hold", path)
		p.line()
		p.kill()
		openLedger(t, path)
	})
	t.Run("of different ledgers there may be two", func(t *testing.T) {
		newLedger(t)
		newLedger(t)
	})
}

func TestReadWhileAnotherSends(t *testing.T) {
	l := newLedger(t)
	j := l.imported(newJob("a"), invoices(3)...)
	l.begin(l.first(j.ID))
	p := start(t, "read", l.path)
	if got := p.line(); got != "3 1" {
		t.Errorf("the reader sees %s", got)
	}
	p.end()
}

// SQLite removes the WAL when the last connection ends, and knows of others by their locks on the file. Without ours,
// a person who looks into the ledger with the sqlite3 of their system takes the WAL of a run away when they leave.
func TestLedgerKeepsItsLocks(t *testing.T) {
	wantLocked := func(t *testing.T, path string) {
		t.Helper()
		p := start(t, "try to lock", path)
		if p.line() != "true" {
			t.Error("the file is not locked")
		}
		p.end()
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.OpenToSend(path, "")
	if err != nil {
		t.Fatal(err)
	}
	wantLocked(t, path)
	if _, err := sqlite.OpenToSend(path, ""); !errors.As(err, new(*job.HeldError)) {
		t.Errorf("a second one: %v", err)
	}
	wantLocked(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := sqlite.OpenToRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	wantLocked(t, path)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestGone(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"deleted":          os.Remove,
		"moved":            func(path string) error { return os.Rename(path, path+".old") },
		"its folder moved": func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
		"its -wal deleted": func(path string) error { return os.Remove(path + "-wal") },
		"replaced by another": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state", "ledger.db")
			if err := sqlite.MakeFolder(path); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.OpenToSend(path, "")
			if err != nil {
				t.Fatal(err)
			}
			l := &ledger{Ledger: s, t: t, path: path}
			j := l.imported(newJob("a"), invoices(2)...)
			items := l.open(j.ID)
			number := l.begin(items[0])
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			_, _, err = l.Begin(items[1], at, nil)
			wantError(t, err, job.ErrGone)
			wantError(t, l.End(items[0], number, ends[job.OutcomeCreated]), job.ErrGone)
			if open := l.open(j.ID); len(open) != 1 {
				t.Errorf("%d items are open, and only the one that was not sending should be", len(open))
			}
			_ = s.Close() // it may fail or not: what it holds is lost
		})
	}
}
