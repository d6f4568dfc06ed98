package store

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"paylinks/clink"
	"paylinks/job"
)

// asked are the conditions on the items that a job.Question is about: ?1 is the job, ?2 when the asking began, ?3 the
// last id that is known, ?4 the time now. The second is for links that are to be replaced.
var asked = map[bool]string{
	false: askedIn + `
		AND item.state IN ('created', 'duplicate')
		AND item.link_status NOT IN ('paid', 'expired')
	`,
	true: askedIn + `
		AND item.state = 'created'
		AND item.request <> '{}' -- else it is purged
		AND item.link_status <> 'paid'
		AND (item.link_status = 'expired' OR item.expires_at <> '' AND item.expires_at <= ?2)
	`,
}

const askedIn = `
	WHERE item.id BETWEEN max(?3 + 1, (SELECT first_item FROM job WHERE id = ?1)) AND (SELECT last_item FROM job WHERE id = ?1)
		AND (item.checked_at < ?2 OR item.checked_at > ?4) -- asked after now is asked before a clock was set back
`

// Links implements job.Ledger.
func (s *Store) Links(ctx context.Context, q job.Question, after int64, n int) ([]job.Item, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT
			item.id, item.job_id, item.row, item.state, item.invoice_id, item.reference, item.currency, item.amount,
			item.request, item.attempts, item.unknown_ends, item.invoice_id = '' AND job.allow_repeats, item.session_id
		FROM item
		JOIN job ON job.id = ?1
		`+asked[q.Replace]+`
		ORDER BY item.id
		LIMIT ?5
	`, q.JobID, stamp(q.At), after, stamp(time.Now()), n)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	defer rows.Close()
	var items []job.Item
	for rows.Next() {
		i := job.Item{Replace: q.Replace}
		var request string
		err := rows.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount,
			&request, &i.Attempts, &i.UnknownEnds, &i.Repeat, &i.SessionID)
		if err == nil && q.Replace {
			i.Request, err = clink.ReadRequest(request)
		}
		if err != nil {
			return nil, fmt.Errorf("read links: %w", err)
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// LastAsked implements job.Ledger.
func (s *Store) LastAsked(ctx context.Context, jobID int64) (itemID int64, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT coalesce(max(item_id), 0)
		FROM standing
		WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
			AND checked_at = (
				SELECT max(checked_at)
				FROM standing
				WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
			)
			AND checked_at <> ''
	`, jobID).Scan(&itemID)
	if err != nil {
		return 0, fmt.Errorf("look for the link asked about last: %w", err)
	}
	return itemID, nil
}

// Unasked counts the links that the question is about.
func (s *Store) Unasked(ctx context.Context, q job.Question) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM item`+asked[q.Replace], q.JobID, stamp(q.At), 0, stamp(time.Now())).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the links of job %d: %w", q.JobID, err)
	}
	return n, nil
}

// Checked implements job.Ledger.
func (s *Store) Checked(itemID int64, status job.LinkStatus, at time.Time) error {
	return s.writer.write(func(t *tx) error { return t.checked(itemID, status, at) })
}

func (t *tx) checked(itemID int64, status job.LinkStatus, at time.Time) error {
	n, err := t.stmts.checked.changed(itemID, string(status), stamp(at))
	if err == nil && n == 0 {
		return job.ErrMoved
	}
	return err
}

// Replace implements job.Ledger.
func (s *Store) Replace(item *job.Item, at time.Time) error {
	return s.writer.write(func(t *tx) error {
		if err := t.checked(item.ID, job.LinkExpired, at); err != nil { // for the duplicates that share it
			return err
		}
		if err := t.stmts.replaced.one(item.ID, item.SessionID, stamp(at)); err != nil {
			return err
		}
		if err := t.stmts.replace.one(item.ID, item.SessionID); err != nil {
			return err
		}
		t.leave(item.JobID, job.Created, item.Currency, item.Amount)
		t.enter(item.JobID, job.Pending, item.Currency, item.Amount)
		t.anyReplaced = true
		return nil
	})
}

// Refreshed records when the job's links were last asked about. Without such a job it is ErrNoJob.
func (s *Store) Refreshed(jobID int64, at time.Time) error {
	return s.writer.write(func(t *tx) error {
		result, err := t.conn.ExecContext(context.Background(), `UPDATE job SET refreshed_at = ?2 WHERE id = ?1`, jobID, stamp(at))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoJob)
		}
		return nil
	})
}

// statusRows are all words of link_status but the empty one, as rows of a VALUES.
var statusRows = func() string {
	words := make([]string, len(job.LinkStatuses))
	for i, status := range job.LinkStatuses {
		words[i] = "('" + string(status) + "')"
	}
	return strings.Join(words, ", ")
}()

// ofStatus says that Clink has spoken of a link, and said this. The second half, which goes without saying, is what lets
// SQLite take the index, which has no others.
func ofStatus(status string) string {
	return `link_status = ` + status + ` AND link_status <> ''`
}

// LinkTally counts the job's links by what Clink last said of them. Those that it has said nothing of, "", are what is left of
// all links.
func (s *Store) LinkTally(ctx context.Context, jobID int64) (job.LinkTally, error) {
	tally := job.LinkTally{}
	fail := func(err error) (job.LinkTally, error) {
		return nil, fmt.Errorf("count the links of job %d: %w", jobID, err)
	}
	rows, err := s.read.QueryContext(ctx, `
		WITH said (word) AS (VALUES `+statusRows+`)
		SELECT
			word,
			(
				SELECT count(*)
				FROM job
				CROSS JOIN standing INDEXED BY standing_link_status ON item_id BETWEEN first_item AND last_item
				WHERE job.id = ?1
					AND `+ofStatus("word")+`
			)
		FROM said
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
func (s *Store) PaidTotals(ctx context.Context, jobID int64) (map[string]string, error) {
	fail := func(err error) (map[string]string, error) {
		return nil, fmt.Errorf("add up the paid links of job %d: %w", jobID, err)
	}
	rows, err := s.read.QueryContext(ctx, `
		SELECT currency, amount
		FROM job
		CROSS JOIN standing INDEXED BY standing_link_status ON item_id BETWEEN first_item AND last_item
		CROSS JOIN input ON input.id = item_id
		WHERE job.id = ?1
			AND `+ofStatus("'paid'")+`
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
