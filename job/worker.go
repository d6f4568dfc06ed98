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
	misses  int       // turns in this run that ended without an answer or an attempt: for the backoff
	due     time.Time // not before this
	probe   bool      // sent to see whether an outage is over
	counted bool      // has a place under Settings.Limit
	sent    bool      // a request left for it in this run
}

// turn is what a worker hands back: what one turn of a task came to.
type turn struct {
	*task
	kind       turnKind
	from       State // of the item before
	verdict    Verdict
	number     int // of the attempt; 0 when none is on record
	status     int // HTTP status; 0 when nothing was asked, or there was no answer
	retryAfter time.Duration
	startedAt  time.Time
	took       time.Duration
	link       LinkStatus // what Clink said of the item's own link, where it was asked
	err        error      // turnFailed
}

type turnKind int

const (
	turnSent      turnKind = iota // an attempt was made; verdict says how it ended
	turnAsked                     // no attempt: a link was asked about; verdict says how the asking ended
	turnSettled                   // no attempt: the item is duplicate or failed now, or its link's status is on record
	turnWaits                     // no attempt: the item stays open, and nothing in this run can move it
	turnWithdrawn                 // no request: the gate had closed, before the intent or after it
	turnFailed                    // the ledger failed
)

// gate tells the workers, faster than the dispatcher can, that nothing may leave now.
type gate struct {
	pausedUntil atomic.Pointer[time.Time]
	outage      atomic.Bool // only probes may leave
	stopped     atomic.Bool
}

func (g *gate) open(now time.Time, probe bool) bool {
	until := g.pausedUntil.Load()
	paused := until != nil && now.Before(*until)
	return !g.stopped.Load() && !paused && (probe || !g.outage.Load())
}

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

// process takes a task through one turn: intent on record, request, verdict, end on record. Then ends is told. A created
// item's end is told when it is on record, which may be later: meanwhile the worker goes on with another task, so that the
// end and the next intent share a transaction. Whatever could mean that nothing more may leave is waited for.
func (r *Runner) process(ctx context.Context, t *task, g *gate, ends chan<- turn) {
	out := turn{task: t, from: t.item.State}
	end, attempted := r.attempt(ctx, &out, g)
	if !attempted {
		ends <- out
		return
	}
	recorded := make(chan struct{})
	r.Ledger.End(t.item, out.number, end, func(verdict Verdict, err error) {
		defer close(recorded)
		if err != nil {
			out.fail("record the answer for", err, g)
		} else {
			out.ended(verdict)
		}
		ends <- out
	})
	if end.State != Created {
		<-recorded
	}
}

// fail makes it the turn of a ledger that failed, and closes the gate.
func (t *turn) fail(doing string, err error, g *gate) {
	t.kind, t.err = turnFailed, fmt.Errorf("%s row %d: %w", doing, t.item.Row, err)
	g.stopped.Store(true)
}

// ended takes over the verdict that is on record.
func (t *turn) ended(verdict Verdict) {
	t.verdict = verdict
	t.item.State, t.item.Attempts = verdict.State, t.number
	if verdict.State == Unknown && t.kind == turnSent {
		t.item.UnknownEnds++
	}
}

// attempt takes a task up to the end of its attempt. Without one the turn is over, and out says what it came to.
func (r *Runner) attempt(ctx context.Context, out *turn, g *gate) (end End, attempted bool) {
	t, item := out.task, out.item
	none := func() (End, bool) { return End{}, false }
	failed := func(doing string, err error) (End, bool) {
		out.fail(doing, err, g)
		return none()
	}
	now := time.Now()
	if !g.open(now, t.probe) { // spares a record that would be taken back
		out.kind = turnWithdrawn
		return none()
	}
	if item.SessionID != "" {
		out.startedAt = now
		if ctx.Err() != nil {
			out.kind = turnWithdrawn
			return none()
		}
		if err := r.askOwn(ctx, out, g); err != nil {
			return failed("record what Clink said about the link of", err)
		}
		return none()
	}
	meeting, number, err := r.Ledger.Begin(item, now, g.stopped.Load)
	if errors.Is(err, ErrStopped) {
		out.kind = turnWithdrawn
		return none()
	}
	if err != nil {
		return failed("record the intent to send", err)
	}
	// Before the look at the gate, so that what was sent before the gate closed is known by its time.
	out.startedAt = time.Now()
	open := g.open(out.startedAt, t.probe) && ctx.Err() == nil
	switch meeting.Action {
	case Reuse:
		out.kind, out.verdict = turnSettled, Verdict{State: Duplicate}
		return none()
	case Refuse:
		what, hint := meeting.Conflict(false)
		out.kind, out.verdict = turnSettled, Verdict{State: Failed, Code: CodeConflict, Reason: what + "; " + hint}
		return none()
	case Wait:
		out.kind, out.verdict = turnWaits, Verdict{State: item.State, Code: CodeHeld, Reason: meeting.Held(item.JobID)}
		return none()
	case GiveWay:
		out.kind, out.verdict = turnSettled, Verdict{State: Superseded, Reason: fmt.Sprintf("job %d is later and has this invoice, too", meeting.Other.JobID)}
		return none()
	case Ask:
		if !open {
			out.kind = turnWithdrawn
			return none()
		}
		if err := r.ask(ctx, out, meeting.Other, g); err != nil {
			return failed("record what Clink said about an earlier link of", err)
		}
		return none()
	}

	out.number = number
	if open {
		session, err := r.Clink.CreateSession(context.WithoutCancel(ctx), item.Request)
		out.verdict = Decide(item.Request, session, err)
		out.heard(err, g)
		end = End{Status: out.status}
		if session != nil {
			end.SessionID, end.URL, end.ExpiresAt = session.SessionID, session.URL, session.ExpiresAt
			if !isSessionID(end.SessionID) {
				end.SessionID = "" // the verdict's reason quotes its beginning
			}
		}
	} else {
		out.kind = turnWithdrawn
		out.verdict = Verdict{OutcomeNotSent, Pending, string(OutcomeNotSent), "held back before it was sent"}
	}
	end.Verdict, end.At = out.verdict, time.Now()
	out.took = end.At.Sub(out.startedAt)
	return end, true
}

// ask asks Clink what became of another job's expired link to the same invoice. Only an answer that it expired
// unpaid lets the item be sent, in a later turn.
func (r *Runner) ask(ctx context.Context, out *turn, other Claim, g *gate) error {
	item := out.item
	out.kind = turnAsked
	status, err := r.Clink.GetSession(context.WithoutCancel(ctx), other.SessionID)
	out.took = time.Since(out.startedAt)
	if err != nil {
		out.verdict = decideError(err)
	}
	out.heard(err, g)
	if err != nil {
		if out.verdict.Outcome == OutcomeRejected {
			out.kind = turnWaits
		}
		return r.unclear(out, other, out.verdict.Reason)
	}
	link, instead := heardOf(status, other.Reference, other.Currency)
	if (link == LinkOpen || link == LinkProcessing) && other.Reference == "" {
		link, instead = "", fmt.Sprintf("it is %s, and the link itself was purged", link)
	}
	switch link {
	case LinkExpired:
		return r.Ledger.Checked(other.ItemID, LinkExpired, time.Now())
	case LinkOpen, LinkProcessing, LinkPaid:
		out.kind = turnSettled
		note := fmt.Sprintf("the link of job %d has expired, but Clink says %s, %s", other.JobID, status.Status, status.PaymentStatus)
		if !other.same(item.Currency, item.Amount) {
			out.verdict = Verdict{State: Failed, Code: CodeConflict, Reason: note + ", for " + other.money()}
			return r.Ledger.Refuse(item, CodeConflict, out.verdict.Reason)
		}
		out.verdict = Verdict{State: Duplicate, Reason: note}
		return r.Ledger.Reuse(item, other.ItemID, note)
	default:
		out.kind = turnWaits
		return r.unclear(out, other, instead)
	}
}

// unclear leaves the item open, with a note on why. Where Clink did answer, asking again would tell no more: it is for a person
// then.
func (r *Runner) unclear(out *turn, other Claim, reason string) error {
	out.verdict.State, out.verdict.Code = out.item.State, CodeUnclear
	out.verdict.Reason = fmt.Sprintf("Clink has not said whether the expired link of job %d (%s) was paid: %s", other.JobID, other.SessionID, reason)
	if out.kind == turnWaits {
		out.verdict.Code = CodeUnsettled
		out.verdict.Reason += "; look it up at Clink, and if nobody paid it, use a new invoice id"
	}
	return r.Ledger.Note(out.item, out.verdict.Code, out.verdict.Reason)
}

// heard takes from an error what the pace must know, and closes the gate at once where nothing may follow.
func (t *turn) heard(err error, g *gate) {
	var failure *clink.Error
	if errors.As(err, &failure) {
		t.status, t.retryAfter = failure.Status, failure.RetryAfter
	} else if err == nil {
		t.status = http.StatusOK
	}
	switch t.verdict.Outcome {
	case OutcomeThrottled:
		g.pause(time.Now().Add(cmp.Or(t.retryAfter, pauseFirst)))
	case OutcomeUnauthorized, OutcomeRedirected, OutcomeMisdirected:
		g.stopped.Store(true)
	}
}
