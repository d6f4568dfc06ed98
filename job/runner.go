package job

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"paylinks/clink"
)

// Settings bound a run. Where a zero has a meaning, it is no bound.
type Settings struct {
	Rate        float64       // requests a second, smooth; 0 is no limit
	Concurrency int           // requests in flight; at least 1
	MaxAttempts int           // an item's unknown ends, over the job's life; at least 1
	GiveUpAfter time.Duration // how long no row may move while Clink throttles or does not answer
	MaxFailures int           // stop when so many rows have failed in this run; 0 is never
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
	GaveUp          Stop = "gave_up"           // no row has moved for Settings.GiveUpAfter, or Clink asked for a longer pause
	KeyRefused      Stop = "key_refused"       // Clink refused the key
	WrongAddress    Stop = "wrong_address"     // the base URL redirects, or is not Clink's
	LedgerFailed    Stop = "ledger_failed"     // a record could not be made or read
)

// Report is how a run ended.
type Report struct {
	Stop     Stop
	Reason   string    // in a user's words; empty for Finished and Interrupted
	ComeBack time.Time // GaveUp: the time that Clink gave, if it gave one
	Last     string    // GaveUp: how the last attempt without an answer ended, if there was one
	Err      error     // LedgerFailed: the cause
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

// Run sends what is open in the job until nothing is left that it can move, or until something stops it. When ctx
// ends it stops sending, waits for the answers in flight and records them.
func (r *Runner) Run(ctx context.Context, j Job) Report { return r.send(ctx, j, r.open(j)) }

func (r *Runner) send(ctx context.Context, j Job, sources ...source) Report {
	d := newDispatcher(r.Settings, j, r.Observe)
	shared := &run{gate: &d.gate, results: d.results}
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
	feeder.Go(func() error { return feed(feeding, sources, d.fresh) })

	report := d.dispatch(ctx)
	stopFeeding()
	close(d.work)
	_ = workers.Wait() // what a worker could fail at is in its results
	report.Sent = d.counted - r.Sent
	if err := feeder.Wait(); err != nil && ctx.Err() == nil && report.Stop == Finished {
		return Report{Stop: LedgerFailed, Reason: err.Error(), Err: err, Sent: report.Sent}
	}
	return report
}

// page is how many open items are read ahead at once: enough that the look-up, which costs as much as reading a hundred of
// them, is little beside them; few enough that they take no memory to speak of.
const page = 1024

// source reads the next items for a run, up to a page of them in the file's order, with ids above after; none is the end.
type source func(ctx context.Context, after int64) ([]Item, error)

// open reads the job's open items, without those that wait for a person.
func (r *Runner) open(j Job) source {
	return func(ctx context.Context, after int64) ([]Item, error) {
		for {
			items, err := r.Ledger.Open(ctx, j.ID, after, page)
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

// feed reads one source after the other into fresh, and closes it at the end.
func feed(ctx context.Context, sources []source, fresh chan<- *Item) error {
	defer close(fresh)
	for _, next := range sources {
		var after int64
		for {
			items, err := next(ctx, after)
			if err != nil {
				return err
			}
			if len(items) == 0 {
				break
			}
			after = items[len(items)-1].ID
			for i := range items {
				select {
				case fresh <- &items[i]:
				case <-ctx.Done():
					return nil
				}
			}
		}
	}
	return nil
}

// sendable says whether an open item with so many unknown ends may be sent without a person's word.
func sendable(unknownEnds int, policy Policy, maxAttempts int) bool {
	return unknownEnds == 0 || policy == Retry && unknownEnds < maxAttempts
}
