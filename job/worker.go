package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"paylinks/clink"
)

// task is an item on its way through the pool.
type task struct {
	item    *Item
	misses  int       // tries in this run that ended without an answer: for the backoff
	due     time.Time // not before this
	probe   bool      // sent to see whether an outage is over
	until   time.Time // when its slot of a budget is lost; zero: never
	counted bool      // has a place under Settings.Limit
	sent    bool      // a request left for it in this run
	control *control  // not nil: this is no item's turn, but the question whether all rows are refused

	saidExpired string // the session that Clink has just said has expired: its orders are asked about next,
	ordersOf    string // by this reference
}

// result is what a worker made of a task.
type result struct {
	*task
	kind       resultKind
	from       State // of the item before
	decision   Decision
	number     int // of the attempt; 0 when none is on record
	status     int // HTTP status; 0 when nothing was asked, or there was no answer
	retryAfter time.Duration
	startedAt  time.Time
	took       time.Duration
	told       bool       // the outcome is unknown by Clink's own word: it is there
	link       LinkStatus // what Clink said of the item's own link, where it was asked
	err        error      // resultLedgerFailed
}

type resultKind int

const (
	resultAttempted    resultKind = iota // an attempt was made; decision says how it ended
	resultChecked                        // no attempt: Clink was asked about a link; decision says how that ended
	resultSettled                        // no attempt: the item is duplicate or failed now, or its link's status is on record
	resultWaits                          // no attempt: the item stays open, and nothing in this run can move it
	resultWithdrawn                      // no request: the gate had closed, before the intent or after it
	resultOvertaken                      // no request: another sender has moved the item on
	resultBusy                           // no request: the invoice is being sent for another job
	resultAsking                         // no attempt: Clink has answered the first of two questions about a link
	resultControlled                     // the control was asked; decision says how that ended
	resultNoControl                      // there is no session to ask about
	resultLedgerFailed                   // the ledger failed
)

// gate tells the workers, faster than the dispatcher can, that nothing may leave now.
type gate struct {
	pausedUntil atomic.Pointer[time.Time]
	outage      atomic.Bool  // only probes may leave
	suspects    atomic.Int64 // suspect ends in a row
	stopped     atomic.Bool

	throttled func(sentAt time.Time, retryAfter time.Duration) // tells others who share a budget; nil where nobody does
}

func (g *gate) open(now time.Time, t *task) bool {
	until := g.pausedUntil.Load()
	paused := until != nil && now.Before(*until)
	return !g.stopped.Load() && !paused && (t.probe || !g.outage.Load()) && (t.control != nil || !g.held())
}

// held says that so many ends in a row were suspect that nothing but the control may leave.
func (g *gate) held() bool { return g.suspects.Load() >= controlAfter }

// wait is how long the gate stays closed to everybody: 0 is not at all, less than 0 is for good.
func (g *gate) wait(now time.Time) time.Duration {
	until := g.pausedUntil.Load()
	switch {
	case g.stopped.Load():
		return -1
	case until == nil:
		return 0
	}
	return max(0, until.Sub(now))
}

// pause closes the gate until then; an earlier, longer pause stays.
func (g *gate) pause(until time.Time) {
	for {
		old := g.pausedUntil.Load()
		if old != nil && !until.After(*old) || g.pausedUntil.CompareAndSwap(old, &until) {
			return
		}
	}
}

// process does what can be done for a task now: intent on record, request, decision, end on record. Then results gets what came of
// it. The end of a created item may be on record later: meanwhile the worker goes on with another task, so that the end and the next
// intent share a transaction. Whatever could mean that nothing more may be sent is waited for.
func (r *Runner) process(ctx context.Context, t *task, run *run) {
	out := result{task: t, from: t.item.State}
	end, attempted := r.attempt(ctx, &out, run)
	if !attempted {
		run.results <- out
		return
	}
	recorded := make(chan struct{})
	r.Ledger.End(t.item, out.number, end, func(decision Decision, err error) {
		defer close(recorded)
		if err != nil {
			out.fail("record the answer for", err, run.gate)
		} else {
			out.recorded(decision)
		}
		run.results <- out
	})
	if end.State != Created {
		<-recorded
	}
}

// run is what the workers of one run share.
type run struct {
	jobID           int64
	gate            *gate
	results         chan<- result
	namesReferences atomic.Bool // an answer of this run named its reference
}

// fail makes it the result of a ledger that failed, and closes the gate.
func (r *result) fail(doing string, err error, g *gate) {
	r.kind, r.err = resultLedgerFailed, fmt.Errorf("%s row %d: %w", doing, r.item.Row, err)
	g.stopped.Store(true)
}

// recorded takes over the decision that is on record.
func (r *result) recorded(decision Decision) {
	r.decision = decision
	r.item.State, r.item.Attempts = decision.State, r.number
	if decision.Outcome == OutcomeUnknown && r.kind == resultAttempted {
		r.item.UnknownEnds++
	}
	if decision.Outcome.Suspect() {
		r.item.SuspectEnds++
	} else if decision.Outcome.Answered() {
		r.item.SuspectEnds = 0
	}
}

// attempt takes a task up to the end of its attempt. Where there is none, out says what came of the task.
func (r *Runner) attempt(ctx context.Context, out *result, run *run) (end End, attempted bool) {
	t, item, g := out.task, out.item, run.gate
	none := func() (End, bool) { return End{}, false }
	failed := func(doing string, err error) (End, bool) {
		if errors.Is(err, ErrOvertaken) {
			out.kind, out.decision = resultOvertaken, Decision{State: item.State}
		} else {
			out.fail(doing, err, g)
		}
		return none()
	}
	now := time.Now()
	late := !t.until.IsZero() && now.After(t.until)
	if late || !g.open(now, t) { // spares a record that would be taken back
		out.kind = resultWithdrawn
		return none()
	}
	if t.control != nil {
		out.startedAt = now
		if ctx.Err() != nil {
			out.kind = resultWithdrawn
			return none()
		}
		if err := r.askControl(ctx, out, run); err != nil {
			return failed("ask whether all are refused, after", err)
		}
		return none()
	}
	if item.SessionID != "" {
		out.startedAt = now
		if ctx.Err() != nil {
			out.kind = resultWithdrawn
			return none()
		}
		if err := r.checkOwnLink(ctx, out, g); err != nil {
			return failed("record what Clink said about the link of", err)
		}
		return none()
	}
	resolution, number, err := r.Ledger.Begin(item, now, g.stopped.Load)
	if errors.Is(err, ErrStopped) {
		out.kind = resultWithdrawn
		return none()
	}
	if err != nil {
		return failed("record the intent to send", err)
	}
	// Before the look at the gate, so that what was sent before the gate closed is known by its time.
	out.startedAt = time.Now()
	open := g.open(out.startedAt, t) && ctx.Err() == nil
	out.decision.Code, out.decision.Reason = resolution.Code(), resolution.Reason()
	switch resolution.Action {
	case Reuse:
		out.kind, out.decision = resultSettled, Decision{State: Duplicate}
		return none()
	case Refuse:
		out.kind, out.decision.State = resultSettled, Failed
		return none()
	case Wait:
		out.kind, out.decision.State = resultWaits, item.State
		return none()
	case GiveWay:
		out.kind, out.decision.State = resultSettled, Superseded
		return none()
	case Later:
		out.kind = resultBusy
		return none()
	case Overtaken:
		out.kind, out.decision = resultOvertaken, Decision{State: item.State}
		return none()
	case Ask:
		if !open {
			out.kind = resultWithdrawn
			return none()
		}
		if err := r.checkOtherLink(ctx, out, resolution.Other, g); err != nil {
			return failed("record what Clink said about an earlier link of", err)
		}
		return none()
	}

	out.number = number
	if open {
		session, err := r.Clink.CreateSession(context.WithoutCancel(ctx), item.Request)
		out.decision = Decide(Sent{item.Request, out.from, run.namesReferences.Load()}, session, err)
		out.noteResponse(err, g)
		end = End{Status: out.status}
		if session != nil {
			if session.MerchantReferenceID != "" {
				run.namesReferences.Store(true)
			}
			end.SessionID, end.URL, end.ExpiresAt, end.Customer = session.SessionID, session.URL, session.ExpiresAt, session.CustomerID
			if !isSessionID(end.SessionID) {
				end.SessionID = "" // the decision's reason quotes its beginning
			}
		}
	} else {
		out.kind = resultWithdrawn
		out.decision = Decision{OutcomeNotSent, out.from, string(OutcomeNotSent), "held back before it was sent"}
	}
	end.Decision, end.At = out.decision, time.Now()
	out.took = end.At.Sub(out.startedAt)
	return end, true
}

// checkOtherLink asks Clink what became of another job's link for the same invoice, which has ended or may have. What it says is on
// record, and decides what becomes of the item when it comes back.
func (r *Runner) checkOtherLink(ctx context.Context, out *result, other Facts, g *gate) error {
	item := out.item
	out.kind, out.decision = resultChecked, Decision{}
	link, instead, more, err := r.askAbout(ctx, out.task, other)
	out.took = time.Since(out.startedAt)
	if err != nil {
		out.decision = decideError(item.State, err)
	}
	out.noteResponse(err, g)
	switch {
	case more:
		out.kind = resultAsking
		return nil
	case err != nil && out.decision.Outcome != OutcomeRejected:
		return r.unclear(out, other, out.decision.Reason, r.final(out, g))
	case err != nil:
		instead = out.decision.Reason
	case link == LinkOpen && other.Purged:
		instead = "it is open, and the link itself was purged"
	case link != "":
		if item.Heard == nil {
			item.Heard = map[string]LinkStatus{}
		}
		item.Heard[other.SessionID] = link
		return r.Ledger.Checked(other.ItemID, link, time.Now())
	}
	out.kind = resultWaits
	return r.unclear(out, other, instead, true)
}

// unclear leaves the item open, with a note on why. Where Clink did answer, asking again would tell no more (final): it is for a person
// then.
func (r *Runner) unclear(out *result, other Facts, reason string, final bool) error {
	out.decision.State, out.decision.Code = out.item.State, CodeUnclear
	out.decision.Reason = fmt.Sprintf("Clink has not said whether the link of job %d (%s), which has ended, was paid: %s", other.JobID, other.SessionID, reason)
	if final {
		out.decision.unsettled()
	}
	return r.Ledger.Note(out.item, out.decision.Code, out.decision.Reason)
}

// unsettled makes it a decision that only a person can take further.
func (d *Decision) unsettled() {
	d.Code = CodeUnsettled
	d.Reason += "; look it up at Clink"
}

// noteResponse takes from an error what the pace must know, and closes the gate at once where nothing may follow for now.
func (r *result) noteResponse(err error, g *gate) {
	var failure *clink.Error
	if errors.As(err, &failure) {
		r.status, r.retryAfter, r.told = failure.Status, failure.RetryAfter, failure.Answered()
	} else if err == nil {
		r.status = http.StatusOK
	}
	switch outcome := r.decision.Outcome; {
	case outcome == OutcomeThrottled:
		g.pause(time.Now().Add(cmp.Or(r.retryAfter, pauseFirst)))
		if g.throttled != nil {
			g.throttled(r.startedAt, r.retryAfter)
		}
	case outcome.Suspect():
		g.suspects.Add(1)
	case err == nil, outcome.Answered():
		g.suspects.Store(0)
	}
}
