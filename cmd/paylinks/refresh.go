package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/job/engine"
)

func newRefresh(s options.Streams) *cobra.Command {
	var o goOnOptions
	cmd := &cobra.Command{
		Use:   "refresh [JOB]",
		Short: "Ask Clink how far the links of a job, or of all jobs, are: paid, refunded, processing, open or expired",
		Long: `refresh asks Clink about each link, at the pace of a run, and writes the links file again with two more columns:
link_status (paid, refunded, processing, open or expired) and checked_at. Nothing is sent, and no row changes its state.
What is paid or refunded, or has expired unpaid, is not asked about again. Without JOB it takes every job that has
a link left to ask about, oldest first; with --env or CLINK_ENV only those of that environment.

With --json the summary is one object a job, with these keys: job, file, environment, links, paid, refunded, processing, open,
expired, unchecked, unanswered, paid_totals, output, seconds.`,
		Example: "  paylinks refresh\n  paylinks refresh 1",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "Clink has answered for every link"),
			exit.Meaning(exit.Usage, "usage, no such job, or there is no ledger yet"),
			exit.Meaning(exit.Output, "an output cannot be written"),
			exit.Meaning(exit.Ledger, "the ledger or the disk failed"),
			exit.Meaning(exit.Unfinished, "Clink has not answered for some links, running again asks about them"),
			exit.Meaning(exit.Key, "Clink refused the key"),
			exit.Meaning(exit.Config, "configuration: no key, a wrong address"),
			exit.Meaning(exit.Interrupted, "interrupted; what was answered is saved"),
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRefresh(cmd.Context(), o, args, s)
		},
	}
	o.addOutput(cmd)
	flags := cmd.Flags()
	o.target.AddFlags(flags)
	o.ledger.AddFlags(flags)
	o.ledger.AddLease(flags)
	o.send.AddPace(flags)
	o.send.AddShown(flags)
	o.send.Limit = -1
	o.send.Yes = true // nothing is sent: production needs no word
	return cmd
}

func runRefresh(ctx context.Context, o goOnOptions, args []string, s options.Streams) (err error) {
	var id int64
	if len(args) == 1 {
		if id, err = options.JobNumber(args[0], s, o.target, o.ledger); err != nil {
			return err
		}
	}
	ledger, err := o.open(ctx, s, "refresh")
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	started := time.Now()
	var jobs []job.Job
	if id > 0 {
		j, err := o.job(ctx, s, ledger, id)
		if err != nil {
			return err
		}
		if o.output != "" {
			if err := ledger.Remember(j); err != nil {
				return exit.Classify(err)
			}
		}
		jobs = []job.Job{j}
	} else {
		if o.output != "" {
			return exit.Failf(exit.Usage, "--output is for one job").WithHint("name the job: paylinks refresh JOB --output PATH%s", options.NextFlags(s, "", ledger.Path()))
		}
		if jobs, err = engine.RefreshableJobs(ctx, ledger, o.target.Named(s), started); err != nil {
			return exit.Classify(err)
		}
		if len(jobs) == 0 && !o.send.Quiet {
			fmt.Fprintln(s.Err, "no job has a link that is left to ask about")
		}
	}
	if err := o.ready(ctx, s, jobs); err != nil {
		return err
	}
	return o.goOn(ledger, jobs, s, false, func(e *sending, j job.Job) (engine.Ending, bool, error) {
		if id == 0 {
			if good, err := o.writable(ctx, s, ledger, j, "refresh"); err != nil || !good {
				return engine.OutputFailed, false, err
			}
		}
		outcome, err := e.Refresh(ctx, j, started)
		if err != nil {
			return "", true, exit.Classify(err)
		}
		return outcome.Ending(), outcome.Stopped(), exit.Reported(e.SumUpLinks(outcome))
	})
}
