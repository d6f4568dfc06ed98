package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/transfer"
)

//go:embed schema.sql
var firstSchema string

// migrations are the steps from an empty schema to the present one, oldest first: tables stand in them in braces, as in all statements. The
// number of steps that a ledger has been through is its version. Steps only go forward, and are never edited once released: until the
// first release there is one.
var migrations = []string{firstSchema}

// quote writes a name as an identifier of SQL.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// found is what is at the place of a ledger.
type found struct {
	schema  bool // it is there
	tables  int  // all that it has
	ours    int  // of these, those that bear the name of one of ours
	version int  // 0: there is no ledger
	skew    time.Duration
}

// look finds out what is at the place of the ledger. It reads the server's catalogs, which everybody may: without the right to use a
// schema its tables cannot be named.
func (r *Reader) look(ctx context.Context, tx pgx.Tx) (f found, err error) {
	var clock time.Time
	before := time.Now()
	err = tx.QueryRow(ctx, `
		SELECT
			clock_timestamp(),
			EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1::text),
			count(*),
			count(*) FILTER (WHERE relation.relname::text = ANY($2::text[]))
		FROM pg_catalog.pg_class AS relation
		JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relation.relnamespace
		WHERE schema.nspname = $1::text
			AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
	`, r.name.schema, tables).Scan(&clock, &f.schema, &f.tables, &f.ours)
	f.skew = skew(clock, before, time.Now())
	switch {
	case err != nil, f.tables == 0:
		return f, err
	case f.ours < len(tables):
		return f, fmt.Errorf("%w: the schema %s has tables, and not those of a ledger", job.ErrNotLedger, r.name.schema)
	}
	err = tx.QueryRow(ctx, r.sql(`SELECT version FROM {ledger}`)).Scan(&f.version)
	if stateOf(err) == noSuchColumn || err == pgx.ErrNoRows {
		err = fmt.Errorf("%w: the schema %s has tables that bear our names, and are none of a ledger", job.ErrNotLedger, r.name.schema)
	}
	return f, err
}

// check says whether the ledger can be read: fs.ErrNotExist where there is none, *job.VersionError where its schema is another one.
func (r *Reader) check(ctx context.Context) error {
	return pgx.BeginTxFunc(ctx, r.read, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		f, err := r.look(ctx, tx)
		switch {
		case err != nil:
			return err
		case f.version == 0:
			return fs.ErrNotExist
		case f.version != len(migrations):
			return &job.VersionError{Found: f.version, Known: len(migrations)}
		}
		r.skew = f.skew
		var mark transfer.Mark
		if err := tx.QueryRow(ctx, r.sql(`SELECT state, other FROM {ledger}`)).Scan(&mark.State, &mark.Other); err != nil {
			return err
		}
		r.transferred, err = mark.ForReader()
		return err
	})
}

// IsNew says whether there is no ledger of that name yet. The error says why that cannot be known, or that it is no name.
func IsNew(ctx context.Context, name string) (bool, error) {
	r, err := connect(name)
	if err != nil {
		return false, err
	}
	defer r.Close()
	var f found
	err = persist(ctx, openPatience, func() error {
		return pgx.BeginTxFunc(ctx, r.read, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
			f, err = r.look(ctx, tx)
			return err
		})
	})
	return f.version == 0 && err == nil, r.explain(err)
}

// bringUpToDate makes the schema, or takes it through the steps that it lacks, all or nothing. Another process that does so at the same
// time is waited for. The error is *job.VersionError where a newer program has made the schema, job.ErrLeases where it is older and
// somebody sends, and job.ErrNotUpdated where a step failed.
func (r *Reader) bringUpToDate(ctx context.Context) error {
	err := persist(ctx, openPatience, func() error { return pgx.BeginFunc(ctx, r.read, func(tx pgx.Tx) error { return r.migrate(ctx, tx) }) })
	return r.explain(err)
}

func (r *Reader) migrate(ctx context.Context, tx pgx.Tx) error {
	f, err := r.look(ctx, tx) // most times nothing is to be done, and no lock is needed for that
	if err != nil || f.version == len(migrations) {
		return err
	}
	_, err = tx.Exec(ctx, `
		SELECT
			set_config('lock_timeout', '10s', TRUE),
			set_config('statement_timeout', '60s', TRUE),
			set_config('idle_in_transaction_session_timeout', '60s', TRUE)
	`)
	if err != nil {
		return err
	}
	if err := takesChanges(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('paylinks schema ' || $1::text, 0))`, r.name.schema); err != nil {
		return err
	}
	if f, err = r.look(ctx, tx); err != nil {
		return err
	}
	switch {
	case f.version > len(migrations):
		return &job.VersionError{Found: f.version, Known: len(migrations)}
	case f.version == len(migrations):
		return nil
	case f.version > 0:
		if err := r.nobodySends(ctx, tx); err != nil {
			return err
		}
	case !f.schema:
		if _, err := tx.Exec(ctx, r.sql(`CREATE SCHEMA {schema}`)); err != nil {
			return err
		}
	}
	for _, step := range migrations[f.version:] {
		if _, err := tx.Exec(ctx, r.sql(step), pgx.QueryExecModeSimpleProtocol); err != nil {
			if f.version > 0 {
				return fmt.Errorf("%w: %w", job.ErrNotUpdated, err)
			}
			return err
		}
	}
	if f.version > 0 {
		_, err = tx.Exec(ctx, r.sql(`UPDATE {ledger} SET version = $1`), len(migrations))
		return err
	}
	_, err = tx.Exec(ctx, r.sql(`
		INSERT INTO {ledger} (version, id, system_id, timeline)
		SELECT $1, gen_random_uuid()::text, `+systemID+`, `+timeline), len(migrations))
	if err == nil && r.made != nil {
		err = r.writeMark(ctx, tx, *r.made)
	}
	return err
}

// What tells a server from one that took its place. Neither can be asked of a standby.
const (
	systemID = `(SELECT system_identifier::text FROM pg_control_system())`
	timeline = `substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)`
)

// nobodySends is for a transaction that changes what all senders rest on: the error is job.ErrLeases where one has a lease. None can begin
// or renew one until the transaction has ended.
func (r *Reader) nobodySends(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, r.sql(`LOCK TABLE {sender} IN EXCLUSIVE MODE`)); err != nil {
		return err
	}
	var senders int
	err := tx.QueryRow(ctx, r.sql(`
		SELECT count(*)
		FROM {sender}
		WHERE fenced_at IS NULL
			AND ended_at IS NULL
			AND lease_until > clock_timestamp()
	`)).Scan(&senders)
	if err == nil && senders > 0 {
		err = job.ErrLeases
	}
	return err
}

// takesChanges refuses a server that cannot be written to: a standby, or one that was made read-only.
func takesChanges(ctx context.Context, tx pgx.Tx) error {
	var standby, readOnly bool
	err := tx.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'`).Scan(&standby, &readOnly)
	switch {
	case err != nil:
		return err
	case standby:
		return fmt.Errorf("%w: it is a standby, and follows another server", job.ErrReadOnly)
	case readOnly:
		return fmt.Errorf("%w: default_transaction_read_only is on", job.ErrReadOnly)
	}
	return nil
}
