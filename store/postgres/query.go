package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// settingsToRead are for a statement that reads. Compiling one takes longer than running it where the server has no statistics, and takes
// what is looked up for many rows. A statement_timeout of the role or the database is made for short questions: a links file has all rows.
const settingsToRead = `SELECT set_config('jit', 'off', TRUE), set_config('statement_timeout', '0', TRUE)`

// query reads, with its settings, in one transaction and one round trip. The rows must be closed, or read to their end by one of pgx's
// helpers.
func (r *Reader) query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	batch := &pgx.Batch{}
	batch.Queue(settingsToRead)
	batch.Queue(r.sql(text), args...)
	results := r.read.SendBatch(ctx, batch)
	_, err := results.Exec()
	if err == nil {
		var rows pgx.Rows
		if rows, err = results.Query(); err == nil {
			return &readRows{rows, results}, nil
		}
	}
	return nil, errors.Join(err, results.Close())
}

// row reads one row at most.
func (r *Reader) row(ctx context.Context, text string, args ...any) pgx.Row {
	rows, err := r.query(ctx, text, args...)
	return oneRow{rows, err}
}

// readRows are rows that give their connection back with their end.
type readRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *readRows) Close() {
	r.Rows.Close()
	_ = r.results.Close() // what went wrong is in Err
}

// oneRow is the only row of those that a statement finds.
type oneRow struct {
	rows pgx.Rows
	err  error
}

func (r oneRow) Scan(to ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		r.rows.Close()
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(to...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
