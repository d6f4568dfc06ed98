// Package engine does what can be done with jobs that are in the ledger: it sends them, asks Clink about their links, makes new ones
// for those that have expired, and writes their links files. What came of a job is an [Outcome] or a [LinkOutcome], with the next
// steps as values: the caller words them.
package engine

import (
	"context"
	"io"
	"slices"
	"time"

	"paylinks/clink"
	"paylinks/job"
)

// Ledger is what the engine asks of a ledger.
type Ledger interface {
	job.Ledger
	resultsLedger
	Tally(ctx context.Context, jobID int64) (job.Tally, error)
	Left(ctx context.Context, j job.Job, maxAttempts int) (job.Left, error)
	CountLinks(ctx context.Context, q job.LinkQuery) (int, error)
	LinkTally(ctx context.Context, jobID int64) (job.LinkTally, error)
	PaidTotals(ctx context.Context, jobID int64) (map[string]string, error)
	Take(jobID int64) error
	Crashed(jobID int64) int
	Release(jobID int64) error
	Budget(environment job.Environment, baseURL string) job.Budget
	LookAgain(jobID int64, at time.Time) error
	BeginRun(jobID int64, at time.Time) error
	EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error
	AllRejected(ctx context.Context, jobID int64) (bool, error)
	Refreshed(jobID int64, at time.Time) error
	LinksFileChanges(jobID int64) error
	LinksFileWritten(jobID int64, path string) error
	FailedButMade(ctx context.Context, jobID int64) (int, error)
	ExpiredLinks(ctx context.Context, jobID int64, now time.Time, most int) (int, error)
}

// Engine works on jobs of one environment at one address, one after the other.
type Engine struct {
	Ledger      Ledger
	Client      *clink.Client
	Settings    job.Settings // MaxFailures and MaxRejected come from MaxFailures; Sent adds up over the jobs
	RateGiven   bool         // a person has said Settings.Rate: it holds for all who share the ledger
	MaxFailures Failures
	Stdout      io.Writer // takes the links file of a job whose output is "-"

	// Watch is told of a job's events, one at a time, from its start on; done is called after the last one.
	Watch func(ctx context.Context, start Start) (observe func(job.Event), done func())
}

// Start is how a job stands when the engine begins to work on it.
type Start struct {
	Job       job.Job
	States    map[job.State]int // of its rows; nil where only its links are asked about
	Total     int               // rows, or links where only these are asked about
	Unchecked int               // links that Clink is to be asked about
	Left      int               // how many rows the limit of the run still allows; less than 0 is all
	Crashed   int               // rows in doubt, since runs that are gone had not recorded their answers
	Rate      float64           // requests a second, at most; 0 is no limit
	OthersSet bool              // Rate is that of all senders of the account, and not the one that this run was begun with
}

// Failures is how many rows may fail before a run stops: a number, or a percentage of the job's rows. The zero value is no limit.
type Failures struct {
	N       int
	Percent bool
}

// of is the number of rows for a job of so many; a percentage is rounded up.
func (f Failures) of(rows int) int {
	if f.Percent && f.N > 0 {
		return max(1, (rows*f.N+99)/100)
	}
	return f.N
}

// Send sends what is open in the job and writes its links file. An interrupted run still writes what it has. The error is the
// ledger's.
func (e *Engine) Send(ctx context.Context, j job.Job) (Outcome, error) { return e.send(ctx, j) }

// Run is Send of a job whose file is run. Where a duplicate's link has ended, Clink is asked about it, and a new one is made for the
// item that it is of, if nobody has paid.
func (e *Engine) Run(ctx context.Context, j job.Job) (Outcome, error) {
	return e.send(ctx, j, job.EndedElsewhere)
}

// Reissue is Run, and does the same for the job's own links that have ended.
func (e *Engine) Reissue(ctx context.Context, j job.Job) (Outcome, error) {
	if err := e.Ledger.Take(j.ID); err != nil {
		return Outcome{}, err
	}
	if err := e.Ledger.LookAgain(j.ID, time.Now()); err != nil {
		return Outcome{}, err
	}
	return e.send(ctx, j, job.Ended, job.EndedElsewhere)
}

func (e *Engine) send(ctx context.Context, j job.Job, replace ...job.LinkChoice) (o Outcome, err error) {
	started := time.Now()
	after := context.WithoutCancel(ctx)
	if err := e.Ledger.Take(j.ID); err != nil {
		return o, err
	}
	defer func() {
		if releaseErr := e.Ledger.Release(j.ID); err == nil && o.Report.Stop != job.TakenOver && o.Report.Stop != job.LedgerFailed {
			err = releaseErr
		}
	}()
	var ended []job.LinkQuery
	for _, which := range replace {
		ended = append(ended, job.LinkQuery{JobID: j.ID, At: started, Which: which})
	}
	unchecked := func() (sum int, err error) {
		for _, q := range ended {
			n, err := e.Ledger.CountLinks(after, q)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	}
	before, err := e.Ledger.Tally(after, j.ID)
	if err != nil {
		return o, err
	}
	toCheck, err := unchecked()
	if err != nil {
		return o, err
	}
	// A run that finds nothing to do leaves the last one on record: that says when the job was finished.
	idle := before.Open() == 0 && toCheck == 0 && !j.LastRun.Ended.IsZero()
	if idle {
		err = e.Ledger.LinksFileChanges(j.ID)
	} else {
		err = e.Ledger.BeginRun(j.ID, started)
	}
	if err != nil {
		return o, err
	}
	o = Outcome{Job: j, Checked: map[job.LinkStatus]int{}, AttemptsBefore: before.AllAttempts()}
	runner, done, err := e.runner(ctx, Start{
		Job: j, States: before.Items, Total: before.Rows(), Unchecked: toCheck, Left: -1, Crashed: e.Ledger.Crashed(j.ID),
	}, o.Checked)
	if err != nil {
		return o, err
	}
	runner.MaxFailures = e.MaxFailures.of(before.Rows())
	if runner.MaxRejected, err = e.maxRejected(after, j.ID); err != nil {
		done()
		return o, err
	}
	o.Report = runner.Run(ctx, j, ended...)
	if len(ended) > 0 && o.Report.Stop == job.Finished {
		if o.Report, err = e.linkDuplicates(ctx, j, runner, o.Report); err != nil {
			done()
			return o, err
		}
	}
	done()
	e.Settings.Sent += o.Report.Sent
	record := func(err error) {
		if err != nil && o.Report.Stop != job.LedgerFailed {
			sent := o.Report.Sent
			o.Report = job.LedgerReport(err)
			o.Report.Sent = sent
		}
	}
	if o.Report.Stop != job.TakenOver { // else what is on record, and the links file, are the other sender's
		if !idle {
			record(e.Ledger.EndRun(j.ID, time.Now(), o.Report.Stop, o.Report.Reason))
		}
		if o.OutputErr = e.writeLinks(after, j); o.OutputErr == nil {
			record(e.recordWritten(j))
		}
	}
	if o.Tally, err = e.Ledger.Tally(after, j.ID); err != nil {
		return o, err
	}
	if o.Left.Left, err = e.Ledger.Left(after, j, e.Settings.MaxAttempts); err != nil {
		return o, err
	}
	if o.Left.Made, o.Left.Expired, err = MadeAndExpired(after, e.Ledger, j, o.Tally, o.Tally.Linked()); err != nil {
		return o, err
	}
	if slices.Contains(replace, job.Ended) || o.Report.Sent > 0 {
		o.Left.Expired = 0
	} else if before.Open() == 0 && o.Tally.Open() == 0 {
		o.FinishedAt = j.LastRun.Ended
		if o.FinishedAt.IsZero() {
			o.FinishedAt = j.LastRun.Began // it was killed before its end was on record
		}
	}
	if o.Unchecked, err = unchecked(); err != nil {
		return o, err
	}
	o.Took = time.Since(started)
	return o, nil
}

// rejectedMost is how many rows in a row may be rejected before a run that has created none ends.
const rejectedMost = 20

// maxRejected is job.Settings.MaxRejected for a run of the job: after one that ended so, a single row tells whether that has changed.
// Who says how many rows may fail has said it for these, too.
func (e *Engine) maxRejected(ctx context.Context, jobID int64) (int, error) {
	if e.MaxFailures != (Failures{}) {
		return 0, nil
	}
	again, err := e.Ledger.AllRejected(ctx, jobID)
	if again {
		return 1, err
	}
	return rejectedMost, err
}

// linkDuplicates goes on after a run in which links were replaced. Where the row that made a duplicate's link was not sent anew, since
// another job has its invoice, the duplicate is looked at again, and sent where it is open then.
func (e *Engine) linkDuplicates(ctx context.Context, j job.Job, runner job.Runner, report job.Report) (job.Report, error) {
	after := context.WithoutCancel(ctx)
	before, err := e.Ledger.Tally(after, j.ID)
	if err != nil {
		return report, err
	}
	if err := e.Ledger.LookAgain(j.ID, time.Now()); err != nil {
		return report, err
	}
	now, err := e.Ledger.Tally(after, j.ID)
	if err != nil || now.Items[job.Duplicate] == before.Items[job.Duplicate] {
		return report, err
	}
	runner.Sent += report.Sent
	again := runner.Run(ctx, j)
	again.Sent += report.Sent
	return again, nil
}

// Refresh asks Clink about the job's links that it has not spoken of since at, and writes the links file. The error is the ledger's.
func (e *Engine) Refresh(ctx context.Context, j job.Job, at time.Time) (o LinkOutcome, err error) {
	started := time.Now()
	after := context.WithoutCancel(ctx)
	query := job.LinkQuery{JobID: j.ID, At: at}
	before, err := e.Ledger.CountLinks(after, query)
	if err != nil {
		return o, err
	}
	if err := e.Ledger.LinksFileChanges(j.ID); err != nil {
		return o, err
	}
	runner, done, err := e.runner(ctx, Start{Job: j, Total: before, Unchecked: before, Left: -1}, map[job.LinkStatus]int{})
	if err != nil {
		return o, err
	}
	o = LinkOutcome{Job: j, Report: runner.Refresh(ctx, query)}
	done()
	if o.Unchecked, err = e.Ledger.CountLinks(after, query); err != nil {
		return o, err
	}
	if o.Report.Stop != job.LedgerFailed {
		o.Job.RefreshedAt = time.Now()
		if err := e.Ledger.Refreshed(j.ID, o.Job.RefreshedAt); err != nil {
			return o, err
		}
	}
	if o.OutputErr = e.writeLinks(after, o.Job); o.OutputErr == nil && o.Report.Stop != job.LedgerFailed {
		if err := e.recordWritten(o.Job); err != nil {
			return o, err
		}
	}
	if o.Links, err = e.Ledger.LinkTally(after, j.ID); err != nil {
		return o, err
	}
	if o.PaidTotals, err = e.Ledger.PaidTotals(after, j.ID); err != nil {
		return o, err
	}
	o.Took = time.Since(started)
	return o, nil
}

// runner is a runner for a job that starts so, at the pace of its account where several senders share that. It counts in checked what
// Clink says of links. done ends the watching. The error is the ledger's.
func (e *Engine) runner(ctx context.Context, start Start, checked map[job.LinkStatus]int) (r job.Runner, done func(), err error) {
	if e.Settings.Limit > 0 {
		start.Left = max(0, e.Settings.Limit-e.Settings.Sent)
	}
	settings := e.Settings
	settings.Budget = e.Ledger.Budget(start.Job.Environment, start.Job.BaseURL)
	if settings.Budget != nil {
		if settings.Rate, err = settings.Budget.SetRate(context.WithoutCancel(ctx), e.Settings.Rate, e.RateGiven); err != nil {
			return r, nil, err
		}
	}
	start.Rate, start.OthersSet = settings.Rate, settings.Rate != e.Settings.Rate
	observe, done := e.Watch(ctx, start)
	return job.Runner{
		Ledger:   e.Ledger,
		Clink:    e.Client,
		Settings: settings,
		Observe: func(event job.Event) {
			if moved, ok := event.(job.Moved); ok && moved.Link != "" {
				checked[moved.Link]++
			}
			observe(event)
		},
	}, done, nil
}
