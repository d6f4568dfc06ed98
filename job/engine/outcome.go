package engine

import (
	"context"
	"errors"
	"time"

	"paylinks/job"
	"paylinks/job/links"
)

// Outcome is what a run made of a job. Counts are the whole job's; Took, Report and Checked are this run's.
type Outcome struct {
	Job            job.Job
	Report         job.Report
	Tally          job.Tally
	Left           Left                   // its Expired is 0 where something was sent or asked
	KnownAs        string                 // the name of its file in that earlier run, where the caller knows it
	FinishedAt     time.Time              // when an earlier run had finished the job, and nothing was sent now; zero: it was not so
	Unchecked      int                    // links that have ended and that Clink has still to be asked about
	Checked        map[job.LinkStatus]int // what Clink said of links that have ended
	AttemptsBefore int                    // that were on record before this run
	OutputErr      error                  // why the links file was not written
	Took           time.Duration
}

// LinkOutcome is what a refresh found out about a job.
type LinkOutcome struct {
	Job        job.Job
	Report     job.Report
	Links      job.LinkTally
	PaidTotals map[string]string // amounts by currency
	Unchecked  int               // links that Clink did not speak of this time
	OutputErr  error
	Took       time.Duration
}

// Ending is what a command made of a job, in one word.
type Ending string

const (
	Complete        Ending = "complete"          // every row has a link that has not expired; of a refresh: Clink has answered for every link
	Attention       Ending = "attention"         // finished as far as running again can take it, but some rows need a person
	Unfinished      Ending = "unfinished"        // running again goes on
	Interrupted     Ending = "interrupted"       // by the caller, with rows left
	TooManyFailures Ending = "too_many_failures" // see job.TooManyFailures and job.AllRejected
	KeyRefused      Ending = "key_refused"       // Clink refused the key
	WrongAddress    Ending = "wrong_address"     // the base URL redirects, or is not Clink's
	OutputFailed    Ending = "output_failed"     // the links file was not written
	LedgerFailed    Ending = "ledger_failed"     // a record could not be made or read
)

// Ending is how the run left the job.
func (o Outcome) Ending() Ending {
	if o.OutputErr != nil {
		if o.Report.Stop == job.LedgerFailed {
			return LedgerFailed
		}
		return outputEnding(o.OutputErr)
	}
	if ending := stopEnding(o.Report.Stop, o.Left.Sendable+o.Unchecked); ending != "" {
		return ending
	}
	if o.Tally.Linked()+o.Left.Made == o.Tally.Rows() && o.Left.Expired+o.Left.LinksUnsettled+o.Left.Held == 0 {
		return Complete
	}
	return Attention
}

// standingLedger is what MadeAndExpired asks of a ledger.
type standingLedger interface {
	FailedButMade(ctx context.Context, jobID int64) (int, error)
	ExpiredLinks(ctx context.Context, jobID int64, now time.Time, most int) (int, error)
}

// MadeAndExpired counts the job's failed rows whose links a later job has made, and those of its links, at most so many, that have
// expired unpaid as far as is known. Of a purged job nobody asks the latter.
func MadeAndExpired(ctx context.Context, ledger standingLedger, j job.Job, t job.Tally, most int) (made, expired int, err error) {
	if t.Items[job.Failed] > 0 {
		if made, err = ledger.FailedButMade(ctx, j.ID); err != nil {
			return 0, 0, err
		}
	}
	if t.Linked() > 0 && j.PurgedAt.IsZero() {
		expired, err = ledger.ExpiredLinks(ctx, j.ID, time.Now(), most)
	}
	return made, expired, err
}

// Stopped says whether the run ended before it had done what it could. One that leaves rows for which Clink gave no answer has done
// that, and keeps no other job waiting.
func (o Outcome) Stopped() bool {
	ending := o.Ending()
	return ending != Complete && ending != Attention && !(ending == Unfinished && o.Report.Stop == job.Finished)
}

// Stopped says whether the refresh ended before it had asked about every link.
func (o LinkOutcome) Stopped() bool { return o.Report.Stop != job.Finished || o.OutputErr != nil }

// Ending is how the refresh left the job.
func (o LinkOutcome) Ending() Ending {
	if o.OutputErr != nil {
		return outputEnding(o.OutputErr)
	}
	if ending := stopEnding(o.Report.Stop, o.Unchecked); ending != "" {
		return ending
	}
	return Complete
}

// stopEnding is the ending of a run that stopped so, with so much left to do; "" where nothing is.
func stopEnding(stop job.Stop, left int) Ending {
	switch stop {
	case job.Interrupted:
		if left > 0 { // else it came too late to interrupt anything
			return Interrupted
		}
	case job.TooManyFailures, job.AllRejected:
		return TooManyFailures
	case job.GaveUp, job.TakenOver:
		return Unfinished
	case job.KeyRefused:
		return KeyRefused
	case job.WrongAddress:
		return WrongAddress
	case job.LedgerFailed:
		return LedgerFailed
	}
	if left > 0 {
		return Unfinished
	}
	return ""
}

// outputEnding tells an output that cannot be written from a ledger that cannot be read on the way.
func outputEnding(err error) Ending {
	var output *links.Error
	if errors.As(err, &output) {
		return OutputFailed
	}
	return LedgerFailed
}

// NeedsPerson says whether neither this run nor the next one moves the row that the event is about.
func NeedsPerson(j job.Job, event job.Moved, maxAttempts int) bool {
	switch event.Decision.State {
	case job.Failed:
		return true
	case job.Unknown:
		return j.OnUnknown == job.Hold || event.Item.Hold || event.Item.UnknownEnds >= maxAttempts
	case job.Pending:
		return event.Decision.Code == job.CodeHeld || event.Decision.Code == job.CodeUnsettled
	}
	return false
}
