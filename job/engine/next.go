package engine

import (
	"errors"

	"paylinks/job"
)

// Step is something that a person can do next with a job, about so many of its rows or links.
type Step struct {
	Kind StepKind
	N    int
	Jobs []int64 // of StepSettleOther: those to settle
}

// StepKind says what is to be done.
type StepKind string

const (
	StepRunElsewhere StepKind = "run_elsewhere" // the job keeps its wrong address: run its file again at the right one
	StepMendResume   StepKind = "mend_resume"   // mend the cause of the failures, then go on
	StepResume       StepKind = "resume"        // go on
	StepSeeFailures  StepKind = "see_failures"  // look why rows failed
	StepRetryFailed  StepKind = "retry_failed"  // correct the failed rows in the file and run it, or, if the cause was at Clink, send them again
	StepRetryDoubt   StepKind = "retry_doubt"   // look the rows in doubt up at Clink, then send them again
	StepSettleOther  StepKind = "settle_other"  // rows wait for a person's word on another job
	StepSeeTakenOver StepKind = "see_taken_over"
	StepCorrect      StepKind = "correct" // correct the invalid rows in the rejected file, and run that
	StepAskAgain     StepKind = "ask_again"
	StepReissue      StepKind = "reissue"     // make new links for those that have expired
	StepWriteFile    StepKind = "write_links" // write the links file, which the last run could not
)

// Next are the steps that a person can take with the job of this outcome, in their order; none where nothing is left to do.
func (o Outcome) Next() []Step {
	switch {
	case o.Report.Stop == job.TakenOver: // the other sender goes on
		return nil
	case errors.Is(o.Report.Err, job.ErrFailedOver): // the error says what comes before any of them
		return nil
	}
	j := o.Job
	j.Written = true // else its error says what to do
	steps := Next(j, o.Report.Stop, o.Tally, o.Left)
	if o.Unchecked > 0 {
		steps = []Step{{Kind: StepAskAgain, N: o.Unchecked}}
	}
	if failed := o.Tally.Items[job.Failed] - o.Left.Made; o.Left.Sendable == 0 && failed > 0 {
		steps = append([]Step{{Kind: StepSeeFailures, N: failed}}, steps...)
	}
	return steps
}

// Left is what is left to do with a job.
type Left struct {
	job.Left
	Made    int // failed rows whose invoice a later job has made a link for
	Expired int // links that have expired unpaid, as far as is known
}

// Next are the steps that a person can take with a job whose last run stopped so, and of which so much is left.
func Next(j job.Job, stop job.Stop, t job.Tally, left Left) (steps []Step) {
	add := func(kind StepKind, n int) { steps = append(steps, Step{Kind: kind, N: n}) }
	sendable := left.Sendable
	switch {
	case sendable > 0 && stop == job.WrongAddress && j.BaseURL != ClinkURL[j.Environment]:
		add(StepRunElsewhere, sendable)
		return steps
	case sendable > 0 && (stop == job.TooManyFailures || stop == job.AllRejected):
		add(StepMendResume, sendable)
		return steps
	case sendable > 0:
		add(StepResume, sendable)
		return steps
	}
	if failed := t.Items[job.Failed] - left.FailedInDoubt - left.Made; failed > 0 {
		add(StepRetryFailed, failed)
	}
	if doubts := left.InDoubt + left.Unsettled + left.FailedInDoubt + left.LinksUnsettled; doubts > 0 {
		add(StepRetryDoubt, doubts)
	}
	if left.Held > 0 {
		steps = append(steps, Step{Kind: StepSettleOther, N: left.Held, Jobs: left.HeldBy})
	}
	switch invalid, superseded := t.Items[job.Invalid], t.Items[job.Superseded]; {
	case len(steps) > 0:
	case superseded > 0 && invalid == 0:
		add(StepSeeTakenOver, superseded)
	case invalid > 0:
		add(StepCorrect, invalid)
	}
	if expired := left.Expired - left.LinksUnsettled; expired > 0 && left.Held == 0 {
		add(StepReissue, expired)
	}
	if j.Unwritten() {
		steps = append([]Step{{Kind: StepWriteFile, N: t.Rows()}}, steps...)
	}
	return steps
}
