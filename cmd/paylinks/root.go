package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/progress"
)

// execute is the whole program: it returns the exit status.
func execute(ctx context.Context, args []string, s options.Streams) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(s.Err, "paylinks: error: this is a bug in paylinks: %v\nhint: what was sent is on record; run the same command again to go on, and report this\n", cause)
			status = exit.Bug
		}
	}()
	log.SetOutput(io.Discard) // net/http prints there what a broken server sent; our own log is elsewhere
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exit.OK
	}
	var f *exit.Failure
	if !errors.As(err, &f) { // of cobra's own making
		f = exit.Failf(exit.Usage, "%w", err).WithHint("see: paylinks help")
	}
	if f.Err != nil {
		fmt.Fprintf(s.Err, "paylinks: error: %v\n", f.Err)
	}
	if f.Hint != "" {
		fmt.Fprintf(s.Err, "hint: %s\n", f.Hint)
	}
	return f.Status
}

func newRoot(s options.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "paylinks",
		Short: "Turn an invoice file into payment links: one Clink checkout session per row",
		Long: `paylinks reads an invoice file (CSV, a row per customer and amount), creates one Clink checkout session per
row at a safe pace, and writes a CSV of the links and their expiry times. Every step is on record in a ledger, so
a run that stopped anywhere is finished by running it again.`,
		Example: `  paylinks check invoices.csv                  # what would be sent, without any network
  paylinks run invoices.csv --env simulator    # a rehearsal
  paylinks run invoices.csv                    # in Clink's sandbox`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(cmd, "command", args[0], "paylinks ")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return withHelp(cmd, options.SetFromEnvironment(cmd.Flags(), s.Env))
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		width := helptext.Width
		if options.IsTerminal(s.Out) {
			width = progress.TerminalWidth(s.Out)
		}
		fmt.Fprint(s.Out, helptext.Text(cmd, width, flagGroups))
	})
	root.SetFlagErrorFunc(flagError)
	help := newHelp(root)
	root.SetHelpCommand(help)
	root.AddCommand(
		newCheck(s), newRun(s), newResume(s), newRetry(s), newRefresh(s), newReissue(s), newAdopt(s), newProfiles(s), newJobs(s), newShow(s), newExport(s),
		newBackup(s), newPurge(s), newTransfer(s), newSimulator(s), newCompletion(s), newMan(root), newVersion(s), help,
	)
	root.AddCommand(topics()...)
	for _, cmd := range root.Commands() {
		helptext.NameArguments(cmd.Flags())
		complete(cmd, s)
		if cmd.Args == nil {
			cmd.Args = argumentsOf(cmd)
		}
		act := cmd.RunE
		if act == nil { // a topic
			continue
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return withHelp(cmd, exit.Own(act(cmd, args)))
		}
	}
	return root
}
