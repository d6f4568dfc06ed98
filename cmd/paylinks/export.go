package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/engine"
)

func newExport(s options.Streams) *cobra.Command {
	var o options.Look
	var to options.Output
	cmd := &cobra.Command{
		Use:     "export JOB",
		Short:   "Write the links file again",
		Long:    "export writes a job's links file from the ledger; also while a run goes on. Where a later job writes that file now, --output says\nwhere to write this one's.",
		Example: "  paylinks export 1 --output links.csv\n  paylinks export 1 --output -",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done"),
			exit.Meaning(exit.Usage, "usage, no such job, or there is no ledger yet"),
			exit.Meaning(exit.Output, "the output cannot be written, or another file's or ledger's links are there"),
			exit.Meaning(exit.Ledger, "the ledger cannot be read"),
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExport(cmd.Context(), o, to, args[0], s)
		},
	}
	to.AddFlags(cmd.Flags(), "where the job's last run wrote it")
	o.AddFlags(cmd)
	return cmd
}

func runExport(ctx context.Context, o options.Look, to options.Output, arg string, s options.Streams) error {
	id, err := options.JobNumber(arg, s, o.Target, o.Ledger)
	if err != nil {
		return err
	}
	ledger, err := o.Open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	j, err := options.JobIn(ctx, s, ledger, id)
	if err != nil {
		return err
	}
	if err := options.RefusePurged(s, ledger.Path(), j); err != nil {
		return err
	}
	output := to.Path
	switch output {
	case "":
		output = j.Output
		if output == "" && j.OutputHost != "" {
			return exit.Failf(exit.Usage, "the links file of job %d is on another host, %s", id, words.Printable(j.OutputHost)).
				WithHint("say where to write one here: paylinks export %d -o PATH%s", id, options.NextFlags(s, j.Environment, ledger.Path()))
		}
		if output == "" {
			return exit.Failf(exit.Usage, "a later job writes the links file of job %d now", id).
				WithHint("say where to write this one's: paylinks export %d --output PATH%s", id, options.NextFlags(s, j.Environment, ledger.Path()))
		}
	default:
		if output, err = options.PlaceOf(output); err != nil {
			return err
		}
	}
	if options.SameFile(output, j.File) {
		return exit.Failf(exit.Usage, "%s is the job's input", output).WithHint("name another file with --output")
	}
	if err := options.SpareLedger(output, ledger); err != nil {
		return err
	}
	j.Output, j.RawCells, j.BOM = output, to.RawCells || j.RawCells, to.BOM || j.BOM
	if err := options.CheckReplaced(ctx, s, ledger, j); err != nil {
		return err
	}
	if err := engine.WriteLinks(ctx, ledger, j, s.Out); err != nil {
		if output == "-" {
			err = exit.ReadEnough(err)
		}
		return exit.Classify(err)
	}
	if output != "-" {
		fmt.Fprintf(s.Err, "links file: %s\n", output)
	}
	tally, err := ledger.Tally(ctx, id)
	if err != nil {
		return exit.Classify(err)
	}
	_, expired, err := engine.MadeAndExpired(ctx, ledger, j, tally, tally.Linked())
	if err != nil {
		return exit.Classify(err)
	}
	if expired > 0 {
		fmt.Fprintf(s.Err, "expired unpaid, as far as is known: %s of %s\nnext: %s\n", words.Grouped(expired), words.Count(tally.Linked(), "link"),
			report.NextSteps(j, []engine.Step{{Kind: engine.StepReissue, N: expired}}, "", options.NextFlags(s, j.Environment, ledger.Path())))
	}
	return nil
}
