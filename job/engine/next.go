package engine

import "paylinks/job"

// Step is something that a person can do next with a job, about so many of its rows or links.
type Step struct {
	Kind StepKind
	N    int
}

// StepKind says what is to be done.
type StepKind string

const (
	StepRunElsewhere StepKind = "run_elsewhere" // the job keeps its wrong address: run its file again at the right one
	StepMendResume   StepKind = "mend_resume"   // mend the cause of the failures, then go on
	StepResume       StepKind = "resume"        // go on
	StepSeeFailures  StepKind = "see_failures"  // look why rows failed
	StepRetryFailed  StepKind = "retry_failed"  // send the failed rows again
	StepRetryDoubt   StepKind = "retry_doubt"   // look the rows in doubt up at Clink, then send them again
	StepSettleOther  StepKind = "settle_other"  // rows wait for a person's word on another job
	StepSeeTakenOver StepKind = "see_taken_over"
	StepCorrect      StepKind = "correct" // correct the invalid rows in the rejected file, and run that
	StepAskAgain     StepKind = "ask_again"
)

// Next are the steps that a person can take with the job of this outcome, in their order; none where nothing is left to do.
func (o Outcome) Next() []Step {
	steps := Next(o.Job, o.Report.Stop, o.Tally, o.Sendable, o.Waiting)
	if o.Unchecked > 0 {
		steps = []Step{{StepAskAgain, o.Unchecked}}
	}
	if failed := o.Tally.Items[job.Failed]; o.Sendable == 0 && failed > 0 {
		steps = append([]Step{{StepSeeFailures, failed}}, steps...)
	}
	return steps
}

// Next are the steps that a person can take with a job whose last run stopped so, with so many open rows that running again would
// send and so many that wait for a person.
func Next(j job.Job, stop job.Stop, t job.Tally, sendable, waiting int) (steps []Step) {
	add := func(kind StepKind, n int) { steps = append(steps, Step{kind, n}) }
	switch {
	case sendable > 0 && stop == job.WrongAddress && j.BaseURL != ClinkURL[j.Environment]:
		add(StepRunElsewhere, sendable)
		return steps
	case sendable > 0 && stop == job.TooManyFailures:
		add(StepMendResume, sendable)
		return steps
	case sendable > 0:
		add(StepResume, sendable)
		return steps
	}
	if failed := t.Items[job.Failed]; failed > 0 {
		add(StepRetryFailed, failed)
	}
	switch invalid, superseded := t.Items[job.Invalid], t.Items[job.Superseded]; {
	case waiting > 0 && t.Items[job.Unknown]+t.Items[job.Sending] == 0: // a retry of this job moves nothing
		add(StepSettleOther, waiting)
	case waiting > 0:
		add(StepRetryDoubt, waiting)
	case len(steps) > 0:
	case superseded > 0 && invalid == 0:
		add(StepSeeTakenOver, superseded)
	case invalid > 0:
		add(StepCorrect, invalid)
	}
	return steps
}
