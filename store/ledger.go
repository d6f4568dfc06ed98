package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

// statements are what the writer's connection runs again and again.
type statements struct {
	beginTx, commitTx, rollbackTx         *statement
	begin, endAttempt, end                *statement
	session, replacedSession              *statement
	money, supersede, reuse, refuse, note *statement
	checked, replace, replaced            *statement
	insertPending, insertItem             *statement
	tallyItems, tallyAttempts             *statement
	claims                                *sql.Stmt // what it reads has other types
}

func prepareAll(conn *sql.Conn) (*tx, error) {
	t := &tx{conn: conn, items: map[itemTally]tallyDelta{}, attempts: map[attemptTally]int64{}}
	for _, s := range []struct {
		stmt **statement
		text string
	}{
		{&t.stmts.beginTx, "BEGIN IMMEDIATE"},
		{&t.stmts.commitTx, "COMMIT"},
		{&t.stmts.rollbackTx, "ROLLBACK"},
		{&t.stmts.begin, `
			INSERT INTO attempt (item_id, number, sent_at)
			SELECT item.id, item.attempts + 1, ?5
			FROM item
			WHERE item.id = ?1
				AND item.state = ?2
				AND item.state IN ('pending', 'unknown')
				AND item.attempts = ?3
				AND (?4 OR NOT EXISTS (
					SELECT 1
					FROM claim
					JOIN item AS other ON other.id = claim.item_id
					WHERE claim.invoice = item.invoice
						AND claim.item_id <> item.id
						AND other.job_id <> item.job_id
						AND ` + claiming + `
				))
			ON CONFLICT DO NOTHING
		`},
		{&t.stmts.endAttempt, `
			UPDATE attempt
			SET
				ended_at = ?3,
				outcome = ?4,
				status = ?5,
				code = ?6,
				message = ?7,
				session_id = ?8
			WHERE item_id = ?1
				AND number = ?2
				AND outcome = ''
		`},
		{&t.stmts.end, `
			UPDATE item
			SET
				state = ?2,
				attempts = ?9,
				unknown_ends = unknown_ends + (?2 = 'unknown'),
				session_id = ?3,
				url = ?4,
				expires_at = ?5,
				created_at = ?6,
				error_code = ?7,
				error = ?8
			WHERE id = ?1
				AND state IN ('pending', 'unknown')
				AND attempts = ?9 - 1
		`},
		{&t.stmts.session, `
			SELECT row, job_id
			FROM item
			WHERE session_id = ?1
				AND state IN ('created', 'duplicate')
				AND state = 'created'
		`},
		{&t.stmts.replacedSession, `
			SELECT item.row, item.job_id
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.session_id = ?1
				AND attempt.replaced <> ''
		`},
		{&t.stmts.money, `
			SELECT job_id, currency, amount
			FROM item
			WHERE id = ?1
		`},
		{&t.stmts.supersede, `
			UPDATE item
			SET
				state = 'superseded',
				error_code = '',
				error = ?3
			WHERE id = ?1
				AND state = ?2
				AND NOT ` + onItsWay + `
		`},
		{&t.stmts.reuse, `
			UPDATE item
			SET
				state = 'duplicate',
				session_id = other.session_id,
				url = other.url,
				expires_at = other.expires_at,
				created_at = other.created_at,
				error_code = '',
				error = ?4
			FROM item AS other
			WHERE item.id = ?1
				AND item.state = ?2
				AND item.state IN ('pending', 'unknown')
				AND NOT ` + onItsWay + `
				AND other.id = ?3
				AND other.state = 'created'
		`},
		{&t.stmts.refuse, `
			UPDATE item
			SET
				state = 'failed',
				error_code = ?3,
				error = ?4
			WHERE id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND NOT ` + onItsWay + `
		`},
		{&t.stmts.note, `
			UPDATE item
			SET
				error_code = ?3,
				error = ?4
			WHERE id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND NOT ` + onItsWay + `
		`},
		{&t.stmts.checked, `
			UPDATE item
			SET
				link_status = ?2,
				checked_at = ?3
			WHERE session_id = (SELECT session_id FROM item WHERE id = ?1 AND state IN ('created', 'duplicate'))
				AND state IN ('created', 'duplicate')
		`},
		{&t.stmts.replace, `
			UPDATE item
			SET
				state = 'pending',
				unknown_ends = 0,
				session_id = '',
				url = '',
				expires_at = '',
				created_at = '',
				link_status = '',
				checked_at = '',
				error_code = '',
				error = ''
			WHERE id = ?1
				AND state = 'created'
				AND session_id = ?2
		`},
		{&t.stmts.replaced, `
			UPDATE attempt
			SET replaced = ?3
			WHERE item_id = ?1
				AND session_id = ?2
				AND outcome = 'created'
				AND replaced = ''
		`},
		{&t.stmts.insertPending, `
			INSERT INTO item (job_id, row, state, invoice, invoice_id, reference, currency, amount, request, cells)
			VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8, ?9)
		`},
		{&t.stmts.insertItem, `
			INSERT INTO item (
				job_id, row, state, invoice, invoice_id, reference, currency, amount, request, cells,
				session_id, url, expires_at, created_at, error_code, error
			)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
		`},
		{&t.stmts.tallyItems, `
			INSERT INTO item_tally (job_id, state, currency, items, billions, rest)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT (job_id, state, currency) DO UPDATE SET
				items = items + excluded.items,
				billions = billions + excluded.billions,
				rest = rest + excluded.rest
		`},
		{&t.stmts.tallyAttempts, `
			INSERT INTO attempt_tally (job_id, outcome, attempts)
			VALUES (?1, ?2, ?3)
			ON CONFLICT (job_id, outcome) DO UPDATE SET
				attempts = attempts + excluded.attempts
		`},
	} {
		var err error
		if *s.stmt, err = prepare(conn, s.text); err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.closes = append(t.closes, (*s.stmt).close)
	}
	var err error
	if t.stmts.claims, err = conn.PrepareContext(context.Background(), claimsOf+`AND other.job_id <> ?2 ORDER BY claim.item_id`); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the look-up of claims: %w", err), t.close())
	}
	t.closes = append(t.closes, t.stmts.claims.Close)
	const any = `SELECT EXISTS (SELECT 1 FROM attempt WHERE replaced <> '')`
	if err := conn.QueryRowContext(context.Background(), any).Scan(&t.anyReplaced); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// onItsWay says of item that it is in state sending: that is no word in its row, but an attempt without an outcome.
const onItsWay = `EXISTS (SELECT 1 FROM attempt WHERE attempt.item_id = item.id AND attempt.outcome = '')`

// claiming are the items that are open or have a session.
const claiming = `(
	other.state = 'pending'
	OR other.state = 'unknown'
	OR other.state = 'created' AND other.link_status <> 'expired'
)`

// claimsOf selects the items, of imported jobs, that claim the invoice ?1.
const claimsOf = `
	SELECT
		other.id,
		other.job_id,
		CASE
			WHEN other.state <> 'created' AND EXISTS (
				SELECT 1 FROM attempt WHERE attempt.item_id = other.id AND attempt.outcome = ''
			) THEN 'sending'
			WHEN other.state = 'pending' AND other.unknown_ends > 0 THEN 'unknown'
			ELSE other.state
		END,
		owner.on_unknown = 'hold',
		other.currency,
		other.amount,
		other.session_id,
		other.url,
		other.expires_at,
		other.created_at,
		other.state,
		other.invoice_id = '' AND owner.allow_repeats
	FROM claim
	JOIN item AS other ON other.id = claim.item_id
	JOIN job AS owner ON owner.id = other.job_id
	WHERE claim.invoice = ?1
		AND ` + claiming + `
`

// claim is a job.Claim with the state that is on record, which guards its transition.
type claim struct {
	job.Claim
	recorded job.State
	repeat   bool // said to be one more than those alike with it: it refuses a new row, but claims no invoice
}

func scanClaims(rows *sql.Rows, err error) ([]claim, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var claims []claim
	for rows.Next() {
		var c claim
		err := rows.Scan(&c.ItemID, &c.JobID, &c.State, &c.Hold, &c.Currency, &c.Amount, &c.SessionID, &c.URL,
			timeOf(&c.ExpiresAt), timeOf(&c.CreatedAt), &c.recorded, &c.repeat)
		if err != nil {
			return nil, err
		}
		claims = append(claims, c)
	}
	return claims, rows.Err()
}

func bare(claims []claim) []job.Claim {
	var all []job.Claim
	for _, c := range claims {
		all = append(all, c.Claim)
	}
	return all
}

// Open implements job.Ledger.
func (s *Store) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	const columns = `
		SELECT
			item.id, item.job_id, item.row, item.state, item.invoice_id, item.reference, item.currency, item.amount,
			item.request, item.attempts, item.unknown_ends, item.invoice_id = '' AND job.allow_repeats
		FROM item
		JOIN job ON job.id = item.job_id
		WHERE item.job_id = ?1
			AND item.id > ?2
			AND NOT ` + onItsWay + `
			AND item.state = `
	rows, err := s.read.QueryContext(ctx, columns+`'pending' UNION ALL `+columns+`'unknown' ORDER BY 1 LIMIT ?3`, jobID, after, n)
	if err != nil {
		return nil, fmt.Errorf("read open items: %w", err)
	}
	defer rows.Close()
	var items []job.Item
	for rows.Next() {
		var i job.Item
		var request []byte
		err := rows.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount,
			&request, &i.Attempts, &i.UnknownEnds, &i.Repeat)
		if err == nil {
			err = json.Unmarshal(request, &i.Request)
		}
		if err != nil {
			return nil, fmt.Errorf("read open items: %w", err)
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// Begin implements job.Ledger.
func (s *Store) Begin(item *job.Item, at time.Time, stopped func() bool) (meeting job.Meeting, number int, err error) {
	err = s.writer.write(func(t *tx) error {
		if stopped != nil && stopped() {
			return job.ErrStopped
		}
		meeting, number = job.Meeting{Action: job.Send}, item.Attempts+1
		err := t.stmts.begin.one(item.ID, string(item.State), int64(item.Attempts), item.Repeat, stamp(at))
		if err == job.ErrMoved && !item.Repeat {
			meeting, err = t.meet(item, at)
			if err == nil && meeting.Action != job.Send && meeting.Action != job.TakeOver {
				number = 0
				return t.settle(item, meeting)
			}
			if err == nil {
				err = t.stmts.begin.one(item.ID, string(item.State), int64(item.Attempts), true, stamp(at))
			}
		}
		if err != nil {
			return err
		}
		t.leave(item.JobID, item.State, item.Currency, item.Amount)
		t.enter(item.JobID, job.Sending, item.Currency, item.Amount)
		t.attempts[attemptTally{item.JobID, ""}]++
		return nil
	})
	return meeting, number, err
}

// meet looks the item's invoice up in other jobs, and takes over what is to be taken over.
func (t *tx) meet(item *job.Item, at time.Time) (job.Meeting, error) {
	var invoice []byte
	var hold bool
	err := t.conn.QueryRowContext(context.Background(), `
		SELECT item.invoice, job.on_unknown = 'hold'
		FROM item
		JOIN job ON job.id = item.job_id
		WHERE item.id = ?1
			AND item.state = ?2
			AND item.state IN ('pending', 'unknown')
			AND item.attempts = ?3
			AND NOT `+onItsWay+`
	`, item.ID, string(item.State), item.Attempts).Scan(&invoice, &hold)
	if errors.Is(err, sql.ErrNoRows) {
		err = job.ErrMoved
	}
	if err != nil {
		return job.Meeting{}, err
	}
	claims, err := scanClaims(t.stmts.claims.Query(invoice, item.JobID))
	if err != nil {
		return job.Meeting{}, err
	}
	counted := claims[:0]
	for _, c := range claims {
		if !c.repeat {
			counted = append(counted, c)
		}
	}
	meeting := job.Meet(job.Mine{Currency: item.Currency, Amount: item.Amount, Hold: hold}, bare(counted), at)
	if meeting.Action == job.TakeOver {
		for _, c := range counted {
			if err := t.supersede(c.ItemID, c.recorded, item.JobID); err != nil {
				return meeting, err
			}
		}
	}
	return meeting, nil
}

// supersede makes an open item of another job superseded, by the job that takes its invoice over.
func (t *tx) supersede(itemID int64, from job.State, by int64) error {
	var what [3]driver.Value // job, currency and amount
	if err := t.stmts.money.first(what[:], itemID); err != nil {
		return err
	}
	if err := t.stmts.supersede.one(itemID, string(from), fmt.Sprintf("taken over by job %d", by)); err != nil {
		return err
	}
	jobID, currency, amount := what[0].(int64), what[1].(string), what[2].(int64)
	t.leave(jobID, from, currency, amount)
	t.enter(jobID, job.Superseded, currency, amount)
	return nil
}

// settle records what a meeting that sends nothing makes of the item.
func (t *tx) settle(item *job.Item, m job.Meeting) error {
	switch m.Action {
	case job.Reuse:
		return t.reuse(item, m.Other.ItemID, fmt.Sprintf("link of job %d", m.Other.JobID))
	case job.Refuse:
		what, hint := m.Conflict(false)
		return t.refuse(item, job.CodeConflict, what+"; "+hint)
	case job.Wait:
		return t.stmts.note.one(item.ID, string(item.State), job.CodeHeld, m.Held())
	}
	return nil
}

func (t *tx) reuse(item *job.Item, other int64, note string) error {
	if err := t.stmts.reuse.one(item.ID, string(item.State), other, note); err != nil {
		return err
	}
	t.leave(item.JobID, item.State, item.Currency, item.Amount)
	t.enter(item.JobID, job.Duplicate, item.Currency, item.Amount)
	return nil
}

func (t *tx) refuse(item *job.Item, code, text string) error {
	if err := t.stmts.refuse.one(item.ID, string(item.State), code, text); err != nil {
		return err
	}
	t.leave(item.JobID, item.State, item.Currency, item.Amount)
	t.enter(item.JobID, job.Failed, item.Currency, item.Amount)
	return nil
}

// End implements job.Ledger.
func (s *Store) End(item *job.Item, number int, end job.End, recorded func(job.Verdict, error)) {
	verdict := end.Verdict
	s.writer.submit(record{
		do: func(t *tx) error {
			end := end
			if end.State == job.Created {
				if err := t.judgeSession(&end); err != nil {
					return err
				}
			}
			verdict = end.Verdict
			return t.end(item, number, end)
		},
		done: func(err error) { recorded(verdict, err) },
	})
}

// judgeSession makes a mismatch of a session that another item has published, or that was given up for a new one.
func (t *tx) judgeSession(end *job.End) error {
	var owner [2]driver.Value // row and job
	err := t.stmts.session.first(owner[:], end.SessionID)
	if errors.Is(err, sql.ErrNoRows) && t.anyReplaced {
		err = t.stmts.replacedSession.first(owner[:], end.SessionID)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		end.Verdict = job.SharedSession(int(owner[0].(int64)), owner[1].(int64))
	}
	return err
}

func (t *tx) end(item *job.Item, number int, end job.End) error {
	err := t.stmts.endAttempt.one(item.ID, int64(number), stamp(end.At), string(end.Outcome), int64(end.Status), end.Code, end.Reason, end.SessionID)
	if err != nil {
		return err
	}
	var sessionID, url, expires, created string
	if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
		sessionID, created = end.SessionID, stamp(end.At)
	}
	if end.State == job.Created {
		url, expires = end.URL, stamp(end.ExpiresAt)
	}
	err = t.stmts.end.one(item.ID, string(end.State), sessionID, url, expires, created, end.Code, end.Reason, int64(number))
	if err != nil {
		return err
	}
	t.leave(item.JobID, job.Sending, item.Currency, item.Amount)
	t.enter(item.JobID, end.State, item.Currency, item.Amount)
	t.attempts[attemptTally{item.JobID, ""}]--
	t.attempts[attemptTally{item.JobID, end.Outcome}]++
	return nil
}

// Reuse implements job.Ledger.
func (s *Store) Reuse(item *job.Item, other int64, note string) error {
	return s.writer.write(func(t *tx) error { return t.reuse(item, other, note) })
}

// Refuse implements job.Ledger.
func (s *Store) Refuse(item *job.Item, code, text string) error {
	return s.writer.write(func(t *tx) error { return t.refuse(item, code, text) })
}

// Note implements job.Ledger.
func (s *Store) Note(item *job.Item, code, text string) error {
	return s.writer.write(func(t *tx) error { return t.stmts.note.one(item.ID, string(item.State), code, text) })
}

// Retry puts the job's failed items back to pending, or, with unknown, those that Clink may have made a session
// for; it returns how many. Their sessions of before, whose links nobody has seen, stay on record with the attempts.
func (s *Store) Retry(jobID int64, unknown bool) (n int, err error) {
	err = s.writer.write(func(t *tx) error {
		n = 0
		back := func(from job.State, where string) error {
			return t.moveAll(jobID, from, job.Pending, `
				unknown_ends = 0,
				session_id = '',
				created_at = '',
				error_code = '',
				error = ''
			`, where, &n)
		}
		if !unknown {
			return back(job.Failed, "request <> '{}'") // what is purged cannot be sent
		}
		if err := back(job.Unknown, "TRUE"); err != nil {
			return err
		}
		return back(job.Pending, "unknown_ends > 0")
	})
	return n, err
}

// moveAll moves the job's items that are in state from and match where, sets columns with them, and adds to n how
// many they were.
func (t *tx) moveAll(jobID int64, from, to job.State, set, where string, n *int) error {
	rows, err := t.conn.QueryContext(context.Background(), `
		UPDATE item
		SET
			state = ?1,
			`+set+`
		WHERE id BETWEEN (SELECT first_item FROM job WHERE id = ?2) AND (SELECT last_item FROM job WHERE id = ?2)
			AND job_id = ?2
			AND state = ?3
			AND NOT `+onItsWay+`
			AND `+where+`
		RETURNING currency, amount
	`, string(to), jobID, string(from))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var currency string
		var amount int64
		if err := rows.Scan(&currency, &amount); err != nil {
			return err
		}
		t.leave(jobID, from, currency, amount)
		t.enter(jobID, to, currency, amount)
		*n++
	}
	return rows.Err()
}

// recover makes what a crashed run left in state sending unknown, and returns how many items that were.
func (s *Store) recover(at time.Time) (n int, err error) {
	err = s.writer.write(func(t *tx) error {
		n = 0
		ctx := context.Background()
		rows, err := t.conn.QueryContext(ctx, `
			UPDATE attempt
			SET
				ended_at = ?1,
				outcome = 'unknown',
				code = 'unknown',
				message = ?2
			WHERE outcome = ''
			RETURNING item_id, number
		`, stamp(at), crashed)
		if err != nil {
			return err
		}
		defer rows.Close()
		numbers := map[int64]int{} // by item
		for rows.Next() {
			var id int64
			var number int
			if err := rows.Scan(&id, &number); err != nil {
				return err
			}
			numbers[id] = number
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for id, number := range numbers {
			var jobID, amount int64
			var currency string
			err := t.conn.QueryRowContext(ctx, `
				UPDATE item
				SET
					state = 'unknown',
					attempts = ?2,
					unknown_ends = unknown_ends + 1,
					error_code = 'unknown',
					error = ?3
				WHERE id = ?1
					AND state IN ('pending', 'unknown')
					AND attempts = ?2 - 1
				RETURNING job_id, currency, amount
			`, id, number, crashed).Scan(&jobID, &currency, &amount)
			if err != nil {
				return err
			}
			t.leave(jobID, job.Sending, currency, amount)
			t.enter(jobID, job.Unknown, currency, amount)
			t.attempts[attemptTally{jobID, ""}]--
			t.attempts[attemptTally{jobID, job.OutcomeUnknown}]++
			n++
		}
		return nil
	})
	return n, err
}

const crashed = "the run ended before the answer came"
