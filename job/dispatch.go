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

	work  chan *task
	ends  chan turn
	fresh chan *Item
	gate  gate
	pace  *pace

	next     *task // the first fresh item, taken from its channel but not handed out yet
	fed      bool  // fresh is closed
	again    retries
	inFlight int
	counted  int // items with a place under Limit
	failures int
	wrong    int       // sessions in a row that are not what was asked for
	last     string    // how the last turn without an answer ended
	report   Report    // its Stop is empty while the run goes on
	told     time.Time // until when the observer believes that nothing flows; zero: it flows
}

func newDispatcher(s Settings, j Job, observe func(Event)) *dispatcher {
	return &dispatcher{
		Settings: s,
		job:      j,
		observe:  observe,
		work:     make(chan *task),
		ends:     make(chan turn, 2*s.Concurrency), // of each worker one on its way to the record, and one behind it
		fresh:    make(chan *Item, page),
		pace:     newPace(s.Rate),
		counted:  s.Sent,
	}
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
		var work chan<- *task
		if t != nil && wait == 0 {
			work, t.probe = d.work, d.pace.outage()
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
		case e := <-d.ends:
			d.ended(e)
		case item, ok := <-fresh:
			if d.fed = !ok; ok {
				d.next = &task{item: item}
			}
		case <-timeUp:
		case <-ctx.Done():
		}
	}
	d.gate.stopped.Store(true)
	for d.inFlight > 0 {
		d.ended(<-d.ends)
	}
	return d.report
}

// choose returns the task whose turn it is, and how long it must wait; less than 0 is until something else
// happens. Items that come back go before fresh ones, so that the number in doubt stays small.
func (d *dispatcher) choose(now time.Time) (*task, time.Duration) {
	var t *task
	wait := time.Duration(-1)
	switch {
	case len(d.again) > 0 && !d.again[0].due.After(now):
		t = d.again[0]
	case d.next != nil && !d.full():
		t = d.next
	case len(d.again) > 0:
		return nil, d.again[0].due.Sub(now)
	}
	if t == nil {
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
		d.stop(Report{Stop: GaveUp, Reason: fmt.Sprintf("no row has moved for %s", d.GiveUpAfter), Last: d.last})
		return true
	}
	if t != nil || d.inFlight > 0 || len(d.again) > 0 {
		return false
	}
	switch {
	case d.next != nil && d.full():
		d.stop(Report{Stop: LimitReached, Reason: fmt.Sprintf("as many rows were sent as --limit allows: %d", d.counted)})
	case d.next == nil && d.fed:
		d.stop(Report{Stop: Finished})
	default:
		return false
	}
	return true
}

// handedOut books that a worker took the task.
func (d *dispatcher) handedOut(t *task, now time.Time) {
	if t == d.next {
		d.next = nil
	} else {
		heap.Pop(&d.again)
	}
	if !t.counted {
		t.counted = true
		d.counted++
	}
	d.inFlight++
	d.pace.left(now)
}

// ended books a turn's end: for the pace, for the item's next turn, for the stops.
func (d *dispatcher) ended(e turn) {
	d.inFlight--
	now := time.Now()
	if e.kind == turnFailed {
		d.stop(Report{Stop: LedgerFailed, Reason: e.err.Error(), Err: e.err})
		return
	}
	e.sent = e.sent || e.kind == turnSent
	again := d.book(e, now) && d.report.Stop == ""
	if !again && !e.sent {
		d.counted--
	}
	d.gate.outage.Store(d.pace.outage())
	if !d.pace.pausedUntil.IsZero() {
		d.gate.pause(d.pace.pausedUntil)
	}
	d.observe(Moved{
		Item: e.item, From: e.from, Attempt: e.number, Verdict: e.verdict, Status: e.status, Took: e.took, Again: again,
		Link: e.link,
	})
	d.tell(now, e.verdict.Reason)
}

// book draws the consequences of a turn and says whether the item will have another one.
func (d *dispatcher) book(e turn, now time.Time) (again bool) {
	switch e.kind {
	case turnWithdrawn:
		return d.requeue(e.task, now)
	case turnWaits, turnSettled:
		if e.status != 0 {
			d.pace.answered()
		}
		if e.kind == turnSettled {
			d.pace.moved()
			d.countFailure(e.verdict.State)
		}
		return false
	}
	switch e.verdict.Outcome {
	case OutcomeThrottled:
		d.pace.throttled(now, e.startedAt, e.retryAfter)
		wait := d.pace.pausedUntil.Sub(now)
		if left, ok := d.pace.giveUp(now, d.GiveUpAfter); ok && (wait >= d.GiveUpAfter || e.retryAfter > 0 && wait >= left) {
			d.stop(d.tooLongAPause(wait, e.retryAfter > 0))
		}
		return d.requeue(e.task, now)
	case OutcomeNotSent, OutcomeUnknown:
		d.pace.missed(now, e.probe)
		d.last = e.verdict.Reason
		e.misses++
		if e.kind == turnAsked && e.misses >= d.MaxAttempts {
			return false
		}
		if e.kind == turnSent && e.verdict.Outcome == OutcomeUnknown {
			if !sendable(e.item.UnknownEnds, d.job.OnUnknown, d.MaxAttempts) {
				return false
			}
			return d.requeue(e.task, now.Add(Backoff(e.item.UnknownEnds, rand.Float64())))
		}
		return d.requeue(e.task, now.Add(Backoff(e.misses, rand.Float64())))
	case OutcomeUnauthorized:
		d.stop(Report{Stop: KeyRefused, Reason: e.verdict.Reason})
		return false
	case OutcomeRedirected, OutcomeMisdirected:
		d.stop(Report{Stop: WrongAddress, Reason: e.verdict.Reason})
		return false
	}
	d.pace.answered()
	if e.kind == turnAsked {
		return d.requeue(e.task, now)
	}
	d.pace.moved()
	d.countFailure(e.verdict.State)
	d.countWrong(e.verdict)
	return false
}

// tooLongAPause ends the run where it could only give up during the pause; named says that Clink named its end.
func (d *dispatcher) tooLongAPause(pause time.Duration, named bool) Report {
	if !named {
		return Report{Stop: GaveUp, Reason: fmt.Sprintf("Clink throttles, and --give-up-after is %s", d.GiveUpAfter)}
	}
	return Report{
		Stop:     GaveUp,
		Reason:   fmt.Sprintf("Clink asks for a pause of %s, and --give-up-after is %s", pause.Round(time.Second), d.GiveUpAfter),
		ComeBack: d.pace.pausedUntil,
	}
}

func (d *dispatcher) requeue(t *task, due time.Time) bool {
	t.due = due
	heap.Push(&d.again, t)
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
		d.stop(Report{Stop: TooManyFails, Reason: rows + " failed in this run, as many as --max-failures allows"})
	}
}

// wrongMost is how many sessions in a row may be something else than asked before the run stops: each of them is one
// that nobody can use, and what is wrong with ten in a row is wrong with all.
const wrongMost = 10

func (d *dispatcher) countWrong(v Verdict) {
	switch v.Outcome {
	case OutcomeCreated:
		d.wrong = 0
	case OutcomeMismatch:
		d.wrong++
	}
	if d.wrong >= wrongMost {
		d.stop(Report{Stop: TooManyFails, Reason: fmt.Sprintf("%d sessions in a row are not what was asked for; the last one: %s", d.wrong, v.Reason)})
	}
}

// stop ends the run. The first reason stays, but for a failed ledger: that one nobody may miss.
func (d *dispatcher) stop(r Report) {
	if d.report.Stop == "" || r.Stop == LedgerFailed && d.report.Stop != LedgerFailed {
		d.report = r
	}
}

// tell tells the observer when requests stop to flow, and when they flow again.
func (d *dispatcher) tell(now time.Time, reason string) {
	switch {
	case d.pace.outage():
		if d.told != d.pace.probeAt {
			d.told = d.pace.probeAt
			d.observe(Unanswered{Next: d.told, Reason: reason, Begun: d.pace.probeWait == probeFirst})
		}
	case d.pace.pausedUntil.After(now):
		if d.told != d.pace.pausedUntil {
			d.told = d.pace.pausedUntil
			d.observe(Paused{Until: d.told, PerSecond: float64(d.pace.rate(d.told))})
		}
	case !d.told.IsZero():
		d.told = time.Time{}
		d.observe(Flowing{})
	}
}

// retries are the tasks that wait for another turn, the one that is due first on top.
type retries []*task

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].due.Before(r[j].due) }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *retries) Push(t any)        { *r = append(*r, t.(*task)) }
func (r *retries) Pop() any {
	last := len(*r) - 1
	t := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return t
}
