package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"strings"
	"unicode/utf8"

	"paylinks/clink"
	"paylinks/job"
)

const jobColumns = `
	SELECT
		id, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, allow_repeats,
		raw_cells, bom, output, created_at, ran_at, ended_at, stopped, stop_reason, refreshed_at, purged_at,
		written, adopted, further_lines
	FROM job
	WHERE imported
`

func scanJob(scan func(...any) error) (job.Job, error) {
	var j job.Job
	var digest, columns []byte
	var delimiter string
	err := scan(&j.ID, &j.File, &digest, &j.Environment, &j.BaseURL, &j.Options, &columns, &delimiter, &j.OnUnknown,
		&j.AllowRepeats, &j.RawCells, &j.BOM, &j.Output, timeOf(&j.CreatedAt),
		timeOf(&j.LastRun.Began), timeOf(&j.LastRun.Ended), &j.LastRun.Stop, &j.LastRun.Reason, timeOf(&j.RefreshedAt),
		timeOf(&j.PurgedAt), &j.Written, &j.Adopted, &j.FurtherLines)
	if errors.Is(err, sql.ErrNoRows) {
		return j, job.ErrNoJob
	}
	if err != nil {
		return j, err
	}
	copy(j.FileDigest[:], digest)
	j.Delimiter, _ = utf8.DecodeRuneInString(delimiter)
	return j, json.Unmarshal(columns, &j.Columns)
}

// Job returns the job with this number, or job.ErrNoJob.
func (r *Reader) Job(ctx context.Context, id int64) (job.Job, error) {
	j, err := scanJob(r.read.QueryRowContext(ctx, jobColumns+`AND id = ?1`, id).Scan)
	if err != nil {
		return j, fmt.Errorf("read job %d: %w", id, err)
	}
	return j, nil
}

// Find returns the job with this identity, or job.ErrNoJob.
func (r *Reader) Find(ctx context.Context, identity job.Identity) (job.Job, error) {
	key := identity.Key()
	j, err := scanJob(r.read.QueryRowContext(ctx, jobColumns+`AND identity = ?1`, key[:]).Scan)
	if err != nil {
		return j, fmt.Errorf("look the job up: %w", err)
	}
	return j, nil
}

// Jobs returns all jobs, oldest first.
func (r *Reader) Jobs(ctx context.Context) ([]job.Job, error) {
	rows, err := r.read.QueryContext(ctx, jobColumns+`ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	defer rows.Close()
	var jobs []job.Job
	for rows.Next() {
		j, err := scanJob(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read jobs: %w", err)
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

// Tally returns the job's counts and totals, from one moment.
func (r *Reader) Tally(ctx context.Context, jobID int64) (job.Tally, error) {
	tally := job.NewTally()
	rows, err := r.read.QueryContext(ctx, `
		SELECT 'item', state, currency, items, billions, rest
		FROM item_tally
		WHERE job_id = ?1
		UNION ALL
		SELECT 'attempt', outcome, '', attempts, 0, 0
		FROM attempt_tally
		WHERE job_id = ?1
	`, jobID)
	if err != nil {
		return tally, fmt.Errorf("read the counts of job %d: %w", jobID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, word, currency string
		var n, billions, rest int64
		if err := rows.Scan(&kind, &word, &currency, &n, &billions, &rest); err != nil {
			return tally, fmt.Errorf("read the counts of job %d: %w", jobID, err)
		}
		if kind == "attempt" {
			tally.Attempts[job.Outcome(word)] += int(n)
			continue
		}
		amount := new(big.Int).Mul(big.NewInt(billions), big.NewInt(billion))
		tally.Add(job.State(word), currency, int(n), amount.Add(amount, big.NewInt(rest)))
	}
	return tally, rows.Err()
}

// Open implements job.Ledger.
func (r *Reader) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	of := func(state job.State) string {
		return itemColumns + `
			WHERE item.job_id = ?1
				AND item.state = '` + string(state) + `'
				AND item.suspect_ends = 0
				AND item.id > ?2
		`
	}
	return r.items(ctx, "open rows", true, of(job.Pending)+` UNION ALL `+of(job.Unknown)+` ORDER BY 1 LIMIT ?3`, jobID, after, n)
}

// itemColumns selects what a job.Item is.
const itemColumns = `
	SELECT
		item.id, item.job_id, item.row, item.state, item.invoice_id, item.reference, item.currency, item.amount, item.request,
		item.attempts, item.unknown_ends, item.suspect_ends, job.on_unknown = 'hold', item.invoice_id = '' AND job.allow_repeats, item.session_id
	FROM item
	CROSS JOIN job ON job.id = item.job_id
`

// items reads what itemColumns selects, and the requests where they are wanted.
func (r *Reader) items(ctx context.Context, what string, requests bool, query string, args ...any) ([]job.Item, error) {
	rows, err := r.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	var items []job.Item
	for rows.Next() {
		var i job.Item
		var request string
		err := rows.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount, &request,
			&i.Attempts, &i.UnknownEnds, &i.SuspectEnds, &i.Hold, &i.Repeat, &i.SessionID)
		if err == nil && requests {
			i.Request, err = clink.ReadRequest(request)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// notPurged selects a column of an item of job ?1; in a purged job it is a digest, which is for nobody to read.
func notPurged(column string) string {
	return `iif((SELECT purged_at FROM job WHERE id = ?1) = '', ` + column + `, '')`
}

var resultColumns = resultOf("item.row", "item.cells", "item.id", "FALSE") + ` FROM item `

// resultOf selects what a job.Result is, and its place in the file.
func resultOf(row, cells, place, further string) string {
	return `
		SELECT
			item.id, ` + row + ` AS row, item.state, ` + notPurged("item.invoice_id") + `, ` + notPurged("item.reference") + `, ` + cells + `,
			item.session_id, item.url, item.expires_at, item.created_at, item.attempts, item.error_code, item.error, item.link_status,
			item.checked_at, ` + place + ` AS place, ` + further + `
	`
}

// resultsWithLines are a job's items and the further rows of their invoices, in the file's order.
var resultsWithLines = resultColumns + ` WHERE ` + inJob(1) + ` UNION ALL ` + resultOf("line.row", "line.cells", "line.place", "TRUE") + `
	FROM line
	CROSS JOIN item ON item.id = line.item_id
	WHERE ` + linesOfJob + `
	ORDER BY place, row
`

// linesOfJob is the condition on lines of job ?1.
const linesOfJob = `line.place BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)`

// Results yields the rows of the job's file in its order, all from one moment.
func (r *Reader) Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		j, err := r.Job(ctx, jobID)
		if err != nil {
			yield(job.Result{}, err)
			return
		}
		query := resultColumns + ` WHERE ` + inJob(1) + ` ORDER BY item.id`
		if j.FurtherLines > 0 {
			query = resultsWithLines
		}
		r.results(ctx, jobID, query)(yield)
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
	for _, state := range states {
		parts = append(parts, resultColumns+`
			WHERE item.job_id = ?1
				AND item.state = '`+string(state)+`'
				AND item.error <> ''
				AND item.state <> 'duplicate'
				AND item.state <> 'created'
		`)
	}
	return r.results(ctx, jobID, strings.Join(parts, ` UNION ALL `)+` ORDER BY 1`)
}

func (r *Reader) results(ctx context.Context, jobID int64, query string) iter.Seq2[job.Result, error] {
	return rowsOf(ctx, r, "rows", jobID, query, func(rows *sql.Rows) (result job.Result, err error) {
		var cells sql.RawBytes
		var place int64
		err = rows.Scan(&result.ItemID, &result.Row, &result.State, &result.InvoiceID, &result.Reference, &cells, &result.SessionID,
			&result.URL, timeOf(&result.ExpiresAt), timeOf(&result.CreatedAt), &result.Attempts, &result.ErrorCode, &result.Error,
			&result.Link, timeOf(&result.CheckedAt), &place, &result.Further)
		if err == nil {
			err = json.Unmarshal(cells, &result.Cells)
		}
		return result, err
	})
}

// Attempts yields the job's attempts, by row and number. With orphansOnly those alone whose session may exist
// without being published: job.Tally.PossibleOrphans counts them.
func (r *Reader) Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error] {
	orphans := ""
	if orphansOnly {
		orphans = `AND attempt.outcome IN ('', 'unknown', 'mismatch')`
	}
	query := `
		SELECT
			item.row, ` + notPurged("item.reference") + `, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome, attempt.status, attempt.code,
			attempt.message, attempt.session_id, attempt.replaced
		FROM attempt
		CROSS JOIN item ON item.id = attempt.item_id
		WHERE attempt.item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
			` + orphans + `
		ORDER BY attempt.item_id, attempt.number
	`
	return rowsOf(ctx, r, "attempts", jobID, query, func(rows *sql.Rows) (a job.Attempt, err error) {
		err = rows.Scan(&a.Row, &a.Reference, &a.Number, timeOf(&a.SentAt), timeOf(&a.EndedAt), &a.Outcome, &a.Status, &a.Code,
			&a.Message, &a.SessionID, timeOf(&a.Replaced))
		return a, err
	})
}

// rowsOf yields what a query finds of a job, or one error: job.ErrNoJob without such a job. what is for the error's text.
func rowsOf[T any](ctx context.Context, r *Reader, what string, jobID int64, query string, scan func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		fail := func(err error) { yield(none, fmt.Errorf("read the %s of job %d: %w", what, jobID, err)) }
		if _, err := r.Job(ctx, jobID); err != nil {
			yield(none, err)
			return
		}
		rows, err := r.read.QueryContext(ctx, query, jobID)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			value, err := scan(rows)
			if err != nil {
				fail(err)
				return
			}
			if !yield(value, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}
