package main

import (
	"context"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/engine"
	"paylinks/store"
)

func newJobs(s options.Streams) *cobra.Command {
	var o options.Look
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs in the ledger",
		Long: `jobs lists the jobs in the ledger, oldest first; also while a run goes on.

The column STATE says how far a job is:

  done        every row has a link
  unfinished  rows are left to be sent, or the links file is not written:
              paylinks resume
  in doubt    what is left are rows whose answer was lost: paylinks show JOB
  attention   nothing is left to be sent, but some rows have no link, in this job
              or, where they failed, in a later one: paylinks show JOB
  expired     every row has a link, and some have expired unpaid, as far as is
              known: paylinks reissue JOB

Where several hosts share the ledger, the column SENDER says from which host a job is being sent, and since when. One
whose lease is over is gone: paylinks resume takes its jobs over.

With --json each job is an object on a line of its own, with these keys: ` + report.JobKeys + `.`,
		Example: `  paylinks jobs
  paylinks jobs --env simulator
  paylinks jobs --json`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done"),
			exit.Meaning(exit.Usage, "usage, or there is no ledger yet"),
			exit.Meaning(exit.Output, "standard output cannot be written"),
			exit.Meaning(exit.Ledger, "the ledger cannot be read"),
		),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return exit.ReadEnough(runJobs(cmd.Context(), o, asJSON, s))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a job")
	o.AddFlags(cmd)
	return cmd
}

func runJobs(ctx context.Context, o options.Look, asJSON bool, s options.Streams) error {
	ledger, err := o.Open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	jobs, err := ledger.Jobs(ctx)
	if err != nil {
		return exit.Classify(err)
	}
	shared := store.IsDatabase(ledger.Path())
	senders, err := ledger.Senders(ctx)
	if err != nil {
		return exit.Classify(err)
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if !asJSON {
		sender := ""
		if shared {
			sender = "\tSENDER"
		}
		fmt.Fprintln(table, "JOB\tFILE\tENVIRONMENT\tSTARTED\tROWS\tLINKS\tOPEN\tSTATE"+sender)
	}
	for _, j := range jobs {
		tally, err := ledger.Tally(ctx, j.ID)
		if err != nil {
			return exit.Classify(err)
		}
		made, expired, err := engine.MadeAndExpired(ctx, ledger, j, tally, 1)
		if err != nil {
			return exit.Classify(err)
		}
		if asJSON {
			if err := report.WriteJSON(s.Out, report.JobOf(j, tally, made, expired, report.SenderOf(senders, j.ID))); err != nil {
				return exit.Reported(err)
			}
			continue
		}
		sender := ""
		if shared {
			sender = "\t" + report.SenderCell(report.SenderOf(senders, j.ID))
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s%s\n", j.ID, words.Printable(filepath.Base(j.File)), j.Environment,
			words.Moment(j.CreatedAt), tally.Rows(), tally.Linked(), tally.Open(), report.Progress(j, tally, made, expired), sender)
	}
	return table.Flush()
}
