package job

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// dispatcher decides which item leaves when. All of it but the gate belongs to the goroutine that runs dispatch.
type dispatcher struct {
	Settings
	job     Job
	observe func(Event)

	work    chan *task
	results chan result
	fresh   chan *Item
	gate    gate
	pace    *pace
	budget  *budgetCalls // nil without a budget

	next       *task // the first fresh item, taken from its channel but not handed out yet
	fed        bool  // fresh is closed
	retries    retryQueue
	suspects   suspects
	inFlight   int
	counted    int // items with a place under Limit
	failures   int
	created    bool      // a session was created in this run
	rejected   int       // rows in a row
	mismatches int       // in a row
	lastMiss   string    // how the last request without an answer ended
	report     Report    // its Stop is empty while the run goes on
	haltedTo   time.Time // until when, as the observer was last told, nothing is sent; zero: requests flow
}

func newDispatcher(s Settings, j Job, observe func(Event)) *dispatcher {
	d := &dispatcher{
		Settings: s,
		job:      j,
		observe:  observe,
		work:     make(chan *task),
		results:  make(chan result, 2*s.Concurrency), // of each worker one on its way to the record, and one behind it
		fresh:    make(chan *Item, page),
		pace:     newPace(s.Rate),
		suspects: suspects{rows: map[int64]bool{}},
		counted:  s.Sent,
	}
	if s.Budget != nil {
		d.pace = newSharedPace(s.Rate)
	}
	return d
}

// dispatch hands out items until the run is over, and returns when no request is in flight any more.
func (d *dispatcher) dispatch(ctx context.Context) Report {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for d.report.Stop == "" {
		now := time.Now()
		t, wait := d.choose(now)
		if d.over(ctx, now, t) {
			break
		}
		if t != nil {
			d.askBudget(now)
		}
		var work chan<- *task
		if t != nil && wait == 0 {
			work, t.probe, t.until = d.work, d.pace.outage(), d.pace.until(now)
			if !t.until.IsZero() { // then another slot is looked for
				wait = t.until.Sub(now) + 1
			}
		}
		var fresh <-chan *Item
		if d.next == nil && !d.fed {
			fresh = d.fresh
		}
		if left, ok := d.pace.giveUp(now, d.GiveUpAfter); ok && (wait <= 0 || left < wait) {
			wait = left
		}
		var timeUp <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			timeUp = timer.C
		}
		select {
		case work <- t:
			d.handedOut(t, time.Now())
		case r := <-d.results:
			d.done(r)
		case a := <-d.budgetAnswers():
			d.budgetAnswered(a, time.Now())
		case item, ok := <-fresh:
			if d.fed = !ok; ok {
				d.take(&task{item: item})
			}
		case <-timeUp:
		case <-ctx.Done():
		}
	}
	d.gate.stopped.Store(true)
	for d.inFlight > 0 {
		d.done(<-d.results)
	}
	return d.report
}

// choose returns the task that leaves next, and how long it must wait; less than 0 is until something else
// happens. Items that come back go before fresh ones, so that the number in doubt stays small, and suspect ones go behind all.
func (d *dispatcher) choose(now time.Time) (*task, time.Duration) {
	var t *task
	wait := time.Duration(-1)
	switch {
	case d.suspects.control != nil:
		if d.inFlight == 0 { // what is in flight may still tell of a row that is not refused
			t = d.suspects.control
		}
	case d.gate.held(): // the end that makes the control due is being recorded
	case len(d.retries) > 0 && !d.retries[0].due.After(now):
		t = d.retries[0]
	case d.next != nil && !d.full():
		t = d.next
	case len(d.retries) > 0:
		return nil, d.retries[0].due.Sub(now)
	case d.inFlight == 0 && (d.next != nil || d.fed):
		if t = d.suspects.first(d.full()); t != nil && t.due.After(now) {
			return nil, t.due.Sub(now)
		}
	}
	if t == nil || d.inFlight > 0 && d.MaxRejected == 1 && !d.created { // one row is to tell for all
		return nil, wait
	}
	wait = d.pace.wait(now, d.inFlight)
	if closed := d.gate.wait(now); wait >= 0 && (closed < 0 || closed > wait) {
		wait = closed
	}
	return t, wait
}

// full says that Limit is reached: only items that have a place may leave.
func (d *dispatcher) full() bool { return d.Limit > 0 && d.counted >= d.Limit }

// over ends the run where the caller has ended it, nothing is left to do, or nothing has moved for too long.
func (d *dispatcher) over(ctx context.Context, now time.Time, t *task) bool {
	if ctx.Err() != nil { // first of all: the fresh items have ended with it, which looks like the end of the job
		d.stop(Report{Stop: Interrupted})
		return true
	}
	if left, ok := d.pace.giveUp(now, d.GiveUpAfter); ok && left == 0 {
		d.stop(Report{Stop: GaveUp, Reason: fmt.Sprintf("no row got any further for %s", d.GiveUpAfter), Last: d.lastMiss})
		return true
	}
	if t != nil || d.inFlight > 0 || len(d.retries) > 0 || d.suspects.first(d.full()) != nil {
		return false
	}
	switch {
	case (d.next != nil || len(d.suspects.queue) > 0) && d.full():
		d.stop(Report{Stop: LimitReached, Reason: fmt.Sprintf("the limit of this run is reached: %d", d.counted)})
	case d.next == nil && d.fed:
		d.stop(Report{Stop: Finished})
	default:
		return false
	}
	return true
}

// take takes a fresh item: a suspect one goes behind all others.
func (d *dispatcher) take(t *task) {
	if t.item.SuspectEnds > 0 {
		d.suspects.add(t)
	} else {
		d.next = t
	}
}

// handedOut notes that a worker took the task.
func (d *dispatcher) handedOut(t *task, now time.Time) {
	d.inFlight++
	d.pace.sent(now)
	switch {
	case t.control != nil:
		return
	case t == d.next:
		d.next = nil
	case !d.suspects.remove(t):
		heap.Pop(&d.retries)
	}
	if !t.counted {
		t.counted = true
		d.counted++
	}
}

// done takes a worker's result: for the pace, for the item's next try, for what ends the run.
func (d *dispatcher) done(r result) {
	d.inFlight--
	now := time.Now()
	if r.kind == resultLedgerFailed {
		d.stop(LedgerReport(r.err))
		return
	}
	var moved *Moved
	if r.control != nil {
		moved = d.controlled(r, now)
	} else {
		moved = d.itemDone(r, now)
	}
	d.gate.outage.Store(d.pace.outage())
	if !d.pace.pausedUntil.IsZero() {
		d.gate.pause(d.pace.pausedUntil)
	}
	if moved != nil {
		d.observe(*moved)
	}
	d.announce(now, r.decision.Reason)
}

// itemDone takes the result of an item's turn.
func (d *dispatcher) itemDone(r result, now time.Time) *Moved {
	r.sent = r.sent || r.kind == resultAttempted
	retried := d.handle(r, now) && d.report.Stop == ""
	if t := d.suspects.control; t != nil && !t.control.giveUp && !d.gate.held() {
		d.suspects.control = nil // another row got an answer meanwhile
	}
	if !retried && !r.sent {
		d.counted--
	}
	if r.kind == resultAsking {
		return nil
	}
	return &Moved{
		Item: r.item, From: r.from, Attempt: r.number, Decision: r.decision, Status: r.status, Took: r.took, Retried: retried,
		Link: r.link,
	}
}

// handle draws the consequences of a result and says whether the item comes back in this run.
func (d *dispatcher) handle(r result, now time.Time) (retried bool) {
	switch r.kind {
	case resultWithdrawn:
		return d.requeue(r.task, now)
	case resultAsking:
		d.pace.answered()
		return d.requeue(r.task, now)
	case resultBusy:
		return d.requeue(r.task, now.Add(time.Second))
	case resultOvertaken:
		return false
	case resultWaits, resultSettled:
		if r.status != 0 {
			d.pace.answered()
		}
		if r.kind == resultSettled {
			d.pace.moved()
			d.countFailure(r.decision.State)
		}
		return false
	}
	switch outcome := r.decision.Outcome; {
	case outcome == OutcomeThrottled:
		d.throttled(r, now)
		return d.requeue(r.task, now)
	case outcome == OutcomeNotSent, outcome == OutcomeUnknown:
		d.missed(r, now)
		r.misses++
		if r.kind == resultChecked && r.misses >= d.MaxAttempts {
			return false
		}
		if r.kind == resultAttempted && r.decision.Outcome == OutcomeUnknown {
			policy := d.job.OnUnknown
			if r.item.Hold {
				policy = Hold
			}
			if !sendable(r.item.UnknownEnds, policy, d.MaxAttempts) {
				return false
			}
			return d.requeue(r.task, now.Add(Backoff(r.item.UnknownEnds, rand.Float64())))
		}
		return d.requeue(r.task, now.Add(Backoff(r.misses, rand.Float64())))
	case outcome.Suspect():
		return d.suspectEnd(r)
	}
	d.pace.answered()
	if r.kind == resultChecked {
		return d.requeue(r.task, now)
	}
	d.pace.moved()
	if r.decision.Outcome == OutcomeCreated {
		clear(d.suspects.rows)
	}
	d.countFailure(r.decision.State)
	d.countRejected(r.decision)
	d.countMismatch(r.decision)
	return false
}

// throttled pauses, and ends the run where it could only give up during the pause.
func (d *dispatcher) throttled(r result, now time.Time) {
	d.pace.throttled(now, r.startedAt, r.retryAfter)
	d.stopInPause(now, r.retryAfter > 0)
}

// stopInPause ends the run where it could only give up during the pause; named says that Clink named its end.
func (d *dispatcher) stopInPause(now time.Time, named bool) {
	wait := d.pace.pausedUntil.Sub(now)
	if left, ok := d.pace.giveUp(now, d.GiveUpAfter); ok && (wait >= d.GiveUpAfter || named && wait >= left) {
		d.stop(d.pauseTooLong(wait, named))
	}
}

// missed notes an end that tells of an outage, or may do.
func (d *dispatcher) missed(r result, now time.Time) {
	if r.told {
		d.pace.told(now, r.item.ID, r.probe)
	} else {
		d.pace.missed(now, r.probe)
	}
	d.lastMiss = r.decision.Reason
}

// pauseTooLong is how a run ends that could only give up during the pause.
func (d *dispatcher) pauseTooLong(pause time.Duration, named bool) Report {
	if !named {
		return Report{Stop: GaveUp, Reason: fmt.Sprintf("Clink throttles, and this run gives up after %s", d.GiveUpAfter)}
	}
	return Report{
		Stop:     GaveUp,
		Reason:   fmt.Sprintf("Clink asks for a pause of %s, and this run gives up after %s", pause.Round(time.Second), d.GiveUpAfter),
		ComeBack: d.pace.pausedUntil,
	}
}

func (d *dispatcher) requeue(t *task, due time.Time) bool {
	t.due = due
	if t.item.SuspectEnds > 0 {
		d.suspects.add(t)
	} else {
		heap.Push(&d.retries, t)
	}
	return true
}

func (d *dispatcher) countFailure(s State) {
	if s != Failed {
		return
	}
	d.failures++
	if d.MaxFailures > 0 && d.failures >= d.MaxFailures {
		rows := "1 row has"
		if d.failures > 1 {
			rows = fmt.Sprintf("%d rows have", d.failures)
		}
		d.stop(Report{Stop: TooManyFailures, Reason: rows + " failed in this run, which is its limit"})
	}
}

// countRejected ends a run in which Clink refuses one row after the other, and has taken none: what is wrong with them is likely
// wrong with all.
func (d *dispatcher) countRejected(decision Decision) {
	switch decision.Outcome {
	case OutcomeCreated:
		d.created = true
	case OutcomeRejected:
		d.rejected++
	default:
		d.rejected = 0
	}
	if d.created || d.MaxRejected == 0 || d.rejected < d.MaxRejected {
		return
	}
	rows := "the first row of this run, as it did with every row of an earlier one"
	if d.rejected > 1 {
		rows = fmt.Sprintf("%d rows in a row, and has taken none in this run", d.rejected)
	}
	d.stop(Report{Stop: AllRejected, Reason: fmt.Sprintf("Clink refused %s; the last one: %s", rows, decision.Reason)})
}

// mismatchesMost is how many sessions in a row may be something else than asked before the run stops: each of them is one
// that nobody can use, and what is wrong with ten in a row is wrong with all.
const mismatchesMost = 10

func (d *dispatcher) countMismatch(decision Decision) {
	switch decision.Outcome {
	case OutcomeCreated:
		d.mismatches = 0
	case OutcomeMismatch:
		d.mismatches++
	}
	if d.mismatches >= mismatchesMost {
		d.stop(Report{Stop: TooManyFailures, Reason: fmt.Sprintf("%d sessions in a row are not what was asked for; the last one: %s", d.mismatches, decision.Reason)})
	}
}

// stop ends the run. The first reason stays, but for a failed ledger and a job that is another sender's now: these nobody may miss.
func (d *dispatcher) stop(r Report) {
	urgent := func(stop Stop) bool { return stop == LedgerFailed || stop == TakenOver }
	if d.report.Stop == "" || urgent(r.Stop) && !urgent(d.report.Stop) {
		d.report = r
	}
}

// announce tells the observer when requests stop to flow, and when they flow again.
func (d *dispatcher) announce(now time.Time, reason string) {
	switch {
	case d.pace.outage():
		if d.haltedTo != d.pace.probeAt {
			d.haltedTo = d.pace.probeAt
			d.observe(Unanswered{Next: d.haltedTo, Reason: reason, Begun: d.pace.probeWait == probeFirst})
		}
	case d.pace.pausedUntil.After(now):
		if d.haltedTo != d.pace.pausedUntil {
			d.haltedTo = d.pace.pausedUntil
			d.observe(Paused{Until: d.haltedTo, PerSecond: float64(d.pace.rate(d.haltedTo))})
		}
	case !d.haltedTo.IsZero():
		d.haltedTo = time.Time{}
		d.observe(Flowing{})
	}
}

// retryQueue are the tasks that come back, the one that is due first on top.
type retryQueue []*task

func (q retryQueue) Len() int           { return len(q) }
func (q retryQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q retryQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *retryQueue) Push(t any)        { *q = append(*q, t.(*task)) }
func (q *retryQueue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return t
}
