package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"time"
	"unicode/utf8"

	"paylinks/job"
)

// ErrNoJob means that the ledger has no job with this number.
var ErrNoJob = errors.New("the ledger has no such job")

const jobColumns = `
	SELECT
		id, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, allow_repeats,
		raw_cells, bom, output, created_at, ran_at, ended_at, stopped, stop_reason, refreshed_at, purged_at
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
		timeOf(&j.PurgedAt))
	if errors.Is(err, sql.ErrNoRows) {
		return j, ErrNoJob
	}
	if err != nil {
		return j, err
	}
	copy(j.FileDigest[:], digest)
	j.Delimiter, _ = utf8.DecodeRuneInString(delimiter)
	return j, json.Unmarshal(columns, &j.Columns)
}

// Job returns the job with this number, or ErrNoJob.
func (s *Store) Job(ctx context.Context, id int64) (job.Job, error) {
	j, err := scanJob(s.read.QueryRowContext(ctx, jobColumns+`AND id = ?1`, id).Scan)
	if err != nil {
		return j, fmt.Errorf("read job %d: %w", id, err)
	}
	return j, nil
}

// Find returns the job with this identity, or ErrNoJob.
func (s *Store) Find(ctx context.Context, identity job.Identity) (job.Job, error) {
	key := identity.Key()
	j, err := scanJob(s.read.QueryRowContext(ctx, jobColumns+`AND identity = ?1`, key[:]).Scan)
	if err != nil {
		return j, fmt.Errorf("look the job up: %w", err)
	}
	return j, nil
}

// Jobs returns all jobs, oldest first.
func (s *Store) Jobs(ctx context.Context) ([]job.Job, error) {
	rows, err := s.read.QueryContext(ctx, jobColumns+`ORDER BY id`)
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
func (s *Store) Tally(ctx context.Context, jobID int64) (job.Tally, error) {
	tally := job.NewTally()
	rows, err := s.read.QueryContext(ctx, `
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

// Left counts the job's open items that the runner would send, and those that wait for a person: in doubt under a
// policy of hold or with maxAttempts used up, or behind a doubt or a link of another job that only a person can settle.
func (s *Store) Left(ctx context.Context, j job.Job, maxAttempts int) (sendable, waiting int, err error) {
	err = s.read.QueryRowContext(ctx, `
		WITH this AS (
			SELECT first_item, last_item
			FROM job
			WHERE id = ?1
		), again AS (
			SELECT
				(unknown_ends = 0 OR ?2 = 'retry' AND unknown_ends < ?3) AND NOT ((error_code = ?4 OR error_code = ?5) AND EXISTS (
					SELECT 1
					FROM input
					JOIN claim ON claim.invoice = input.invoice
					JOIN item AS other ON other.id = claim.item_id
					WHERE input.id = standing.item_id
						AND other.job_id <> input.job_id
						AND iif(
							standing.error_code = ?4,
							other.state = 'unknown' OR other.state = 'pending' AND other.unknown_ends > 0,
							other.state = 'created' AND other.link_status <> 'expired'
						)
				)) AS goes
			FROM this
			JOIN standing INDEXED BY standing_open ON standing.item_id BETWEEN this.first_item AND this.last_item
			WHERE state = 'pending' OR state = 'unknown'
		)
		SELECT
			(SELECT count(*) FROM this JOIN fresh ON fresh.item_id BETWEEN this.first_item AND this.last_item)
				+ (
					SELECT count(*)
					FROM this
					JOIN intent ON intent.item_id BETWEEN this.first_item AND this.last_item
					WHERE NOT EXISTS (SELECT 1 FROM standing WHERE item_id = intent.item_id)
				)
				+ (SELECT count(*) FROM again WHERE goes),
			(SELECT count(*) FROM again WHERE NOT goes)
	`, j.ID, string(j.OnUnknown), maxAttempts, job.CodeHeld, job.CodeUnsettled).Scan(&sendable, &waiting)
	if err != nil {
		return 0, 0, fmt.Errorf("count the open rows of job %d: %w", j.ID, err)
	}
	return sendable, waiting, nil
}

// resultColumns selects what a job.Result is, of the item whose id this is.
func resultColumns(id string) string {
	return `
		SELECT
			` + id + `, item.row, iif(` + onItsWay(id) + `, 'sending', item.state), item.invoice_id, item.reference, item.cells,
			item.session_id, item.url, item.expires_at, item.created_at, item.attempts + ` + onItsWay(id) + `,
			item.error_code, item.error, item.link_status, item.checked_at
	`
}

// Results yields the job's items in the file's order, all from one moment.
func (s *Store) Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error] {
	return s.yieldResults(ctx, jobID, resultColumns("item.id")+`
		FROM item
		WHERE item.id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
		ORDER BY item.id
	`)
}

// Problems yields the job's items without a link that have a reason on record, in the file's order: with settled those
// that only a person moves, else those that are open or were taken over.
func (s *Store) Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error] {
	in := func(state job.State) string {
		return resultColumns("standing.item_id") + `
			FROM standing
			JOIN item ON item.id = standing.item_id
			WHERE standing.item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
				AND standing.error <> ''
				AND standing.state <> 'duplicate'
				AND standing.state = '` + string(state) + `'`
	}
	query := in(job.Failed) + ` UNION ALL ` + in(job.Invalid)
	if !settled {
		query = in(job.Pending) + ` UNION ALL ` + in(job.Unknown) + ` UNION ALL ` + in(job.Superseded)
	}
	return s.yieldResults(ctx, jobID, query+` ORDER BY 1`)
}

// yieldResults talks to the driver itself, as [statement] does: of a million rows, what database/sql does took a fifth.
func (s *Store) yieldResults(ctx context.Context, jobID int64, query string) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		read := func(conn any) error {
			rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, []driver.NamedValue{{Ordinal: 1, Value: jobID}})
			if err != nil {
				return err
			}
			defer rows.Close()
			values := make([]driver.Value, len(rows.Columns()))
			for {
				if err := rows.Next(values); err != nil {
					return err
				}
				r, err := resultOf(values)
				if err != nil {
					return err
				}
				if !yield(r, nil) {
					return io.EOF
				}
			}
		}
		_, _, err := itemRange(ctx, s.read, jobID)
		if err == nil {
			err = s.withReader(ctx, read)
		}
		if err != io.EOF {
			yield(job.Result{}, fmt.Errorf("read the rows of job %d: %w", jobID, err))
		}
	}
}

// withReader hands the driver's side of a connection that reads to do, for as long as it runs.
func (s *Store) withReader(ctx context.Context, do func(conn any) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(do)
}

// resultOf is a row of what resultColumns selects.
func resultOf(values []driver.Value) (job.Result, error) {
	v := columnValues{values: values}
	r := job.Result{
		ItemID: v.number(0), Row: int(v.number(1)), State: job.State(v.text(2)), InvoiceID: v.text(3), Reference: v.text(4),
		SessionID: v.text(6), URL: v.text(7), ExpiresAt: v.time(8), CreatedAt: v.time(9), Attempts: int(v.number(10)),
		ErrorCode: v.text(11), Error: v.text(12), Link: job.LinkStatus(v.text(13)), CheckedAt: v.time(14),
	}
	cells, err := decodeCells(v.text(5))
	r.Cells = cells
	return r, cmp.Or(v.err, err)
}

// columnValues are a row's values as the driver gives them. err is of the first that is something else than asked for.
type columnValues struct {
	values []driver.Value
	err    error
}

func (v *columnValues) number(i int) int64 { return valueOf[int64](v, i) }

func (v *columnValues) text(i int) string { return valueOf[string](v, i) }

func (v *columnValues) time(i int) time.Time {
	t, err := parseStamp(v.text(i))
	v.err = cmp.Or(v.err, err)
	return t
}

func valueOf[T any](v *columnValues, i int) T {
	value, ok := v.values[i].(T)
	if !ok && v.err == nil {
		v.err = fmt.Errorf("column %d is stored as %T", i+1, v.values[i])
	}
	return value
}

// attemptsOf selects the attempts of the items from ?1 to ?2: what the view attempt puts together, table by table, each in
// its own order, so that a million need no sorting.
func attemptsOf(orphansOnly bool) string {
	of := func(table, number, rest, where string) string {
		return `
			SELECT
				this.item_id, input.row, input.reference, ` + number + `, this.sent_at, ` + rest + `
			FROM ` + table + ` AS this
			CROSS JOIN input ON input.id = this.item_id
			WHERE this.item_id BETWEEN ?1 AND ?2` + where
	}
	past := of("past_attempt", "this.number", "this.ended_at, this.outcome, this.status, this.code, this.message, this.session_id, this.replaced", "")
	going := of("intent", "this.number", "'', '', 0, '', '', '', ''", "")
	if orphansOnly {
		return past + ` AND this.outcome IN ('unknown', 'mismatch') UNION ALL ` + going + ` ORDER BY 1, 4`
	}
	made := of("standing", "this.attempts", "this.created_at, 'created', 200, this.error_code, this.error, this.session_id, ''", " AND this.state = 'created'")
	return past + ` UNION ALL ` + made + ` UNION ALL ` + going + ` ORDER BY 1, 4`
}

// Attempts yields the job's attempts, by row and number. With orphansOnly those alone whose session may exist
// without being published: job.Tally.PossibleOrphans counts them.
func (s *Store) Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error] {
	return func(yield func(job.Attempt, error) bool) {
		fail := func(err error) { yield(job.Attempt{}, fmt.Errorf("read the attempts of job %d: %w", jobID, err)) }
		first, last, err := itemRange(ctx, s.read, jobID)
		if err != nil {
			fail(err)
			return
		}
		rows, err := s.read.QueryContext(ctx, attemptsOf(orphansOnly), first, last)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var a job.Attempt
			var itemID int64
			err := rows.Scan(&itemID, &a.Row, &a.Reference, &a.Number, timeOf(&a.SentAt), timeOf(&a.EndedAt), &a.Outcome,
				&a.Status, &a.Code, &a.Message, &a.SessionID, timeOf(&a.Replaced))
			if err != nil {
				fail(err)
				return
			}
			if !yield(a, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}
