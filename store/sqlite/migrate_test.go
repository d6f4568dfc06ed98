package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"paylinks/job"
	"paylinks/store/sqlite"
)

// halfWay is a migration that fails, or ends the process, after it has done something.
const halfWay = `
	CREATE TABLE half (x);
	UPDATE job SET file = 'changed';
	DROP INDEX item_open;
	SELECT die();
`

func init() {
	helpers["die in a migration"] = func(args []string) error {
		db, err := sql.Open("sqlite3", "")
		if err != nil {
			return err
		}
		db.Driver().(*sqlite3.SQLiteDriver).ConnectHook = func(conn *sqlite3.SQLiteConn) error {
			return conn.RegisterFunc("die", func() int {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}, false)
		}
		sqlite.AddMigration(halfWay)
		fmt.Println("migrating")
		_, err = sqlite.OpenToSend(args[0], "")
		return errors.Join(errors.New("it has not died"), err)
	}
}

func TestInterruptedMigrationLeavesTheVersionBefore(t *testing.T) {
	for name, interrupt := range map[string]func(t *testing.T, path string){
		"a statement fails": func(t *testing.T, path string) {
			defer sqlite.AddMigration(halfWay)()
			if s, err := sqlite.OpenToSend(path, ""); err == nil {
				_ = s.Close()
				t.Fatal("the migration went through")
			}
		},
		"the process is killed": func(t *testing.T, path string) {
			p := start(t, "die in a migration", path)
			p.line()
			p.rest()
			if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
				t.Fatalf("it was not killed: %v: %s", p.cmd.ProcessState, p.err.String())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := openLedger(t, path)
			l.imported(newJob("a"), invoices(3)...)
			l.close()
			interrupt(t, path)
			l = openLedger(t, path)
			l.want("SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'item_open')", "1")
			l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(len(sqlite.Migrations())))
			l.want("SELECT file FROM job", "/files/a.csv")
		})
	}
}

func TestInterruptedFirstMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	undo := sqlite.AddMigration(halfWay)
	s, err := sqlite.OpenToSend(path, "")
	undo()
	if err == nil {
		_ = s.Close()
		t.Fatal("the migration went through")
	}
	if errors.Is(err, job.ErrNotUpdated) {
		t.Errorf("a new ledger is said to be an older one: %v", err)
	}
	openLedger(t, path).imported(newJob("a"), invoices(1)...)
}

func TestMigrationRunsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(3)...)
	l.close()
	defer sqlite.AddMigration("CREATE TABLE added (x); INSERT INTO added VALUES (1);")()

	for range 2 {
		l = openLedger(t, path)
		l.want("SELECT count(*) FROM added", "1")
		l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(len(sqlite.Migrations())))
		l.want("SELECT count(*) FROM item", "3")
		l.close()
	}
}

// wantReadable opens the ledger to read, and wants its one job.
func wantReadable(t *testing.T, path string) {
	t.Helper()
	reader, err := sqlite.OpenToRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if jobs, err := reader.Jobs(t.Context()); err != nil || len(jobs) != 1 {
		t.Errorf("%v, %v", jobs, err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

// Readers always work, also those of a newer paylinks: but beside a run of the older one they cannot.
func TestReaderOfAnOlderLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(3)...)
	known := len(sqlite.Migrations())
	undo := sqlite.AddMigration("CREATE TABLE added (x)")
	defer undo()
	_, err := sqlite.OpenToRead(t.Context(), path)
	var version *job.VersionError
	if !errors.As(err, &version) || *version != (job.VersionError{Found: known, Known: known + 1}) {
		t.Errorf("beside a run: %v", err)
	}
	l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(known))
	l.close()
	for range 2 {
		wantReadable(t, path)
	}
	openLedger(t, path).want("SELECT user_version FROM pragma_user_version", fmt.Sprint(known+1))
}

// Why a ledger cannot be brought up to date is said, also to who only wants to read it.
func TestReaderOfALedgerThatCannotBeBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	openLedger(t, path).close()
	defer sqlite.AddMigration(halfWay)()
	_, err := sqlite.OpenToRead(t.Context(), path)
	var version *job.VersionError
	if !errors.Is(err, job.ErrNotUpdated) || !strings.Contains(err.Error(), "no such function: die") || errors.As(err, &version) {
		t.Errorf("the error is %v", err)
	}
}

// Something that fails behind the update is no reason why the ledger could not be read.
func TestReaderOfALedgerThatIsUpToDateButCannotBeSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(1)...)
	l.close()
	// An attempt that no run could have made: it has no first one before it.
	defer sqlite.AddMigration("INSERT INTO attempt (item_id, number, sent_at) VALUES (1, 7, '')")()
	wantReadable(t, path)
	if _, err := sqlite.OpenToSend(path, ""); !errors.Is(err, job.ErrMoved) || errors.Is(err, job.ErrNotUpdated) {
		t.Errorf("to send: %v", err)
	}
}

// A ledger whose tables are others than its version says is left as it is: the step to the next schema would put new
// names on its columns.
func TestUnknownSchema(t *testing.T) {
	first, err := os.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	raw := rawDB(t, path, "rwc")
	early := strings.Replace(string(first), "    checked_at   TEXT", "    found_unpaid TEXT NOT NULL DEFAULT '',\n    checked_at   TEXT", 1)
	if _, err := raw.Exec(early + "; PRAGMA application_id = 1886154347; PRAGMA user_version = 1"); err != nil || early == string(first) {
		t.Fatal(err)
	}
	_ = raw.Close()
	if _, err := sqlite.OpenToSend(path, ""); !errors.Is(err, job.ErrUnknownSchema) {
		t.Errorf("a sender: %v", err)
	}
	defer sqlite.AddMigration("CREATE TABLE added (x)")()
	if _, err := sqlite.OpenToRead(t.Context(), path); !errors.Is(err, job.ErrUnknownSchema) {
		t.Errorf("a reader: %v", err)
	}
	l := &ledger{t: t, raw: rawDB(t, path, "ro")}
	l.want("SELECT user_version FROM pragma_user_version", "1")
	l.want("SELECT count(*) FROM sqlite_schema WHERE name = 'added'", "0")
}

// A ledger in use has been through these very steps: a released one is never edited, only followed by another.
func TestMigrationsAreNumbered(t *testing.T) {
	names, err := filepath.Glob("migrations/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if want := fmt.Sprintf("%04d_", i+1); filepath.Ext(name) != ".sql" || filepath.Base(name)[:5] != want {
			t.Errorf("%s: its name should begin with %s and end with .sql", name, want)
		}
	}
	l := newLedger(t)
	l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(len(names)))
	l.want("SELECT application_id FROM pragma_application_id", fmt.Sprint(0x706c6e6b))
}

func TestPragmas(t *testing.T) {
	l := newLedger(t)
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "cache_size": "-8000",
		"journal_size_limit": "8388608",
	} {
		if got, err := l.Pragma(name); err != nil || got != want {
			t.Errorf("PRAGMA %s is %s, %v; want %s", name, got, err, want)
		}
	}
}
