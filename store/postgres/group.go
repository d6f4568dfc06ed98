package postgres

import (
	"errors"
	"time"

	"paylinks/job"
)

// group are the records of one transaction, by kind: those that come often are made together, by one statement for all.
type group struct {
	begins  []*beginRecord
	ends    []*endRecord
	changes []*change
	locked  map[int64]bool // the items begun whose invoices are locked for this transaction
}

func groupOf(batch []record) *group {
	g := &group{}
	for _, r := range batch {
		switch r := r.(type) {
		case *beginRecord:
			r.resolution, r.number, r.err = job.Resolution{}, 0, nil
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

// record makes the ends, and then the intents: what an end frees may be begun again.
func (g *group) record(t *tx, fenced bool) error {
	if fenced {
		for _, b := range g.begins {
			b.err = job.ErrFenced
		}
	}
	var open []*beginRecord
	for _, b := range g.begins {
		switch {
		case fenced:
		case b.stopped != nil && b.stopped():
			b.err = job.ErrStopped
		case !g.locked[b.item.ID]: // another sender looks at its invoice right now
			b.resolution = job.Resolution{Action: job.Later}
		default:
			open = append(open, b)
		}
	}
	return errors.Join(t.endAll(g.ends), t.beginAll(open))
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

// itemsBegun are the items of which the invoices are to be locked.
func (g *group) itemsBegun() []int64 {
	items := make([]int64, len(g.begins))
	for i, b := range g.begins {
		items[i] = b.item.ID
	}
	return items
}

// lockInvoices locks the invoices of these items until the transaction ends, and returns the items for which that was possible. What
// looks the invoices up must be a statement of its own: it sees then what the last holder of the lock has recorded.
const lockInvoices = `
	WITH begun AS MATERIALIZED (
		SELECT id, invoice
		FROM {item}
		WHERE id = ANY($1::bigint[])
	)
	SELECT id
	FROM begun
	WHERE invoice IS NULL
		OR pg_try_advisory_xact_lock(('x' || encode(substr(invoice, 1, 8), 'hex'))::bit(64)::bigint)
`

// beginAll records the intents whose invoices no other job has, and resolves the others one by one.
func (t *tx) beginAll(begins []*beginRecord) error {
	if len(begins) == 0 {
		return nil
	}
	items, states := make([]int64, len(begins)), make([]string, len(begins))
	attempts, repeats := make([]int32, len(begins)), make([]bool, len(begins))
	for i, b := range begins {
		items[i], states[i], attempts[i], repeats[i] = b.item.ID, string(b.item.State), int32(b.item.Attempts), b.item.Repeat
	}
	begun, err := idsOf(t.query(begin, items, states, attempts, repeats))
	if err != nil {
		return err
	}
	once := map[int64]bool{}
	for _, b := range begins {
		if begun[b.item.ID] && !once[b.item.ID] {
			once[b.item.ID] = true
			b.resolution = job.Resolution{Action: job.Send}
			t.begun(b)
			continue
		}
		if err := t.beginOne(b); err != nil {
			return err
		}
	}
	return nil
}

// begin makes items sending. Where an item of another job has the invoice, that is to be resolved first.
const begin = `
	UPDATE {item} AS item
	SET
		state = 'sending',
		attempts = item.attempts + 1,
		reference = CASE WHEN item.reference = '' THEN coalesce(item.request::json ->> 'merchantReferenceId', '') ELSE item.reference END
	FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::boolean[]) AS begun (id, state, attempts, alone)
	WHERE item.id = begun.id
		AND item.state = begun.state
		AND item.state IN ('pending', 'unknown')
		AND item.attempts = begun.attempts
		AND item.invoice IS NOT NULL -- else no other job would know of it
		AND (begun.alone OR NOT EXISTS (
			SELECT 1
			FROM {item} AS other
			JOIN {job} AS job ON job.id = other.job_id
			WHERE other.invoice = item.invoice
				AND other.job_id <> item.job_id
				AND job.imported
		))
	RETURNING item.id
`

// begun counts an item that is sending now. Its attempt is put on record with COMMIT.
func (t *tx) begun(b *beginRecord) {
	b.number = b.item.Attempts + 1
	t.move(b.item, job.Sending)
	t.attempts[attemptTally{b.item.JobID, ""}]++
}

// queueIntents has the attempts put on record with COMMIT.
func (g *group) queueIntents(t *tx) {
	var items []int64
	var numbers []int32
	var times []time.Time
	for _, b := range g.begins {
		if b.err == nil && b.number > 0 {
			items, numbers, times = append(items, b.item.ID), append(numbers, int32(b.number)), append(times, t.l.now(b.at))
		}
	}
	if len(items) > 0 {
		t.ending.Queue(t.sql(`
			INSERT INTO {attempt} (item_id, number, sender_id, sent_at)
			SELECT item_id, number, $1, sent_at
			FROM unnest($2::bigint[], $3::integer[], $4::timestamptz[]) AS begun (item_id, number, sent_at)
		`), t.l.sender.ID, items, numbers, times)
	}
}

// endAll records the ends. What is not on its way any more is looked at one by one.
func (t *tx) endAll(ends []*endRecord) error {
	if len(ends) == 0 {
		return nil
	}
	v := endValuesOf(t.l, ends)
	moved, err := idsOf(t.query(endItems, v.items, v.numbers, v.states, v.outcomes, v.sessions, v.urls, v.expires, v.created, v.codes, v.reasons, v.customers))
	if err != nil {
		return err
	}
	var together []*endRecord
	for _, e := range ends {
		if !moved[e.item.ID] {
			if err := t.endOne(e); err != nil {
				return err
			}
			continue
		}
		together = append(together, e)
		t.ended(e, job.Sending, "")
	}
	if len(together) == 0 {
		return nil
	}
	v = endValuesOf(t.l, together)
	_, err = t.exec(endAttempts, v.items, v.numbers, v.times, v.outcomes, v.statuses, v.codes, v.reasons, v.answered)
	if err != nil {
		return err
	}
	for _, e := range together {
		if err := t.shareNew(e); err != nil {
			return err
		}
	}
	return nil
}

// endItems moves items on from sending. One stays where another has the session of a created one, or where that session was given up.
const endItems = `
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
	FROM unnest(
		$1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[],
		$10::text[], $11::text[]
	) AS e (id, number, state, outcome, session_id, url, expires_at, created_at, code, reason, customer)
	WHERE item.id = e.id
		AND item.state = 'sending'
		AND item.attempts = e.number
		AND (e.state <> 'created' OR NOT (
			EXISTS (SELECT 1 FROM {item} AS other WHERE other.session_id = e.session_id AND other.state = 'created')
			OR EXISTS (SELECT 1 FROM {attempt} AS old WHERE old.session_id = e.session_id AND old.replaced IS NOT NULL)
		))
	RETURNING item.id
`

const endAttempts = `
	UPDATE {attempt} AS attempt
	SET
		ended_at = e.ended_at,
		outcome = e.outcome,
		status = e.status,
		code = e.code,
		message = e.reason,
		session_id = e.session_id
	FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[])
		AS e (item_id, number, ended_at, outcome, status, code, reason, session_id)
	WHERE attempt.item_id = e.item_id
		AND attempt.number = e.number
		AND attempt.outcome = ''
`

// endValues are ends by column.
type endValues struct {
	items                                                                 []int64
	numbers, statuses                                                     []int32
	states, outcomes, sessions, answered, urls, codes, reasons, customers []string
	expires, created                                                      []*time.Time
	times                                                                 []time.Time
}

func endValuesOf(l *Ledger, ends []*endRecord) (v endValues) {
	for _, e := range ends {
		end := e.end
		end.Decision = e.decision
		var session, url, customer string
		var created, expires *time.Time
		at := l.now(end.At)
		if end.SessionID != "" && (end.State == job.Created || end.State == job.Failed) {
			session, created = end.SessionID, &at
		}
		if end.State == job.Created {
			url, customer = end.URL, end.Customer
			if !end.ExpiresAt.IsZero() {
				until := end.ExpiresAt.UTC().Truncate(time.Millisecond)
				expires = &until
			}
		}
		v.items, v.numbers, v.statuses = append(v.items, e.item.ID), append(v.numbers, int32(e.number)), append(v.statuses, int32(end.Status))
		v.states, v.outcomes = append(v.states, string(end.State)), append(v.outcomes, string(end.Outcome))
		v.sessions, v.answered, v.urls = append(v.sessions, session), append(v.answered, clean(end.SessionID)), append(v.urls, url)
		v.codes, v.reasons, v.customers = append(v.codes, clean(end.Code)), append(v.reasons, clean(end.Reason)), append(v.customers, clean(customer))
		v.expires, v.created, v.times = append(v.expires, expires), append(v.created, created), append(v.times, at)
	}
	return v
}
