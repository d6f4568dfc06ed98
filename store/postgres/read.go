package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// jobColumns selects what a job.Job is, for scanJob.
const jobColumns = `
	SELECT
		id, file, encode(file_digest, 'hex'), environment, base_url, options, columns, delimiter, on_unknown, allow_repeats,
		raw_cells, bom, output, output_host, created_at, ran_at, ended_at, stopped, stop_reason, refreshed_at, purged_at,
		written, adopted, further_lines
	FROM {job}
	WHERE imported
`

// scanJob reads what jobColumns selects. A links file on another host is none that this one could write.
func (r *Reader) scanJob(row pgx.Row) (job.Job, error) {
	var j job.Job
	var digest, columns, delimiter, host string
	err := row.Scan(&j.ID, &j.File, &digest, &j.Environment, &j.BaseURL, &j.Options, &columns, &delimiter, &j.OnUnknown,
		&j.AllowRepeats, &j.RawCells, &j.BOM, &j.Output, &host, timeOf(&j.CreatedAt),
		timeOf(&j.LastRun.Began), timeOf(&j.LastRun.Ended), &j.LastRun.Stop, &j.LastRun.Reason, timeOf(&j.RefreshedAt),
		timeOf(&j.PurgedAt), &j.Written, &j.Adopted, &j.FurtherLines)
	if errors.Is(err, pgx.ErrNoRows) {
		return j, job.ErrNoJob
	}
	if err != nil {
		return j, err
	}
	if host != r.host && j.Output != "" && j.Output != "-" {
		j.Output, j.OutputHost = "", host
	}
	bytes, err := hex.DecodeString(digest)
	if err != nil {
		return j, err
	}
	copy(j.FileDigest[:], bytes)
	j.Delimiter, _ = utf8.DecodeRuneInString(delimiter)
	return j, json.Unmarshal([]byte(columns), &j.Columns)
}

// Job returns the job with this number, or job.ErrNoJob.
func (r *Reader) Job(ctx context.Context, id int64) (job.Job, error) {
	j, err := r.oneJob(ctx, `AND id = $1`, id)
	if err != nil {
		return j, fmt.Errorf("read job %d: %w", id, err)
	}
	return j, nil
}

// Find returns the job with this identity, or job.ErrNoJob.
func (r *Reader) Find(ctx context.Context, identity job.Identity) (job.Job, error) {
	key := identity.Key()
	j, err := r.oneJob(ctx, `AND identity = $1`, key[:])
	if err != nil {
		return j, fmt.Errorf("look the job up: %w", err)
	}
	return j, nil
}

func (r *Reader) oneJob(ctx context.Context, where string, args ...any) (j job.Job, err error) {
	err = r.again(ctx, func() (err error) {
		j, err = r.scanJob(r.row(ctx, jobColumns+where, args...))
		return err
	})
	return j, err
}

// Jobs returns all jobs, oldest first.
func (r *Reader) Jobs(ctx context.Context) ([]job.Job, error) {
	jobs, err := all(ctx, r, r.scanJob, jobColumns+`ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	return jobs, nil
}

// all are the rows that a query finds.
func all[T any](ctx context.Context, r *Reader, scan func(pgx.Row) (T, error), query string, args ...any) (values []T, err error) {
	err = r.again(ctx, func() error {
		rows, err := r.query(ctx, query, args...)
		if err != nil {
			return err
		}
		values, err = collect(rows, scan)
		return err
	})
	return values, err
}

// collect reads the rows to the end, and closes them.
func collect[T any](rows pgx.Rows, scan func(pgx.Row) (T, error)) (values []T, err error) {
	defer rows.Close()
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// Tally returns the job's counts and totals, from one moment.
func (r *Reader) Tally(ctx context.Context, jobID int64) (job.Tally, error) {
	type count struct {
		attempt                bool
		word, currency, amount string
		n                      int
	}
	counts, err := all(ctx, r, func(row pgx.Row) (c count, err error) {
		return c, row.Scan(&c.attempt, &c.word, &c.currency, &c.n, &c.amount)
	}, `
		SELECT FALSE, state, currency, items, amount::text
		FROM {item_tally}
		WHERE job_id = $1
		UNION ALL
		SELECT TRUE, outcome, '', attempts, '0'
		FROM {attempt_tally}
		WHERE job_id = $1
	`, jobID)
	tally := job.NewTally()
	for _, c := range counts {
		if c.attempt {
			tally.Attempts[job.Outcome(c.word)] += c.n
			continue
		}
		amount, ok := new(big.Int).SetString(c.amount, 10)
		if !ok {
			err = fmt.Errorf("the ledger has %q as an amount", c.amount)
			break
		}
		tally.Add(job.State(c.word), c.currency, c.n, amount)
	}
	if err != nil {
		return job.NewTally(), fmt.Errorf("read the counts of job %d: %w", jobID, err)
	}
	return tally, nil
}

// Open implements job.Ledger.
func (r *Reader) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	return r.items(ctx, "open rows", true, itemColumns+`
		WHERE `+inFileOrder(1)+`
			AND item.state IN ('pending', 'unknown')
			AND item.suspect_ends = 0
			AND item.id > $2
		ORDER BY item.job_id, item.id
		LIMIT $3
	`, jobID, after, n)
}

// items reads what itemColumns selects, and the requests where they are wanted.
func (r *Reader) items(ctx context.Context, what string, requests bool, query string, args ...any) ([]job.Item, error) {
	items, err := all(ctx, r, func(row pgx.Row) (job.Item, error) { return scanItem(row, requests) }, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return items, nil
}

// notPurged selects a column of an item of job $1; in a purged job it is a digest, which is for nobody to read.
func notPurged(column string) string {
	return `CASE WHEN (SELECT purged_at FROM {job} WHERE id = $1) IS NULL THEN ` + column + ` ELSE '' END`
}

var resultColumns = resultOf("item.row", "item.cells", "item.id", "FALSE") + ` FROM {item} AS item `

// resultOf selects what a job.Result is, and its place in the file.
func resultOf(row, cells, place, further string) string {
	return `
		SELECT
			item.id, ` + row + ` AS row, item.state, ` + notPurged("item.invoice_id") + `, ` + notPurged("item.reference") + `, ` + cells + `,
			item.session_id, item.url, item.expires_at, item.created_at, item.attempts, item.error_code, item.error, item.link_status,
			item.checked_at, ` + place + ` AS place, ` + further + `
	`
}

// resultsWithLines are a job's items and the further rows of their invoices, in the file's order: both are in it, and are merged.
var resultsWithLines = `(` + resultColumns + ` WHERE ` + ids("item.id", 1) + ` ORDER BY item.id) UNION ALL (` +
	resultOf("line.row", "line.cells", "line.place", "TRUE") + `
	FROM {line} AS line
	CROSS JOIN LATERAL ( -- OFFSET has it looked up one by one, in the order of the lines
		SELECT *
		FROM {item}
		WHERE id = line.item_id
		OFFSET 0
	) AS item
	WHERE ` + ids("line.place", 1) + `
	ORDER BY line.place, line.row)
	ORDER BY place, row
`

// Results yields the rows of the job's file in its order, all from one moment.
func (r *Reader) Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		j, err := r.Job(ctx, jobID)
		if err != nil {
			yield(job.Result{}, err)
			return
		}
		query := resultColumns + ` WHERE ` + ids("item.id", 1) + ` ORDER BY item.id`
		if j.FurtherLines > 0 {
			query = resultsWithLines
		}
		rowsOf(ctx, r, "rows", jobID, scanResult, query)(yield)
	}
}

// Problems yields the job's items without a link that have a reason on record, in the file's order: with settled those
// that only a person moves, else those that are open or were taken over.
func (r *Reader) Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error] {
	states := []job.State{job.Pending, job.Sending, job.Unknown, job.Superseded}
	if settled {
		states = []job.State{job.Failed, job.Invalid}
	}
	var parts []string
	for _, state := range states { // each is in the file's order in the index, and they are merged
		parts = append(parts, resultColumns+`
			WHERE item.job_id = $1
				AND item.state = '`+string(state)+`'
				AND `+reasonGiven+`
			ORDER BY item.id
		`)
	}
	return rowsOf(ctx, r, "rows", jobID, scanResult, `(`+strings.Join(parts, `) UNION ALL (`)+`) ORDER BY 1`)
}

// reasonGiven is a condition that all failed items meet, and all that wait for a person. It leads PostgreSQL to item_problem.
const reasonGiven = `item.error <> '' AND item.state NOT IN ('duplicate', 'created')`

func scanResult(row pgx.Row) (result job.Result, err error) {
	var cells string
	var place int64
	err = row.Scan(&result.ItemID, &result.Row, &result.State, &result.InvoiceID, &result.Reference, &cells, &result.SessionID,
		&result.URL, timeOf(&result.ExpiresAt), timeOf(&result.CreatedAt), &result.Attempts, &result.ErrorCode, &result.Error,
		&result.Link, timeOf(&result.CheckedAt), &place, &result.Further)
	if err == nil {
		err = json.Unmarshal([]byte(cells), &result.Cells)
	}
	return result, err
}

// Attempts yields the job's attempts, by row and number. With orphansOnly those alone whose session may exist
// without being published: job.Tally.PossibleOrphans counts them.
func (r *Reader) Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error] {
	orphans := ""
	if orphansOnly {
		orphans = `AND attempt.outcome IN ('', 'unknown', 'mismatch')`
	}
	return rowsOf(ctx, r, "attempts", jobID, scanAttempt, `
		SELECT
			item.row, `+notPurged("item.reference")+`, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome, attempt.status,
			attempt.code, attempt.message, attempt.session_id, attempt.replaced
		FROM {attempt} AS attempt
		CROSS JOIN LATERAL ( -- OFFSET has it looked up one by one, in the order of the attempts, where a join would sort them all
			SELECT row, reference
			FROM {item}
			WHERE id = attempt.item_id
			OFFSET 0
		) AS item
		WHERE `+ids("attempt.item_id", 1)+`
			`+orphans+`
		ORDER BY attempt.item_id, attempt.number
	`)
}

func scanAttempt(row pgx.Row) (a job.Attempt, err error) {
	err = row.Scan(&a.Row, &a.Reference, &a.Number, timeOf(&a.SentAt), timeOf(&a.EndedAt), &a.Outcome, &a.Status, &a.Code,
		&a.Message, &a.SessionID, timeOf(&a.Replaced))
	return a, err
}

// rowsOf yields what a query finds of a job, or one error: job.ErrNoJob without such a job. Rows are handed on as they arrive. what is for
// the error's text.
func rowsOf[T any](
	ctx context.Context, r *Reader, what string, jobID int64, scan func(pgx.Row) (T, error), query string,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if _, err := r.Job(ctx, jobID); err != nil {
			yield(none, err)
			return
		}
		told, over := false, false
		err := r.again(ctx, func() error {
			err := r.each(ctx, query, jobID, func(rows pgx.Rows) (bool, error) {
				value, err := scan(rows)
				if err != nil {
					return false, err
				}
				told = true
				over = !yield(value, nil)
				return !over, nil
			})
			if told && err != nil {
				return toldAlready{err}
			}
			return err
		})
		if err != nil && !over {
			yield(none, fmt.Errorf("read the %s of job %d: %w", what, jobID, err))
		}
	}
}

// each hands the query's rows to take, until that wants no more.
func (r *Reader) each(ctx context.Context, query string, jobID int64, take func(pgx.Rows) (bool, error)) error {
	// A read that is left early ends its statement by its context: else the rest of the rows would have to be read.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rows, err := r.query(ctx, query, jobID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if ctx.Err() != nil { // there may still be rows that have arrived
			return ctx.Err()
		}
		more, err := take(rows)
		if err != nil {
			return err
		}
		if !more {
			stop()
			return nil
		}
	}
	return rows.Err()
}
