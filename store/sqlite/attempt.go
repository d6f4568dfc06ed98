package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"paylinks/job"
)

// Begin implements job.Ledger.
func (l *Ledger) Begin(item *job.Item, at time.Time, stopped func() bool) (resolution job.Resolution, number int, err error) {
	err = l.writer.write(func(t *tx) error {
		if stopped != nil && stopped() {
			return job.ErrStopped
		}
		resolution, number = job.Resolution{Action: job.Send}, item.Attempts+1
		err := t.stmts.begin.one(item.ID, string(item.State), int64(item.Attempts), item.Repeat)
		if err == job.ErrMoved && !item.Repeat {
			if resolution, err = t.resolve(item, at); err != nil {
				return err
			}
			if resolution.Action != job.Send && resolution.Action != job.TakeOver {
				number = 0
				return t.settle(item, resolution)
			}
			err = t.stmts.begin.one(item.ID, string(item.State), int64(item.Attempts), true)
		}
		if err != nil {
			return err
		}
		t.move(item, job.Sending)
		t.attempts[attemptTally{item.JobID, ""}]++
		return t.stmts.intent.one(item.ID, int64(number), timestamp(at))
	})
	return resolution, number, err
}

// resolve resolves the item's invoice, and makes superseded what is taken over. The item must be as the caller knows it, else the error
// is job.ErrMoved.
func (t *tx) resolve(item *job.Item, at time.Time) (r job.Resolution, err error) {
	var invoice []byte
	err = t.conn.QueryRowContext(context.Background(), `
		SELECT invoice
		FROM item
		WHERE id = ?1
			AND state = ?2
			AND state IN ('pending', 'unknown')
			AND attempts = ?3
			AND invoice IS NOT NULL
	`, item.ID, string(item.State), item.Attempts).Scan(&invoice)
	if errors.Is(err, sql.ErrNoRows) {
		err = job.ErrMoved
	}
	if err != nil {
		return r, err
	}
	found := factsByInvoice{}
	if err := found.scan(t.stmts.facts.Query(invoice)); err != nil {
		return r, err
	}
	this, others := divide(found[[16]byte(invoice)], item.ID)
	for i := range others {
		others[i].Heard = item.Heard[others[i].SessionID]
	}
	r = job.Resolve(this, others, at)
	return r, t.takeOver(r, item.JobID)
}

// takeOver makes superseded what the resolution takes over for the job.
func (t *tx) takeOver(r job.Resolution, by int64) error {
	for _, other := range r.TakenOver {
		taken := job.Item{ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount}
		if err := t.supersede(&taken, by); err != nil {
			return err
		}
	}
	return nil
}

// settle records what a resolution that sends nothing makes of the item.
func (t *tx) settle(item *job.Item, r job.Resolution) error {
	switch r.Action {
	case job.Reuse:
		return t.reuse(item, r.Other.ItemID, r.Reason())
	case job.Refuse:
		return t.leave(item, job.Failed, r.Code(), r.Reason())
	case job.Wait:
		return t.leave(item, item.State, r.Code(), r.Reason())
	case job.GiveWay:
		return t.supersede(item, r.Other.JobID)
	}
	return nil
}

// leave moves an open item to a state without a link, with a word and a text on why.
func (t *tx) leave(item *job.Item, to job.State, code, text string) error {
	if err := t.stmts.leave.one(item.ID, string(item.State), string(to), code, text); err != nil {
		return err
	}
	t.move(item, to)
	return nil
}

// supersede makes an open item superseded by the job that has its invoice now.
func (t *tx) supersede(item *job.Item, by int64) error {
	return t.leave(item, job.Superseded, "", job.Resolution{Action: job.GiveWay, Other: job.Facts{JobID: by}}.Reason())
}

func (t *tx) reuse(item *job.Item, other int64, note string) error {
	if err := t.stmts.reuse.one(item.ID, string(item.State), other, note); err != nil {
		return err
	}
	t.move(item, job.Duplicate)
	return t.share(item, note)
}

// share gives the link that the item has now to the duplicates of those that it has given up, with a note. The links files of their
// jobs lag behind then.
func (t *tx) share(item *job.Item, note string) error {
	n, err := t.stmts.share.changed(item.ID, note)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.conn.ExecContext(context.Background(), `
		UPDATE job
		SET written = FALSE
		WHERE written
			AND id IN (
				SELECT job_id
				FROM item
				WHERE state = 'duplicate'
					AND session_id = (SELECT session_id FROM item WHERE id = ?1)
			)
	`, item.ID)
	return err
}

// End implements job.Ledger.
func (l *Ledger) End(item *job.Item, number int, end job.End, recorded func(job.Decision, error)) {
	decision := end.Decision
	l.writer.submit(record{
		do: func(t *tx) (err error) {
			decision, err = t.end(item, number, end)
			return err
		},
		done: func(err error) { recorded(decision, err) },
	})
}

// end records the end of the attempt, and returns the decision that is on record: a session that another item has, or that was given
// up for a new one, is a mismatch.
func (t *tx) end(item *job.Item, number int, end job.End) (job.Decision, error) {
	err := t.endItem(item.ID, number, &end)
	if err == job.ErrMoved && end.State == job.Created {
		var owner [2]driver.Value // row and job
		switch found := t.stmts.sessionOwner.first(owner[:], end.SessionID); {
		case found == nil:
			end.Decision = job.SharedSession(int(owner[0].(int64)), owner[1].(int64))
			err = t.endItem(item.ID, number, &end)
		case !errors.Is(found, sql.ErrNoRows):
			err = found
		}
	}
	if err == nil {
		err = t.stmts.endAttempt.one(item.ID, int64(number), timestamp(end.At), string(end.Outcome), int64(end.Status), end.Code, end.Reason, end.SessionID)
	}
	if err != nil {
		return end.Decision, err
	}
	sending := *item
	sending.State = job.Sending
	t.move(&sending, end.State)
	t.attempts[attemptTally{item.JobID, ""}]--
	t.attempts[attemptTally{item.JobID, end.Outcome}]++
	if end.State == job.Created && number > 1 {
		err = t.share(item, job.Resolution{Action: job.Reuse, Other: job.Facts{JobID: item.JobID}}.Reason())
	}
	return end.Decision, err
}

// endItem moves the item on from sending. Nothing moves where another item has the session of a created one, or where that session was
// given up.
func (t *tx) endItem(itemID int64, number int, end *job.End) error {
	var sessionID, url, expires, created, customer string
	if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
		sessionID, created = end.SessionID, timestamp(end.At)
	}
	if end.State == job.Created {
		url, expires, customer = end.URL, timestamp(end.ExpiresAt), end.Customer
	}
	return t.stmts.end.one(itemID, int64(number), string(end.State), string(end.Outcome), sessionID, url, expires, created, end.Code,
		end.Reason, customer)
}

// Refuse implements job.Ledger.
func (l *Ledger) Refuse(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error { return t.leave(item, job.Failed, code, text) })
}

// Note implements job.Ledger.
func (l *Ledger) Note(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error { return t.stmts.note.one(item.ID, string(item.State), code, text) })
}

// recover marks unknown what a crashed run left sending, and returns how many items that were, by job.
func (l *Ledger) recover(at time.Time) (crashed map[int64]int, err error) {
	err = l.writer.write(func(t *tx) error {
		rows, err := t.conn.QueryContext(context.Background(), `
			SELECT item.id, item.job_id, item.currency, item.amount, attempt.number
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.outcome = ''
		`)
		if err != nil {
			return err
		}
		defer rows.Close()
		var items []job.Item
		for rows.Next() {
			var i job.Item
			if err := rows.Scan(&i.ID, &i.JobID, &i.Currency, &i.Amount, &i.Attempts); err != nil {
				return err
			}
			items = append(items, i)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		end := job.End{At: at, Decision: job.Decision{
			Outcome: job.OutcomeUnknown, State: job.Unknown, Code: string(job.OutcomeUnknown), Reason: "the run ended before the answer came",
		}}
		for i := range items {
			if _, err := t.end(&items[i], items[i].Attempts, end); err != nil {
				return err
			}
		}
		crashed = map[int64]int{}
		for i := range items {
			crashed[items[i].JobID]++
		}
		return nil
	})
	return crashed, err
}
