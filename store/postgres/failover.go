package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// acceptFailover makes a ledger that is marked, or that is on another server than before, one to send from again. Each open item may have
// been sent without that being on record any more: it becomes unknown, with a doubt on record, and its job is under hold. That is done in
// parts while the ledger is marked; where it is interrupted, it is gone on with.
func (r *Reader) acceptFailover(ctx context.Context) error {
	due, err := r.failoverDue(ctx)
	if err != nil || !due {
		return err
	}
	for more := true; more; {
		err := r.inTransaction(ctx, func(tx pgx.Tx) (err error) {
			more, err = r.doubtSome(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.inTransaction(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, r.sql(`UPDATE {ledger} SET state = 'open', system_id = `+systemID+`, timeline = `+timeline+` WHERE state = 'failed_over'`))
		return err
	})
}

// inTransaction does it whole or not at all, and again where the server has undone it or was away.
func (r *Reader) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	return r.again(ctx, func() error {
		return pgx.BeginTxFunc(ctx, r.read, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, settings(1), "60000"); err != nil {
				return err
			}
			return do(tx)
		})
	})
}

// failoverDue marks the ledger where the server is another one, fences who is left, and says whether there is something to accept.
func (r *Reader) failoverDue(ctx context.Context) (due bool, err error) {
	err = r.inTransaction(ctx, func(tx pgx.Tx) error {
		var state, seen, is string
		err := tx.QueryRow(ctx, r.sql(`
			SELECT state, system_id || ', timeline ' || timeline, `+theServer+`
			FROM {ledger}
			FOR UPDATE
		`)).Scan(&state, &seen, &is)
		if err != nil {
			return err
		}
		if due = state == "failed_over" || state == "open" && seen != is; !due {
			return nil
		}
		if err := r.nobodySends(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, r.sql(`UPDATE {sender} SET fenced_at = clock_timestamp() WHERE fenced_at IS NULL AND ended_at IS NULL`))
		if err == nil {
			_, err = tx.Exec(ctx, r.sql(markFailedOver))
		}
		return err
	})
	return due, err
}

// doubtSome puts a doubt on record for some of the pending items, and says whether there may be more.
func (r *Reader) doubtSome(ctx context.Context, tx pgx.Tx) (more bool, err error) {
	const reason = "it may have been sent before the database went back, without being on record any more"
	rows, err := tx.Query(ctx, r.sql(`
		WITH open AS MATERIALIZED (
			SELECT item.id
			FROM {item} AS item
			JOIN {job} AS job ON job.id = item.job_id
			WHERE item.state = 'pending'
				AND job.imported
			ORDER BY item.job_id, item.id
			LIMIT $1
		), doubted AS (
			UPDATE {item} AS item
			SET
				state = 'unknown',
				attempts = item.attempts + 1,
				unknown_ends = item.unknown_ends + 1,
				error_code = 'unknown',
				error = $2
			FROM open
			WHERE item.id = open.id
				AND item.state = 'pending'
			RETURNING item.id, item.job_id, item.attempts, item.currency, item.amount
		), attempts AS (
			INSERT INTO {attempt} (item_id, number, sender_id, sent_at, ended_at, outcome, code, message)
			SELECT id, attempts, 0, clock_timestamp(), clock_timestamp(), 'unknown', 'unknown', $2
			FROM doubted
		)
		SELECT job_id, currency, count(*), sum(amount)::text
		FROM doubted
		GROUP BY job_id, currency
	`), partRows, reason)
	if err != nil {
		return false, err
	}
	type doubts struct {
		job           int64
		currency, sum string
		n             int64
	}
	var all []doubts
	var one doubts
	if _, err := pgx.ForEachRow(rows, []any{&one.job, &one.currency, &one.n, &one.sum}, func() error {
		all = append(all, one)
		return nil
	}); err != nil {
		return false, err
	}
	for _, d := range all {
		for _, change := range []struct {
			state, sign string
		}{{string(job.Pending), "-"}, {string(job.Unknown), ""}} {
			_, err := tx.Exec(ctx, r.sql(`
				INSERT INTO {item_tally} AS tally (job_id, state, currency, items, amount)
				VALUES ($1, $2, $3, $4::text::bigint, $5::text::numeric)
				ON CONFLICT (job_id, state, currency) DO UPDATE SET
					items = tally.items + excluded.items,
					amount = tally.amount + excluded.amount
			`), d.job, change.state, d.currency, fmt.Sprintf("%s%d", change.sign, d.n), change.sign+d.sum)
			if err != nil {
				return false, err
			}
		}
		_, err := tx.Exec(ctx, r.sql(`
			INSERT INTO {attempt_tally} AS tally (job_id, outcome, attempts)
			VALUES ($1, 'unknown', $2)
			ON CONFLICT (job_id, outcome) DO UPDATE SET attempts = tally.attempts + excluded.attempts
		`), d.job, d.n)
		if err == nil {
			_, err = tx.Exec(ctx, r.sql(`UPDATE {job} SET on_unknown = 'hold' WHERE id = $1`), d.job)
		}
		if err != nil {
			return false, err
		}
	}
	return len(all) > 0, nil
}
