package job

import (
	"context"
	"sync"
	"time"
)

// budgetCalls makes the calls of a run to the budget that it shares, each in a goroutine of its own: nothing that sends waits for them.
type budgetCalls struct {
	budget  Budget
	ctx     context.Context
	cancel  context.CancelFunc
	answers chan budgetAnswer
	over    chan struct{} // closed when nobody reads the answers any more
	calls   sync.WaitGroup
}

// budgetAnswer is what the budget said: a block, or until when nobody sends.
type budgetAnswer struct {
	block       Block
	isBlock     bool
	pausedUntil time.Time
	err         error
}

// newBudgetCalls makes calls that the end of ctx does not break off: what Clink said is for others, too.
func newBudgetCalls(ctx context.Context, budget Budget) *budgetCalls {
	c := &budgetCalls{budget: budget, answers: make(chan budgetAnswer), over: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return c
}

func (c *budgetCalls) call(ask func() budgetAnswer) {
	c.calls.Go(func() {
		select {
		case c.answers <- ask():
		case <-c.over:
		}
	})
}

// take asks for n slots. It is broken off at the end.
func (c *budgetCalls) take(n int) {
	c.call(func() budgetAnswer {
		block, err := c.budget.Take(c.ctx, n)
		return budgetAnswer{block: block, isBlock: true, err: err}
	})
}

// throttled tells all senders of a throttled answer.
func (c *budgetCalls) throttled(sentAt time.Time, retryAfter time.Duration) {
	c.call(func() budgetAnswer {
		until, err := c.budget.Throttled(context.WithoutCancel(c.ctx), time.Since(sentAt), retryAfter)
		return budgetAnswer{pausedUntil: until, err: err}
	})
}

// end waits for the calls that are on their way. No new ones may be made.
func (c *budgetCalls) end() {
	close(c.over)
	c.cancel()
	c.calls.Wait()
}

// askBudget asks for slots, or whether there is a pause, where a request is to leave that needs to know.
func (d *dispatcher) askBudget(now time.Time) {
	if d.budget == nil || d.pace.shared.perSecond > 0 && d.inFlight >= d.Concurrency { // a slot that no worker is free for would be lost
		return
	}
	if n, due := d.pace.ask(now, d.inFlight); due {
		d.pace.shared.asking = true
		d.budget.take(n)
	}
}

// budgetAnswers are what the budget says, if there is one.
func (d *dispatcher) budgetAnswers() <-chan budgetAnswer {
	if d.budget == nil {
		return nil
	}
	return d.budget.answers
}

// budgetAnswered draws the consequences of what the budget said.
func (d *dispatcher) budgetAnswered(a budgetAnswer, now time.Time) {
	if a.err != nil {
		d.stop(LedgerReport(a.err))
		return
	}
	before := d.pace.pausedUntil
	if a.isBlock {
		d.pace.shared.answered(now, a.block)
		a.pausedUntil = a.block.Paused
	}
	d.pace.pausedByBudget(now, a.pausedUntil)
	if d.pace.pausedUntil.After(before) {
		d.gate.pause(d.pace.pausedUntil)
		d.stopInPause(now, d.pace.pausedUntil.Sub(now) > pauseMost)
	}
	d.announce(now, "")
}
