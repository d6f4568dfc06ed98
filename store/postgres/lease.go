package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// lease is how long this sender may send, as far as it knows. It is read by all workers, and renewed by the writer.
type lease struct {
	duration    time.Duration
	system      string // of the server, and its timeline
	synchronous bool   // the timeline may change

	mu       sync.Mutex
	deadline time.Duration // on the clock that goes on while the machine sleeps
	last     time.Duration // when the last renewal was asked for
	number   int64         // of the last transaction that is known to have been made
	fencedBy error         // not nil: it may not send any more
}

// renewal is what the database says of this sender.
type renewal struct {
	found  bool
	number int64 // of the transactions that the sender has made; in one, with it
	fenced bool
	system string
}

// margin is how much earlier than the database a sender takes its lease to be over: two clocks do not run alike.
func (l *lease) margin() time.Duration { return l.duration / 10 }

// fresh says that the lease was renewed a short while ago.
func (l *lease) fresh() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return boottime()-l.last < l.duration/4
}

// renewed notes that a transaction was made that had been asked for then.
func (l *lease) renewed(asked time.Duration, r renewal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number = r.number
	if !r.fenced {
		l.last, l.deadline = asked, asked+l.duration-l.margin()
	}
}

func (l *lease) fence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fencedBy == nil {
		l.fencedBy = job.ErrFenced
	}
}

// maySend is read right before a request's first byte.
func (l *lease) maySend() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fencedBy != nil {
		return l.fencedBy
	}
	if boottime() >= l.deadline {
		return job.ErrPastDeadline
	}
	return nil
}

// check compares what the database says in a transaction with what it has acknowledged.
func (l *lease) check(r renewal) error { return l.compare(r, r.number == l.number+1) }

// checkAgain does so after a connection was lost: the transaction that was under way may have been made, or not.
func (l *lease) checkAgain(r renewal) error {
	return l.compare(r, r.number == l.number || r.number == l.number+1)
}

func (l *lease) compare(r renewal, expected bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !r.found:
		return fmt.Errorf("%w: it does not know this run any more", job.ErrFailedOver)
	case !expected:
		return fmt.Errorf("%w: it has %d records of this run, which were acknowledged up to %d", job.ErrFailedOver, r.number, l.number)
	case r.system != l.system && !l.synchronous:
		return fmt.Errorf("%w: it was %s, and is %s", job.ErrFailedOver, l.system, r.system)
	}
	return nil
}

// settle takes over the number that is on record after a lost connection, and says whether the transaction that was under way was made.
func (l *lease) settle(r renewal) (made bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	made = r.number > l.number
	l.number = r.number
	if r.fenced && l.fencedBy == nil {
		l.fencedBy = job.ErrFenced
	}
	return made
}

// theServer tells this server, and its line of history, from others.
const theServer = systemID + ` || ', timeline ' || ` + timeline

// renew makes the settings, counts the transaction, and prolongs the lease of a sender that is not fenced.
var renew = `
	WITH settings AS MATERIALIZED (` + settings(2) + `)
	UPDATE {sender}
	SET
		renewals = renewals + 1,
		lease_until = CASE WHEN fenced_at IS NULL AND ended_at IS NULL THEN clock_timestamp() + lease ELSE lease_until END
	FROM settings
	WHERE id = $1
	RETURNING renewals, fenced_at IS NOT NULL OR ended_at IS NOT NULL, ` + theServer

const lookAtSender = `
	SELECT renewals, fenced_at IS NOT NULL OR ended_at IS NOT NULL, ` + theServer + `
	FROM {sender}
	WHERE id = $1
	FOR UPDATE
`

func scanRenewal(row pgx.Row) (renewal, error) {
	r := renewal{found: true}
	err := row.Scan(&r.number, &r.fenced, &r.system)
	if errors.Is(err, pgx.ErrNoRows) {
		return renewal{}, nil
	}
	return r, err
}

// over is the condition that a sender, {sender} AS sender, may be fenced, or does not send any more.
const over = `(sender.fenced_at IS NOT NULL OR sender.ended_at IS NOT NULL OR sender.lease_until < clock_timestamp())`

// MaySend implements [paylinks/store.Ledger].
func (l *Ledger) MaySend() error { return l.lease.maySend() }

// Take implements [paylinks/store.Ledger]. A sender whose lease is over is fenced in the transaction that takes its seat.
func (l *Ledger) Take(jobID int64) error {
	err := l.writer.write(func(t *tx) error { return t.take(jobID) })
	if err != nil {
		var held *job.HeldError
		if errors.As(err, &held) {
			return err
		}
		return fmt.Errorf("take job %d: %w", jobID, err)
	}
	return nil
}

func (t *tx) take(jobID int64) error {
	// One after the other: the lock of the job's row, and what it guards, must be two statements.
	var id int64
	err := t.row(`SELECT id FROM {job} WHERE id = $1 AND imported FOR NO KEY UPDATE`, jobID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return job.ErrNoJob
	}
	if err != nil {
		return err
	}
	var holder job.Sender
	var isOver bool
	err = t.row(`
		SELECT sender.id, sender.doing, sender.host, sender.process, sender.began_at, `+over+`
		FROM {seat} AS seat
		JOIN {sender} AS sender ON sender.id = seat.sender_id
		WHERE seat.job_id = $1
	`, jobID).Scan(&holder.ID, &holder.Doing, &holder.Host, &holder.Process, &holder.Since, &isOver)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		_, err = t.exec(`INSERT INTO {seat} (job_id, sender_id) VALUES ($1, $2)`, jobID, t.l.sender.ID)
		if err != nil {
			return err
		}
	case err != nil:
		return err
	case holder.ID == t.l.sender.ID:
		return nil
	default:
		gone := isOver
		if isOver {
			if gone, err = t.fence(holder.ID); err != nil {
				return err
			}
		}
		if !gone {
			return &job.HeldError{JobID: jobID, Holder: holder.String()}
		}
		if _, err := t.exec(`UPDATE {seat} SET sender_id = $2 WHERE job_id = $1`, jobID, t.l.sender.ID); err != nil {
			return err
		}
	}
	left, err := t.leftSending(jobID)
	if err != nil {
		return err
	}
	t.l.noteCrashed(jobID, len(left))
	_, _, err = t.recover(left)
	return err
}

// fence ends a sender whose lease is over; it says whether that one is fenced, or has ended. It waits for what that one has under way:
// where that was a renewal, it lives.
func (t *tx) fence(senderID int64) (gone bool, err error) {
	_, err = t.exec(`
		UPDATE {sender}
		SET fenced_at = clock_timestamp()
		WHERE id = $1
			AND fenced_at IS NULL
			AND ended_at IS NULL
			AND lease_until < clock_timestamp()
	`, senderID)
	if err != nil {
		return false, err
	}
	err = t.row(`SELECT fenced_at IS NOT NULL OR ended_at IS NOT NULL FROM {sender} WHERE id = $1`, senderID).Scan(&gone)
	return gone, err
}

// Release implements [paylinks/store.Ledger].
func (l *Ledger) Release(jobID int64) error {
	err := l.writer.write(func(t *tx) error {
		_, err := t.exec(`DELETE FROM {seat} WHERE job_id = $1 AND sender_id = $2`, jobID, t.l.sender.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("release job %d: %w", jobID, err)
	}
	return nil
}

// Crashed implements [paylinks/store.Ledger].
func (l *Ledger) Crashed(jobID int64) int {
	l.crashedMu.Lock()
	defer l.crashedMu.Unlock()
	n := l.crashed[jobID]
	delete(l.crashed, jobID)
	return n
}

func (l *Ledger) noteCrashed(jobID int64, n int) {
	l.crashedMu.Lock()
	defer l.crashedMu.Unlock()
	l.crashed[jobID] = n
}

// sendingItem is an item that a sender that is gone has left sending.
type sendingItem struct {
	job.Item
	number int           // of the attempt
	wait   time.Duration // until nothing of it can be on its way any more
}

// leftSending are the job's items that senders that are gone have left sending.
func (t *tx) leftSending(jobID int64) ([]sendingItem, error) {
	return t.sendingItems(ids("attempt.item_id", 1), jobID)
}

func (t *tx) sendingItems(which string, args ...any) (left []sendingItem, err error) {
	rows, err := t.query(`
		SELECT
			item.id, item.job_id, item.currency, item.amount, attempt.number,
			extract(epoch FROM greatest(interval '0', coalesce(sender.fenced_at, sender.ended_at) + sender.recover - clock_timestamp()))::float8
		FROM {attempt} AS attempt
		JOIN {item} AS item ON item.id = attempt.item_id
		JOIN {sender} AS sender ON sender.id = attempt.sender_id
		WHERE attempt.outcome = ''
			AND (sender.fenced_at IS NOT NULL OR sender.ended_at IS NOT NULL)
			AND `+which+`
		ORDER BY item.id
	`, args...)
	if err != nil {
		return nil, err
	}
	var i sendingItem
	var seconds float64
	_, err = pgx.ForEachRow(rows, []any{&i.ID, &i.JobID, &i.Currency, &i.Amount, &i.number, &seconds}, func() error {
		i.wait = time.Duration(seconds * float64(time.Second))
		left = append(left, i)
		return nil
	})
	return left, err
}

// recover makes unknown those of the items of which nothing can be on its way any more; it returns their ids, and how long until there
// are more.
func (t *tx) recover(left []sendingItem) (recovered []int64, wait time.Duration, err error) {
	now := t.l.now(time.Now())
	for i := range left {
		item := &left[i]
		if item.wait > 0 {
			if wait == 0 || item.wait < wait {
				wait = item.wait
			}
			continue
		}
		end := job.End{At: now, Decision: job.Decision{
			Outcome: job.OutcomeUnknown, State: job.Unknown, Code: string(job.OutcomeUnknown), Reason: "the run ended before the answer came",
		}}
		e := &endRecord{item: &item.Item, number: item.number, end: end, decision: end.Decision}
		switch err := t.endOne(e); {
		case err == job.ErrMoved: // its end has come after all, or somebody else has recovered it
			continue
		case err != nil:
			return nil, 0, err
		}
		recovered = append(recovered, item.ID)
	}
	return recovered, wait, nil
}

// Recover implements job.Ledger.
func (l *Ledger) Recover(jobID int64) (items []job.Item, wait time.Duration, err error) {
	var recovered []int64
	err = l.writer.write(func(t *tx) error {
		left, err := t.leftSending(jobID)
		if err != nil {
			return err
		}
		recovered, wait, err = t.recover(left)
		return err
	})
	if err == nil && len(recovered) > 0 {
		items, err = l.items(context.Background(), "rows in doubt", true, itemColumns+` WHERE item.id = ANY($1::bigint[]) ORDER BY item.id`, recovered)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("recover what is in doubt in job %d: %w", jobID, err)
	}
	return items, wait, nil
}
