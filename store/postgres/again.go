package postgres

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// RunAgain notes that the file of a job that is in the ledger is run again: its job is the one that was run last, and has these
// settings. Its items that another job has decided about are looked at again: superseded ones, duplicates whose link has ended, and
// those that were refused because of another job. Those in disputed, by their rows, are refused instead, with these words. Items are
// looked at in parts: where it is interrupted, running the file again looks at the rest.
func (l *Ledger) RunAgain(j job.Job, disputed map[int]string, at time.Time) error {
	err := l.writer.write(func(t *tx) error {
		if err := t.lockImports(); err != nil {
			return err
		}
		if err := t.remember(j); err != nil {
			return err
		}
		return t.updateJob(j.ID, `ran = (SELECT max(ran) + 1 FROM {job})`)
	})
	if err == nil {
		which := supersededItems + ` OR ` + endedDuplicates + ` OR ` + refusedItems
		if len(disputed) > 0 {
			which += ` OR ` + openItems
		}
		err = l.lookAgain(j.ID, disputed, l.now(at), which)
	}
	if err != nil {
		return fmt.Errorf("run job %d again: %w", j.ID, err)
	}
	return nil
}

// LookAgain looks again at the job's duplicates whose link has ended and cannot be replaced where it was made: they get a link of their
// own, or another job's.
func (l *Ledger) LookAgain(jobID int64, at time.Time) error {
	if err := l.lookAgain(jobID, nil, l.now(at), endedDuplicates); err != nil {
		return fmt.Errorf("look at the duplicates of job %d again: %w", jobID, err)
	}
	return nil
}

// replaceable is the condition that the item with a duplicate's link can have it replaced.
const replaceable = `EXISTS (
	SELECT 1
	FROM {item} AS owner
	JOIN {job} AS job ON job.id = owner.job_id
	WHERE owner.session_id = item.session_id
		AND owner.state = 'created'
		AND job.purged_at IS NULL
)`

// What is looked at again.
var endedDuplicates = `item.state = 'duplicate' AND ` + ended("item", 2) + ` AND NOT ` + replaceable

const (
	supersededItems = `item.state = 'superseded'`
	openItems       = `item.state IN ('pending', 'unknown')`
	refusedItems    = `item.state IN ('failed', 'invalid') AND item.error_code = '` + job.CodeConflict + `' AND item.invoice IS NOT NULL`
)

// againRows is how many items are looked at again in one transaction: each costs some round trips.
const againRows = 256

// lookAgain resolves the job's items that the condition selects anew, but for those that are disputed.
func (l *Ledger) lookAgain(jobID int64, disputed map[int]string, at time.Time, which string) error {
	for after := int64(0); ; {
		var last int64
		err := l.writer.write(func(t *tx) error {
			last = 0
			items, err := t.itemsToMove(toMove+`
				WHERE `+ids("item.id", 1)+`
					AND item.id > $3
					AND (`+which+`)
					AND (SELECT purged_at FROM {job} WHERE id = $1) IS NULL
				ORDER BY item.id
				LIMIT $4
			`, jobID, at, after, againRows)
			if err != nil {
				return err
			}
			for i := range items {
				item := &items[i]
				last = item.ID
				why, refused := disputed[item.Row]
				open := item.State == job.Pending || item.State == job.Unknown
				switch {
				case refused && open:
					err = t.leave(item, refusedFrom(item), job.CodeConflict, why)
				case !refused && !open:
					err = t.lookAgainAt(item, at)
				}
				if err != nil && err != job.ErrMoved { // what somebody else has moved on meanwhile is not looked at any more
					return err
				}
			}
			return nil
		})
		if err != nil || last == 0 {
			return err
		}
		after = last
	}
}

// refusedFrom is the state of an item that is refused when its file is run: a doubt stays on record as one, with a failed item.
func refusedFrom(item *job.Item) job.State {
	if item.State == job.Failed || item.UnknownEnds > 0 {
		return job.Failed
	}
	return job.Invalid
}

// lookAgainAt moves an item that another job has decided about to where it belongs now.
func (t *tx) lookAgainAt(item *job.Item, at time.Time) error {
	this, others, err := t.factsOf(item)
	if err != nil {
		return err
	}
	this.Importing = true
	r := job.Resolve(this, others, at)
	to := job.Pending
	switch {
	case r.Action == job.Refuse:
		to = refusedFrom(item)
	case r.Action == job.GiveWay:
		to = job.Superseded
	case item.UnknownEnds > 0:
		to = job.Unknown
	}
	if err := t.takeOver(r, item.JobID); err != nil {
		return err
	}
	// Back to an open state, or to one that only a person moves: without a link.
	err = t.one(`
		UPDATE {item}
		SET
			state = $3,
			session_id = '',
			url = '',
			expires_at = NULL,
			created_at = NULL,
			link_status = '',
			checked_at = NULL,
			error_code = $4,
			error = $5
		WHERE id = $1
			AND state = $2
			AND (state IN ('superseded', 'duplicate') OR error_code = 'conflict' AND state IN ('failed', 'invalid'))
	`, item.ID, string(item.State), string(to), r.Code(), clean(r.Reason()))
	if err != nil {
		return err
	}
	t.move(item, to)
	if r.Action != job.Reuse {
		return nil
	}
	item.State = to
	return t.reuse(item, r.Other.ItemID, r.Reason())
}

// toMove selects what itemsToMove reads.
const toMove = `
	SELECT
		item.id, item.job_id, item.row, item.state, item.invoice_id, item.reference, item.currency, item.amount, item.unknown_ends,
		item.session_id
	FROM {item} AS item
`

// itemsToMove reads items as far as moving them needs.
func (t *tx) itemsToMove(query string, args ...any) (items []job.Item, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	var i job.Item
	_, err = pgx.ForEachRow(rows, []any{
		&i.ID, &i.JobID, &i.Row, &i.State, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount, &i.UnknownEnds, &i.SessionID,
	}, func() error {
		items = append(items, i)
		return nil
	})
	return items, err
}
