package postgres

import (
	"time"

	"paylinks/job"
)

// Retry puts the job's failed items back to pending. Those that Clink may have made a session for become unknown, with one unknown end
// left on record, so that job.Hold keeps them when it comes later; where the job has it, they stay as they are. With unknown it is a
// person's word on what is in doubt: it puts back the items that Clink may have made a session for, and those that wait since Clink
// does not say whether a link that has ended was paid, another job's or their own, go on without that link. It returns how many items it
// moved. Sessions that nobody has seen the link of stay on record with the attempts. Items are moved in parts.
func (l *Ledger) Retry(jobID int64, unknown bool, at time.Time) (n int, err error) {
	const failedInDoubt = `item.state = 'failed' AND item.unknown_ends > 0 AND (SELECT on_unknown FROM {job} WHERE id = $1) = 'hold'`
	from := `item.state = 'failed' AND NOT (` + failedInDoubt + `)`
	if unknown {
		from = `(item.state = 'unknown' OR ` + failedInDoubt + `)`
		given := 0
		err := l.writer.write(func(t *tx) error { // first, since what is put back has lost the word that tells which items these are
			given = 0
			for _, giveUp := range []func(int64, time.Time) (int, error){t.giveUpLinks, t.giveUpOwnLinks} {
				moved, err := giveUp(jobID, l.now(at))
				if err != nil {
					return err
				}
				given += moved
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		n += given
	}
	for after := int64(0); ; {
		var items []job.Item
		err := l.writer.write(func(t *tx) (err error) {
			items, err = t.itemsToMove(toMove+`
				WHERE `+ids("item.id", 1)+`
					AND item.id > $2
					AND `+from+`
					AND (SELECT purged_at FROM {job} WHERE id = $1) IS NULL
				ORDER BY item.id
				LIMIT $3
			`, jobID, after, partRows)
			if err != nil {
				return err
			}
			return t.putBack(items, unknown)
		})
		if err != nil {
			return n, err
		}
		if len(items) == 0 {
			return n, nil
		}
		after = items[len(items)-1].ID
		n += len(items)
	}
}

// putBack makes failed and unknown items open again.
func (t *tx) putBack(items []job.Item, unknown bool) error {
	itemIDs, from := make([]int64, len(items)), make([]string, len(items))
	to, ends := make([]string, len(items)), make([]int32, len(items))
	for i := range items {
		itemIDs[i], from[i], to[i] = items[i].ID, string(items[i].State), string(job.Pending)
		if !unknown && items[i].UnknownEnds > 0 {
			to[i], ends[i] = string(job.Unknown), 1
		}
	}
	moved, err := idsOf(t.query(`
		UPDATE {item} AS item
		SET
			state = back.state,
			unknown_ends = back.ends,
			suspect_ends = 0,
			session_id = '',
			created_at = NULL,
			error_code = '',
			error = ''
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[]) AS back (id, from_state, state, ends)
		WHERE item.id = back.id
			AND item.state = back.from_state
			AND item.state IN ('failed', 'unknown')
		RETURNING item.id
	`, itemIDs, from, to, ends))
	if err != nil {
		return err
	}
	for i := range items {
		if !moved[items[i].ID] {
			return job.ErrMoved
		}
		t.move(&items[i], job.State(to[i]))
	}
	return nil
}

// giveUpLinks lets the job's items go on without the links that Clink does not say are paid or not; it returns how many of these items
// are pending.
func (t *tx) giveUpLinks(jobID int64, at time.Time) (n int, err error) {
	items, err := t.itemsToMove(toMove+`
		WHERE item.job_id = $1
			AND item.state IN ('pending', 'unknown')
			AND item.error_code = $2
		ORDER BY item.id
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
			if _, err := t.exec(`UPDATE {item} SET given_up = TRUE WHERE id = $1 AND state = 'created'`, r.Other.ItemID); err != nil {
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
	items, err := t.itemsToMove(toMove+`
		WHERE item.job_id = $1
			AND `+unsettledLink+`
			AND `+ended("item", 2)+`
		ORDER BY item.id
	`, jobID, at)
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
