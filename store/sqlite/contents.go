package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"iter"
	"math/big"
	"strings"

	"paylinks/job"
	"paylinks/store/contents"
)

// tablesOf are all that the ledger has, read by this connection, whose transaction makes it one moment.
func tablesOf(ctx context.Context, conn *sql.Conn, host string) contents.Tables {
	return contents.Tables{
		Jobs: rowsIn(ctx, conn, `
			SELECT
				id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted, allow_repeats, raw_cells,
				bom, output, created_at, ran, ran_at, ended_at, stopped, stop_reason, rejected_from, refreshed_at, purged_at, salt, written,
				further_lines
			FROM job
			WHERE imported
			ORDER BY id
		`, func(rows *sql.Rows) (j contents.Job, err error) {
			err = rows.Scan(&j.ID, &j.Identity, &j.File, &j.FileDigest, &j.Environment, &j.BaseURL, &j.Options, &j.Columns, &j.Delimiter,
				&j.OnUnknown, &j.Adopted, &j.AllowRepeats, &j.RawCells, &j.BOM, &j.Output, timeOf(&j.CreatedAt), &j.Ran, timeOf(&j.RanAt),
				timeOf(&j.EndedAt), &j.Stopped, &j.StopReason, &j.RejectedFrom, timeOf(&j.RefreshedAt), timeOf(&j.PurgedAt), &j.Salt, &j.Written,
				&j.FurtherLines)
			if contents.IsPath(j.Output) {
				j.OutputHost = host
			}
			return j, err
		}),
		LinksFiles: rowsIn(ctx, conn, `
			SELECT path, job_id
			FROM links_file
			ORDER BY path
		`, func(rows *sql.Rows) (contents.LinksFile, error) {
			f := contents.LinksFile{Host: host}
			return f, rows.Scan(&f.Path, &f.Job)
		}),
		Paces: func(func(contents.Pace, error) bool) {},
		Items: rowsIn(ctx, conn, `
			SELECT
				job.id, item.id - job.first_item + 1, item.row, item.state, item.invoice, item.invoice_id, item.reference, item.currency,
				item.amount, item.attempts, item.unknown_ends, item.suspect_ends, item.session_id, item.url, item.expires_at, item.created_at,
				item.link_status, item.checked_at, item.customer_id, item.given_up, item.error_code, item.error, item.request, item.cells
			FROM job
			CROSS JOIN item ON item.id BETWEEN job.first_item AND job.last_item
			WHERE job.imported
			ORDER BY job.id, item.id
		`, func(rows *sql.Rows) (i contents.Item, err error) {
			err = rows.Scan(&i.Job, &i.Place, &i.Row, &i.State, &i.Invoice, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount, &i.Attempts,
				&i.UnknownEnds, &i.SuspectEnds, &i.SessionID, &i.URL, timeOf(&i.ExpiresAt), timeOf(&i.CreatedAt), &i.LinkStatus,
				timeOf(&i.CheckedAt), &i.CustomerID, &i.GivenUp, &i.ErrorCode, &i.Error, &i.Request, &i.Cells)
			return i, err
		}),
		Lines: rowsIn(ctx, conn, `
			SELECT job.id, line.place - job.first_item + 1, line.row, line.item_id - job.first_item + 1, line.cells
			FROM job
			CROSS JOIN line ON line.place BETWEEN job.first_item AND job.last_item
			WHERE job.imported
			ORDER BY job.id, line.place, line.row
		`, func(rows *sql.Rows) (l contents.Line, err error) {
			return l, rows.Scan(&l.Job, &l.Place, &l.Row, &l.Item, &l.Cells)
		}),
		Attempts: rowsIn(ctx, conn, `
			SELECT
				job.id, attempt.item_id - job.first_item + 1, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome,
				attempt.status, attempt.code, attempt.message, attempt.session_id, attempt.replaced
			FROM job
			CROSS JOIN attempt ON attempt.item_id BETWEEN job.first_item AND job.last_item
			WHERE job.imported
			ORDER BY job.id, attempt.item_id, attempt.number
		`, func(rows *sql.Rows) (a contents.Attempt, err error) {
			err = rows.Scan(&a.Job, &a.Place, &a.Number, timeOf(&a.SentAt), timeOf(&a.EndedAt), &a.Outcome, &a.Status, &a.Code, &a.Message,
				&a.SessionID, timeOf(&a.Replaced))
			if err == nil && a.Outcome == "" {
				err = fmt.Errorf("attempt %d of row %d of job %d has not ended", a.Number, a.Place, a.Job)
			}
			return a, err
		}),
	}
}

// rowsIn yields what a query finds.
func rowsIn[T any](ctx context.Context, conn *sql.Conn, query string, scan func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := conn.QueryContext(ctx, query)
		if err != nil {
			yield(none, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if row, err := scan(rows); !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, err)
		}
	}
}

// writeTables writes the tables into the ledger, which is empty, and what is derived from them: the tallies, and which items an invoice
// has. Items are numbered in the order of the jobs.
func (t *tx) writeTables(ctx context.Context, tables contents.Tables) error {
	for j, err := range tables.Jobs {
		if err != nil {
			return err
		}
		_, err = t.conn.ExecContext(ctx, `
			INSERT INTO job (
				id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted, allow_repeats, raw_cells,
				bom, output, created_at, ran, ran_at, ended_at, stopped, stop_reason, rejected_from, refreshed_at, purged_at, salt, written,
				further_lines, imported
			)
			VALUES (
				?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, TRUE
			)
		`, j.ID, j.Identity, j.File, j.FileDigest, j.Environment, j.BaseURL, j.Options, j.Columns, j.Delimiter, j.OnUnknown, j.Adopted,
			j.AllowRepeats, j.RawCells, j.BOM, j.Output, timestamp(j.CreatedAt), j.Ran, timestamp(j.RanAt), timestamp(j.EndedAt), j.Stopped,
			j.StopReason, j.RejectedFrom, timestamp(j.RefreshedAt), timestamp(j.PurgedAt), j.Salt, j.Written, j.FurtherLines)
		if err != nil {
			return err
		}
	}
	for f, err := range tables.LinksFiles {
		if err == nil {
			_, err = t.conn.ExecContext(ctx, `INSERT INTO links_file (path, job_id) VALUES (?1, ?2)`, f.Path, f.Job)
		}
		if err != nil {
			return err
		}
	}
	for _, err := range tables.Paces {
		if err != nil {
			return err
		}
	}
	firsts, err := t.writeItems(ctx, tables.Items)
	if err != nil {
		return err
	}
	if err := t.writeLines(tables.Lines, firsts); err != nil {
		return err
	}
	if err := t.writeAttempts(ctx, tables.Attempts, firsts); err != nil {
		return err
	}
	for _, derived := range []string{
		`INSERT INTO invoice_item (invoice, item_id) SELECT invoice, id FROM item WHERE invoice IS NOT NULL ORDER BY invoice, id`,
		`
			INSERT INTO item_tally (job_id, state, currency, items, billions, rest)
			SELECT job_id, state, currency, count(*), sum(amount / 1000000000), sum(amount % 1000000000)
			FROM item
			GROUP BY job_id, state, currency
		`, `
			INSERT INTO attempt_tally (job_id, outcome, attempts)
			SELECT item.job_id, attempt.outcome, count(*)
			FROM attempt
			CROSS JOIN item ON item.id = attempt.item_id
			GROUP BY item.job_id, attempt.outcome
		`,
	} {
		if _, err := t.conn.ExecContext(ctx, derived); err != nil {
			return err
		}
	}
	return nil
}

// writeItems returns the id of each job's first item.
func (t *tx) writeItems(ctx context.Context, items iter.Seq2[contents.Item, error]) (firsts map[int64]int64, err error) {
	write, err := newBulk(t.conn, "item", []string{
		"id", "job_id", "row", "state", "invoice", "invoice_id", "reference", "currency", "amount", "attempts", "unknown_ends", "suspect_ends",
		"session_id", "url", "expires_at", "created_at", "link_status", "checked_at", "customer_id", "given_up", "error_code", "error", "request",
		"cells",
	})
	if err != nil {
		return nil, err
	}
	defer write.close()
	firsts = map[int64]int64{}
	var inJob, id, place int64
	end := func() error {
		_, err := t.conn.ExecContext(ctx, `UPDATE job SET first_item = ?2, last_item = ?3 WHERE id = ?1`, inJob, firsts[inJob], id)
		return err
	}
	for i, err := range items {
		if err != nil {
			return nil, err
		}
		if i.Job != inJob {
			if inJob != 0 {
				if err := end(); err != nil {
					return nil, err
				}
			}
			inJob, place, firsts[i.Job] = i.Job, 0, id+1
		}
		if place++; i.Place != place {
			return nil, fmt.Errorf("%w: job %d has no row %d", job.ErrDamaged, i.Job, place)
		}
		id++
		var invoice driver.Value
		if i.Invoice != nil {
			invoice = i.Invoice
		}
		err = write.add(id, i.Job, i.Row, i.State, invoice, i.InvoiceID, i.Reference, i.Currency, i.Amount, i.Attempts, i.UnknownEnds,
			i.SuspectEnds, i.SessionID, i.URL, timestamp(i.ExpiresAt), timestamp(i.CreatedAt), i.LinkStatus, timestamp(i.CheckedAt),
			i.CustomerID, i.GivenUp, i.ErrorCode, i.Error, i.Request, i.Cells)
		if err != nil {
			return nil, err
		}
	}
	if err := write.flush(); err != nil || inJob == 0 {
		return firsts, err
	}
	return firsts, end()
}

func (t *tx) writeLines(lines iter.Seq2[contents.Line, error], firsts map[int64]int64) error {
	write, err := newBulk(t.conn, "line", []string{"place", "row", "item_id", "cells"})
	if err != nil {
		return err
	}
	defer write.close()
	for l, err := range lines {
		if err == nil {
			err = write.add(firsts[l.Job]+l.Place-1, l.Row, firsts[l.Job]+l.Item-1, l.Cells)
		}
		if err != nil {
			return err
		}
	}
	return write.flush()
}

func (t *tx) writeAttempts(_ context.Context, attempts iter.Seq2[contents.Attempt, error], firsts map[int64]int64) error {
	write, err := newBulk(t.conn, "attempt", []string{
		"item_id", "number", "sent_at", "ended_at", "outcome", "status", "code", "message", "session_id", "replaced",
	})
	if err != nil {
		return err
	}
	defer write.close()
	for a, err := range attempts {
		if err == nil {
			err = write.add(firsts[a.Job]+a.Place-1, a.Number, timestamp(a.SentAt), timestamp(a.EndedAt), a.Outcome, a.Status, a.Code, a.Message,
				a.SessionID, timestamp(a.Replaced))
		}
		if err != nil {
			return err
		}
	}
	return write.flush()
}

// compareTallies compares what was derived from the rows with a recount of them.
func (t *tx) compareTallies(ctx context.Context, recount *contents.Recount) error {
	rows, err := t.conn.QueryContext(ctx, `
		SELECT job_id, FALSE, state, currency, items, billions, rest FROM item_tally
		UNION ALL
		SELECT job_id, TRUE, outcome, '', attempts, 0, 0 FROM attempt_tally
	`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var which contents.Tally
		var n, billions, rest int64
		if err := rows.Scan(&which.Job, &which.Attempts, &which.Word, &which.Currency, &n, &billions, &rest); err != nil {
			return err
		}
		amount := new(big.Int).Mul(big.NewInt(billions), big.NewInt(billion))
		recount.Kept(which, n, amount.Add(amount, big.NewInt(rest)))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := recount.Differs(); err != nil {
		return err
	}
	var missing int64
	err = t.conn.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM item WHERE invoice IS NOT NULL) - (SELECT count(*) FROM invoice_item)
	`).Scan(&missing)
	if err == nil && missing != 0 {
		err = contents.ErrTallies
	}
	return err
}

// bulk inserts rows into a table in groups: a call into SQLite costs as much as a small row.
type bulk struct {
	columns    int
	group, one *statement
	values     []driver.Value
}

func newBulk(conn *sql.Conn, table string, columns []string) (*bulk, error) {
	insert := func(rows int) (*statement, error) {
		row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
		return prepare(conn, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+row+strings.Repeat(", "+row, rows-1))
	}
	b := &bulk{columns: len(columns)}
	var err error
	if b.group, err = insert(insertGroup); err != nil {
		return nil, err
	}
	if b.one, err = insert(1); err != nil {
		_ = b.group.close()
		return nil, err
	}
	return b, nil
}

// add takes a row. What it is a part of must end with flush.
func (b *bulk) add(values ...driver.Value) error {
	b.values = append(b.values, values...)
	if len(b.values) < insertGroup*b.columns {
		return nil
	}
	_, err := b.group.exec(b.values...)
	b.values = b.values[:0]
	return err
}

func (b *bulk) flush() error {
	for rest := b.values; len(rest) > 0; rest = rest[b.columns:] {
		if _, err := b.one.exec(rest[:b.columns]...); err != nil {
			return err
		}
	}
	b.values = b.values[:0]
	return nil
}

// close lets go of the statements, which changes nothing in the ledger.
func (b *bulk) close() {
	_, _ = b.group.close(), b.one.close()
}
