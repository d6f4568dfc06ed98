package postgres

import (
	"context"
	"fmt"
	"iter"
	"math/big"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/contents"
)

// place is an item's place in its job: ids count from the job's number times 2^32.
const place = `4294967295`

// tablesOf are all that the ledger has, read in this transaction.
func (r *Reader) tablesOf(ctx context.Context, tx pgx.Tx) contents.Tables {
	return contents.Tables{
		Jobs: rowsIn(ctx, tx, r.sql(`
			SELECT
				id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted, allow_repeats, raw_cells,
				bom, output, output_host, created_at, ran, ran_at, ended_at, stopped, stop_reason, rejected_from, refreshed_at, purged_at, salt, written,
				further_lines
			FROM {job}
			WHERE imported
			ORDER BY id
		`), func(rows pgx.Rows) (j contents.Job, err error) {
			err = rows.Scan(&j.ID, &j.Identity, &j.File, &j.FileDigest, &j.Environment, &j.BaseURL, &j.Options, &j.Columns, &j.Delimiter,
				&j.OnUnknown, &j.Adopted, &j.AllowRepeats, &j.RawCells, &j.BOM, &j.Output, &j.OutputHost, timeOf(&j.CreatedAt), &j.Ran,
				timeOf(&j.RanAt), timeOf(&j.EndedAt), &j.Stopped, &j.StopReason, &j.RejectedFrom, timeOf(&j.RefreshedAt), timeOf(&j.PurgedAt),
				&j.Salt, &j.Written, &j.FurtherLines)
			if !contents.IsPath(j.Output) {
				j.OutputHost = ""
			}
			return j, err
		}),
		LinksFiles: rowsIn(ctx, tx, r.sql(`
			SELECT host, path, job_id
			FROM {links_file}
			ORDER BY host COLLATE "C", path COLLATE "C"
		`), func(rows pgx.Rows) (f contents.LinksFile, err error) {
			return f, rows.Scan(&f.Host, &f.Path, &f.Job)
		}),
		Paces: rowsIn(ctx, tx, r.sql(`
			SELECT environment, base_url, per_second, reduced, since, paused_from, paused_until, streak
			FROM {pace}
			ORDER BY environment COLLATE "C", base_url COLLATE "C"
		`), func(rows pgx.Rows) (p contents.Pace, err error) {
			return p, rows.Scan(&p.Environment, &p.BaseURL, &p.PerSecond, &p.Reduced, timeOf(&p.Since), timeOf(&p.PausedFrom),
				timeOf(&p.PausedUntil), &p.Streak)
		}),
		Items: rowsIn(ctx, tx, r.sql(`
			SELECT
				item.job_id, item.id & `+place+`, item.row, item.state, item.invoice, item.invoice_id, item.reference, item.currency, item.amount,
				item.attempts, item.unknown_ends, item.suspect_ends, item.session_id, item.url, item.expires_at, item.created_at,
				item.link_status, item.checked_at, item.customer_id, item.given_up, item.error_code, item.error, item.request, item.cells
			FROM {item} AS item
			JOIN {job} AS job ON job.id = item.job_id
			WHERE job.imported
			ORDER BY item.id
		`), func(rows pgx.Rows) (i contents.Item, err error) {
			err = rows.Scan(&i.Job, &i.Place, &i.Row, &i.State, &i.Invoice, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount, &i.Attempts,
				&i.UnknownEnds, &i.SuspectEnds, &i.SessionID, &i.URL, timeOf(&i.ExpiresAt), timeOf(&i.CreatedAt), &i.LinkStatus,
				timeOf(&i.CheckedAt), &i.CustomerID, &i.GivenUp, &i.ErrorCode, &i.Error, &i.Request, &i.Cells)
			return i, err
		}),
		Lines: rowsIn(ctx, tx, r.sql(`
			SELECT line.place >> 32, line.place & `+place+`, line.row, line.item_id & `+place+`, line.cells
			FROM {line} AS line
			JOIN {job} AS job ON job.id = line.place >> 32
			WHERE job.imported
			ORDER BY line.place, line.row
		`), func(rows pgx.Rows) (l contents.Line, err error) {
			return l, rows.Scan(&l.Job, &l.Place, &l.Row, &l.Item, &l.Cells)
		}),
		Attempts: rowsIn(ctx, tx, r.sql(`
			SELECT
				attempt.item_id >> 32, attempt.item_id & `+place+`, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome,
				attempt.status, attempt.code, attempt.message, attempt.session_id, attempt.replaced
			FROM {attempt} AS attempt
			JOIN {job} AS job ON job.id = attempt.item_id >> 32
			WHERE job.imported
			ORDER BY attempt.item_id, attempt.number
		`), func(rows pgx.Rows) (a contents.Attempt, err error) {
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
func rowsIn[T any](ctx context.Context, tx pgx.Tx, query string, scan func(pgx.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := tx.Query(ctx, query)
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

// writeTables writes the tables into the ledger, which is empty, and the tallies. Nobody of this ledger has begun the attempts.
func (r *Reader) writeTables(ctx context.Context, tx pgx.Tx, tables contents.Tables) error {
	err := copyIn(ctx, r, tx, "job", []string{
		"id", "identity", "file", "file_digest", "environment", "base_url", "options", "columns", "delimiter", "on_unknown", "adopted",
		"allow_repeats", "raw_cells", "bom", "output", "output_host", "created_at", "ran", "ran_at", "ended_at", "stopped", "stop_reason",
		"rejected_from", "refreshed_at", "purged_at", "salt", "written", "further_lines", "imported",
	}, tables.Jobs, func(j contents.Job) ([]any, error) {
		return []any{
			j.ID, j.Identity, j.File, j.FileDigest, j.Environment, j.BaseURL, j.Options, j.Columns, j.Delimiter, j.OnUnknown, j.Adopted,
			j.AllowRepeats, j.RawCells, j.BOM, j.Output, j.OutputHost, at(j.CreatedAt), j.Ran, at(j.RanAt), at(j.EndedAt), j.Stopped, j.StopReason,
			j.RejectedFrom, at(j.RefreshedAt), at(j.PurgedAt), j.Salt, j.Written, j.FurtherLines, true,
		}, nil
	})
	if err != nil {
		return err
	}
	err = copyIn(ctx, r, tx, "links_file", []string{"host", "path", "job_id"}, tables.LinksFiles, func(f contents.LinksFile) ([]any, error) {
		return []any{f.Host, f.Path, f.Job}, nil
	})
	if err != nil {
		return err
	}
	err = copyIn(ctx, r, tx, "pace", []string{
		"environment", "base_url", "per_second", "reduced", "since", "paused_from", "paused_until", "streak",
	}, tables.Paces, func(p contents.Pace) ([]any, error) {
		return []any{p.Environment, p.BaseURL, p.PerSecond, p.Reduced, at(p.Since), at(p.PausedFrom), at(p.PausedUntil), p.Streak}, nil
	})
	if err != nil {
		return err
	}
	var inJob, last int64
	err = copyIn(ctx, r, tx, "item", []string{
		"id", "job_id", "row", "state", "invoice", "invoice_id", "reference", "currency", "amount", "attempts", "unknown_ends", "suspect_ends",
		"session_id", "url", "expires_at", "created_at", "link_status", "checked_at", "customer_id", "given_up", "error_code", "error", "request",
		"cells",
	}, tables.Items, func(i contents.Item) ([]any, error) {
		if i.Job != inJob {
			inJob, last = i.Job, 0
		}
		if last++; i.Place != last {
			return nil, fmt.Errorf("%w: job %d has no row %d", job.ErrDamaged, i.Job, last)
		}
		return []any{
			i.Job<<32 + i.Place, i.Job, i.Row, i.State, i.Invoice, i.InvoiceID, i.Reference, i.Currency, i.Amount, i.Attempts, i.UnknownEnds,
			i.SuspectEnds, i.SessionID, i.URL, at(i.ExpiresAt), at(i.CreatedAt), i.LinkStatus, at(i.CheckedAt), i.CustomerID, i.GivenUp,
			i.ErrorCode, i.Error, i.Request, i.Cells,
		}, nil
	})
	if err != nil {
		return err
	}
	err = copyIn(ctx, r, tx, "line", lineTable, tables.Lines, func(l contents.Line) ([]any, error) {
		return []any{l.Job<<32 + l.Place, l.Row, l.Job<<32 + l.Item, l.Cells}, nil
	})
	if err != nil {
		return err
	}
	err = copyIn(ctx, r, tx, "attempt", []string{
		"item_id", "number", "sender_id", "sent_at", "ended_at", "outcome", "status", "code", "message", "session_id", "replaced",
	}, tables.Attempts, func(a contents.Attempt) ([]any, error) {
		return []any{
			a.Job<<32 + a.Place, a.Number, int64(0), at(a.SentAt), at(a.EndedAt), a.Outcome, a.Status, a.Code, a.Message, a.SessionID, at(a.Replaced),
		}, nil
	})
	if err != nil {
		return err
	}
	for _, derived := range []string{`
		INSERT INTO {item_tally} (job_id, state, currency, items, amount)
		SELECT job_id, state, currency, count(*), sum(amount)
		FROM {item}
		GROUP BY job_id, state, currency
	`, `
		INSERT INTO {attempt_tally} (job_id, outcome, attempts)
		SELECT item_id >> 32, outcome, count(*)
		FROM {attempt}
		GROUP BY item_id >> 32, outcome
	`} {
		if _, err := tx.Exec(ctx, r.sql(derived)); err != nil {
			return err
		}
	}
	return nil
}

// copyIn writes rows into a table by COPY, which reads them as they come.
func copyIn[T any](ctx context.Context, r *Reader, tx pgx.Tx, table string, columns []string, rows iter.Seq2[T, error], values func(T) ([]any, error)) error {
	next, stop := iter.Pull2(rows)
	defer stop()
	_, err := tx.CopyFrom(ctx, pgx.Identifier{r.name.schema, table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, err, more := next()
		if !more || err != nil {
			return nil, err
		}
		return values(row)
	}))
	return err
}

// compareTallies compares the tallies with a recount of the rows.
func (r *Reader) compareTallies(ctx context.Context, tx pgx.Tx, recount *contents.Recount) error {
	rows, err := tx.Query(ctx, r.sql(`
		SELECT job_id, FALSE, state, currency, items, amount::text FROM {item_tally}
		UNION ALL
		SELECT job_id, TRUE, outcome, '', attempts, '0' FROM {attempt_tally}
	`))
	if err != nil {
		return err
	}
	var which contents.Tally
	var n int64
	var digits string
	_, err = pgx.ForEachRow(rows, []any{&which.Job, &which.Attempts, &which.Word, &which.Currency, &n, &digits}, func() error {
		amount, ok := new(big.Int).SetString(digits, 10)
		if !ok {
			return fmt.Errorf("the tally has the amount %q", digits)
		}
		recount.Kept(which, n, amount)
		return nil
	})
	if err != nil {
		return err
	}
	return recount.Differs()
}
