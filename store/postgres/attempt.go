package postgres

import (
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// Begin implements job.Ledger.
func (l *Ledger) Begin(item *job.Item, at time.Time, stopped func() bool) (job.Resolution, int, error) {
	type answer struct {
		*beginRecord
		err error
	}
	recorded := make(chan answer, 1)
	l.writer.records <- &beginRecord{item: item, at: at, stopped: stopped, reply: func(b *beginRecord, err error) {
		recorded <- answer{b, errors.Join(err, b.err)}
	}}
	got := <-recorded
	if got.err != nil {
		return got.resolution, 0, got.err
	}
	if got.now != nil {
		item.State, item.Attempts, item.UnknownEnds, item.SuspectEnds = got.now.State, got.now.Attempts, got.now.UnknownEnds, got.now.SuspectEnds
	}
	return got.resolution, got.number, nil
}

// beginOne begins an item that other jobs' items stand against, or that is not as the caller knows it. Its invoice is locked.
func (t *tx) beginOne(b *beginRecord) error {
	item := b.item
	now, invoice, err := t.asItIs(item.ID)
	if err != nil {
		return err
	}
	if invoice == nil || now.State != item.State || now.Attempts != item.Attempts || now.State != job.Pending && now.State != job.Unknown {
		mine, err := t.movedByThisSender(now)
		if err != nil {
			return err
		}
		if mine {
			b.err = job.ErrMoved
			return nil
		}
		b.resolution, b.now = job.Resolution{Action: job.Overtaken}, now
		return nil
	}
	this, others, err := t.factsOf(item)
	if err != nil {
		return err
	}
	for i := range others {
		others[i].Heard = item.Heard[others[i].SessionID]
	}
	b.resolution = job.Resolve(this, others, t.l.now(b.at))
	switch b.resolution.Action {
	case job.Send, job.TakeOver:
	case job.Later:
		return t.freeFromExpired(b.resolution.Other.ItemID)
	default:
		return t.settle(item, b.resolution)
	}
	// What is taken over must still be as it was looked up: the late end of a sender that is gone may have given it a link since.
	for _, other := range b.resolution.TakenOver {
		switch err := t.takeOverOne(other, item.JobID); {
		case err == job.ErrMoved:
			b.resolution = job.Resolution{Action: job.Later}
			return nil
		case err != nil:
			return err
		}
	}
	begun, err := idsOf(t.query(begin, append(beginValues(t.l, b), true)...))
	if err != nil {
		return err
	}
	if !begun[item.ID] {
		return job.ErrMoved
	}
	t.begun(b)
	return nil
}

// freeFromExpired fences the sender that has left an item sending and whose lease is over, and recovers the item where that may be done:
// nobody may be there to take its job.
func (t *tx) freeFromExpired(itemID int64) error {
	var senderID int64
	err := t.row(`
		SELECT sender.id
		FROM {attempt} AS attempt
		JOIN {sender} AS sender ON sender.id = attempt.sender_id
		WHERE attempt.item_id = $1
			AND attempt.outcome = ''
			AND `+over+`
	`, itemID).Scan(&senderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if gone, err := t.fence(senderID); err != nil || !gone {
		return err
	}
	left, err := t.sendingItems(`item.id = $1`, itemID)
	if err != nil {
		return err
	}
	_, _, err = t.recover(left)
	return err
}

// asItIs is the item as it is on record, as far as moving it needs, with its invoice.
func (t *tx) asItIs(itemID int64) (*job.Item, []byte, error) {
	var i job.Item
	var invoice []byte
	err := t.row(`
		SELECT id, job_id, row, state, currency, amount, attempts, unknown_ends, suspect_ends, session_id, invoice
		FROM {item}
		WHERE id = $1
	`, itemID).Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.Currency, &i.Amount, &i.Attempts, &i.UnknownEnds, &i.SuspectEnds, &i.SessionID, &invoice)
	if errors.Is(err, pgx.ErrNoRows) {
		err = job.ErrMoved
	}
	return &i, invoice, err
}

// movedByThisSender says whether it was this sender that began the item's last attempt: its caller should know the item then. An item that
// is superseded was taken over by another job, whoever has tried it before.
func (t *tx) movedByThisSender(item *job.Item) (mine bool, err error) {
	if item.State == job.Superseded {
		return false, nil
	}
	err = t.row(`
		SELECT EXISTS (
			SELECT 1
			FROM {attempt}
			WHERE item_id = $1
				AND number = $2
				AND sender_id = $3
		)
	`, item.ID, item.Attempts, t.l.sender.ID).Scan(&mine)
	return mine, err
}

// movedOn is the error of a guarded step that found the item in another state: job.ErrOvertaken where another sender has moved it, and
// then the item is as it is on record.
func (t *tx) movedOn(item *job.Item, err error) error {
	if err != job.ErrMoved {
		return err
	}
	now, _, lookErr := t.asItIs(item.ID)
	if lookErr != nil {
		return errors.Join(err, lookErr)
	}
	mine, lookErr := t.movedByThisSender(now)
	if lookErr != nil || mine || now.State == item.State {
		return errors.Join(err, lookErr)
	}
	item.State, item.Attempts = now.State, now.Attempts
	return job.ErrOvertaken
}

var factsOfItem = factsQuery(`SELECT invoice FROM {item} WHERE id = $1`)

// factsOf are the item's own facts, and those of other jobs' items of its invoice.
func (t *tx) factsOf(item *job.Item) (this job.Facts, others []job.Facts, err error) {
	rows, err := t.query(factsOfItem, item.ID)
	if err != nil {
		return this, nil, err
	}
	found, err := scanFacts(rows)
	if err != nil {
		return this, nil, err
	}
	for _, all := range found {
		this, others = divide(all, item.ID)
	}
	if this.ItemID != item.ID {
		return this, nil, job.ErrMoved
	}
	return this, others, nil
}

// takeOver makes superseded what the resolution takes over for the job. What somebody else has moved on meanwhile stays: it is looked at
// when this one is sent.
func (t *tx) takeOver(r job.Resolution, by int64) error {
	for _, other := range r.TakenOver {
		if err := t.takeOverOne(other, by); err != nil && err != job.ErrMoved {
			return err
		}
	}
	return nil
}

func (t *tx) takeOverOne(other job.Facts, by int64) error {
	taken := job.Item{ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount}
	return t.supersede(&taken, by)
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
	err := t.one(`
		UPDATE {item}
		SET
			state = $3,
			error_code = $4,
			error = $5
		WHERE id = $1
			AND state = $2
			AND state IN ('pending', 'unknown')
	`, item.ID, string(item.State), string(to), code, clean(text))
	if err != nil {
		return err
	}
	t.move(item, to)
	return nil
}

// supersede makes an open item superseded by the job that has its invoice now.
func (t *tx) supersede(item *job.Item, by int64) error {
	return t.leave(item, job.Superseded, "", job.Resolution{Action: job.GiveWay, Other: job.Facts{JobID: by}}.Reason())
}

// reuse gives an open item the link of another one.
func (t *tx) reuse(item *job.Item, other int64, note string) error {
	err := t.one(`
		UPDATE {item} AS item
		SET
			state = 'duplicate',
			session_id = other.session_id,
			url = other.url,
			expires_at = other.expires_at,
			created_at = other.created_at,
			link_status = other.link_status,
			checked_at = other.checked_at,
			error_code = '',
			error = $4
		FROM {item} AS other
		WHERE item.id = $1
			AND item.state = $2
			AND item.state IN ('pending', 'unknown')
			AND other.id = $3
			AND other.state = 'created'
	`, item.ID, string(item.State), other, note)
	if err != nil {
		return err
	}
	t.move(item, job.Duplicate)
	return t.share(item.ID, note)
}

// share gives the link that the item has now to the duplicates of those that it has given up, with a note. The links files of their
// jobs lag behind then.
func (t *tx) share(itemID int64, note string) error {
	n, err := t.exec(`
		UPDATE {item} AS item
		SET
			session_id = now.session_id,
			url = now.url,
			expires_at = now.expires_at,
			created_at = now.created_at,
			link_status = now.link_status,
			checked_at = now.checked_at,
			error = $2
		FROM {item} AS now
		WHERE now.id = $1
			AND item.state = 'duplicate'
			AND item.id <> $1
			AND item.session_id IN (SELECT old.session_id FROM {attempt} AS old WHERE old.item_id = $1 AND old.replaced IS NOT NULL)
			AND (SELECT purged_at FROM {job} AS job WHERE job.id = item.job_id) IS NULL
	`, itemID, note)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(`
		UPDATE {job}
		SET written = FALSE
		WHERE written
			AND id IN (
				SELECT job_id
				FROM {item}
				WHERE state = 'duplicate'
					AND session_id = (SELECT session_id FROM {item} WHERE id = $1)
			)
	`, itemID)
	return err
}

// End implements job.Ledger.
func (l *Ledger) End(item *job.Item, number int, end job.End, recorded func(job.Decision, error)) {
	l.writer.records <- &endRecord{item: item, number: number, end: end, reply: recorded}
}

// ended counts an end that is on record now: the item came from a state, and its attempt had an outcome.
func (t *tx) ended(e *endRecord, from job.State, before job.Outcome) {
	was := *e.item
	was.State = from
	t.move(&was, e.decision.State)
	t.attempts[attemptTally{e.item.JobID, before}]--
	t.attempts[attemptTally{e.item.JobID, e.decision.Outcome}]++
}

// shareNew gives a new link to the duplicates of those that its item has given up.
func (t *tx) shareNew(e *endRecord) error {
	if e.decision.State != job.Created || e.number == 1 {
		return nil
	}
	return t.share(e.item.ID, job.Resolution{Action: job.Reuse, Other: job.Facts{JobID: e.item.JobID}}.Reason())
}

// endOne records an end that is not just the way from sending on: a session that another item has, or that was given up for a new one, is
// a mismatch; an end that was recorded already stays; and one that comes late counts only where nobody has moved on.
func (t *tx) endOne(e *endRecord) error {
	var on struct {
		state    job.State
		attempts int
		outcome  job.Outcome
		late     bool // another sender has taken over from this one, and may have moved the item on
	}
	err := t.row(`
		SELECT
			item.state, item.attempts, attempt.outcome,
			EXISTS (SELECT 1 FROM {sender} WHERE id = attempt.sender_id AND id = $3 AND fenced_at IS NOT NULL)
		FROM {attempt} AS attempt
		JOIN {item} AS item ON item.id = attempt.item_id
		WHERE attempt.item_id = $1
			AND attempt.number = $2
		FOR UPDATE OF attempt, item
	`, e.item.ID, e.number, t.l.sender.ID).Scan(&on.state, &on.attempts, &on.outcome, &on.late)
	if errors.Is(err, pgx.ErrNoRows) {
		return job.ErrMoved
	}
	if err != nil {
		return err
	}
	if e.decision.State == job.Created {
		row, owner, err := t.sessionOwner(e.end.SessionID, e.item.ID)
		if err != nil {
			return err
		}
		if owner > 0 {
			e.decision = job.SharedSession(row, owner)
		}
	}
	last := on.attempts == e.number
	switch {
	case on.outcome == "" && last && on.state == job.Sending:
		return t.endFrom(e, job.Sending, "")
	case !on.late || on.outcome != job.OutcomeUnknown:
		return job.ErrMoved
	case last && on.state == job.Unknown && e.decision.Outcome != job.OutcomeUnknown:
		return t.endLate(e)
	}
	return t.keepSession(e)
}

// sessionOwner is the row and job of the item, but for this one, that has the session, or has given it up; 0: none.
func (t *tx) sessionOwner(session string, but int64) (row int, owner int64, err error) {
	err = t.row(`
		SELECT row, job_id
		FROM {item}
		WHERE session_id = $1
			AND state = 'created'
			AND id <> $2
		UNION ALL
		SELECT item.row, item.job_id
		FROM {attempt} AS attempt
		JOIN {item} AS item ON item.id = attempt.item_id
		WHERE attempt.session_id = $1
			AND attempt.replaced IS NOT NULL
		LIMIT 1
	`, session, but).Scan(&row, &owner)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return row, owner, err
}

// endFrom moves an item on from sending, alone.
func (t *tx) endFrom(e *endRecord, from job.State, before job.Outcome) error {
	moved, err := idsOf(t.query(endAll, endValues(t.l, e)...))
	if err == nil && !moved[e.item.ID] {
		err = job.ErrMoved
	}
	if err != nil {
		return err
	}
	t.ended(e, from, before)
	return t.shareNew(e)
}

// endLate records an end for which the item was taken to be in doubt: it is as if the doubt had never been.
func (t *tx) endLate(e *endRecord) error {
	if err := t.one(`UPDATE {item} SET state = 'sending', unknown_ends = unknown_ends - 1 WHERE id = $1 AND state = 'unknown' AND attempts = $2`, e.item.ID, e.number); err != nil {
		return err
	}
	err := t.one(`
		UPDATE {attempt}
		SET
			outcome = '',
			ended_at = NULL
		WHERE item_id = $1
			AND number = $2
	`, e.item.ID, e.number)
	if err != nil {
		return err
	}
	return t.endFrom(e, job.Unknown, job.OutcomeUnknown)
}

// keepSession keeps the session of an end that comes too late with its attempt, which stays in doubt. Its link is published nowhere.
func (t *tx) keepSession(e *endRecord) error {
	if e.end.SessionID == "" {
		return nil
	}
	_, err := t.exec(`
		UPDATE {attempt}
		SET session_id = $3
		WHERE item_id = $1
			AND number = $2
			AND session_id = ''
	`, e.item.ID, e.number, clean(e.end.SessionID))
	return err
}

// Refuse implements job.Ledger.
func (l *Ledger) Refuse(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error { return t.movedOn(item, t.leave(item, job.Failed, code, text)) })
}

// Note implements job.Ledger.
func (l *Ledger) Note(item *job.Item, code, text string) error {
	return l.writer.write(func(t *tx) error {
		return t.movedOn(item, t.one(`
			UPDATE {item}
			SET
				error_code = $3,
				error = $4
			WHERE id = $1
				AND state = $2
				AND state IN ('pending', 'unknown', 'created')
		`, item.ID, string(item.State), code, clean(text)))
	})
}

// clean is a text as the database takes it: it has no place for the character 0.
func clean(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}
