package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// Left counts the job's open items by who moves them next, where an item's attempts are used up after maxAttempts unknown ends. All
// counts are of one moment.
func (r *Reader) Left(ctx context.Context, j job.Job, maxAttempts int) (left job.Left, err error) {
	err = r.snapshot(ctx, func(tx pgx.Tx) (err error) {
		left, err = r.left(ctx, tx, j, maxAttempts)
		return err
	})
	if err != nil {
		return job.Left{}, fmt.Errorf("count the open rows of job %d: %w", j.ID, err)
	}
	return left, nil
}

func (r *Reader) left(ctx context.Context, tx pgx.Tx, j job.Job, maxAttempts int) (left job.Left, err error) {
	// Most open items have no unknown end: the tally has counted them, and the others are few.
	var open, inDoubt int
	err = tx.QueryRow(ctx, r.sql(`
		SELECT
			(
				SELECT coalesce(sum(items), 0)::bigint
				FROM {item_tally}
				WHERE job_id = $1
					AND state IN ('pending', 'sending', 'unknown')
			),
			count(*) FILTER (WHERE item.state <> 'failed' AND ($2::text <> 'retry' OR item.unknown_ends >= $3::bigint)),
			count(*) FILTER (WHERE item.state = 'failed' AND $2::text = 'hold')
		FROM {item} AS item
		WHERE item.job_id = $1
			AND item.unknown_ends > 0
			AND item.state IN ('pending', 'sending', 'unknown', 'failed')
	`), j.ID, string(j.OnUnknown), maxAttempts).Scan(&open, &inDoubt, &left.FailedInDoubt)
	if err != nil {
		return left, err
	}
	left.Sendable, left.InDoubt = open-inDoubt, inDoubt
	if err := r.countUnsettledLinks(ctx, tx, j.ID, &left); err != nil {
		return left, err
	}
	for after, more := int64(0), true; more; {
		if after, more, err = r.countWaiting(ctx, tx, j, maxAttempts, after, &left); err != nil {
			return left, err
		}
	}
	slices.Sort(left.HeldBy)
	return left, nil
}

// countUnsettledLinks counts the links of the job that have ended and wait for a person: its own, and those that it shares.
func (r *Reader) countUnsettledLinks(ctx context.Context, tx pgx.Tx, jobID int64, left *job.Left) error {
	rows, err := tx.Query(ctx, r.sql(`
		SELECT item.job_id, CASE WHEN item.job_id = $1 THEN 1 ELSE (
			SELECT count(*)
			FROM {item} AS shares
			WHERE shares.session_id = item.session_id
				AND shares.state = 'duplicate'
				AND shares.job_id = $1
		) END
		FROM {item} AS item
		WHERE `+unsettledLink+`
			AND `+ended("item", 2)), jobID, r.at(time.Now()))
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

func scanWaiting(row pgx.Row) (w waitingItem, err error) {
	var digits string
	if err := row.Scan(&w.id, &digits, &w.code); err != nil {
		return w, err
	}
	w.invoice, err = invoiceOf(digits)
	return w, err
}

// countWaiting tells from those that can be sent the items that still wait for a person, factsBatch of them with ids above after. It
// returns the last id, and whether there may be more.
func (r *Reader) countWaiting(
	ctx context.Context, tx pgx.Tx, j job.Job, maxAttempts int, after int64, left *job.Left,
) (last int64, more bool, err error) {
	rows, err := tx.Query(ctx, r.sql(`
		SELECT item.id, encode(item.invoice, 'hex'), item.error_code
		FROM {item} AS item
		WHERE `+inFileOrder(1)+`
			AND item.state IN ('pending', 'sending', 'unknown')
			AND item.error_code IN ('`+job.CodeHeld+`', '`+job.CodeUnsettled+`')
			AND (item.unknown_ends = 0 OR $2::text = 'retry' AND item.unknown_ends < $3::bigint)
			AND item.id > $4
		ORDER BY item.job_id, item.id
		LIMIT $5
	`), j.ID, string(j.OnUnknown), maxAttempts, after, factsBatch)
	if err != nil {
		return 0, false, err
	}
	items, err := collect(rows, scanWaiting)
	if err != nil || len(items) == 0 {
		return 0, false, err
	}
	var invoices [][16]byte
	for _, w := range items {
		invoices = append(invoices, w.invoice)
	}
	if rows, err = tx.Query(ctx, r.sql(factsOfInvoices), bytesOf(invoices)); err != nil {
		return 0, false, err
	}
	found, err := scanFacts(rows)
	if err != nil {
		return 0, false, err
	}
	now := r.now(time.Now())
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
	return items[len(items)-1].id, len(items) == factsBatch, nil
}
