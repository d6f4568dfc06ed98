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
			var this job.Facts
			if this, resolution, err = t.resolve(item, at); err != nil {
				return err
			}
			if resolution.Action != job.Send && resolution.Action != job.TakeOver {
				number = 0
				return t.settle(item, this, resolution)
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

// resolve resolves the item's invoice, and makes superseded what is taken over. this are the item's own facts. The item must be as
// the caller knows it, else the error is job.ErrMoved.
func (t *tx) resolve(item *job.Item, at time.Time) (this job.Facts, r job.Resolution, err error) {
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
		return this, r, err
	}
	found := factsByInvoice{}
	if err := found.scan(t.stmts.facts.Query(invoice)); err != nil {
		return this, r, err
	}
	this, others := divide(found[[16]byte(invoice)], item.ID)
	r = job.Resolve(this, others, at)
	for _, other := range r.TakenOver {
		taken := job.Item{ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount}
		if err := t.supersede(&taken, item.JobID); err != nil {
			return this, r, err
		}
	}
	return this, r, nil
}

// settle records what a resolution that sends nothing makes of the item.
func (t *tx) settle(item *job.Item, this job.Facts, r job.Resolution) error {
	switch r.Action {
	case job.Reuse:
		return t.reuse(item, r.Other.ItemID, r.Reason(this))
	case job.Refuse:
		return t.leave(item, job.Failed, r.Code(), r.Reason(this))
	case job.Wait:
		return t.leave(item, item.State, r.Code(), r.Reason(this))
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
	return t.leave(item, job.Superseded, "", job.Resolution{Action: job.GiveWay, Other: job.Facts{JobID: by}}.Reason(job.Facts{}))
}

func (t *tx) reuse(item *job.Item, other int64, note string) error {
	if err := t.stmts.reuse.one(item.ID, string(item.State), other, note); err != nil {
		return err
	}
	t.move(item, job.Duplicate)
	return nil
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
		if t.stmts.sessionOwner.first(owner[:], end.SessionID) == nil {
			end.Decision = job.SharedSession(int(owner[0].(int64)), owner[1].(int64))
			err = t.endItem(item.ID, number, &end)
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
	return end.Decision, nil
}

// endItem moves the item on from sending. Nothing moves where another item has the session of a created one, or where that session was
// given up.
func (t *tx) endItem(itemID int64, number int, end *job.End) error {
	var sessionID, url, expires, created string
	if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
		sessionID, created = end.SessionID, timestamp(end.At)
	}
	if end.State == job.Created {
		url, expires = end.URL, timestamp(end.ExpiresAt)
	}
	return t.stmts.end.one(itemID, int64(number), string(end.State), string(end.Outcome), sessionID, url, expires, created, end.Code, end.Reason)
}

// Reuse implements job.Ledger.
func (l *Ledger) Reuse(item *job.Item, other int64, note string) error {
	return l.writer.write(func(t *tx) error { return t.reuse(item, other, note) })
}

// Refuse implements job.Ledger.
func (l *Ledger) Refuse(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error { return t.leave(item, job.Failed, code, text) })
}

// Note implements job.Ledger.
func (l *Ledger) Note(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error { return t.leave(item, item.State, code, text) })
}

// Retry puts the job's failed items back to pending, or, with unknown, those that Clink may have made a session
// for; it returns how many. Sessions that nobody has seen the link of stay on record with the attempts.
func (l *Ledger) Retry(jobID int64, unknown bool) (n int, err error) {
	from := job.Failed
	if unknown {
		from = job.Unknown
	}
	err = l.writer.write(func(t *tx) error {
		n = 0
		rows, err := t.conn.QueryContext(context.Background(), `
			UPDATE item
			SET
				state = 'pending',
				unknown_ends = 0,
				session_id = '',
				created_at = '',
				error_code = '',
				error = ''
			WHERE `+inJob(1)+`
				AND state = ?2
				AND request <> '`+purgedRequest+`'
			RETURNING currency, amount
		`, jobID, string(from))
		if err != nil {
			return err
		}
		defer rows.Close()
		for ; rows.Next(); n++ {
			item := job.Item{JobID: jobID, State: from}
			if err := rows.Scan(&item.Currency, &item.Amount); err != nil {
				return err
			}
			t.move(&item, job.Pending)
		}
		return rows.Err()
	})
	return n, err
}

// recover marks unknown what a crashed run left sending, and returns how many items that were.
func (l *Ledger) recover(at time.Time) (n int, err error) {
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
		n = len(items)
		return nil
	})
	return n, err
}
