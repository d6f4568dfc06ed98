package job

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	controlAfter = 3  // suspect ends in a row make the control due
	suspectsMost = 10 // different rows with suspect ends, and nothing created between, end the run in any case
	givenUpAfter = 2  // suspect ends of one row, where a control says that others are not refused
)

// suspects are the rows whose requests ended with an outcome that may speak of them or of all (see [Outcome.Suspect]): a firewall
// that dislikes one customer's data answers as it does to a wrong key. They go behind all other rows, one at a time. A control tells
// which it is: Clink is asked about a session that it made, which needs the key and the address but nothing of the row. Where
// Clink answers, it was the row; where that is refused alike, it is the key or the address.
type suspects struct {
	queue   []*task
	rows    map[int64]bool // with a suspect end since a session was last created in this run
	control *task          // due or being asked, else nil; nothing else may leave meanwhile
}

// control is what a control is about.
type control struct {
	end    result // the suspect end that made it due
	giveUp bool   // where Clink answers, its row is given up; see givenUp
}

func (s *suspects) add(t *task) { s.queue = append(s.queue, t) }

// first is the task in the queue that is due first, or nil. Where the limit of the run is reached, only those with a place under it count.
func (s *suspects) first(full bool) (first *task) {
	for _, t := range s.queue {
		if (t.counted || !full) && (first == nil || t.due.Before(first.due)) {
			first = t
		}
	}
	return first
}

func (s *suspects) remove(t *task) bool {
	i := slices.Index(s.queue, t)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	return i >= 0
}

// suspectEnd draws the consequences of a suspect end, and says whether its item comes back in this run.
func (d *dispatcher) suspectEnd(r result) bool {
	d.pace.reached()
	if r.kind == resultChecked { // no attempt, so that nothing is on record
		r.item.SuspectEnds++
	}
	if r.item.SessionID == "" { // with a question about its own link no row is at stake: the control alone decides
		d.suspects.rows[r.item.ID] = true
	}
	if d.suspects.control == nil && d.stopAtMost(r) {
		return false
	}
	giveUp := r.item.SuspectEnds >= givenUpAfter
	if d.suspects.control == nil && (giveUp || d.gate.held()) {
		d.suspects.control = &task{item: r.item, control: &control{end: r, giveUp: giveUp}}
		if giveUp {
			return true
		}
	}
	d.suspects.add(r.task)
	return true
}

// stopAtMost ends the run where too many rows in a row were refused, the last with this end. While a control is due, that decides first:
// it knows more.
func (d *dispatcher) stopAtMost(end result) bool {
	n := len(d.suspects.rows)
	if n >= suspectsMost {
		d.stop(refusedAll(end.decision.Outcome, n,
			fmt.Sprintf("%d different rows in a row were refused, and none got a link between them; the last one: %s", n, end.decision.Reason)))
	}
	return n >= suspectsMost
}

// controlled takes what came of a control. It returns the event of a row that was given up, or nil.
func (d *dispatcher) controlled(r result, now time.Time) *Moved {
	if r.kind == resultWithdrawn { // it stays due
		return nil
	}
	d.suspects.control = nil
	end := r.control.end
	switch outcome := r.decision.Outcome; {
	case r.kind == resultNoControl:
		d.stop(refusedAll(end.decision.Outcome, len(d.suspects.rows), end.decision.Reason))
		return nil
	case outcome.Suspect():
		d.stop(refusedAll(outcome, 0, r.decision.Reason))
		return nil
	}
	d.gate.suspects.Store(0)
	if !controlAnswered(r.decision) {
		if r.decision.Outcome == OutcomeThrottled {
			d.throttled(r, now)
		} else {
			d.missed(r, now)
		}
		if r.control.giveUp { // it waits: in this run for the next control, or for the next run
			if end.misses++; end.misses < d.MaxAttempts {
				d.requeue(end.task, now.Add(Backoff(end.misses, rand.Float64())))
			}
		}
		return nil
	}
	d.pace.answered()
	d.stopAtMost(end)
	if !r.control.giveUp || end.item.refreshed() {
		return nil
	}
	end.decision = r.control.givenUp()
	if end.decision.State == Failed {
		d.pace.moved()
		d.countFailure(Failed)
	}
	return &Moved{Item: end.item, From: end.from, Decision: end.decision, Status: end.status}
}

// givenUp is what becomes of the row that is given up: it is failed with the words of its last end. Where Clink was only asked about
// a link that has ended, a person must find out about that.
func (c *control) givenUp() Decision {
	decision := c.end.decision
	if c.end.kind == resultAttempted {
		decision.State = Failed
	} else {
		decision.unsettled()
	}
	return decision
}

// controlAnswered says whether Clink has answered a control, be it that it does not know the session any more.
func controlAnswered(d Decision) bool { return d.Outcome == "" || d.Outcome == OutcomeRejected }

// refusedAll ends a run in which not a row, but all are refused, or so many rows that it may be all.
func refusedAll(outcome Outcome, rows int, reason string) Report {
	stop := WrongAddress
	if outcome == OutcomeUnauthorized {
		stop = KeyRefused
	}
	return Report{Stop: stop, Refused: rows, Reason: reason}
}

// askControl asks Clink about a session that it made. Where it answers, and the row is to be given up, it records that.
func (r *Runner) askControl(ctx context.Context, out *result, run *run) error {
	ctx = context.WithoutCancel(ctx)
	session, err := r.Ledger.KnownSession(ctx, run.jobID)
	if err != nil {
		return err
	}
	if session == "" {
		out.kind = resultNoControl
		return nil
	}
	out.kind = resultControlled
	_, err = r.Clink.GetSession(ctx, session)
	out.took = time.Since(out.startedAt)
	if err != nil {
		out.decision = decideError(out.item.State, err)
	}
	out.noteResponse(err, run.gate)
	if !out.control.giveUp || out.item.refreshed() || !controlAnswered(out.decision) {
		return nil
	}
	end := out.control.givenUp()
	if end.State != Failed {
		return r.Ledger.Note(out.item, end.Code, end.Reason)
	}
	if err := r.Ledger.Refuse(out.item, end.Code, end.Reason); err != nil {
		return err
	}
	out.item.State = Failed
	return nil
}
