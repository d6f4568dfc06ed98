package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/intake"
)

func newRun(s options.Streams) *cobra.Command {
	var o options.Run
	cmd := &cobra.Command{
		Use:   "run FILE...",
		Short: "Check, create a link for each row, and write each file's links file; run it again to resume",
		Long: `run checks the files first: one that is wrong sends nothing. Then it creates one checkout session per row and
writes FILE's links file. Every step is on record in the ledger: the same file again finishes what a stopped
run began, and sends nothing that is done. An edited file creates only what has no link yet.

A FILE is a CSV or a workbook (.xlsx), or - for standard input, which --name gives a name.

` + report.SummaryHelp,
		Annotations: helptext.Exits(exit.Meanings...),
		Example: `  paylinks run invoices.csv --env simulator    # try it, no network
  paylinks run invoices.csv --limit 3          # a canary of three rows in Clink's sandbox
  paylinks run invoices.csv                    # the rest of them
  paylinks run invoices.csv --env production --yes`,
		RunE: func(cmd *cobra.Command, files []string) error {
			return o.Send.Measured("run", s, o.Target, o.Ledger, func() error { return runRun(cmd.Context(), o, files, s) })
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runRun(ctx context.Context, o options.Run, files []string, s options.Streams) (err error) {
	reading, err := o.Read.Resolve(s, o.Send.Quiet)
	if err != nil {
		return err
	}
	if len(files) > 1 && (o.Output.Path != "" || o.Output.Rejected != "" || o.Expect.Set()) {
		return exit.Failf(exit.Usage, "--output, --rejected, --expect-rows and --expect-total are for one file")
	}
	if err := o.Piped.Check(files); err != nil {
		return err
	}
	expect, err := o.Expect.Resolve()
	if err != nil {
		return err
	}
	if o.Output.Path == "-" && o.Send.JSON {
		return exit.Failf(exit.Usage, "--json and --output - both write to standard output").WithHint("name a file with --output")
	}
	t, err := o.Target.Resolve(s)
	if err != nil {
		return err
	}
	if err := o.Send.Check(); err != nil {
		return err
	}
	if err := o.Piped.RefuseProduction(files, t.Environment == job.Production, o.Send.Yes); err != nil {
		return err
	}
	if err := o.Send.CheckProduction(s, t.Environment, "say --yes; or try it first without: --env sandbox, or --env simulator"); err != nil {
		return err
	}
	key, err := o.Target.Key(s, t.Environment, "; to try without Clink: --env simulator")
	if err != nil {
		return err
	}
	if err := o.Piped.KeepAside(ctx, files, s); err != nil {
		return err
	}
	defer o.Piped.Close()
	batch, err := intake.Open(files, intake.Settings{
		Environment: t.Environment, BaseURL: t.BaseURL, Options: reading, OnUnknown: job.Policy(o.Send.OnUnknown),
		SkipInvalid: o.SkipInvalid, RawCells: o.Output.RawCells, BOM: o.Output.BOM, Rejected: o.Output.Rejected, Expect: expect, Piped: o.Piped.Kept,
	})
	if err != nil {
		return exit.Classify(err)
	}
	if err := batch.Outputs(o.Output.Path); err != nil {
		return exit.Classify(err)
	}
	o.Ledger.Quiet, o.Ledger.Timeout = o.Send.Quiet, o.Send.Timeout
	ledger, err := o.Ledger.OpenToSend(ctx, s, t.Environment, "run "+strings.Join(files, " "))
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	if err := batch.Find(ctx, ledger); err != nil {
		return exit.Classify(err)
	}
	for _, f := range batch.Files {
		if f.Known != nil {
			if err := options.RefusePurged(s, ledger.Path(), *f.Known); err != nil {
				return err
			}
		}
	}
	check := checking{quiet: o.Send.Quiet, words: s.Err, profile: o.Read.Used}
	if err := check.all(ctx, batch); err != nil {
		return err
	}
	if err := batch.TryOutputs(ledger.Files()); err != nil {
		return exit.Classify(err)
	}
	for _, f := range batch.Files {
		if err := options.CheckReplaced(ctx, s, ledger, f.Draft()); err != nil {
			return err
		}
	}
	if err := options.Confirm(ctx, o.Send.Yes, t.Environment, options.DescribeAll(batch.Files, o.Send.Limit), s); err != nil {
		return err
	}
	e, err := newSending(s, ledger, &o.Send, t, key)
	if err != nil {
		return err
	}
	defer e.close()

	ending, err := engine.Each(batch.Files, func(*intake.File) engine.Target { return t }, false, func(f *intake.File) (engine.Ending, bool, error) {
		j, err := f.Import(ctx, ledger)
		switch {
		case errors.Is(err, context.Canceled):
			return "", true, exit.Failf(exit.Interrupted, "interrupted while %s was taken into the ledger: nothing of it was sent", f.Path)
		case err != nil:
			return "", true, exit.Classify(err)
		}
		outcome, err := e.Run(ctx, j)
		if f.Known != nil {
			outcome.KnownAs = f.Known.FileName()
		}
		return e.finish(outcome, f.Rejected, err)
	})
	if err != nil {
		return err
	}
	return exit.With(exit.StatusOf[ending])
}
