package job

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"paylinks/clink"
)

// Settings bound a run. Where a zero has a meaning, it is no bound.
type Settings struct {
	Rate        float64       // requests a second, smooth; 0 is no limit. With a Budget, what that had told last
	Budget      Budget        // the pace that other senders share; nil is the run's own
	Concurrency int           // requests in flight; at least 1
	MaxAttempts int           // an item's unknown ends, over the job's life; at least 1
	GiveUpAfter time.Duration // how long no row may move while Clink throttles or does not answer
	MaxFailures int           // stop when so many rows have failed in this run; 0 is never
	MaxRejected int           // stop when so many rows in a row were rejected, and this run has created none; 0 is never
	Limit       int           // send at most so many items; 0 is all
	Sent        int           // items that count towards Limit already, from other jobs of the same command
}

// Stop says why a run ended.
type Stop string

const (
	Finished        Stop = "finished"          // nothing is left that running on could move
	Interrupted     Stop = "interrupted"       // the caller's context ended
	LimitReached    Stop = "limit_reached"     // Settings.Limit items were sent, and there are more
	TooManyFailures Stop = "too_many_failures" // Settings.MaxFailures rows failed, or too many sessions in a row are not what was asked for
	AllRejected     Stop = "all_rejected"      // Settings.MaxRejected
	GaveUp          Stop = "gave_up"           // no row has moved for Settings.GiveUpAfter, or Clink asked for a longer pause
	KeyRefused      Stop = "key_refused"       // Clink refused the key, not just a row
	WrongAddress    Stop = "wrong_address"     // the base URL redirects, or is not Clink's, not just for a row
	LedgerFailed    Stop = "ledger_failed"     // a record could not be made or read
	TakenOver       Stop = "taken_over"        // another sender has the job, since this one's lease was over; on record it is that one's run
)

// Report is how a run ended.
type Report struct {
	Stop     Stop
	Reason   string    // in a user's words; empty for Finished and Interrupted
	ComeBack time.Time // GaveUp: the time that Clink gave, if it gave one
	Last     string    // GaveUp: how the last attempt without an answer ended, if there was one
	Refused  int       // KeyRefused, WrongAddress: the different rows that were refused, where nothing told them from all; else 0
	Err      error     // LedgerFailed, TakenOver: the cause
	Sent     int       // items that a request left for
}

// Runner sends a job's open items. All that it does is on record in Ledger; Observe is told of it, one event at
// a time, and must return soon.
type Runner struct {
	Ledger  Ledger
	Clink   *clink.Client
	Observe func(Event)
	Settings
}

// Run sends what is open in the job, and then asks Clink about the links that are selected to be replaced: the items of those that
// have expired unpaid go back to pending and are sent, too. Rows with suspect ends come last. It ends when nothing is left that it can
// move, or when something stops it. When ctx ends it stops sending, waits for the answers in flight and records them.
func (r *Runner) Run(ctx context.Context, j Job, replace ...LinkQuery) Report {
	sources := []source{r.open(j)}
	for _, q := range replace {
		sources = append(sources, r.links(q))
	}
	sources = append(sources, r.recovered(j))
	return r.send(ctx, j, r.suspects(j), sources...)
}

// send feeds what the sources read to the pool, and behind all of it what the last source reads, which may be nil.
func (r *Runner) send(ctx context.Context, j Job, last source, sources ...source) Report {
	d := newDispatcher(r.Settings, j, r.Observe)
	if r.Budget != nil {
		d.budget = newBudgetCalls(ctx, r.Budget)
		d.gate.throttled = d.budget.throttled
	}
	shared := &run{jobID: j.ID, gate: &d.gate, results: d.results}
	workers := new(errgroup.Group)
	for range r.Concurrency {
		workers.Go(func() error {
			for t := range d.work {
				r.process(ctx, t, shared)
			}
			return nil
		})
	}
	feeding, stopFeeding := context.WithCancel(ctx)
	feeder := new(errgroup.Group)
	feeder.Go(func() error { return feed(feeding, last, sources, d.fresh) })

	report := d.dispatch(ctx)
	stopFeeding()
	close(d.work)
	_ = workers.Wait() // what a worker could fail at is in its results
	if d.budget != nil {
		d.budget.end()
	}
	report.Sent = d.counted - r.Sent
	if err := feeder.Wait(); err != nil && ctx.Err() == nil && report.Stop == Finished {
		failed := LedgerReport(err)
		failed.Sent = report.Sent
		return failed
	}
	return report
}

// LedgerReport is how a run ends with an error of the ledger.
func LedgerReport(err error) Report {
	stop := LedgerFailed
	if errors.Is(err, ErrFenced) {
		stop = TakenOver
	}
	return Report{Stop: stop, Reason: err.Error(), Err: err}
}

// page is how many open items are read ahead at once: enough that the look-up, which costs as much as reading a hundred of
// them, is little beside them; few enough that they take no memory to speak of.
const page = 1024

// source reads the next items for a run, up to a page of them in the file's order, with ids above after; none is the end.
type source func(ctx context.Context, after int64) ([]Item, error)

// open reads the job's open items, without those that have suspect ends.
func (r *Runner) open(j Job) source { return r.sendable(j, r.Ledger.Open) }

// recovered reads the items that senders that are gone have left sending, when nothing of theirs can be on its way any more.
func (r *Runner) recovered(j Job) source {
	return func(ctx context.Context, _ int64) ([]Item, error) {
		for {
			items, wait, err := r.Ledger.Recover(j.ID)
			if err != nil {
				return nil, err
			}
			items = slices.DeleteFunc(items, func(i Item) bool { return !sendable(i.UnknownEnds, j.OnUnknown, r.MaxAttempts) })
			if len(items) > 0 || wait == 0 {
				return items, nil
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(wait):
			}
		}
	}
}

// suspects reads the job's open items that have suspect ends.
func (r *Runner) suspects(j Job) source { return r.sendable(j, r.Ledger.Suspects) }

// sendable leaves out the items that wait for a person.
func (r *Runner) sendable(j Job, read func(ctx context.Context, jobID, after int64, n int) ([]Item, error)) source {
	return func(ctx context.Context, after int64) ([]Item, error) {
		for {
			items, err := read(ctx, j.ID, after, page)
			if err != nil || len(items) == 0 {
				return nil, err
			}
			after = items[len(items)-1].ID
			items = slices.DeleteFunc(items, func(i Item) bool { return !sendable(i.UnknownEnds, j.OnUnknown, r.MaxAttempts) })
			if len(items) > 0 {
				return items, nil
			}
		}
	}
}

// feed reads one source after the other into fresh, and closes it at the end. What last reads comes behind, as it was at the
// begin: an item that gets a suspect end meanwhile must not be fed twice.
func feed(ctx context.Context, last source, sources []source, fresh chan<- *Item) error {
	defer close(fresh)
	pass := func(items []Item) bool {
		for i := range items {
			select {
			case fresh <- &items[i]:
			case <-ctx.Done():
				return false
			}
		}
		return true
	}
	var behind [][]Item
	if last != nil {
		for items, err := range last.pages(ctx) {
			if err != nil {
				return err
			}
			behind = append(behind, items)
		}
	}
	for _, next := range sources {
		for items, err := range next.pages(ctx) {
			if err != nil {
				return err
			}
			if !pass(items) {
				return nil
			}
		}
	}
	for _, items := range behind {
		if !pass(items) {
			return nil
		}
	}
	return nil
}

// pages yields what the source reads, up to its end or to an error.
func (s source) pages(ctx context.Context) iter.Seq2[[]Item, error] {
	return func(yield func([]Item, error) bool) {
		var after int64
		for {
			items, err := s(ctx, after)
			if err == nil && len(items) == 0 || !yield(items, err) || err != nil {
				return
			}
			after = items[len(items)-1].ID
		}
	}
}

// sendable says whether an open item with so many unknown ends may be sent without a person's word.
func sendable(unknownEnds int, policy Policy, maxAttempts int) bool {
	return unknownEnds == 0 || policy == Retry && unknownEnds < maxAttempts
}
