package main

import (
	"context"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/engine"
)

type showOptions struct {
	look     options.Look
	attempts bool
	json     bool
}

func newShow(s options.Streams) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show JOB",
		Short: "Show one job: counts, totals, what stopped it, problems; --attempts for the whole record",
		Long: `show prints on one screen what a person on call needs: how many rows are in which state, totals by currency, what stopped
the last run, the first problems with Clink's words, the sessions that may exist without being published, and the command to
go on with. It works while a run goes on, too.

With --json it is one object, with the keys of paylinks jobs --json (see paylinks help jobs), and: next (what to do, in words),
problems (each with row, state, invoice_id, reference, error_code, error) and extra_sessions (each an attempt); both lists in
full. With --attempts as well, each attempt follows as an object on a line of its own: row, reference, attempt, sent_at,
ended_at, outcome, status, code, message, session_id.`,
		Example: `  paylinks show 1
  paylinks show 1 --attempts
  paylinks show 1 --json`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done"),
			exit.Meaning(exit.Usage, "usage, no such job, or there is no ledger yet"),
			exit.Meaning(exit.Output, "standard output cannot be written"),
			exit.Meaning(exit.Ledger, "the ledger cannot be read"),
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return exit.ReadEnough(runShow(cmd.Context(), o, args[0], s))
		},
	}
	cmd.Flags().BoolVar(&o.attempts, "attempts", false, "every attempt on record")
	cmd.Flags().BoolVar(&o.json, "json", false, "the same as JSON on standard output")
	o.look.AddFlags(cmd)
	return cmd
}

func runShow(ctx context.Context, o showOptions, arg string, s options.Streams) error {
	id, err := options.JobNumber(arg, s, o.look.Target, o.look.Ledger)
	if err != nil {
		return err
	}
	ledger, err := o.look.Open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	j, err := options.JobIn(ctx, s, ledger, id)
	if err != nil {
		return err
	}
	tally, err := ledger.Tally(ctx, id)
	if err != nil {
		return exit.Classify(err)
	}
	var links job.LinkTally
	if !j.RefreshedAt.IsZero() {
		if links, err = ledger.LinkTally(ctx, id); err != nil {
			return exit.Classify(err)
		}
	}
	var left engine.Left
	left.Left, err = ledger.Left(ctx, j, options.MaxAttempts)
	if err != nil {
		return exit.Classify(err)
	}
	left.Made, left.Expired, err = engine.MadeAndExpired(ctx, ledger, j, tally, tally.Linked())
	if err != nil {
		return exit.Classify(err)
	}
	senders, err := ledger.Senders(ctx)
	if err != nil {
		return exit.Classify(err)
	}
	view := report.View{
		Sender: report.SenderOf(senders, id),
		Ledger: ledger, Job: j, Tally: tally, Links: links, Left: left, To: s.Out, Flags: options.NextFlags(s, j.Environment, ledger.Path()),
	}
	if j.PurgedAt.IsZero() {
		view.Next = report.NextSteps(j, engine.Next(j, j.LastRun.Stop, tally, left), "", view.Flags)
	}
	switch {
	case o.json:
		return exit.Reported(view.Object(ctx, o.attempts))
	case o.attempts:
		return exit.Reported(view.Record(ctx))
	}
	return exit.Reported(view.Screen(ctx))
}
