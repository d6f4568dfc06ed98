package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/intake"
)

type runOptions struct {
	target      targetOptions
	ledger      ledgerOptions
	read        *readOptions
	piped       pipedOptions
	expect      expectOptions
	send        sendOptions
	output      outputOptions
	skipInvalid bool
}

func newRun(s streams) *cobra.Command {
	o := runOptions{read: &readOptions{}}
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
			return o.send.measured("run", s, o.target, o.ledger, func() error { return runRun(cmd.Context(), o, files, s) })
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.output.addFlags(flags, "FILE without its extension, .links.csv, beside it; one file only")
	o.target.addFlags(flags)
	o.ledger.addFlags(flags)
	o.send.addFlags(flags)
	o.ledger.addNew(flags)
	o.ledger.addLease(flags)
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "send the good rows of a file that has bad ones")
	o.read.addFlags(flags)
	o.piped.addFlags(flags)
	o.read.addEmpty(flags)
	o.output.addRejected(flags)
	o.expect.addFlags(flags)
	return cmd
}

func runRun(ctx context.Context, o runOptions, files []string, s streams) (err error) {
	options, err := o.read.resolve(s, o.send.quiet)
	if err != nil {
		return err
	}
	if len(files) > 1 && (o.output.path != "" || o.output.rejected != "" || o.expect.set()) {
		return exit.Failf(exit.Usage, "--output, --rejected, --expect-rows and --expect-total are for one file")
	}
	if err := o.piped.check(files); err != nil {
		return err
	}
	expect, err := o.expect.resolve()
	if err != nil {
		return err
	}
	if o.output.path == "-" && o.send.json {
		return exit.Failf(exit.Usage, "--json and --output - both write to standard output").WithHint("name a file with --output")
	}
	t, err := o.target.resolve(s)
	if err != nil {
		return err
	}
	if err := o.send.check(); err != nil {
		return err
	}
	if err := o.piped.refuseProduction(files, t.Environment == job.Production, o.send.yes); err != nil {
		return err
	}
	if err := o.send.checkProduction(s, t.Environment, "say --yes; or try it first without: --env sandbox, or --env simulator"); err != nil {
		return err
	}
	key, err := o.target.key(s, t.Environment, "; to try without Clink: --env simulator")
	if err != nil {
		return err
	}
	if err := o.piped.keepAside(ctx, files, s); err != nil {
		return err
	}
	defer o.piped.close()
	batch, err := intake.Open(files, intake.Settings{
		Environment: t.Environment, BaseURL: t.BaseURL, Options: options, OnUnknown: job.Policy(o.send.onUnknown),
		SkipInvalid: o.skipInvalid, RawCells: o.output.rawCells, BOM: o.output.bom, Rejected: o.output.rejected, Expect: expect, Piped: o.piped.kept,
	})
	if err != nil {
		return exit.Classify(err)
	}
	if err := batch.Outputs(o.output.path); err != nil {
		return exit.Classify(err)
	}
	o.ledger.quiet, o.ledger.timeout = o.send.quiet, o.send.timeout
	ledger, err := o.ledger.openToSend(ctx, s, t.Environment, "run "+strings.Join(files, " "))
	if err != nil {
		return err
	}
	defer func() { err = closed(ledger, err) }()
	if err := batch.Find(ctx, ledger); err != nil {
		return exit.Classify(err)
	}
	for _, f := range batch.Files {
		if f.Known != nil {
			if err := refusePurged(s, ledger.Path(), *f.Known); err != nil {
				return err
			}
		}
	}
	check := checking{quiet: o.send.quiet, words: s.err, profile: o.read.used}
	if err := check.all(ctx, batch); err != nil {
		return err
	}
	if err := batch.TryOutputs(ledger.Files()); err != nil {
		return exit.Classify(err)
	}
	for _, f := range batch.Files {
		if err := checkReplaced(ctx, s, ledger, f.Draft()); err != nil {
			return err
		}
	}
	if err := confirm(ctx, o.send.yes, t.Environment, describeAll(batch.Files, o.send.limit), s); err != nil {
		return err
	}
	e, err := newSending(s, ledger, &o.send, t, key)
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
