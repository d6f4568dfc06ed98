package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
)

func newRetry(s options.Streams) *cobra.Command {
	var o goOnOptions
	var unknown bool
	cmd := &cobra.Command{
		Use:   "retry JOB",
		Short: "Put failed rows (with --unknown: those in doubt) back to pending, then go on",
		Long: `retry is a person's word that rows may be sent again: those that Clink refused, or, with --unknown, those whose
answer was lost. For the latter look at Clink first whether a session exists: one that nobody has seen the link
of cannot be paid, but it stands there.

` + report.SummaryHelp,
		Annotations: helptext.Exits(exit.Meanings...),
		Example:     "  paylinks retry 1\n  paylinks retry 1 --unknown",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.send.Measured("retry", s, o.target, o.ledger, func() error { return runRetry(cmd.Context(), o, unknown, args[0], s) })
		},
	}
	cmd.Flags().BoolVar(&unknown, "unknown", false, "the rows in doubt, instead of the failed ones")
	o.addFlags(cmd)
	return cmd
}

func runRetry(ctx context.Context, o goOnOptions, unknown bool, arg string, s options.Streams) (err error) {
	id, err := options.JobNumber(arg, s, o.target, o.ledger)
	if err != nil {
		return err
	}
	ledger, err := o.open(ctx, s, "retry")
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	j, err := o.job(ctx, s, ledger, id)
	if err != nil {
		return err
	}
	if err := o.ready(ctx, s, []job.Job{j}); err != nil {
		return err
	}
	if err := ledger.Take(id); err != nil {
		return exit.Classify(err)
	}
	n, err := ledger.Retry(id, unknown, time.Now())
	if err != nil {
		return exit.Classify(err)
	}
	if !o.send.Quiet {
		fmt.Fprintf(s.Err, "%s of job %d put back\n", words.Count(n, "row"), id)
	}
	return o.sendOn(ctx, ledger, []job.Job{j}, s, false, false)
}
