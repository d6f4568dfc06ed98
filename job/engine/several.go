package engine

import (
	"cmp"
	"context"
	"time"

	"paylinks/job"
)

// Each works on one job after the other and returns how the whole ended: with the first stop, else with the worst of Unfinished,
// Attention and Complete. Where onward says so the others go on after a stop with TooManyFailures, OutputFailed, KeyRefused or
// WrongAddress; else, where the key was refused, or somebody else answers, those at other targets do. Any other stop ends the whole.
func Each[T any](items []T, target func(T) Target, onward bool, work func(T) (ending Ending, stopped bool, err error)) (Ending, error) {
	var stop Ending
	whole, closed := Complete, map[Target]bool{}
	for _, item := range items {
		if closed[target(item)] {
			continue
		}
		ending, stopped, err := work(item)
		switch {
		case err != nil:
			return "", err
		case !stopped:
			if ending == Unfinished || whole == Complete {
				whole = ending
			}
			continue
		}
		stop = cmp.Or(stop, ending)
		switch ending {
		case KeyRefused, WrongAddress:
			closed[target(item)] = !onward // it may have been a row of this job alone
		case TooManyFailures, OutputFailed:
			if !onward {
				return stop, nil
			}
		default:
			return stop, nil
		}
	}
	return cmp.Or(stop, whole), nil
}

// jobsLedger is what the look-up of jobs asks of a ledger.
type jobsLedger interface {
	Jobs(ctx context.Context) ([]job.Job, error)
	Tally(ctx context.Context, jobID int64) (job.Tally, error)
	CountLinks(ctx context.Context, q job.LinkQuery) (int, error)
}

// UnfinishedJobs are the jobs at the target that have open rows, oldest first, also those whose open rows all wait for a person, and
// those whose links file is not written. others are those elsewhere. An empty field of the target is any.
func UnfinishedJobs(ctx context.Context, ledger jobsLedger, at Target) (jobs, others []job.Job, err error) {
	all, err := ledger.Jobs(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, j := range all {
		tally, err := ledger.Tally(ctx, j.ID)
		switch {
		case err != nil:
			return nil, nil, err
		case tally.Open() == 0 && !j.Unwritten():
		case at.Includes(j):
			jobs = append(jobs, j)
		default:
			others = append(others, j)
		}
	}
	return jobs, others, nil
}

// RefreshableJobs are the jobs of the environment ("" is any) that have a link whose status is not final, oldest first.
func RefreshableJobs(ctx context.Context, ledger jobsLedger, environment job.Environment, at time.Time) (jobs []job.Job, err error) {
	all, err := ledger.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range all {
		if !j.PurgedAt.IsZero() || !(Target{Environment: environment}).Includes(j) {
			continue
		}
		n, err := ledger.CountLinks(ctx, job.LinkQuery{JobID: j.ID, At: at})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}
