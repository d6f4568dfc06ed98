package main

import (
	"context"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
)

// lookOptions are those of a command that only looks.
type lookOptions struct {
	target targetOptions
	ledger ledgerOptions
}

func (o *lookOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.target.env, "env", "", "whose ledger: simulator's, or that of sandbox and production (default: CLINK_ENV, else sandbox)")
	o.ledger.addFlags(cmd.Flags())
}

func newJobs(s streams) *cobra.Command {
	var o lookOptions
	cmd := &cobra.Command{
		Use:     "jobs",
		Short:   "List the jobs in the ledger",
		Long:    "jobs lists the jobs in the ledger, oldest first; also while another run goes on.\n\nExit status: 0; 64 usage, or there is no ledger yet; 74 the ledger cannot be read.",
		Example: "  paylinks jobs\n  paylinks jobs --env simulator",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runJobs(cmd.Context(), o, s)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func runJobs(ctx context.Context, o lookOptions, s streams) error {
	environment, err := o.target.resolveEnvironment(s)
	if err != nil {
		return err
	}
	ledger, err := o.ledger.openToRead(ctx, s, environment)
	if err != nil {
		return err
	}
	defer ledger.Close()
	jobs, err := ledger.Jobs(ctx)
	if err != nil {
		return classify(err)
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tFILE\tENVIRONMENT\tSTARTED\tROWS\tLINKS\tOPEN\tSTATE")
	for _, j := range jobs {
		tally, err := ledger.Tally(ctx, j.ID)
		if err != nil {
			return classify(err)
		}
		open := tally.Open()
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", j.ID, filepath.Base(j.File), j.Environment,
			j.CreatedAt.Format(time.RFC3339), tally.Rows(), tally.Linked(), open, progressWord(tally))
	}
	return table.Flush()
}

// progressWord says in a word how far a job is.
func progressWord(t job.Tally) string {
	switch {
	case t.Items[job.Pending]+t.Items[job.Sending] > 0:
		return "unfinished"
	case t.Items[job.Unknown] > 0:
		return "in doubt"
	case t.Linked() < t.Rows():
		return "attention"
	}
	return "done"
}
