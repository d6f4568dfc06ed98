package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/links"
	"paylinks/store"
)

// goOnOptions are those of a command that goes on with jobs of the ledger, without their files.
type goOnOptions struct {
	target options.Target
	ledger options.Ledger
	send   options.Send
	output string
}

func (o *goOnOptions) addFlags(cmd *cobra.Command) {
	o.addOutput(cmd)
	o.target.AddFlags(cmd.Flags())
	o.ledger.AddFlags(cmd.Flags())
	o.ledger.AddLease(cmd.Flags())
	o.send.AddFlags(cmd.Flags())
}

func (o *goOnOptions) addOutput(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write the links file of JOB to `PATH`; - is standard output (default: where the job's last run wrote it)")
}

// goOnLedger is what going on with jobs asks of a ledger.
type goOnLedger interface {
	sendingLedger
	options.CheckedLedger
	Files() []string
	Remember(j job.Job) error
}

// open opens an existing ledger for sending.
func (o *goOnOptions) open(ctx context.Context, s options.Streams, doing string) (store.Ledger, error) {
	environment, err := o.target.ResolveEnvironment(s)
	if err != nil {
		return nil, err
	}
	// A ledger that is not there must not be made: there would be nothing to go on with.
	existing, err := o.ledger.OpenToRead(ctx, s, environment)
	var schema *job.VersionError
	switch {
	case err == nil:
		if err := existing.Close(); err != nil {
			return nil, exit.Classify(err)
		}
	case errors.As(err, &schema) && schema.Found < schema.Known: // opening it to send brings it up to date
	default:
		return nil, err
	}
	o.ledger.Timeout = o.send.Timeout
	return o.ledger.OpenToSend(ctx, s, environment, doing)
}

// job is the job that was named, with its links file where --output says. It finds out whether that can be written.
func (o *goOnOptions) job(ctx context.Context, s options.Streams, ledger goOnLedger, id int64) (job.Job, error) {
	j, err := options.JobIn(ctx, s, ledger, id)
	if err != nil {
		return j, err
	}
	if err := options.RefusePurged(s, ledger.Path(), j); err != nil {
		return j, err
	}
	if o.output == "" {
		return j, o.tryOutput(ctx, s, ledger, j)
	}
	if j.Output, err = options.PlaceOf(o.output); err != nil {
		return j, err
	}
	if options.SameFile(j.Output, j.File) {
		return j, exit.Failf(exit.Usage, "%s is the job's input", o.output).WithHint("name another file with --output")
	}
	if err := options.SpareLedger(j.Output, ledger); err != nil {
		return j, err
	}
	return j, o.tryOutput(ctx, s, ledger, j)
}

// options.TryOutput finds out whether the job's links can be written, also beside the summary of --json.
func (o *goOnOptions) tryOutput(ctx context.Context, s options.Streams, ledger options.CheckedLedger, j job.Job) error {
	if o.send.JSON && j.Output == "-" {
		return exit.Failf(exit.Usage, "the links go to standard output, and --json needs that").WithHint("name a file with --output PATH")
	}
	return options.TryOutput(ctx, s, ledger, j)
}

// writable says whether the links of one of several jobs can be written, and tells where they cannot: one folder that is gone does
// not keep all others waiting. doing is the command that gets on with that job alone. The error is the ledger's.
func (o *goOnOptions) writable(ctx context.Context, s options.Streams, ledger goOnLedger, j job.Job, doing string) (bool, error) {
	err := o.tryOutput(ctx, s, ledger, j)
	if err == nil {
		return true, nil
	}
	f := exit.Classify(err)
	if f.Status != exit.Output && f.Status != exit.Usage {
		return false, f
	}
	if _, isPlace := errors.AsType[*links.Error](err); isPlace || f.Status == exit.Usage {
		f = f.WithHint("paylinks %s %d --output PATH%s", doing, j.ID, options.NextFlags(s, j.Environment, ledger.Path()))
	}
	fmt.Fprintf(s.Err, "paylinks: error: job %d: %v\nhint: %s\n", j.ID, f, f.Hint)
	return false, nil
}

// ready makes sure that the jobs may be sent, and asks a person where one must be asked. A --env or --base-url that differs from a
// job's own is refused.
func (o *goOnOptions) ready(ctx context.Context, s options.Streams, jobs []job.Job) error {
	if err := o.send.Check(); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := o.admit(s, j); err != nil {
			return err
		}
		if _, err := o.target.Key(s, j.Environment, ""); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if err := options.Confirm(ctx, o.send.Yes, j.Environment, fmt.Sprintf("go on with job %d, %s", j.ID, j.File), s); err != nil {
			return err
		}
	}
	return nil
}

// admit refuses a job that is not where the flags say, or in production without a word.
func (o *goOnOptions) admit(s options.Streams, j job.Job) error {
	if o.target.Env != "" && job.Environment(o.target.Env) != j.Environment {
		return exit.Failf(exit.Config, "job %d belongs to %s, and --env says %s", j.ID, j.Environment, o.target.Env).
			WithHint("leave out --env: a job keeps its own")
	}
	if o.target.BaseURL != "" {
		target, err := o.target.Resolve(s)
		if err != nil {
			return err
		}
		if target.BaseURL != j.BaseURL {
			return exit.Failf(exit.Config, "job %d was begun at %s, and --base-url says %s", j.ID, j.BaseURL, target.BaseURL).
				WithHint("leave out --base-url: a job keeps its own; to send the file elsewhere, use paylinks run")
		}
	}
	return o.send.CheckProduction(s, j.Environment, "add --yes")
}

// goOn has do work on each job, in the job's own environment and at its own address. onward is as engine.Each has it.
func (o *goOnOptions) goOn(
	ledger goOnLedger, jobs []job.Job, s options.Streams, onward bool, do func(*sending, job.Job) (engine.Ending, bool, error),
) error {
	ending, err := engine.Each(jobs, engine.TargetOf, onward, func(j job.Job) (engine.Ending, bool, error) {
		key, err := o.target.Key(s, j.Environment, "")
		if err != nil {
			return "", true, err
		}
		e, err := newSending(s, ledger, &o.send, engine.TargetOf(j), key)
		if err != nil {
			return "", true, err
		}
		defer e.close()
		return do(e, j)
	})
	if err != nil {
		return err
	}
	return exit.With(exit.StatusOf[ending])
}

// sendOn sends what is open in the jobs, and writes their links files; with reissue their expired links are replaced, too. Where it
// goes onward it finds out before each job whether its links can be written; else that has been found out.
func (o *goOnOptions) sendOn(ctx context.Context, ledger goOnLedger, jobs []job.Job, s options.Streams, onward, reissue bool) error {
	return o.goOn(ledger, jobs, s, onward, func(e *sending, j job.Job) (engine.Ending, bool, error) {
		if left, err := o.leave(s, ledger, j, onward); left || err != nil {
			return engine.Unfinished, false, err
		}
		if onward {
			if good, err := o.writable(ctx, s, ledger, j, "resume"); err != nil || !good {
				if releaseErr := ledger.Release(j.ID); err == nil && releaseErr != nil {
					err = exit.Classify(releaseErr)
				}
				return engine.OutputFailed, true, err
			}
		}
		j.OnUnknown = o.send.Policy(j.OnUnknown)
		if err := ledger.Remember(j); err != nil {
			return "", true, exit.Classify(err)
		}
		act := e.Send
		if reissue {
			act = e.Reissue
		}
		outcome, err := act(ctx, j)
		return e.finish(outcome, "", err)
	})
}

// leave takes the right to send the job. One of several that another process sends is left to that one, and said so.
func (o *goOnOptions) leave(s options.Streams, ledger goOnLedger, j job.Job, onward bool) (left bool, err error) {
	err = ledger.Take(j.ID)
	if held, isHeld := errors.AsType[*job.HeldError](err); isHeld && onward {
		fmt.Fprintf(s.Err, "job %d is left to %s, which sends it now\n", j.ID, held.Holder)
		return true, nil
	}
	if err != nil {
		return false, exit.Classify(err)
	}
	return false, nil
}
