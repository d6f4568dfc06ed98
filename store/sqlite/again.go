package sqlite

import (
	"fmt"
	"time"

	"paylinks/job"
)

// RunAgain notes that the file of a job that is in the ledger is run again: its job is the one that was run last, and has these
// settings. Its items that another job has decided about are looked at again: superseded ones, duplicates whose link has ended, and
// those that were refused because of another job. Those in disputed, by their rows, are refused instead, with these words.
func (l *Ledger) RunAgain(j job.Job, disputed map[int]string, at time.Time) error {
	err := l.writer.write(func(t *tx) error {
		if err := t.remember(j); err != nil {
			return err
		}
		if err := t.updateJob(j.ID, `ran = (SELECT max(ran) + 1 FROM job)`); err != nil {
			return err
		}
		which := supersededItems + ` OR ` + endedDuplicates + ` OR ` + refusedItems
		if len(disputed) > 0 {
			which += ` OR ` + openItems
		}
		return t.lookAgain(j.ID, disputed, at, which)
	})
	if err != nil {
		return fmt.Errorf("run job %d again: %w", j.ID, err)
	}
	return nil
}

// LookAgain looks again at the job's duplicates whose link has ended and cannot be replaced where it was made: they get a link of their
// own, or another job's.
func (l *Ledger) LookAgain(jobID int64, at time.Time) error {
	err := l.writer.write(func(t *tx) error { return t.lookAgain(jobID, nil, at, endedDuplicates) })
	if err != nil {
		return fmt.Errorf("look at the duplicates of job %d again: %w", jobID, err)
	}
	return nil
}

// ended is the condition on an item's link that it can no longer be paid, at ?2, and is not known to be paid.
const ended = `(item.link_status NOT IN ('paid', 'refunded') AND (item.link_status = 'expired' OR item.expires_at <> '' AND item.expires_at <= ?2))`

// replaceable is the condition that the item with a duplicate's link can have it replaced.
const replaceable = `EXISTS (
	SELECT 1
	FROM item AS owner
	JOIN job ON job.id = owner.job_id
	WHERE owner.session_id = item.session_id
		AND owner.state = 'created'
		AND job.purged_at = ''
)`

// What is looked at again.
const (
	supersededItems = `item.state = 'superseded'`
	endedDuplicates = `item.state = 'duplicate' AND ` + ended + ` AND NOT ` + replaceable
	openItems       = `item.state IN ('pending', 'unknown')`
	refusedItems    = `item.state IN ('failed', 'invalid') AND item.error_code = '` + job.CodeConflict + `' AND item.invoice IS NOT NULL`
)

// lookAgain resolves the job's items that the condition selects anew, but for those that are disputed.
func (t *tx) lookAgain(jobID int64, disputed map[int]string, at time.Time, which string) error {
	for after := int64(0); ; {
		items, err := t.itemsToMove(`
			`+toMove+`
			WHERE `+inJob(1)+`
				AND item.id > ?3
				AND (`+which+`)
				AND (SELECT purged_at FROM job WHERE id = ?1) = ''
			ORDER BY item.id
			LIMIT ?4
		`, jobID, timestamp(at), after, partRows)
		if err != nil || len(items) == 0 {
			return err
		}
		for i := range items {
			item := &items[i]
			after = item.ID
			why, refused := disputed[item.Row]
			open := item.State == job.Pending || item.State == job.Unknown
			switch {
			case refused && open:
				err = t.leave(item, refusedFrom(item), job.CodeConflict, why)
			case !refused && !open:
				err = t.lookAgainAt(item, at)
			}
			if err != nil {
				return err
			}
		}
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
	if err := t.stmts.lookAgain.one(item.ID, string(item.State), string(to), r.Code(), r.Reason()); err != nil {
		return err
	}
	t.move(item, to)
	if r.Action != job.Reuse {
		return nil
	}
	item.State = to
	return t.reuse(item, r.Other.ItemID, r.Reason())
}
