package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"paylinks/job"
)

// Retry puts the job's failed items back to pending. Those that Clink may have made a session for become unknown, with one unknown end
// left on record, so that job.Hold keeps them when it comes later; where the job has it, they stay as they are. With unknown it is a
// person's word on what is in doubt: it puts back the items that Clink may have made a session for, and those that wait since Clink
// does not say whether a link that has ended was paid, another job's or their own, go on without that link. It returns how many items it moved. Sessions that nobody
// has seen the link of stay on record with the attempts.
func (l *Ledger) Retry(jobID int64, unknown bool, at time.Time) (n int, err error) {
	const failedInDoubt = `state = 'failed' AND unknown_ends > 0 AND (SELECT on_unknown FROM job WHERE id = ?1) = 'hold'`
	from := `state = 'failed' AND NOT (` + failedInDoubt + `)`
	if unknown {
		from = `(state = 'unknown' OR ` + failedInDoubt + `)`
	}
	err = l.writer.write(func(t *tx) error {
		n = 0
		if unknown { // first, since what is put back has lost the word that tells which items these are
			for _, giveUp := range []func(int64, time.Time) (int, error){t.giveUpLinks, t.giveUpOwnLinks} {
				moved, err := giveUp(jobID, at)
				if err != nil {
					return err
				}
				n += moved
			}
		}
		items, err := t.itemsToMove(`
			`+toMove+`
			WHERE `+inJob(1)+`
				AND `+from+`
				AND (SELECT purged_at FROM job WHERE id = ?1) = ''
		`, jobID)
		if err != nil {
			return err
		}
		for i := range items {
			to, ends := job.Pending, 0
			if !unknown && items[i].UnknownEnds > 0 {
				to, ends = job.Unknown, 1
			}
			if err := t.stmts.retry.one(items[i].ID, string(items[i].State), string(to), int64(ends)); err != nil {
				return err
			}
			t.move(&items[i], to)
		}
		n += len(items)
		return nil
	})
	return n, err
}

// giveUpLinks lets the job's items go on without the links that Clink does not say are paid or not; it returns how many of these items
// are pending.
func (t *tx) giveUpLinks(jobID int64, at time.Time) (n int, err error) {
	items, err := t.itemsToMove(`
		`+toMove+`
		WHERE `+inJob(1)+`
			AND state IN ('pending', 'unknown')
			AND error_code = ?2
	`, jobID, job.CodeUnsettled)
	if err != nil {
		return 0, err
	}
	for i := range items {
		this, others, err := t.factsOf(&items[i])
		if err != nil {
			return 0, err
		}
		given := 0
		for {
			r := job.Resolve(this, others, at)
			if r.Action != job.Ask {
				break
			}
			if err := t.stmts.giveUp.one(r.Other.ItemID); err != nil {
				return 0, err
			}
			for o := range others {
				if others[o].ItemID == r.Other.ItemID {
					others[o].GivenUp = true
				}
			}
			given++
		}
		if given == 0 {
			continue
		}
		if err := t.leave(&items[i], items[i].State, "", ""); err != nil {
			return 0, err
		}
		if items[i].State == job.Pending {
			n++
		}
	}
	return n, nil
}

// giveUpOwnLinks puts the job's items back whose own link has ended, and of which Clink does not say whether it was paid.
func (t *tx) giveUpOwnLinks(jobID int64, at time.Time) (n int, err error) {
	items, err := t.itemsToMove(`
		`+toMove+` INDEXED BY item_unsettled
		WHERE item.job_id = ?1
			AND `+unsettledLink+`
			AND `+ended+`
	`, jobID, timestamp(at))
	if err != nil {
		return 0, err
	}
	for i := range items {
		if err := t.replace(&items[i], at); err != nil {
			return 0, err
		}
	}
	return len(items), nil
}

// toMove selects what itemsToMove reads.
const toMove = `SELECT item.id, item.job_id, item.row, item.state, item.currency, item.amount, item.unknown_ends, item.session_id FROM item`

// itemsToMove reads items as far as moving them needs.
func (t *tx) itemsToMove(query string, args ...any) ([]job.Item, error) {
	rows, err := t.conn.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []job.Item
	for rows.Next() {
		var i job.Item
		if err := rows.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.Currency, &i.Amount, &i.UnknownEnds, &i.SessionID); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// factsOf are the item's own facts, and those of other jobs' items of its invoice.
func (t *tx) factsOf(item *job.Item) (this job.Facts, others []job.Facts, err error) {
	var invoice []byte
	err = t.conn.QueryRowContext(context.Background(), `SELECT invoice FROM item WHERE id = ?1 AND invoice IS NOT NULL`, item.ID).Scan(&invoice)
	if errors.Is(err, sql.ErrNoRows) {
		err = job.ErrMoved
	}
	if err != nil {
		return this, nil, err
	}
	found := factsByInvoice{}
	if err := found.scan(t.stmts.facts.Query(invoice)); err != nil {
		return this, nil, err
	}
	this, others = divide(found[[16]byte(invoice)], item.ID)
	return this, others, nil
}
