package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// group are the records of one transaction, by kind: those that come often are made together, by one statement for all.
type group struct {
	begins  []*beginRecord
	ends    []*endRecord
	changes []*change
}

func groupOf(batch []record) *group {
	g := &group{}
	for _, r := range batch {
		switch r := r.(type) {
		case *beginRecord:
			r.resolution, r.now, r.number, r.err = job.Resolution{}, nil, 0, nil
			g.begins = append(g.begins, r)
		case *endRecord:
			r.decision = r.end.Decision
			g.ends = append(g.ends, r)
		case *change:
			g.changes = append(g.changes, r)
		}
	}
	return g
}

// made is what the statements for all have moved.
type made struct {
	ended, locked, begun map[int64]bool
}

// together begins the transaction, renews the lease, and makes what is made by one statement for all, in one round trip: the ends, and
// then the intents, since what an end frees may be begun again.
func (g *group) together(t *tx) (r renewal, m made, err error) {
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue(t.sql(renew), t.l.sender.ID, milliseconds(t.l.sender.Lease/3-100*time.Millisecond))
	if len(g.ends) > 0 {
		b.Queue(t.sql(endAll), endValues(t.l, g.ends...)...)
	}
	var open []*beginRecord
	for _, begin := range g.begins {
		if begin.stopped != nil && begin.stopped() {
			begin.err = job.ErrStopped
		} else {
			open = append(open, begin)
		}
	}
	if len(open) > 0 {
		values := beginValues(t.l, open...)
		b.Queue(t.sql(lockInvoices), values[1])
		b.Queue(t.sql(begin), append(values, false)...)
	}
	ctx, cancel := t.l.writer.bounded()
	defer cancel()
	results := t.conn.SendBatch(ctx, b)
	defer func() {
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
	}()
	if _, err := results.Exec(); err != nil {
		return r, m, err
	}
	if r, err = scanRenewal(results.QueryRow()); err != nil {
		return r, m, err
	}
	if len(g.ends) > 0 {
		if m.ended, err = idsOf(results.Query()); err != nil {
			return r, m, err
		}
	}
	if len(open) == 0 {
		return r, m, nil
	}
	if m.locked, err = idsOf(results.Query()); err != nil {
		return r, m, err
	}
	m.begun, err = idsOf(results.Query())
	return r, m, err
}

// oneByOne makes what could not be made together, and counts all.
func (g *group) oneByOne(t *tx, m made, fenced bool) error {
	for _, e := range g.ends {
		if !m.ended[e.item.ID] {
			if err := t.endOne(e); err != nil {
				return err
			}
			continue
		}
		t.ended(e, job.Sending, "")
		if err := t.shareNew(e); err != nil {
			return err
		}
	}
	for _, b := range g.begins {
		var err error
		switch {
		case b.err != nil:
		case fenced:
			b.err = job.ErrFenced
		case !m.locked[b.item.ID]: // another sender looks at its invoice right now
			b.resolution = job.Resolution{Action: job.Later}
			if _, _, err = t.asItIs(b.item.ID); err == job.ErrMoved { // there is no such item
				b.err, err = err, nil
			}
		case m.begun[b.item.ID]:
			delete(m.begun, b.item.ID)
			b.resolution = job.Resolution{Action: job.Send}
			t.begun(b)
		default:
			err = t.beginOne(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// beginRecord is an intent on its way to the record.
type beginRecord struct {
	item    *job.Item
	at      time.Time
	stopped func() bool
	reply   func(*beginRecord, error)

	resolution job.Resolution
	number     int
	err        error     // of this record alone: nothing of it is on record
	now        *job.Item // as the item is on record, where another sender has moved it on
}

func (b *beginRecord) done(err error) { b.reply(b, err) }

// endRecord is the end of an attempt on its way to the record.
type endRecord struct {
	item   *job.Item
	number int
	end    job.End
	reply  func(job.Decision, error)

	decision job.Decision
}

func (e *endRecord) done(err error) { e.reply(e.decision, err) }

// lockInvoices locks the invoices of these items until the transaction ends, and returns the items for which that was possible; begin
// takes no others. What looks the invoices up must be a statement of its own: it sees then what the last holder of the lock has recorded.
const lockInvoices = `
	WITH begun AS MATERIALIZED (
		SELECT id, invoice
		FROM {item}
		WHERE id = ANY($1::bigint[])
	), locked AS MATERIALIZED (
		SELECT id
		FROM begun
		WHERE invoice IS NULL
			OR pg_try_advisory_xact_lock(('x' || encode(substr(invoice, 1, 8), 'hex'))::bit(64)::bigint)
	)
	SELECT id
	FROM locked
	WHERE set_config('paylinks.locked', (SELECT string_agg(id::text, ',') FROM locked), TRUE) <> ''
`

// begin makes items sending, with an attempt on record, where this sender is not fenced. Where an item of another job has the invoice, that
// is to be resolved first, unless $7 says that it was.
const begin = `
	WITH wanted AS MATERIALIZED (
		SELECT *
		FROM unnest($2::bigint[], $3::text[], $4::integer[], $5::boolean[], $6::timestamptz[]) AS wanted (id, state, attempts, alone, sent_at)
		WHERE id = ANY(string_to_array(current_setting('paylinks.locked', TRUE), ',')::bigint[])
	), begun AS (
		UPDATE {item} AS item
		SET
			state = 'sending',
			attempts = item.attempts + 1,
			reference = CASE WHEN item.reference = '' THEN coalesce(item.request::json ->> 'merchantReferenceId', '') ELSE item.reference END
		FROM wanted
		WHERE item.id = wanted.id
			AND item.state = wanted.state
			AND item.state IN ('pending', 'unknown')
			AND item.attempts = wanted.attempts
			AND item.invoice IS NOT NULL -- else no other job would know of it
			AND EXISTS (SELECT 1 FROM {sender} WHERE id = $1 AND fenced_at IS NULL AND ended_at IS NULL)
			AND ($7 OR wanted.alone OR NOT EXISTS (
				SELECT 1
				FROM {item} AS other
				JOIN {job} AS job ON job.id = other.job_id
				WHERE other.invoice = item.invoice
					AND other.job_id <> item.job_id
					AND job.imported
				OFFSET 0
			))
		RETURNING item.id, item.attempts, wanted.sent_at
	), intents AS (
		INSERT INTO {attempt} (item_id, number, sender_id, sent_at)
		SELECT id, attempts, $1, sent_at
		FROM begun
	)
	SELECT id
	FROM begun
`

// beginValues are the arguments of begin, but for the last: the second are the items.
func beginValues(l *Ledger, begins ...*beginRecord) []any {
	n := len(begins)
	items, states, attempts := make([]int64, n), make([]string, n), make([]int32, n)
	alone, times := make([]bool, n), make([]time.Time, n)
	for i, b := range begins {
		items[i], states[i], attempts[i] = b.item.ID, string(b.item.State), int32(b.item.Attempts)
		alone[i], times[i] = b.item.Repeat, l.now(b.at)
	}
	return []any{l.sender.ID, items, states, attempts, alone, times}
}

// begun counts an item that is sending now.
func (t *tx) begun(b *beginRecord) {
	b.number = b.item.Attempts + 1
	t.move(b.item, job.Sending)
	t.attempts[attemptTally{b.item.JobID, ""}]++
}

// endAll moves items on from sending, and ends their attempts; it returns those items. One stays where another has the session of a created
// one, or where that session was given up.
const endAll = `
	WITH e AS MATERIALIZED (
		SELECT *
		FROM unnest(
			$1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[],
			$10::text[], $11::text[], $12::timestamptz[], $13::integer[], $14::text[]
		) AS e (id, number, state, outcome, session_id, url, expires_at, created_at, code, reason, customer, ended_at, status, answered)
	), moved AS (
		UPDATE {item} AS item
		SET
			state = e.state,
			unknown_ends = item.unknown_ends + (e.outcome = 'unknown')::integer,
			suspect_ends = CASE
				WHEN e.outcome IN ('created', 'mismatch', 'rejected') THEN 0
				ELSE item.suspect_ends + (e.outcome IN ('unauthorized', 'redirected', 'misdirected'))::integer
			END,
			session_id = e.session_id,
			url = e.url,
			expires_at = e.expires_at,
			created_at = e.created_at,
			error_code = e.code,
			error = e.reason,
			customer_id = e.customer
		FROM e
		WHERE item.id = e.id
			AND item.state = 'sending'
			AND item.attempts = e.number
			AND (e.state <> 'created' OR NOT (
				-- OFFSET keeps the server from reading all sessions into a table of its own for that.
				EXISTS (SELECT 1 FROM {item} AS other WHERE other.session_id = e.session_id AND other.state = 'created' OFFSET 0)
				OR EXISTS (SELECT 1 FROM {attempt} AS old WHERE old.session_id = e.session_id AND old.replaced IS NOT NULL OFFSET 0)
			))
		RETURNING item.id
	), ended AS (
		UPDATE {attempt} AS attempt
		SET
			ended_at = e.ended_at,
			outcome = e.outcome,
			status = e.status,
			code = e.code,
			message = e.reason,
			session_id = e.answered
		FROM e
		JOIN moved ON moved.id = e.id
		WHERE attempt.item_id = e.id
			AND attempt.number = e.number
			AND attempt.outcome = ''
	)
	SELECT id
	FROM moved
`

// endValues are the arguments of endAll.
func endValues(l *Ledger, ends ...*endRecord) []any {
	n := len(ends)
	items, numbers, statuses := make([]int64, n), make([]int32, n), make([]int32, n)
	states, outcomes, sessions, answered := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	urls, codes, reasons, customers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	expires, created, times := make([]*time.Time, n), make([]*time.Time, n), make([]time.Time, n)
	for i, e := range ends {
		end := e.end
		end.Decision = e.decision
		at := l.now(end.At)
		if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
			sessions[i], created[i] = clean(end.SessionID), &at
		}
		if end.State == job.Created {
			urls[i], customers[i] = clean(end.URL), clean(end.Customer)
			if !end.ExpiresAt.IsZero() {
				until := end.ExpiresAt.UTC().Truncate(time.Millisecond)
				expires[i] = &until
			}
		}
		items[i], numbers[i], statuses[i], times[i] = e.item.ID, int32(e.number), int32(end.Status), at
		states[i], outcomes[i], answered[i] = string(end.State), string(end.Outcome), clean(end.SessionID)
		codes[i], reasons[i] = clean(end.Code), clean(end.Reason)
	}
	return []any{items, numbers, states, outcomes, sessions, urls, expires, created, codes, reasons, customers, times, statuses, answered}
}
