package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/job/intake"
	"paylinks/store"
)

type checkOptions struct {
	target  options.Target
	ledger  options.Ledger
	read    *options.Read
	piped   options.Piped
	expect  options.Expect
	output  options.Output // of the rejected file
	save    options.Save
	json    bool
	explain bool
}

func newCheck(s options.Streams) *cobra.Command {
	o := checkOptions{read: &options.Read{}}
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check files without sending anything: no network, no ledger is made",
		Long: `check reads the files as run would, and says what is wrong with them, all at once. Bad rows are written into a
rejected file beside each, or at --rejected; where that cannot be written, check says so and goes on. If there is a ledger, invoices that have a link already are counted.

What the files needed to be read is kept with --save-profile NAME, for --profile NAME the next time: paylinks help profiles.`,
		Example: "  paylinks check invoices.csv\n  paylinks check invoices.csv --explain\n  paylinks check invoices.csv --currency USD --save-profile office\n  cat invoices.csv | paylinks check - --name november",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "the files can be run"),
			exit.Meaning(exit.Usage, "usage"),
			exit.Meaning(exit.Data, "a file is wrong or unreadable"),
			exit.Meaning(exit.Output, "standard output or the profile cannot be written"),
			exit.Meaning(exit.Ledger, "the ledger cannot be read"),
			exit.Meaning(exit.Config, "configuration: a wrong address or profile"),
		),
		RunE: func(cmd *cobra.Command, files []string) error {
			return runCheck(cmd.Context(), o, files, s)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.read.AddFlags(flags)
	o.piped.AddFlags(flags)
	o.read.AddEmpty(flags)
	o.save.AddFlags(flags)
	o.output.AddRejected(flags)
	o.expect.AddFlags(flags)
	o.target.AddFlags(flags)
	o.ledger.AddFlags(flags)
	flags.BoolVar(&o.json, "json", false, "each problem as a JSON object on a line of standard output: file, line, cell (of a workbook), column, value, kind, what, hint")
	flags.BoolVar(&o.explain, "explain", false, "print which column was taken for what, and how the file is read")
	o.output.AddForm(flags)
	return cmd
}

func runCheck(ctx context.Context, o checkOptions, files []string, s options.Streams) error {
	debug.SetGCPercent(50) // what a million rows leave behind is a third of the memory, and cheap to collect
	reading, err := o.read.Resolve(s, false)
	if err != nil {
		return err
	}
	t, err := o.target.Resolve(s)
	if err != nil {
		return err
	}
	if len(files) > 1 && (o.output.Rejected != "" || o.expect.Set()) {
		return exit.Failf(exit.Usage, "--rejected, --expect-rows and --expect-total are for one file")
	}
	if err := o.save.Check(s); err != nil {
		return err
	}
	if err := o.piped.Check(files); err != nil {
		return err
	}
	expect, err := o.expect.Resolve()
	if err != nil {
		return err
	}
	path, err := o.ledger.Resolve(s, t.Environment)
	if err != nil {
		return err
	}
	ledger, err := store.OpenToRead(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		ledger = nil
	case err != nil:
		return exit.Classify(err)
	default:
		defer ledger.Close()
	}
	if err := o.piped.KeepAside(ctx, files, s); err != nil {
		return err
	}
	defer o.piped.Close()
	batch, err := intake.Open(files, intake.Settings{
		Environment: t.Environment, BaseURL: t.BaseURL, Options: reading,
		RawCells: o.output.RawCells, BOM: o.output.BOM, Rejected: o.output.Rejected, Expect: expect, Piped: o.piped.Kept,
	})
	if err != nil {
		return exit.Classify(err)
	}
	if ledger != nil {
		if err := batch.Find(ctx, ledger); err != nil {
			return exit.Classify(err)
		}
	}
	check := checking{explain: o.explain, words: s.Err, profile: o.read.Used}
	if o.json {
		check.problems = s.Out
	}
	if err := check.all(ctx, batch); err != nil {
		return err
	}
	for _, f := range batch.Files {
		if f.Known != nil {
			if err := options.RefusePurged(s, ledger.Path(), *f.Known); err != nil {
				return err
			}
			fmt.Fprintf(s.Err, "%s is job %d already: running it again goes on with that\n", f.Path, f.Known.ID)
			continue
		}
		fmt.Fprintf(s.Err, "%s can be run\n", f.Path)
	}
	if o.save.Name != "" {
		return o.save.Save(s, o.read, batch.Files)
	}
	fmt.Fprint(s.Err, o.read.OfferProfile())
	return nil
}
