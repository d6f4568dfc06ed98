package options

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/store"
)

// Look are those of a command that only looks.
type Look struct {
	Target Target
	Ledger Ledger
}

// AddFlags adds the flags that say which ledger is meant.
func (o *Look) AddFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.Target.Env, "env", "", "environment `NAME`, whose ledger is meant: simulator's, or that of sandbox and production (default: CLINK_ENV, else sandbox)")
	o.Ledger.AddFlags(cmd.Flags())
}

// Open opens the ledger that is meant.
func (o *Look) Open(ctx context.Context, s Streams) (store.Reader, error) {
	environment, err := o.Target.ResolveEnvironment(s)
	if err != nil {
		return nil, err
	}
	return o.Ledger.OpenToRead(ctx, s, environment)
}

// JobNumber reads a JOB argument, of a command that is to look for it in that ledger.
func JobNumber(arg string, s Streams, target Target, ledger Ledger) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err == nil && id > 0 {
		return id, nil
	}
	environment, err := target.ResolveEnvironment(s)
	if err != nil {
		return 0, err
	}
	path, err := ledger.Resolve(s, environment)
	if err != nil {
		return 0, err
	}
	return 0, exit.Failf(exit.Usage, "%q is not the number of a job", arg).WithHint("see the numbers with: paylinks jobs%s", NextFlags(s, "", path))
}

// jobLedger is what looking a job up asks of a ledger.
type jobLedger interface {
	Job(ctx context.Context, id int64) (job.Job, error)
	Path() string
}

// JobIn is the job of that number in the ledger.
func JobIn(ctx context.Context, s Streams, ledger jobLedger, id int64) (job.Job, error) {
	j, err := ledger.Job(ctx, id)
	switch {
	case errors.Is(err, job.ErrNoJob):
		return j, exit.Failf(exit.Usage, "%w", err).WithHint("see the jobs with: paylinks jobs%s", NextFlags(s, "", ledger.Path()))
	case err != nil:
		return j, exit.Classify(err)
	}
	return j, nil
}

// RefusePurged refuses to write or send anything of a job that has been purged.
func RefusePurged(s Streams, ledger string, j job.Job) error {
	if j.PurgedAt.IsZero() {
		return nil
	}
	return exit.Failf(exit.Usage, "job %d was purged at %s: its rows are no longer in the ledger, so there is nothing to send or to write", j.ID, words.Moment(j.PurgedAt)).
		WithHint("see what is left of it with: paylinks show %d%s", j.ID, NextFlags(s, j.Environment, ledger))
}
