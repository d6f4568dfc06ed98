package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylinks/clink"
	"paylinks/job"
)

// statements are what the writer's connection runs again and again.
type statements struct {
	beginTx, commitTx, rollbackTx         *statement
	begin, takeFresh, open                *statement
	standFirst, standNext, past, ended    *statement
	session, replacedSession              *statement
	stand                                 *statement
	money, supersede, reuse, refuse, note *statement
	linkOf                                *statement
	checked, replace, replaced            *statement
	insertInput, insertGroup              *statement
	insertStanding, fresh                 *statement
	tallyItems, tallyAttempts             *statement
	claims, otherClaims                   *sql.Stmt // what they read has other types
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
			INSERT INTO intent (item_id, number, sent_at)
			SELECT input.id, ?2, ?4
			FROM input
			WHERE input.id = ?1
				AND input.invoice IS NOT NULL -- else no other job would know of it
				AND (?3 OR NOT EXISTS (
					SELECT 1
					FROM claim
					JOIN item AS other ON other.id = claim.item_id
					WHERE claim.invoice = input.invoice
						AND claim.item_id <> input.id
						AND other.job_id <> input.job_id
						AND (` + claiming + ` OR ` + laterThan("input.job_id") + `)
				))
			ON CONFLICT DO NOTHING
		`},
		{&t.stmts.takeFresh, `DELETE FROM fresh WHERE item_id = ?1`},
		{&t.stmts.open, `
			SELECT 1
			FROM standing
			WHERE item_id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND attempts = ?3
		`},
		{&t.stmts.standFirst, `
			INSERT INTO standing (
				item_id, state, attempts, unknown_ends, session_id, url, expires_at, created_at, sent_at, error_code, error
			)
			SELECT ?1, ?2, 1, ?2 = 'unknown', ?3, ?4, ?5, ?6, iif(?2 = 'created', sent_at, ''), ?7, ?8
			FROM intent
			WHERE item_id = ?1
				AND number = 1
			ON CONFLICT (item_id) DO NOTHING
			ON CONFLICT (session_id) WHERE state = 'created' DO NOTHING
		`},
		{&t.stmts.standNext, `
			UPDATE standing
			SET
				state = ?2,
				attempts = ?9,
				unknown_ends = unknown_ends + (?2 = 'unknown'),
				session_id = ?3,
				url = ?4,
				expires_at = ?5,
				created_at = ?6,
				sent_at = iif(?2 = 'created', intent.sent_at, ''),
				error_code = ?7,
				error = ?8
			FROM intent
			WHERE standing.item_id = ?1
				AND standing.state IN ('pending', 'unknown')
				AND standing.attempts = ?9 - 1
				AND intent.item_id = ?1
				AND intent.number = ?9
		`},
		{&t.stmts.past, `
			INSERT INTO past_attempt (item_id, number, sent_at, ended_at, outcome, status, code, message, session_id)
			SELECT item_id, number, sent_at, ?3, ?4, ?5, ?6, ?7, ?8
			FROM intent
			WHERE item_id = ?1
				AND number = ?2
		`},
		{&t.stmts.ended, `DELETE FROM intent WHERE item_id = ?1 AND number = ?2`},
		{&t.stmts.session, `
			SELECT input.row, input.job_id
			FROM standing
			JOIN input ON input.id = standing.item_id
			WHERE standing.session_id = ?1
				AND standing.state = 'created'
		`},
		{&t.stmts.replacedSession, `
			SELECT input.row, input.job_id
			FROM past_attempt
			JOIN input ON input.id = past_attempt.item_id
			WHERE past_attempt.session_id = ?1
				AND past_attempt.replaced <> ''
		`},
		{&t.stmts.stand, `INSERT INTO standing (item_id, state) VALUES (?1, 'pending')`},
		{&t.stmts.money, `
			SELECT job_id, currency, amount
			FROM input
			WHERE id = ?1
		`},
		{&t.stmts.linkOf, `
			SELECT
				standing.link_status = 'paid',
				input.request <> '{}' -- else it is purged
					AND (
						json_extract(input.request, '$.customerEmail') IS NOT json_extract(?2, '$.customerEmail')
						OR json_extract(input.request, '$.customerId') IS NOT json_extract(?2, '$.customerId')
						OR json_extract(input.request, '$.referenceCustomerId') IS NOT json_extract(?2, '$.referenceCustomerId')
					)
			FROM input
			JOIN standing ON standing.item_id = input.id
			WHERE input.id = ?1
		`},
		{&t.stmts.supersede, `
			UPDATE standing
			SET
				state = 'superseded',
				error_code = '',
				error = ?3
			WHERE item_id = ?1
				AND state = ?2
				AND NOT ` + onItsWay("standing.item_id") + `
		`},
		{&t.stmts.reuse, `
			UPDATE standing
			SET
				state = 'duplicate',
				session_id = other.session_id,
				url = other.url,
				expires_at = other.expires_at,
				created_at = other.created_at,
				error_code = '',
				error = ?4
			FROM standing AS other
			WHERE standing.item_id = ?1
				AND standing.state = ?2
				AND standing.state IN ('pending', 'unknown')
				AND NOT ` + onItsWay("standing.item_id") + `
				AND other.item_id = ?3
				AND other.state = 'created'
		`},
		{&t.stmts.refuse, `
			UPDATE standing
			SET
				state = 'failed',
				error_code = ?3,
				error = ?4
			WHERE item_id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND NOT ` + onItsWay("standing.item_id") + `
		`},
		{&t.stmts.note, `
			UPDATE standing
			SET
				error_code = ?3,
				error = ?4
			WHERE item_id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND NOT ` + onItsWay("standing.item_id") + `
		`},
		{&t.stmts.checked, `
			WITH asked AS (
				SELECT session_id
				FROM standing
				WHERE item_id = ?1
					AND state IN ('created', 'duplicate')
			)
			UPDATE standing
			SET
				link_status = ?2,
				checked_at = ?3
			WHERE state = 'created' AND session_id = (SELECT session_id FROM asked)
				OR state = 'duplicate' AND session_id = (SELECT session_id FROM asked)
		`},
		{&t.stmts.replaced, `
			INSERT INTO past_attempt (item_id, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced)
			SELECT item_id, attempts, sent_at, created_at, 'created', 200, error_code, error, session_id, ?3
			FROM standing
			WHERE item_id = ?1
				AND state = 'created'
				AND session_id = ?2
		`},
		{&t.stmts.replace, `
			UPDATE standing
			SET
				state = 'pending',
				unknown_ends = 0,
				session_id = '',
				url = '',
				expires_at = '',
				created_at = '',
				sent_at = '',
				link_status = '',
				checked_at = '',
				error_code = '',
				error = ''
			WHERE item_id = ?1
				AND state = 'created'
				AND session_id = ?2
		`},
		{&t.stmts.insertInput, insertInputs(1)},
		{&t.stmts.insertGroup, insertInputs(inputGroup)},
		{&t.stmts.insertStanding, `
			INSERT INTO standing (item_id, state, session_id, url, expires_at, created_at, error_code, error)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		`},
		{&t.stmts.fresh, `
			INSERT INTO fresh (item_id)
			SELECT id
			FROM input
			WHERE id BETWEEN ?1 AND ?2
				AND NOT EXISTS (SELECT 1 FROM standing WHERE item_id = input.id)
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
	for stmt, text := range map[**sql.Stmt]string{
		&t.stmts.claims: claimsOfBatch,
		// Without the SELECT, SQLite would note that the value could change its plan, and compile the statement anew for each.
		&t.stmts.otherClaims: claimsOf(`claim.invoice = (SELECT ?1) AND other.job_id <> ?2`, laterThan(`?2`)),
	} {
		var err error
		if *stmt, err = conn.PrepareContext(context.Background(), text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare the look-up of claims: %w", err), t.close())
		}
		t.closes = append(t.closes, (*stmt).Close)
	}
	const any = `SELECT EXISTS (SELECT 1 FROM past_attempt WHERE replaced <> '')`
	if err := conn.QueryRowContext(context.Background(), any).Scan(&t.anyReplaced); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// onItsWay says that an item, whose id this is, is in state sending. The id needs its table's name: intent has an item_id, too.
func onItsWay(id string) string {
	return `EXISTS (SELECT 1 FROM intent WHERE intent.item_id = ` + id + `)`
}

// claiming are the items that are open or have a session.
const claiming = `(
	other.state = 'pending'
	OR other.state = 'unknown'
	OR other.state = 'created' AND other.link_status <> 'expired'
)`

// laterThan are the other items that claim an invoice only against a job that is earlier than theirs.
func laterThan(job string) string {
	return `other.job_id > ` + job + ` AND (other.state = 'created' OR other.state = 'failed')`
}

// claimsOf selects the items, of imported jobs, that claim the invoices that match where: by claiming, or by also.
func claimsOf(where, also string) string {
	return `
		SELECT
			claim.invoice,
			other.id,
			other.job_id,
			CASE
				WHEN ` + onItsWay("other.id") + ` THEN 'sending'
				WHEN other.state = 'pending' AND other.unknown_ends > 0 THEN 'unknown'
				ELSE other.state
			END,
			owner.on_unknown = 'hold',
			other.currency,
			other.amount,
			other.reference,
			other.session_id,
			other.url,
			other.expires_at,
			other.created_at,
			other.state,
			other.invoice_id = '' AND owner.allow_repeats
		FROM claim
		JOIN item AS other ON other.id = claim.item_id
		JOIN job AS owner ON owner.id = other.job_id
		WHERE ` + where + `
			AND (` + claiming + ` OR ` + also + `)
		ORDER BY claim.invoice, claim.item_id
	`
}

// claim is a job.Claim with the state that is on record, which guards its transition.
type claim struct {
	job.Claim
	recorded job.State
	repeat   bool // said to be one more than those alike with it: it refuses a new row, but claims no invoice
}

// claims are those of some invoices, of each in the order of their items.
type claims map[[16]byte][]claim

func (c claims) scan(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var invoice sql.RawBytes
		var one claim
		err := rows.Scan(&invoice, &one.ItemID, &one.JobID, &one.State, &one.Hold, &one.Currency, &one.Amount, &one.Reference, &one.SessionID, &one.URL,
			timeOf(&one.ExpiresAt), timeOf(&one.CreatedAt), &one.recorded, &one.repeat)
		if err != nil {
			return err
		}
		of := [16]byte(invoice)
		c[of] = append(c[of], one)
	}
	return rows.Err()
}

func bare(claims []claim) []job.Claim {
	var all []job.Claim
	for _, c := range claims {
		all = append(all, c.Claim)
	}
	return all
}

// claimsBatch is how many invoices are looked up in one statement: one by one they take three times as long.
const claimsBatch = 256

var claimsOfBatch = claimsOf(`claim.invoice IN (?`+strings.Repeat(`, ?`, claimsBatch-1)+`)`, `FALSE`)

// look adds the claims of these invoices; batch is claimsOfBatch, prepared.
func (c claims) look(ctx context.Context, batch *sql.Stmt, invoices [][16]byte) error {
	for some := range slices.Chunk(invoices, claimsBatch) {
		arguments := make([]any, claimsBatch) // those left over are NULL, which no invoice equals
		for i := range some {
			arguments[i] = some[i][:]
		}
		if err := c.scan(batch.QueryContext(ctx, arguments...)); err != nil {
			return err
		}
	}
	return nil
}

// Claims looks up what jobs hold of these invoices (see job.Identity.InvoiceKey), each named once, for a file that is not
// imported yet. An invoice that nobody holds is not in the map.
func (s *Store) Claims(ctx context.Context, invoices [][16]byte) (map[[16]byte][]job.Claim, error) {
	found := claims{}
	if err := found.look(ctx, s.claims, invoices); err != nil {
		return nil, fmt.Errorf("look up invoices: %w", err)
	}
	all := make(map[[16]byte][]job.Claim, len(found))
	for invoice, held := range found {
		all[invoice] = bare(held)
	}
	return all, nil
}

func (s *Store) prepareClaims() (err error) {
	s.claims, err = s.read.PrepareContext(context.Background(), claimsOfBatch)
	return err
}

// openItems selects the job's items that are open and not on their way.
var openItems = func() string {
	of := func(table, standing, where string) string {
		return `
			SELECT
				this.item_id, input.job_id, input.row, ` + standing + `, input.invoice_id, input.reference, input.currency, input.amount,
				input.request, input.invoice_id = '' AND job.allow_repeats
			FROM job
			CROSS JOIN ` + table + ` AS this -- in this order: fresh and open ones may be few of a million
			CROSS JOIN input ON input.id = this.item_id
			WHERE job.id = ?1
				AND this.item_id BETWEEN max(?2 + 1, job.first_item) AND job.last_item` + where
	}
	standing := func(state job.State) string {
		return of("standing", "this.state, this.attempts, this.unknown_ends",
			`
				AND this.state = '`+string(state)+`'
				AND NOT `+onItsWay("this.item_id"))
	}
	return of("fresh", "'pending', 0, 0", "") + ` UNION ALL ` + standing(job.Pending) + ` UNION ALL ` + standing(job.Unknown) + `
		ORDER BY 1
		LIMIT ?3`
}()

// Open implements job.Ledger.
func (s *Store) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	rows, err := s.read.QueryContext(ctx, openItems, jobID, after, n)
	if err != nil {
		return nil, fmt.Errorf("read open items: %w", err)
	}
	defer rows.Close()
	var items []job.Item
	for rows.Next() {
		var i job.Item
		var request string
		err := rows.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.Attempts, &i.UnknownEnds, &i.InvoiceID, &i.Reference, &i.Currency,
			&i.Amount, &request, &i.Repeat)
		if err == nil {
			i.Request, err = clink.ReadRequest(request)
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
		err := t.stmts.begin.one(item.ID, int64(number), item.Repeat, stamp(at))
		if err == job.ErrMoved && !item.Repeat {
			meeting, err = t.meet(item, at)
			if err == nil && meeting.Action != job.Send && meeting.Action != job.TakeOver {
				number = 0
				return t.settle(item, meeting)
			}
			if err == nil {
				err = t.stmts.begin.one(item.ID, int64(number), true, stamp(at))
			}
		}
		if err == nil {
			err = t.leaveOpen(item)
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

// leaveOpen is the guard of an intent: the item must be open as the caller knows it, and is not fresh any more.
func (t *tx) leaveOpen(item *job.Item) error {
	if item.State == job.Pending && item.Attempts == 0 {
		if n, err := t.stmts.takeFresh.changed(item.ID); err != nil || n == 1 {
			return err
		}
	}
	var open [1]driver.Value
	err := t.stmts.open.first(open[:], item.ID, string(item.State), int64(item.Attempts))
	if errors.Is(err, sql.ErrNoRows) {
		err = job.ErrMoved
	}
	return err
}

// stands gives a fresh item a row that says where it stands; others have one.
func (t *tx) stands(itemID int64) error {
	n, err := t.stmts.takeFresh.changed(itemID)
	if err == nil && n == 1 {
		_, err = t.stmts.stand.exec(itemID)
	}
	return err
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
			AND item.invoice IS NOT NULL
			AND NOT `+onItsWay("item.id")+`
	`, item.ID, string(item.State), item.Attempts).Scan(&invoice, &hold)
	if errors.Is(err, sql.ErrNoRows) {
		err = job.ErrMoved
	}
	if err != nil {
		return job.Meeting{}, err
	}
	found := claims{}
	if err := found.scan(t.stmts.otherClaims.Query(invoice, item.JobID)); err != nil {
		return job.Meeting{}, err
	}
	counted := slices.DeleteFunc(found[[16]byte(invoice)], func(c claim) bool { return c.repeat })
	meeting := job.Meet(job.Mine{JobID: item.JobID, Currency: item.Currency, Amount: item.Amount, Hold: hold}, bare(counted), at)
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
	if err := t.stands(itemID); err != nil {
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

// linkNote says whose link an invoice with this request is given, and what there is to know of it: that it is paid, and that it
// was made for another customer.
func (t *tx) linkNote(other job.Claim, request string) (string, error) {
	var is [2]driver.Value // paid, for another customer
	if err := t.stmts.linkOf.first(is[:], other.ItemID, request); err != nil {
		return "", err
	}
	note := fmt.Sprintf("link of job %d", other.JobID)
	if is[0] == int64(1) {
		note += ", paid"
	}
	if is[1] == int64(1) {
		note += ", made for another customer; to have one for this customer, use a new invoice id"
	}
	return note, nil
}

// settle records what a meeting that sends nothing makes of the item.
func (t *tx) settle(item *job.Item, m job.Meeting) error {
	switch m.Action {
	case job.Reuse:
		request, err := item.Request.Body()
		if err != nil {
			return err
		}
		note, err := t.linkNote(m.Other, request)
		if err != nil {
			return err
		}
		return t.reuse(item, m.Other.ItemID, note)
	case job.Refuse:
		what, hint := m.Conflict(false)
		return t.refuse(item, job.CodeConflict, what+"; "+hint)
	case job.Wait:
		return t.note(item, job.CodeHeld, m.Held(item.JobID))
	case job.GiveWay:
		return t.supersede(item.ID, item.State, m.Other.JobID)
	}
	return nil
}

func (t *tx) reuse(item *job.Item, other int64, note string) error {
	if err := t.stands(item.ID); err != nil {
		return err
	}
	if err := t.stmts.reuse.one(item.ID, string(item.State), other, note); err != nil {
		return err
	}
	t.leave(item.JobID, item.State, item.Currency, item.Amount)
	t.enter(item.JobID, job.Duplicate, item.Currency, item.Amount)
	return nil
}

func (t *tx) refuse(item *job.Item, code, text string) error {
	if err := t.stands(item.ID); err != nil {
		return err
	}
	if err := t.stmts.refuse.one(item.ID, string(item.State), code, text); err != nil {
		return err
	}
	t.leave(item.JobID, item.State, item.Currency, item.Amount)
	t.enter(item.JobID, job.Failed, item.Currency, item.Amount)
	return nil
}

func (t *tx) note(item *job.Item, code, text string) error {
	if err := t.stands(item.ID); err != nil {
		return err
	}
	return t.stmts.note.one(item.ID, string(item.State), code, text)
}

// End implements job.Ledger.
func (s *Store) End(item *job.Item, number int, end job.End, recorded func(job.Verdict, error)) {
	verdict := end.Verdict
	s.writer.submit(record{
		do: func(t *tx) (err error) {
			verdict, err = t.end(item, number, end)
			return err
		},
		done: func(err error) { recorded(verdict, err) },
	})
}

// end records the end of the attempt, and returns the verdict that is on record.
func (t *tx) end(item *job.Item, number int, end job.End) (job.Verdict, error) {
	if end.State == job.Created && t.anyReplaced {
		if err := t.judgeSession(&end, t.stmts.replacedSession); err != nil {
			return end.Verdict, err
		}
	}
	err := t.standAfter(item, number, &end)
	if err == nil && (end.State != job.Created || end.Outcome != job.OutcomeCreated) {
		err = t.stmts.past.one(item.ID, int64(number), stamp(end.At), string(end.Outcome), int64(end.Status), end.Code, end.Reason, end.SessionID)
	}
	if err == nil {
		err = t.stmts.ended.one(item.ID, int64(number))
	}
	if err != nil {
		return end.Verdict, err
	}
	t.leave(item.JobID, job.Sending, item.Currency, item.Amount)
	t.enter(item.JobID, end.State, item.Currency, item.Amount)
	t.attempts[attemptTally{item.JobID, ""}]--
	t.attempts[attemptTally{item.JobID, end.Outcome}]++
	return end.Verdict, nil
}

// judgeSession makes a mismatch of a session that another item has published, or that was given up for a new one: of one
// that the statement finds.
func (t *tx) judgeSession(end *job.End, find *statement) error {
	var owner [2]driver.Value // row and job
	err := find.first(owner[:], end.SessionID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		end.Verdict = job.SharedSession(int(owner[0].(int64)), owner[1].(int64))
	}
	return err
}

// standAfter records where the item stands after the end; a session that another item has makes a mismatch of it. It is
// job.ErrMoved when the attempt is not on its way, or the item is not as that attempt found it.
func (t *tx) standAfter(item *job.Item, number int, end *job.End) error {
	if number == 1 {
		if n, err := t.standFirst(item.ID, end); err != nil || n == 1 {
			return err
		}
	}
	// The item has its row already, or another one has its session: no two links have one, there is an index that sees to it.
	if end.State == job.Created {
		if err := t.judgeSession(end, t.stmts.session); err != nil {
			return err
		}
		if end.State != job.Created && number == 1 {
			if n, err := t.standFirst(item.ID, end); err != nil || n == 1 {
				return err
			}
		}
	}
	return t.stmts.standNext.one(append(standingAfter(item.ID, end), int64(number))...)
}

// standFirst makes the item's row in standing, unless it has one or another item is created with its session: then it is 0.
func (t *tx) standFirst(itemID int64, end *job.End) (int64, error) {
	return t.stmts.standFirst.changed(standingAfter(itemID, end)...)
}

// standingAfter are the values of a row in standing: item, state, session, URL, expiry, creation, code and text.
func standingAfter(itemID int64, end *job.End) []driver.Value {
	var sessionID, url, expires, created string
	if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
		sessionID, created = end.SessionID, stamp(end.At)
	}
	if end.State == job.Created {
		url, expires = end.URL, stamp(end.ExpiresAt)
	}
	return []driver.Value{itemID, string(end.State), sessionID, url, expires, created, end.Code, end.Reason}
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
	return s.writer.write(func(t *tx) error { return t.note(item, code, text) })
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
			return back(job.Failed, "(SELECT request FROM input WHERE id = item_id) <> '{}'") // what is purged cannot be sent
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
		UPDATE standing
		SET
			state = ?1,
			`+set+`
		WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?2) AND (SELECT last_item FROM job WHERE id = ?2)
			AND state = ?3
			AND NOT `+onItsWay("standing.item_id")+`
			AND `+where+`
		RETURNING (SELECT currency FROM input WHERE id = item_id), (SELECT amount FROM input WHERE id = item_id)
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
		rows, err := t.conn.QueryContext(context.Background(), `
			SELECT input.id, input.job_id, input.currency, input.amount, intent.number
			FROM intent
			JOIN input ON input.id = intent.item_id
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
		end := job.End{At: at, Verdict: job.Verdict{
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
