package job

import (
	"cmp"
	"time"

	"golang.org/x/time/rate"
)

const (
	pauseFirst  = time.Second            // a Retry-After that is missing or past counts as this, doubling while it goes on
	pauseMost   = time.Minute            // … up to this
	recoverIn   = time.Minute            // from nothing back to the full rate, so half of it after one halving
	slowest     = 1.0 / 64               // of the configured rate: halving goes no lower
	outageAfter = 10                     // ends in a row without an answer, over all workers
	troubleMost = 20                     // different rows in a row for which Clink itself tells of trouble: more is an outage, too
	probeFirst  = time.Second            // from the begin of an outage to the first probe, then doubling
	probeMost   = time.Minute            // … up to this
	idle        = 100 * time.Millisecond // a slot missed by more is idleness, not lateness, and is not caught up
)

// pace decides when a request may leave: it is the rate, the pauses that Clink asks for, and the circuit breaker of an outage. It is
// given the time and never waits itself; one goroutine owns it.
type pace struct {
	full    rate.Limit    // the configured rate; 0 is no limit
	limiter *rate.Limiter // burst 1
	slot    time.Time     // when the rate lets the next request leave
	shared  *slots        // of a budget, instead of the limiter; nil without one
	reduced rate.Limit    // the rate at the end of the last pause
	since   time.Time     // the end of the last pause; zero before the first

	pausedFrom  time.Time
	pausedUntil time.Time
	streak      int // pauses in a row for which Clink named no time

	unanswered int            // ends in a row
	troubled   map[int64]bool // items in a row for which Clink told of trouble
	outageFrom time.Time      // zero: no outage
	probeAt    time.Time
	probeWait  time.Duration
	stuckFrom  time.Time // the first throttled or unanswered end since a row last moved; zero: none
}

func newPace(perSecond float64) *pace {
	p := &pace{full: rate.Limit(perSecond), troubled: map[int64]bool{}}
	if p.full > 0 {
		p.limiter = rate.NewLimiter(p.full, 1)
	}
	return p
}

// newSharedPace is a pace whose rate is a budget's that several senders share; it stands at so many a second.
func newSharedPace(perSecond float64) *pace {
	return &pace{shared: newSlots(perSecond), troubled: map[int64]bool{}}
}

// wait is how long the next request must wait at now: 0 is not at all, less than 0 is until another has ended.
func (p *pace) wait(now time.Time, inFlight int) time.Duration {
	next := now
	for _, at := range []time.Time{p.slot, p.pausedUntil, p.probeAt} {
		if at.After(next) {
			next = at
		}
	}
	if p.outage() && inFlight > 0 {
		return -1
	}
	if p.shared != nil && next == now {
		return p.shared.wait(now)
	}
	return next.Sub(now)
}

// until is when the slot of a request that may leave now is lost; zero is never.
func (p *pace) until(now time.Time) time.Time {
	if p.shared == nil {
		return time.Time{}
	}
	return p.shared.until(now)
}

// ask is how many slots the budget is to be asked for, where that is due, since a request is to leave. In a pause nothing is reserved.
func (p *pace) ask(now time.Time, inFlight int) (n int, due bool) {
	if p.pausedUntil.After(now) || p.probeAt.After(now) || p.outage() && inFlight > 0 {
		return 0, false
	}
	return p.shared.ask(now, p.outage())
}

// pausedByBudget notes that nobody sends until then, by what another sender was told, or this one.
func (p *pace) pausedByBudget(now, until time.Time) {
	if until.After(now) && until.After(p.pausedUntil) {
		p.stuck(now)
		p.pausedFrom, p.pausedUntil = now, until
	}
}

// sent notes a request that leaves at now.
func (p *pace) sent(now time.Time) {
	if p.shared != nil {
		p.shared.use()
		return
	}
	if p.full == 0 {
		return
	}
	p.limiter.SetLimitAt(now, p.rate(now))
	missed := now.Sub(p.slot)
	delay := p.limiter.ReserveN(now, 1).DelayFrom(now)
	if delay == 0 && missed > idle {
		delay = p.limiter.ReserveN(now, 1).DelayFrom(now)
	}
	p.slot = now.Add(delay)
}

// rate is the requests a second at now: after a throttling it climbs back in a straight line.
func (p *pace) rate(now time.Time) rate.Limit {
	if p.shared != nil {
		return rate.Limit(p.shared.perSecond)
	}
	if p.since.IsZero() || p.full == 0 {
		return p.full
	}
	climbed := p.full * rate.Limit(max(0, now.Sub(p.since)).Seconds()/recoverIn.Seconds())
	return min(p.full, p.reduced+climbed)
}

func (p *pace) outage() bool { return !p.outageFrom.IsZero() }

// answered notes an answer that is neither a throttling nor a doubt.
func (p *pace) answered() {
	p.reached()
	p.streak = 0
}

// moved notes that a row got further.
func (p *pace) moved() { p.stuckFrom = time.Time{} }

// reached notes an answer that tells of no trouble: an outage is over.
func (p *pace) reached() {
	clear(p.troubled)
	p.close()
}

// close closes the circuit again.
func (p *pace) close() {
	p.unanswered = 0
	p.outageFrom, p.probeAt = time.Time{}, time.Time{}
}

// throttled notes a throttled answer to a request that left at sentAt. The answers to one burst of requests make
// one pause and halve the rate once.
func (p *pace) throttled(now, sentAt time.Time, retryAfter time.Duration) {
	p.reached()
	p.stuck(now)
	if p.shared != nil { // until the budget has answered, which knows of all senders' pauses
		if p.pausedFrom.IsZero() || sentAt.After(p.pausedFrom) {
			p.pausedFrom = now
			p.shared.perSecond /= 2
		}
		p.pausedUntil = latest(p.pausedUntil, now.Add(cmp.Or(max(0, retryAfter), pauseFirst)))
		return
	}
	if newBurst := p.pausedFrom.IsZero() || sentAt.After(p.pausedFrom); newBurst {
		p.reduced = max(p.rate(now)/2, p.full*slowest)
		p.pausedFrom = now
		if retryAfter <= 0 {
			p.streak++
		} else {
			p.streak = 0
		}
	}
	if retryAfter <= 0 {
		retryAfter = doubled(pauseFirst, p.streak-1, pauseMost)
	}
	if until := now.Add(retryAfter); until.After(p.pausedUntil) {
		p.pausedUntil, p.since = until, until
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// missed notes an end without an answer. After outageAfter in a row the circuit is open: only probes leave. The late ends of
// what was in flight when the outage began are no probes.
func (p *pace) missed(now time.Time, probe bool) {
	p.stuck(now)
	p.unanswered++
	p.trip(now, probe, p.unanswered >= outageAfter)
}

// told notes that Clink answered, and told of trouble with an item. With a few items it may be their own, with many it is Clink's.
func (p *pace) told(now time.Time, item int64, probe bool) {
	p.stuck(now)
	p.troubled[item] = true
	if len(p.troubled) < troubleMost {
		p.close()
		return
	}
	p.trip(now, probe, true)
}

// trip opens the circuit where that is due, and puts the next probe off after one that was in vain.
func (p *pace) trip(now time.Time, probe, due bool) {
	switch {
	case p.outage() && probe:
		p.probeWait = min(2*p.probeWait, probeMost)
		p.probeAt = now.Add(p.probeWait)
	case !p.outage() && due:
		p.outageFrom, p.probeWait = now, probeFirst
		p.probeAt = now.Add(p.probeWait)
	}
}

// stuck notes that a row got no further.
func (p *pace) stuck(now time.Time) {
	if p.stuckFrom.IsZero() {
		p.stuckFrom = now
	}
}

// giveUp is how long until no row has moved for after; without anything stuck it is not ok.
func (p *pace) giveUp(now time.Time, after time.Duration) (left time.Duration, ok bool) {
	if p.stuckFrom.IsZero() || after <= 0 {
		return 0, false
	}
	return max(0, p.stuckFrom.Add(after).Sub(now)), true
}
