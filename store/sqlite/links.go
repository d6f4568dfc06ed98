package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"paylinks/job"
)

// linkQuery selects the items that a job.LinkQuery is about: ?1 is the job, ?2 when the asking began, ?3 the last id that is known, ?4
// the time now.
func linkQuery(columns string, which job.LinkChoice) string {
	text := columns
	switch which {
	case job.NotFinal:
		text += `
			WHERE ` + inJob(1) + `
				AND item.state IN ('created', 'duplicate')
				AND item.link_status NOT IN ('paid', 'refunded', 'expired')
		`
	case job.Ended:
		text += `
			WHERE ` + inJob(1) + `
				AND item.state = 'created'
				AND ` + ended + `
				AND (SELECT purged_at FROM job WHERE id = ?1) = ''
		`
	case job.EndedElsewhere:
		text += `
			WHERE item.state = 'created'
				AND item.session_id IN (
					SELECT item.session_id
					FROM item
					WHERE ` + inJob(1) + `
						AND item.state = 'duplicate'
						AND ` + ended + `
				)
				AND ` + ended + `
				AND (SELECT purged_at FROM job WHERE id = item.job_id) = ''
		`
	}
	return text + `
				AND item.id > ?3
				AND (item.checked_at < ?2 OR item.checked_at > ?4) -- checked after now is checked before the clock was set back
	`
}

// Links implements job.Ledger.
func (r *Reader) Links(ctx context.Context, q job.LinkQuery, after int64, n int) ([]job.Item, error) {
	replace := q.Which != job.NotFinal
	items, err := r.items(ctx, "links", replace, linkQuery(itemColumns, q.Which)+` ORDER BY item.id LIMIT ?5`,
		q.JobID, timestamp(q.At), after, timestamp(time.Now()), n)
	for i := range items {
		items[i].Replace = replace
	}
	return items, err
}

// LastChecked implements job.Ledger.
func (r *Reader) LastChecked(ctx context.Context, jobID int64) (itemID int64, err error) {
	err = r.read.QueryRowContext(ctx, `
		SELECT id
		FROM item
		WHERE `+inJob(1)+`
			AND checked_at <> ''
		ORDER BY checked_at DESC, id DESC
		LIMIT 1
	`, jobID).Scan(&itemID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("look for the link asked about last: %w", err)
	}
	return itemID, nil
}

// CountLinks counts the links that the query is about, but for those of which only a person can say what became of them.
func (r *Reader) CountLinks(ctx context.Context, q job.LinkQuery) (n int, err error) {
	err = r.read.QueryRowContext(ctx, linkQuery(`SELECT count(*) FROM item`, q.Which)+`
		AND NOT `+unsettledLink, q.JobID, timestamp(q.At), 0, timestamp(time.Now())).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the links of job %d: %w", q.JobID, err)
	}
	return n, nil
}

// Checked implements job.Ledger.
func (l *Ledger) Checked(itemID int64, status job.LinkStatus, at time.Time) error {
	return l.writer.write(func(t *tx) error { return t.checked(itemID, status, at) })
}

func (t *tx) checked(itemID int64, status job.LinkStatus, at time.Time) error {
	n, err := t.stmts.checked.changed(itemID, string(status), timestamp(at))
	if err == nil && n == 0 {
		return job.ErrMoved
	}
	return err
}

// Replace implements job.Ledger.
func (l *Ledger) Replace(item *job.Item, at time.Time) error {
	return l.writer.write(func(t *tx) error {
		return t.replace(item, at)
	})
}

// unsettledLink is the condition on a created item that Clink has not said what became of its link, which has ended.
const unsettledLink = `(item.state = 'created' AND item.error_code = '` + job.CodeUnsettled + `')`

// replace gives the link of a created item up.
func (t *tx) replace(item *job.Item, at time.Time) error {
	if err := t.checked(item.ID, job.LinkExpired, at); err != nil { // for the duplicates that share it
		return err
	}
	if err := t.stmts.replaced.one(item.ID, item.SessionID, timestamp(at)); err != nil {
		return err
	}
	if err := t.stmts.replace.one(item.ID, item.SessionID); err != nil {
		return err
	}
	created := *item
	created.State = job.Created
	t.move(&created, job.Pending)
	// Its links file has the old link, and the run may be one of another job.
	_, err := t.conn.ExecContext(context.Background(), `UPDATE job SET written = FALSE WHERE id = ?1 AND written`, item.JobID)
	return err
}

// LinkTally counts the job's links by what Clink last said of them. Those that it has said nothing of, "", are what is left of
// all links.
func (r *Reader) LinkTally(ctx context.Context, jobID int64) (job.LinkTally, error) {
	tally := job.LinkTally{}
	fail := func(err error) (job.LinkTally, error) {
		return nil, fmt.Errorf("count the links of job %d: %w", jobID, err)
	}
	rows, err := r.read.QueryContext(ctx, `
		SELECT link_status, count(*)
		FROM item
		WHERE job_id = ?1
			AND link_status <> ''
		GROUP BY 1
		UNION ALL
		SELECT '', coalesce(sum(items), 0)
		FROM item_tally
		WHERE job_id = ?1
			AND state IN ('created', 'duplicate')
	`, jobID)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		var status job.LinkStatus
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			return fail(err)
		}
		tally[status] += n
		if status != "" {
			tally[""] -= n
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return tally, nil
}

// PaidTotals are the amounts of the job's links that Clink says are paid, as plain decimals by currency.
func (r *Reader) PaidTotals(ctx context.Context, jobID int64) (map[string]string, error) {
	fail := func(err error) (map[string]string, error) {
		return nil, fmt.Errorf("add up the paid links of job %d: %w", jobID, err)
	}
	rows, err := r.read.QueryContext(ctx, `
		SELECT currency, amount
		FROM item
		WHERE job_id = ?1
			AND link_status = 'paid'
			AND link_status <> '' -- which goes without saying, but lets SQLite take the index
	`, jobID)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	tally, amount := job.NewTally(), new(big.Int)
	for rows.Next() {
		var currency string
		var tenThousandths int64
		if err := rows.Scan(&currency, &tenThousandths); err != nil {
			return fail(err)
		}
		tally.Add(job.Created, currency, 1, amount.SetInt64(tenThousandths))
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return tally.Totals(job.Created), nil
}
