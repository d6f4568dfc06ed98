package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
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
// policy of hold or with maxAttempts used up, or behind a doubt of another job.
func (s *Store) Left(ctx context.Context, j job.Job, maxAttempts int) (sendable, waiting int, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT
			count(*) FILTER (WHERE goes),
			count(*) FILTER (WHERE NOT goes)
		FROM (
			SELECT
				(unknown_ends = 0 OR ?2 = 'retry' AND unknown_ends < ?3) AND NOT (error_code = ?4 AND EXISTS (
					SELECT 1
					FROM claim
					JOIN item AS other ON other.id = claim.item_id
					WHERE claim.invoice = item.invoice
						AND other.job_id <> item.job_id
						AND (other.state = 'unknown' OR other.state = 'pending' AND other.unknown_ends > 0)
				)) AS goes
			FROM item
			WHERE job_id = ?1
				AND (state = 'pending' OR state = 'unknown')
		)
	`, j.ID, string(j.OnUnknown), maxAttempts, job.CodeHeld).Scan(&sendable, &waiting)
	if err != nil {
		return 0, 0, fmt.Errorf("count the open rows of job %d: %w", j.ID, err)
	}
	return sendable, waiting, nil
}

const resultColumns = `
	SELECT
		id, row, CASE WHEN state IN ('pending', 'unknown') AND ` + onItsWay + ` THEN 'sending' ELSE state END,
		invoice_id, reference, cells, session_id, url, expires_at, created_at,
		attempts + (state IN ('pending', 'unknown') AND ` + onItsWay + `),
		error_code, error, link_status, checked_at
	FROM item
`

// Results yields the job's items in the file's order, all from one moment.
func (s *Store) Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error] {
	return s.yieldResults(ctx, jobID, resultColumns+`
		WHERE id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
			AND job_id = ?1
		ORDER BY id
	`)
}

// Problems yields the job's items without a link that have a reason on record, in the file's order: with settled those
// that only a person moves, else those that are open or were taken over.
func (s *Store) Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error] {
	in := func(state job.State) string {
		return resultColumns + `WHERE job_id = ?1 AND error <> '' AND state <> 'duplicate' AND state = '` + string(state) + `'`
	}
	query := in(job.Failed) + ` UNION ALL ` + in(job.Invalid)
	if !settled {
		query = in(job.Pending) + ` UNION ALL ` + in(job.Unknown) + ` UNION ALL ` + in(job.Superseded)
	}
	return s.yieldResults(ctx, jobID, query+` ORDER BY 1`)
}

func (s *Store) yieldResults(ctx context.Context, jobID int64, query string) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		fail := func(err error) { yield(job.Result{}, fmt.Errorf("read the rows of job %d: %w", jobID, err)) }
		if _, _, err := itemRange(ctx, s.read, jobID); err != nil {
			fail(err)
			return
		}
		rows, err := s.read.QueryContext(ctx, query, jobID)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r job.Result
			var cells sql.RawBytes
			err := rows.Scan(&r.ItemID, &r.Row, &r.State, &r.InvoiceID, &r.Reference, &cells, &r.SessionID, &r.URL,
				timeOf(&r.ExpiresAt), timeOf(&r.CreatedAt), &r.Attempts, &r.ErrorCode, &r.Error, &r.Link, timeOf(&r.CheckedAt))
			if err == nil {
				r.Cells, err = decodeCells(cells)
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
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
		const columns = `
			SELECT
				attempt.item_id, item.row, item.reference, attempt.number, attempt.sent_at, attempt.ended_at, attempt.outcome,
				attempt.status, attempt.code, attempt.message, attempt.session_id, attempt.replaced
		`
		const all = columns + `
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.item_id BETWEEN ?1 AND ?2
				AND item.job_id = ?3
		`
		query := all + `ORDER BY 1, 4`
		if orphansOnly {
			query = all + `AND attempt.outcome IN ('unknown', 'mismatch')
				UNION ALL ` + columns + `
				FROM attempt
				JOIN item ON item.id = attempt.item_id
				WHERE attempt.outcome = ''
					AND attempt.item_id BETWEEN ?1 AND ?2
					AND item.job_id = ?3
				ORDER BY 1, 4
			`
		}
		rows, err := s.read.QueryContext(ctx, query, first, last, jobID)
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
