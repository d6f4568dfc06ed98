package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"paylinks/job"
)

// reasonGiven is a condition that all failed items meet. It leads SQLite to item_problem.
const reasonGiven = `error <> '' AND state <> 'duplicate' AND state <> 'created'`

// Left counts the job's open items by who moves them next, where an item's attempts are used up after maxAttempts unknown ends.
func (r *Reader) Left(ctx context.Context, j job.Job, maxAttempts int) (job.Left, error) {
	left, err := r.left(ctx, j, maxAttempts)
	if err != nil {
		err = fmt.Errorf("count the open rows of job %d: %w", j.ID, err)
	}
	return left, err
}

func (r *Reader) left(ctx context.Context, j job.Job, maxAttempts int) (left job.Left, err error) {
	const goes = `(unknown_ends = 0 OR ?2 = 'retry' AND unknown_ends < ?3)`
	const open = `
		FROM item INDEXED BY item_open
		WHERE job_id = ?1
			AND (state = 'pending' OR state = 'sending' OR state = 'unknown')
	`
	err = r.read.QueryRowContext(ctx, `
		SELECT
			count(*) FILTER (WHERE `+goes+`),
			count(*) FILTER (WHERE NOT `+goes+`)
		`+open, j.ID, string(j.OnUnknown), maxAttempts).Scan(&left.Sendable, &left.InDoubt)
	if err != nil {
		return left, err
	}
	if j.OnUnknown == job.Hold {
		err = r.read.QueryRowContext(ctx, `SELECT count(*) FROM item WHERE job_id = ?1 AND state = 'failed' AND `+reasonGiven+` AND unknown_ends > 0`, j.ID).
			Scan(&left.FailedInDoubt)
		if err != nil {
			return left, err
		}
	}
	if err := r.countUnsettledLinks(ctx, j.ID, &left); err != nil {
		return left, err
	}
	rows, err := r.read.QueryContext(ctx, `SELECT id, invoice, error_code`+open+`
		AND error_code IN (?4, ?5)
		AND `+goes, j.ID, string(j.OnUnknown), maxAttempts, job.CodeHeld, job.CodeUnsettled)
	if err != nil {
		return left, err
	}
	defer rows.Close()
	var some []waitingItem
	for rows.Next() {
		var w waitingItem
		var invoice []byte
		if err := rows.Scan(&w.id, &invoice, &w.code); err != nil {
			return left, err
		}
		w.invoice = [16]byte(invoice)
		if some = append(some, w); len(some) == factsBatch {
			if err := r.countWaiting(ctx, some, &left); err != nil {
				return left, err
			}
			some = some[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return left, err
	}
	err = r.countWaiting(ctx, some, &left)
	slices.Sort(left.HeldBy)
	return left, err
}

// countUnsettledLinks counts the links of the job that have ended and wait for a person: its own, and those that it shares.
func (r *Reader) countUnsettledLinks(ctx context.Context, jobID int64, left *job.Left) error {
	rows, err := r.read.QueryContext(ctx, `
		SELECT item.job_id, CASE WHEN item.job_id = ?1 THEN 1 ELSE (
			SELECT count(*)
			FROM item AS shares
			WHERE shares.session_id = item.session_id
				AND shares.state = 'duplicate'
				AND shares.job_id = ?1
		) END
		FROM item INDEXED BY item_unsettled
		WHERE `+unsettledLink+`
			AND `+ended, jobID, timestamp(time.Now()))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var by int64
		var n int
		if err := rows.Scan(&by, &n); err != nil {
			return err
		}
		switch {
		case by == jobID:
			left.LinksUnsettled += n
		case n > 0:
			left.Held += n
			if !slices.Contains(left.HeldBy, by) {
				left.HeldBy = append(left.HeldBy, by)
			}
		}
	}
	return rows.Err()
}

// waitingItem is one that waited for a person when a run looked at it last.
type waitingItem struct {
	id      int64
	invoice [16]byte
	code    string
}

// countWaiting tells from those that can be sent the items that still wait for a person.
func (r *Reader) countWaiting(ctx context.Context, items []waitingItem, left *job.Left) error {
	found := factsByInvoice{}
	var invoices [][16]byte
	for _, w := range items {
		invoices = append(invoices, w.invoice)
	}
	if err := found.look(ctx, r.facts, invoices); err != nil {
		return err
	}
	now := time.Now()
	for _, w := range items {
		this, others := divide(found[w.invoice], w.id)
		switch by, blocked := job.Blocked(w.code, this, others, now); {
		case !blocked:
		case w.code == job.CodeUnsettled:
			left.Sendable--
			left.Unsettled++
		default:
			left.Sendable--
			left.Held++
			if !slices.Contains(left.HeldBy, by) {
				left.HeldBy = append(left.HeldBy, by)
			}
		}
	}
	return nil
}
