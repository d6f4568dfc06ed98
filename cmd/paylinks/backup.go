package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/store"
)

func newBackup(s options.Streams) *cobra.Command {
	var o options.Look
	cmd := &cobra.Command{
		Use:   "backup PATH",
		Short: "Copy the ledger, also while a run goes on",
		Long: `backup copies the ledger as it is at one moment to PATH, whole or not at all. Copying the file by other means while a
run goes on can miss what stands in its -wal file. An earlier backup at PATH is replaced. A ledger in PostgreSQL is backed
up by PostgreSQL's own tools: see paylinks help shared-ledger.`,
		Example: "  paylinks backup ledger.backup.db",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done"),
			exit.Meaning(exit.Usage, "usage, or there is no ledger yet"),
			exit.Meaning(exit.Output, "PATH is something else"),
			exit.Meaning(exit.Ledger, "the ledger cannot be read, or the copy cannot be written"),
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBackup(cmd.Context(), o, args[0], s)
		},
	}
	o.AddFlags(cmd)
	return cmd
}

func runBackup(ctx context.Context, o options.Look, path string, s options.Streams) error {
	environment, err := o.Target.ResolveEnvironment(s)
	if err != nil {
		return err
	}
	name, err := o.Ledger.Resolve(s, environment)
	if err != nil {
		return err
	}
	if store.IsDatabase(name) {
		return exit.Failf(exit.Usage, "a ledger in PostgreSQL is backed up by PostgreSQL's own tools, not by paylinks").
			WithHint("pg_dump --schema for a copy of one moment; base backups with an archive of the WAL to lose nothing: paylinks help shared-ledger")
	}
	ledger, err := o.Open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	place, err := options.PlaceOf(path)
	if err != nil {
		return err
	}
	if options.IsOf(ledger, place) {
		return exit.Failf(exit.Usage, "%s is the ledger, or belongs to it", path).WithHint("name another file")
	}
	err = ledger.Backup(ctx, path)
	if errors.Is(err, job.ErrNotBackup) {
		return exit.Failf(exit.Output, "%s is there already, and is no backup", path).WithHint("it has not been touched; name another file")
	}
	if err != nil {
		return exit.Classify(err)
	}
	fmt.Fprintf(s.Err, "backup: %s\n", path)
	return nil
}
