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
	"paylinks/job"
)

func newReissue(s options.Streams) *cobra.Command {
	var o goOnOptions
	cmd := &cobra.Command{
		Use:   "reissue JOB",
		Short: "Make new links for the rows whose link has expired unpaid",
		Long: `reissue asks Clink about each link of the job that has expired, by the clock or by what refresh was told. Where Clink
says that it expired unpaid, the row gets a new link; the old session stays on record, see show --attempts. A
row whose link is paid, being paid or still open keeps it, and so does one that Clink says nothing about:
running again asks about that one. What else is open in the job is sent, too, and the links file written again.

A row of another job that is a duplicate of such a row gets the new link, too: that job's links file is written by the
next resume.

` + report.SummaryHelp,
		Annotations: helptext.Exits(exit.Meanings...),
		Example:     "  paylinks reissue 1\n  paylinks reissue 1 --limit 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.send.Measured("reissue", s, o.target, o.ledger, func() error { return runReissue(cmd.Context(), o, args[0], s) })
		},
	}
	o.addFlags(cmd)
	return cmd
}

func runReissue(ctx context.Context, o goOnOptions, arg string, s options.Streams) (err error) {
	id, err := options.JobNumber(arg, s, o.target, o.ledger)
	if err != nil {
		return err
	}
	ledger, err := o.open(ctx, s, "reissue")
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
	expired, err := ledger.ExpiredLinks(ctx, id, time.Now(), 1)
	if err != nil {
		return exit.Classify(err)
	}
	if expired == 0 && !o.send.Quiet {
		fmt.Fprintf(s.Err, "no link of job %d has expired unpaid\n", id)
	}
	return o.sendOn(ctx, ledger, []job.Job{j}, s, false, true)
}
