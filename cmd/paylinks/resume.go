package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

func newResume(s options.Streams) *cobra.Command {
	var o goOnOptions
	cmd := &cobra.Command{
		Use:   "resume [JOB]",
		Short: "Go on with a job, or with every unfinished one, oldest first, without its file",
		Long: `resume sends what a stopped run left open, from the ledger alone, and writes the links file again. Each job goes
on in its own environment, at its own address, also where another one was stopped (69, 73, 77, 78): the first such
status is that of the whole. A links file that could not be written, or was not since the run was killed, is
written. Without JOB, --env or CLINK_ENV takes only those of that environment, and --base-url those of that address.
Failed rows are not sent again: that is what paylinks retry is for.

Where several hosts share the ledger, resume without JOB leaves a job to the process that sends it, says so, and ends
with 75; the jobs of a process that is gone it takes over. See paylinks help shared-ledger.

` + report.SummaryHelp,
		Annotations: helptext.Exits(exit.Meanings...),
		Example:     "  paylinks resume\n  paylinks resume 1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.send.Measured("resume", s, o.target, o.ledger, func() error { return runResume(cmd.Context(), o, args, s) })
		},
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVar(&o.ledger.AfterFailover, "after-failover", false, "go on with a ledger whose database has lost what it had acknowledged; what may have been sent waits for a person: read paylinks help shared-ledger first")
	helptext.OnlyTyped(cmd.Flags(), "after-failover")
	return cmd
}

func runResume(ctx context.Context, o goOnOptions, args []string, s options.Streams) (err error) {
	var id int64
	if len(args) == 1 {
		if id, err = options.JobNumber(args[0], s, o.target, o.ledger); err != nil {
			return err
		}
	}
	ledger, err := o.open(ctx, s, "resume")
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	if id > 0 {
		j, err := o.job(ctx, s, ledger, id)
		if err != nil {
			return err
		}
		if err := o.ready(ctx, s, []job.Job{j}); err != nil {
			return err
		}
		return o.sendOn(ctx, ledger, []job.Job{j}, s, false, false)
	}
	if o.output != "" {
		return exit.Failf(exit.Usage, "--output is for one job").WithHint("name the job: paylinks resume JOB --output PATH%s", options.NextFlags(s, "", ledger.Path()))
	}
	scope, err := o.target.Scope(s)
	if err != nil {
		return err
	}
	jobs, others, err := engine.UnfinishedJobs(ctx, ledger, scope)
	if err != nil {
		return exit.Classify(err)
	}
	switch {
	case o.send.Quiet:
	case len(others) > 0:
		fmt.Fprintln(s.Err, leftOut(s, scope, others, ledger.Path()))
	case len(jobs) == 0:
		fmt.Fprintf(s.Err, "no job has rows left to send; for failed rows see: paylinks jobs%s\n", options.NextFlags(s, "", ledger.Path()))
	}
	if err := o.ready(ctx, s, jobs); err != nil {
		return err
	}
	return o.sendOn(ctx, ledger, jobs, s, true, false)
}

// leftOut lists the jobs that are out of scope, and the commands that go on with them.
func leftOut(s options.Streams, scope engine.Target, jobs []job.Job, ledger string) string {
	var targets []engine.Target
	numbers := map[engine.Target][]string{}
	for _, j := range jobs {
		target := engine.Target{Environment: j.Environment}
		if scope.BaseURL != "" {
			target.BaseURL = j.BaseURL
		}
		if numbers[target] == nil {
			targets = append(targets, target)
		}
		numbers[target] = append(numbers[target], fmt.Sprintf("job %d", j.ID))
	}
	var parts []string
	for _, target := range targets {
		flags := options.FlagsAt(s, target.Environment, ledger)
		if target.BaseURL != "" && target.BaseURL != job.InProcess {
			flags += " --base-url " + words.ShellQuoted(target.BaseURL)
		}
		parts = append(parts, fmt.Sprintf("%s of %s, go on with: paylinks resume%s", strings.Join(numbers[target], ", "), target.Environment, flags))
	}
	return "left out: " + strings.Join(parts, "; ")
}
