package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"paylinks/job"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// made makes an empty ledger, and opens it to read.
func made(t *testing.T, name string) *postgres.Reader {
	t.Helper()
	if err := postgres.BringUpToDate(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return opened(t, name)
}

func opened(t *testing.T, name string) *postgres.Reader {
	t.Helper()
	r, err := postgres.OpenToRead(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// run runs statements in which tables stand in braces.
func run(t *testing.T, r *postgres.Reader, statements ...string) {
	t.Helper()
	if err := r.Exec(t.Context(), statements...); err != nil {
		t.Fatal(err)
	}
}

// want checks what a query finds.
func want(t *testing.T, r *postgres.Reader, query string, want ...string) {
	t.Helper()
	got, err := r.Column(t.Context(), query)
	if err != nil || strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("%s: %q, %v; want %q", query, got, err, want)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error: %v\n want: %v", err, want)
	}
}

func TestNewLedger(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	isNew := func(want bool) {
		t.Helper()
		if got, err := postgres.IsNew(t.Context(), name); got != want || err != nil {
			t.Errorf("new: %t, %v", got, err)
		}
	}
	isNew(true)
	_, err := postgres.OpenToRead(t.Context(), name)
	wantError(t, err, fs.ErrNotExist)
	r := made(t, name)
	isNew(false)
	if jobs, err := r.Jobs(t.Context()); err != nil || len(jobs) != 0 {
		t.Errorf("jobs %v, %v", jobs, err)
	}
	want(t, r, `SELECT version::text FROM {ledger}`, fmt.Sprint(postgres.Versions()))
	want(t, r, `SELECT (length(id) = 36 AND system_id <> '' AND length(timeline) = 8)::text FROM {ledger}`, "true")
	id, err := r.Column(t.Context(), `SELECT id FROM {ledger}`)
	if err != nil {
		t.Fatal(err)
	}
	made(t, name)
	want(t, r, `SELECT id FROM {ledger}`, id...)
}

// Every table that stands in braces in a statement is one of the schema's, and the other way round.
func TestTablesAreThoseOfTheSchema(t *testing.T) {
	r := made(t, pgtest.Shared(t).Ledger(t))
	want(t, r, `
		SELECT count(*)::text
		FROM pg_class
		WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = '{ledger}'::regclass)
			AND relkind = 'r'
	`, fmt.Sprint(len(postgres.Tables())))
	for _, table := range postgres.Tables() {
		run(t, r, `SELECT FROM {`+table+`}`)
	}
}

func TestLedgerIsMadeOnce(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if err := postgres.BringUpToDate(t.Context(), name); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, opened(t, name), `SELECT count(*)::text FROM {ledger}`, "1")
}

func TestSchemaOfOthersIsLeftAlone(t *testing.T) {
	s := pgtest.Shared(t)
	ours := made(t, s.Ledger(t))
	for what, test := range map[string]struct {
		make string
		want error // of opening to read; that of opening to send is the same, but for an empty schema
	}{
		"empty":              {``, fs.ErrNotExist},
		"a table":            {`CREATE TABLE %s.invoice (n bigint)`, job.ErrNotLedger},
		"a view":             {`CREATE VIEW %s.ledger AS SELECT 1 AS version`, job.ErrNotLedger},
		"a table like ours":  {`CREATE TABLE %s.ledger (version integer)`, job.ErrNotLedger},
		"tables named alike": {namedAlike(), job.ErrNotLedger},
	} {
		t.Run(what, func(t *testing.T) {
			name := s.Ledger(t)
			_, schema, _ := strings.Cut(name, "schema=")
			run(t, ours, `CREATE SCHEMA `+schema)
			if test.make != "" {
				run(t, ours, strings.Split(strings.ReplaceAll(test.make, "%s", schema), ";")...)
			}
			_, err := postgres.OpenToRead(t.Context(), name)
			wantError(t, err, test.want)
			if test.want == fs.ErrNotExist {
				made(t, name)
				return
			}
			before := relations(t, ours, schema)
			wantError(t, postgres.BringUpToDate(t.Context(), name), job.ErrNotLedger)
			if _, err := postgres.IsNew(t.Context(), name); !errors.Is(err, job.ErrNotLedger) {
				t.Errorf("new: %v", err)
			}
			if after := relations(t, ours, schema); after != before {
				t.Errorf("the schema had %s, and has %s", before, after)
			}
		})
	}
}

// namedAlike makes tables with the names of ours.
func namedAlike() string {
	var statements []string
	for _, table := range postgres.Tables() {
		statements = append(statements, `CREATE TABLE %s.`+table+` (n bigint)`)
	}
	return strings.Join(statements, ";")
}

func relations(t *testing.T, r *postgres.Reader, schema string) string {
	t.Helper()
	names, err := r.Column(t.Context(), `SELECT relname::text FROM pg_class WHERE relnamespace = '`+schema+`'::regnamespace ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, ",")
}

func TestNewerLedgerIsRefused(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	r := made(t, name)
	run(t, r, `UPDATE {ledger} SET version = version + 1`)
	for what, open := range map[string]func() error{
		"to send": func() error { return postgres.BringUpToDate(t.Context(), name) },
		"to read": func() error {
			_, err := postgres.OpenToRead(t.Context(), name)
			return err
		},
	} {
		version, ok := errors.AsType[*job.VersionError](open())
		if !ok || version.Found != postgres.Versions()+1 || version.Known != postgres.Versions() {
			t.Errorf("%s: %v", what, version)
		}
	}
}

// A step of an invented next version.
const nextStep = `
	ALTER TABLE {job} ADD COLUMN note text NOT NULL DEFAULT 'none';
	CREATE TABLE {schema}.added (n bigint);
	INSERT INTO {schema}.added VALUES (1);
`

func TestOlderLedgerIsBroughtUpToDate(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	r := made(t, name)
	addJob(t, r, 1)
	defer postgres.AddMigration(nextStep)()
	older := func() {
		t.Helper()
		_, err := postgres.OpenToRead(t.Context(), name)
		if version, ok := errors.AsType[*job.VersionError](err); !ok || version.Found >= version.Known {
			t.Errorf("a reader: %v", err)
		}
	}
	older()
	run(t, r, `INSERT INTO {sender} (doing, host, process, lease, recover, lease_until)
		VALUES ('run', 'other', 7, '10 s', '40 s', clock_timestamp() + interval '1 hour')`)
	wantError(t, postgres.BringUpToDate(t.Context(), name), job.ErrLeases)
	older()
	run(t, r, `UPDATE {sender} SET lease_until = clock_timestamp()`)
	for range 2 {
		made(t, name)
	}
	want(t, r, `SELECT n::text FROM {schema}.added`, "1")
	want(t, r, `SELECT note FROM {job}`, "none")
	want(t, r, `SELECT version::text FROM {ledger}`, fmt.Sprint(postgres.Versions()))
}

func TestInterruptedUpdateChangesNothing(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	r := made(t, name)
	undo := postgres.AddMigration(nextStep + `SELECT 1 / 0;`)
	err := postgres.BringUpToDate(t.Context(), name)
	undo()
	wantError(t, err, job.ErrNotUpdated)
	want(t, r, `SELECT coalesce(to_regclass('{schema}.added')::text, 'none')`, "none")
	want(t, r, `SELECT version::text FROM {ledger}`, fmt.Sprint(postgres.Versions()))
	opened(t, name)

	fresh := pgtest.Shared(t).Ledger(t)
	undo = postgres.AddMigration(`SELECT 1 / 0;`)
	err = postgres.BringUpToDate(t.Context(), fresh)
	undo()
	if err == nil || errors.Is(err, job.ErrNotUpdated) {
		t.Errorf("a new ledger: %v", err)
	}
	if isNew, err := postgres.IsNew(t.Context(), fresh); !isNew || err != nil {
		t.Errorf("new: %t, %v", isNew, err)
	}
	made(t, fresh)
}

// addJob adds an imported job without rows.
func addJob(t *testing.T, r *postgres.Reader, id int) {
	t.Helper()
	digest := fmt.Sprintf(`sha256('%d')`, id)
	run(t, r, `
		INSERT INTO {job} (
			id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted,
			allow_repeats, raw_cells, bom, output, output_host, created_at, ran, imported
		)
		VALUES (
			`+fmt.Sprint(id)+`, `+digest+`, '/files/a.csv', `+digest+`, 'sandbox', 'https://clink.test/api', '{"decimal":"point"}', '["invoice_id"]',
			';', 'retry', FALSE, FALSE, FALSE, FALSE, '/files/a.links.csv', 'this', '2026-03-01 12:00:00Z', `+fmt.Sprint(id)+`, TRUE
		)
	`)
}
