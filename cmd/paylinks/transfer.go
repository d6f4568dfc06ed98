package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/progress"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/store"
	"paylinks/store/transfer"
)

type transferOptions struct {
	look   options.Look
	to     string
	cancel bool
	yes    bool
}

func newTransfer(s options.Streams) *cobra.Command {
	var o transferOptions
	cmd := &cobra.Command{
		Use:   "transfer",
		Short: "Move a ledger into another one: from a file to a database, or back",
		Long: `transfer moves all that a ledger has into the one that --to names, which must be new or empty: a file, or
postgres://… for one that several hosts share. It goes whole or not at all: rows and attempts are counted and
compared before the new ledger is opened. The old one then refuses to send, and says where it went; it can still be
looked at. No moment is left in which both may be sent from.

It begins only while nobody sends (75 otherwise). Interrupted, it is run again, and goes on where it was; or
--cancel takes it back, as long as the old ledger is not marked as moved. What the new ledger may have then must not
be used: delete it, or move the ledger there again.

A links file belongs to its host: in a file, a job keeps its own only where that is this host. Where the ledger has
jobs in production, a terminal is asked first; without one --yes is needed, typed here.`,
		Example: `  paylinks transfer --to postgres://paylinks@db.example.com/paylinks
  paylinks transfer --ledger postgres://paylinks@db.example.com/paylinks --to ledger.db
  paylinks transfer --to postgres://paylinks@db.example.com/paylinks --cancel`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done, now or before"),
			exit.Meaning(exit.Usage, "usage, there is no ledger yet, the new one has jobs, or not confirmed"),
			exit.Meaning(exit.Data, "what was read and what arrived differ; nothing was moved"),
			exit.Meaning(exit.Ledger, "a ledger or its disk failed, or the new one has lost what was moved there"),
			exit.Meaning(exit.Unfinished, "somebody sends, or changed the transfer meanwhile: run it again"),
			exit.Meaning(exit.Config, "one of the ledgers is part of another transfer, or it cannot be taken back any more"),
			exit.Meaning(exit.Interrupted, "interrupted: run it again, or take it back with --cancel"),
		),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runTransfer(cmd.Context(), o, s)
		},
	}
	o.look.AddFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "`LEDGER` to move to: a path, or postgres://…; required")
	flags.BoolVar(&o.cancel, "cancel", false, "take back a transfer that was broken off")
	flags.BoolVar(&o.yes, "yes", false, "move a ledger with jobs in production: it cannot be undone")
	for _, name := range []string{"to", "cancel", "yes"} {
		helptext.OnlyTyped(flags, name)
	}
	return cmd
}

func runTransfer(ctx context.Context, o transferOptions, s options.Streams) (err error) {
	environment, err := o.look.Target.ResolveEnvironment(s)
	if err != nil {
		return err
	}
	from, err := o.look.Ledger.Resolve(s, environment)
	if err != nil {
		return err
	}
	to, err := o.target(from)
	if err != nil {
		return err
	}
	if !o.cancel {
		if err := o.confirm(ctx, s, from, to); err != nil {
			return err
		}
	}
	holder := fmt.Sprintf("paylinks transfer (process %d, since %s)", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	source, err := store.OpenToTransfer(ctx, from, holder, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return noLedgerAt(from)
	}
	if err != nil {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	defer func() { err = options.Closed(source, err) }()
	if o.cancel {
		return o.takeBack(ctx, s, source, to, holder)
	}
	mark, err := source.Mark(ctx)
	if err == nil && mark.State == transfer.Open {
		err = source.Settle(ctx) // while somebody sends, no target is made
	}
	if err != nil {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	var made *transfer.Mark // what was moved is there, or lost: it is not made anew
	if mark.State != transfer.Moved {
		made = transfer.New(mark, source.Path())
	}
	target, err := store.OpenToTransfer(ctx, to, holder, made)
	if errors.Is(err, fs.ErrNotExist) && mark.State == transfer.Moved {
		err = transfer.ErrTargetLost
		if mark.Other != options.ShownName(to) {
			err = mark.Refusal()
		}
	}
	if err != nil {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	defer func() { err = options.Closed(target, err) }()
	return o.move(ctx, s, source, target)
}

// target is the name of the ledger to move to.
func (o *transferOptions) target(from string) (string, error) {
	switch {
	case o.to == "":
		return "", exit.Failf(exit.Usage, "transfer needs --to").WithHint("for example: paylinks transfer --to postgres://paylinks@db.example.com/paylinks")
	case store.HasPassword(o.to):
		return "", exit.Failf(exit.Usage, "--to has a password in it, which others can read in the list of processes").
			WithHint("leave it out, and give it by PGPASSWORD, PGPASSFILE, ~/.pgpass or a service file: paylinks help shared-ledger")
	case store.IsDatabase(o.to):
		if _, err := store.Shown(o.to); err != nil {
			return "", exit.Failf(exit.Usage, "%w", err).WithHint("see: paylinks help shared-ledger")
		}
		return o.to, nil
	}
	to, err := filepath.Abs(o.to)
	if err != nil {
		return "", exit.Failf(exit.Ledger, "ledger %s: %w", o.to, err)
	}
	if !store.IsDatabase(from) && options.SameFile(from, to) {
		return "", exit.Failf(exit.Usage, "%s is the ledger itself", o.to).WithHint("name another one with --to")
	}
	return to, nil
}

// confirm asks before a ledger with jobs in production is moved. One whose transfer has begun was asked about then.
func (o *transferOptions) confirm(ctx context.Context, s options.Streams, from, to string) error {
	ledger, err := store.OpenToRead(ctx, from)
	if errors.Is(err, fs.ErrNotExist) {
		return noLedgerAt(from)
	}
	if err != nil {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	defer ledger.Close()
	jobs, err := ledger.Jobs(ctx)
	if err != nil {
		return exit.Classify(err)
	}
	production := 0
	for _, j := range jobs {
		if j.Environment == job.Production {
			production++
		}
	}
	if production == 0 || o.yes || ledger.Transferred() != nil {
		return nil
	}
	what := fmt.Sprintf("move %s (%d of them in production) from %s to %s, and never send from the old ledger again",
		words.Count(len(jobs), "job"), production, ledger.Path(), options.ShownName(to))
	if !(options.IsTerminal(s.In) && options.IsTerminal(s.Err)) {
		return exit.Failf(exit.Usage, "the ledger has %s in production, and there is no terminal to ask at: nothing was moved", words.Count(production, "job")).
			WithHint("say --yes to %s", what)
	}
	return options.Confirm(ctx, false, job.Production, what, s)
}

func noLedgerAt(name string) *exit.Failure {
	return exit.Failf(exit.Usage, "there is no ledger at %s", options.ShownName(name)).WithHint("name the one to move with --ledger, or say --env simulator for the simulator's")
}

func (o *transferOptions) move(ctx context.Context, s options.Streams, source, target transfer.Ledger) error {
	console := progress.NewConsole(s.Err)
	show := report.TransferPrinter{To: console, Source: source.Path(), Target: target.Path()}
	if options.IsTerminal(s.Err) && s.Getenv("TERM") != "dumb" {
		show.Line = console.Line
	}
	result, err := transfer.Run(ctx, source, target, show.Step)
	show.Clear()
	if err != nil {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	show.Result(s.Err, result)
	return nil
}

// takeBack takes a transfer back. A target that is not there cannot have been opened.
func (o *transferOptions) takeBack(ctx context.Context, s options.Streams, source transfer.Ledger, to, holder string) error {
	target, err := store.OpenToTransfer(ctx, to, holder, nil)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	}
	there := err == nil
	if !there {
		target = nil
	} else {
		defer target.Close()
	}
	step, err := transfer.Cancel(ctx, source, target)
	switch {
	case err != nil:
		return exit.ClassifyTransfer(err, options.ShownName(o.to))
	case step == transfer.Done:
		fmt.Fprintf(s.Err, "%s is not being moved: there is nothing to take back\n", source.Path())
		return nil
	}
	fmt.Fprintf(s.Err, "taken back: %s can be sent from as before\n", source.Path())
	if there {
		fmt.Fprintf(s.Err, "what is at %s must not be used: delete it, or move the ledger there again\n", target.Path())
	}
	return nil
}
