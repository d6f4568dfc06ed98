package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"paylinks/store"
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
		store.AddMigration(halfWay)
		fmt.Println("migrating")
		_, err = store.OpenForSending(args[0], "")
		return errors.Join(errors.New("it has not died"), err)
	}
}

func TestInterruptedMigrationLeavesTheVersionBefore(t *testing.T) {
	for name, interrupt := range map[string]func(t *testing.T, path string){
		"a statement fails": func(t *testing.T, path string) {
			defer store.AddMigration(halfWay)()
			if s, err := store.OpenForSending(path, ""); err == nil {
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
			l.want("SELECT user_version FROM pragma_user_version", "1")
			l.want("SELECT file FROM job", "/files/a.csv")
		})
	}
}

func TestInterruptedFirstMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	undo := store.AddMigration(halfWay)
	s, err := store.OpenForSending(path, "")
	undo()
	if err == nil {
		_ = s.Close()
		t.Fatal("the migration went through")
	}
	openLedger(t, path).imported(newJob("a"), invoices(1)...)
}

func TestMigrationRunsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(3)...)
	l.close()
	defer store.AddMigration("CREATE TABLE added (x); INSERT INTO added VALUES (1);")()

	_, err := store.OpenToRead(t.Context(), path)
	var version *store.VersionError
	if !errors.As(err, &version) || *version != (store.VersionError{Found: 1, Known: 2}) {
		t.Errorf("the reader of an older ledger: %v", err)
	}
	for range 2 {
		l = openLedger(t, path)
		l.want("SELECT count(*) FROM added", "1")
		l.want("SELECT user_version FROM pragma_user_version", "2")
		l.want("SELECT count(*) FROM item", "3")
		l.close()
	}
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
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "cache_size": "-16000",
	} {
		if got, err := l.Pragma(name); err != nil || got != want {
			t.Errorf("PRAGMA %s is %s, %v; want %s", name, got, err, want)
		}
	}
}
