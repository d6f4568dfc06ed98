package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"paylinks/job"
	"paylinks/store"
)

// halfWay is a migration that fails, or ends the process, after it has done something.
const halfWay = `
	CREATE TABLE half (x);
	UPDATE job SET file = 'changed';
	DROP INDEX standing_open;
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
			l.want("SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'standing_open')", "1")
			l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(len(store.Migrations())))
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
	if errors.Is(err, store.ErrNotUpdated) {
		t.Errorf("a new ledger is said to be an older one: %v", err)
	}
	openLedger(t, path).imported(newJob("a"), invoices(1)...)
}

func TestMigrationRunsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(3)...)
	l.close()
	defer store.AddMigration("CREATE TABLE added (x); INSERT INTO added VALUES (1);")()

	for range 2 {
		l = openLedger(t, path)
		l.want("SELECT count(*) FROM added", "1")
		l.want("SELECT user_version FROM pragma_user_version", fmt.Sprint(len(store.Migrations())))
		l.want("SELECT count(*) FROM item", "3")
		l.close()
	}
}

// wantReadable opens the ledger to read, and wants its one job.
func wantReadable(t *testing.T, path string) {
	t.Helper()
	reader, err := store.OpenToRead(t.Context(), path)
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
	known := len(store.Migrations())
	undo := store.AddMigration("CREATE TABLE added (x)")
	defer undo()
	_, err := store.OpenToRead(t.Context(), path)
	var version *store.VersionError
	if !errors.As(err, &version) || *version != (store.VersionError{Found: known, Known: known + 1}) {
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
	defer store.AddMigration(halfWay)()
	_, err := store.OpenToRead(t.Context(), path)
	var version *store.VersionError
	if !errors.Is(err, store.ErrNotUpdated) || !strings.Contains(err.Error(), "no such function: die") || errors.As(err, &version) {
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
	defer store.AddMigration("DELETE FROM fresh; INSERT INTO intent (item_id, number, sent_at) VALUES (1, 7, '')")()
	wantReadable(t, path)
	if _, err := store.OpenForSending(path, ""); !errors.Is(err, job.ErrMoved) || errors.Is(err, store.ErrNotUpdated) {
		t.Errorf("to send: %v", err)
	}
}

// A ledger of the first schema keeps all that it holds, and its constraints.
func TestMigrationFromTheFirstSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := os.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	raw := rawDB(t, path, "rwc")
	link, open, repeated, sending := invoice(2, "INV-1"), invoice(3, "INV-2"), invoice(4, "INV-3"), invoice(5, "INV-5")
	for _, text := range []string{string(first), fmt.Sprintf(`
		PRAGMA application_id = %d;
		PRAGMA user_version = 1;
		INSERT INTO job (
			id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, created_at, first_item, last_item
		)
		VALUES (1, zeroblob(32), 'old.csv', zeroblob(32), 'sandbox', 'https://clink.test/api', '{}', '["id"]', ',', 'retry', 0, 0, 0, 'o', '2026-01-01T00:00:00.000Z', 1, 5);
		INSERT INTO item (id, job_id, row, state, invoice, invoice_id, reference, currency, amount, request, cells, session_id, url, created_at)
		VALUES
			(1, 1, 2, 'created', x'%x', 'INV-1', 'INV-1', 'USD', 100000, '{}', '["INV-1"]', 'sess_1', 'https://a.test', '2026-01-01T00:00:00.000Z'),
			(2, 1, 3, 'pending', x'%x', 'INV-2', 'INV-2', 'USD', 100000, '{}', '["INV-2"]', '', '', ''),
			(3, 1, 4, 'superseded', x'%x', 'INV-3', 'INV-3', 'USD', 100000, '{}', '["INV-3"]', '', '', ''),
			(4, 1, 5, 'invalid', NULL, '', '', '', 0, '', '["?"]', '', '', ''),
			(5, 1, 6, 'sending', x'%x', 'INV-5', 'INV-5', 'USD', 100000, '{}', '["INV-5"]', '', '', '');
		UPDATE item SET attempts = 1 WHERE id IN (1, 5);
		INSERT INTO attempt (item_id, number, sent_at, ended_at, outcome, session_id)
		VALUES (1, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', 'created', 'sess_1');
		INSERT INTO attempt (item_id, number, sent_at) VALUES (5, 1, '2026-01-01T00:00:00.000Z');
		INSERT INTO item_tally VALUES (1, 'sending', 'USD', 1, 0, 100000), (1, 'created', 'USD', 1, 0, 100000), (1, 'pending', 'USD', 1, 0, 100000),
			(1, 'superseded', 'USD', 1, 0, 100000), (1, 'invalid', '', 1, 0, 0);
		INSERT INTO attempt_tally VALUES (1, 'created', 1), (1, '', 1);
	`, 0x706c6e6b, link.Invoice, open.Invoice, repeated.Invoice, sending.Invoice)} {
		if _, err := raw.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	_ = raw.Close()

	l := openLedger(t, path)
	for _, line := range l.query("SELECT name, sql FROM sqlite_schema WHERE name IN ('input', 'standing', 'past_attempt', 'standing_open')") {
		if list := regexp.MustCompile(`IN \([^)]*,[^)]*,`).FindString(line); list != "" {
			t.Errorf("a list that costs a temporary table: %s", list)
		}
	}
	if results := l.results(1); len(results) != 5 || results[0].URL != "https://a.test" || results[3].State != job.Invalid ||
		results[4].State != job.Unknown || results[4].Attempts != 1 || l.Crashed() != 1 {
		t.Errorf("its rows are %+v", results)
	}
	if _, err := l.Import(newJob("b"), good(other(link)), false, at); err == nil {
		t.Error("its link does not claim its invoice")
	}
	l.imported(newJob("c"), link, open, repeated)
	l.want("SELECT job_id, row, state FROM item WHERE invoice IS NOT NULL ORDER BY id",
		"1|2|created", "1|3|superseded", "1|4|superseded", "1|6|unknown", "2|2|duplicate", "2|3|pending", "2|4|pending")
	for _, text := range []string{
		"UPDATE standing SET state = 'paid' WHERE item_id = 2", "UPDATE standing SET link_status = 'gone', checked_at = 'x' WHERE item_id = 1",
		"UPDATE past_attempt SET outcome = 'good'",
	} {
		if _, err := l.raw.Exec(text); err == nil {
			t.Errorf("it let this through: %s", text)
		}
	}
}

// The third step takes items and attempts apart: put together by the views, not a value of them has changed, and each item
// is in the one table that says how it goes on.
func TestMigrationFromTheSecondSchema(t *testing.T) {
	raw := rawDB(t, filepath.Join(t.TempDir(), "ledger.db"), "rwc")
	l := &ledger{t: t, raw: raw}
	run := func(text string) {
		t.Helper()
		if _, err := raw.Exec("BEGIN;" + text + ";COMMIT"); err != nil {
			t.Fatal(err)
		}
	}
	run(store.Migrations()[0])
	run(store.Migrations()[1])
	run(`
		INSERT INTO job (
			id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, created_at, first_item, last_item
		)
		VALUES (1, zeroblob(32), 'old.csv', zeroblob(32), 'sandbox', 'https://clink.test/api', '{}', '["id"]', ',', 'retry', 0, 0, 0, 'o', '2026', 1, 15);
		WITH these (id, state, attempts, unknown_ends, session_id, url, link_status, checked_at, error_code, error) AS (VALUES
			(1, 'pending', 0, 0, '', '', '', '', '', ''),
			(2, 'pending', 0, 0, '', '', '', '', '', ''),                    -- on its way
			(3, 'pending', 0, 0, '', '', '', '', 'held', 'behind a doubt'),
			(4, 'pending', 1, 0, '', '', '', '', '', 'no connection'),
			(5, 'pending', 2, 0, '', '', '', '', '', ''),                    -- retried
			(6, 'pending', 1, 1, '', '', '', '', '', ''),
			(7, 'unknown', 2, 2, '', '', '', '', 'unknown', 'timeout'),
			(8, 'unknown', 1, 1, '', '', '', '', 'unknown', 'timeout'),      -- on its way again
			(9, 'created', 1, 0, 'sess_9', 'https://a.test/9', '', '', '', 'no expiry'),
			(10, 'created', 3, 1, 'sess_10', 'https://a.test/10', 'paid', '2026', '', ''),
			(11, 'duplicate', 0, 0, 'sess_9', 'https://a.test/9', '', '', '', 'link of job 1'),
			(12, 'failed', 1, 0, 'sess_12', '', '', '', 'mismatch', 'another amount'),
			(13, 'invalid', 0, 0, '', '', '', '', 'invalid', 'no amount'),
			(14, 'superseded', 1, 1, '', '', '', '', '', 'taken over by job 2'),
			(15, 'created', 2, 0, 'sess_15', '', 'open', '2026', '', '')     -- reissued
		)
		INSERT INTO item
		SELECT id, 1, id + 1, state, iif(state = 'invalid', NULL, randomblob(16)), 'INV-' || id, 'INV-' || id, 'USD', id, '{}', '["' || id || '"]',
			attempts, unknown_ends, session_id, url, iif(url = '', '', '2027'), iif(session_id = '', '', '2026-' || id), link_status,
			checked_at, error_code, error
		FROM these;
		INSERT INTO attempt (item_id, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced) VALUES
			(2, 1, 's', '', '', 0, '', '', '', ''),
			(4, 1, 's', 'e', 'not_sent', 0, '', 'no connection', '', ''),
			(5, 1, 's', 'e', 'rejected', 400, '1', 'no', '', ''),
			(5, 2, 's', 'e', 'mismatch', 200, 'mismatch', 'another amount', 'sess_5', ''),
			(6, 1, 's', 'e', 'unknown', 0, 'unknown', 'timeout', '', ''),
			(7, 1, 's', 'e', 'unknown', 500, 'unknown', 'timeout', '', ''),
			(7, 2, 's', 'e', 'unknown', 0, 'unknown', 'timeout', '', ''),
			(8, 1, 's', 'e', 'unknown', 0, 'unknown', 'timeout', '', ''),
			(8, 2, 's', '', '', 0, '', '', '', ''),
			(9, 1, 's9', '2026-9', 'created', 200, '', 'no expiry', 'sess_9', ''),
			(10, 1, 's', 'e', 'throttled', 429, '', '', '', ''),
			(10, 2, 's', 'e', 'unknown', 0, 'unknown', 'timeout', '', ''),
			(10, 3, 's10', '2026-10', 'created', 200, '', '', 'sess_10', ''),
			(12, 1, 's', 'e', 'mismatch', 200, 'mismatch', 'another amount', 'sess_12', ''),
			(14, 1, 's', 'e', 'unknown', 0, 'unknown', 'timeout', '', ''),
			(15, 1, 's', 'e', 'created', 200, '', '', 'sess_1', '2026-15'),
			(15, 2, 's15', '2026-15', 'created', 200, '', '', 'sess_15', '');
	`)
	items, attempts := l.query("SELECT * FROM item ORDER BY id"), l.query("SELECT * FROM attempt ORDER BY 1, 2")
	run(store.Migrations()[2])
	l.want("SELECT * FROM item ORDER BY id", items...)
	l.want("SELECT * FROM attempt ORDER BY 1, 2", attempts...)
	l.want("SELECT item_id FROM fresh", "1")
	l.want("SELECT * FROM intent", "2|1|s", "8|2|s")
	l.want("SELECT group_concat(item_id) FROM standing", "3,4,5,6,7,8,9,10,11,12,13,14,15")
	l.want("SELECT item_id, sent_at FROM standing WHERE sent_at <> ''", "9|s9", "10|s10", "15|s15")
	l.want("SELECT count(*), count(replaced) FILTER (WHERE replaced <> '') FROM past_attempt", "12|1")
	l.want("SELECT name FROM sqlite_schema WHERE name LIKE '%old%'")
	l.want("PRAGMA foreign_key_check")
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
	if _, err := store.OpenForSending(path, ""); !errors.Is(err, store.ErrUnknownSchema) {
		t.Errorf("a sender: %v", err)
	}
	if _, err := store.OpenToRead(t.Context(), path); !errors.Is(err, store.ErrUnknownSchema) {
		t.Errorf("a reader: %v", err)
	}
	l := &ledger{t: t, raw: rawDB(t, path, "ro")}
	l.want("SELECT user_version FROM pragma_user_version", "1")
	l.want("SELECT count(*) FROM sqlite_schema WHERE name = 'claim'", "0")
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
