package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/store"
)

type resumeOptions struct {
	target targetOptions
	ledger ledgerOptions
	send   sendOptions
	output string
}

func (o *resumeOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.output, "output", "o", "", "write the links file of JOB to `PATH`; - is standard output (default: where the job's last run wrote it)")
	o.target.addFlags(flags)
	o.ledger.addFlags(flags)
	o.send.addFlags(flags)
}

func newResume(s streams) *cobra.Command {
	var o resumeOptions
	cmd := &cobra.Command{
		Use:   "resume [JOB]",
		Short: "Go on with a job, or with every unfinished one, oldest first, without its file",
		Long: `resume sends what a stopped run left open, from the ledger alone, and writes the links file again. Each job goes
on in its own environment, at its own address; without JOB, --env or CLINK_ENV takes only those of that environment,
and --base-url those of that address. Failed rows are not sent again: that is what paylinks retry is for.

` + summaryHelp,
		Annotations: exits(meanings...),
		Example:     "  paylinks resume\n  paylinks resume 1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.send.measured("resume", s, func() error { return runResume(cmd.Context(), o, args, s) })
		},
	}
	o.addFlags(cmd)
	return cmd
}

func runResume(ctx context.Context, o resumeOptions, args []string, s streams) (err error) {
	var id int64
	if len(args) == 1 {
		if id, err = jobNumber(args[0], s, o.target, o.ledger); err != nil {
			return err
		}
	}
	ledger, err := o.open(s, "resume")
	if err != nil {
		return err
	}
	defer func() { err = closed(ledger, err) }()
	if id > 0 {
		j, err := o.job(ctx, s, ledger, id)
		if err != nil {
			return err
		}
		if err := o.ready(ctx, s, []job.Job{j}); err != nil {
			return err
		}
		return o.goOn(ctx, ledger, []job.Job{j}, s)
	}
	if o.output != "" {
		return failf(exitUsage, "--output is for one job").withHint("name the job: paylinks resume JOB --output PATH%s", nextFlags(s, "", ledger.Path()))
	}
	scope, err := o.target.scope(s)
	if err != nil {
		return err
	}
	jobs, others, err := o.unfinished(ctx, ledger, scope)
	if err != nil {
		return err
	}
	jobs, blocked := o.writable(jobs, ledger, "resume", s)
	switch {
	case o.send.quiet:
	case len(others) > 0:
		fmt.Fprintln(s.err, leftOut(s, scope, others, ledger.Path()))
	case len(jobs) == 0 && blocked == nil:
		fmt.Fprintf(s.err, "no job has rows left to send; for failed rows see: paylinks jobs%s\n", nextFlags(s, "", ledger.Path()))
	}
	if err := o.ready(ctx, s, jobs); err != nil {
		return err
	}
	return withBlocked(o.goOn(ctx, ledger, jobs, s), blocked, s)
}

// job is the job that was named, with its links file where --output says.
func (o *resumeOptions) job(ctx context.Context, s streams, ledger *store.Store, id int64) (job.Job, error) {
	j, err := jobIn(ctx, s, ledger, id)
	if err != nil {
		return j, err
	}
	if err := refusePurged(s, ledger, j); err != nil {
		return j, err
	}
	if o.output == "" {
		return j, nil
	}
	if j.Output, err = placeOf(o.output); err != nil {
		return j, err
	}
	if sameFile(j.Output, j.File) {
		return j, failf(exitUsage, "%s is the job's input", o.output).withHint("name another file with --output")
	}
	return j, spareLedger(j.Output, ledger)
}

// tryOutput finds out whether the job's links can be written, also beside the summary of --json.
func (o *resumeOptions) tryOutput(j job.Job) error {
	if o.send.json && j.Output == "-" {
		return failf(exitUsage, "the links go to standard output, and --json needs that").withHint("name a file with --output PATH")
	}
	return tryOutput(j.Output)
}

// writable leaves out the jobs whose links cannot be written, so that one folder that is gone does not keep all
// others waiting. blocked says which job that is, or the first of several, and how the command, doing, gets on with it; the
// others are named on standard error.
func (o *resumeOptions) writable(jobs []job.Job, ledger *store.Store, doing string, s streams) (good []job.Job, blocked error) {
	for _, j := range jobs {
		err := o.tryOutput(j)
		switch {
		case err == nil:
			good = append(good, j)
			continue
		case blocked != nil:
			fmt.Fprintf(s.err, "paylinks: error: job %d: %v\n", j.ID, err)
			continue
		}
		blocked = failf(exitOutput, "job %d: %w", j.ID, err).withHint("paylinks %s %d --output PATH%s", doing, j.ID, nextFlags(s, j.Environment, ledger.Path()))
	}
	return good, blocked
}

// withBlocked is what a command ends with: err, of the jobs that it worked on, or blocked, of the one that writable left out. A
// status that stops a run goes before blocked, which then has a line on standard error; one that asks for attention does not.
func withBlocked(err, blocked error, s streams) error {
	switch {
	case blocked == nil:
		return err
	case err == nil || classify(err).status == exitAttention:
		return blocked
	}
	fmt.Fprintf(s.err, "paylinks: error: %v\n", blocked)
	return err
}

// open opens an existing ledger for sending.
func (o *resumeOptions) open(s streams, doing string) (*store.Store, error) {
	environment, err := o.target.resolveEnvironment(s)
	if err != nil {
		return nil, err
	}
	path, err := o.ledger.resolve(s, environment)
	if err != nil {
		return nil, err
	}
	// A ledger that is not there must not be made: there would be nothing to go on with.
	existing, err := o.ledger.openToRead(context.Background(), s, environment)
	var newer *store.VersionError
	switch {
	case err == nil:
		if err := existing.Close(); err != nil {
			return nil, classify(err)
		}
	case errors.As(err, &newer) && newer.Found < newer.Known: // opening it to send brings it up to date
	default:
		return nil, err
	}
	o.ledger.path = path
	return o.ledger.openToSend(s, environment, doing)
}

// unfinished are the jobs in scope with open rows, oldest first: also those whose open rows all wait for a person, so that
// they are told of. others are those out of scope.
func (o *resumeOptions) unfinished(ctx context.Context, ledger *store.Store, scope target) (open, others []job.Job, err error) {
	all, err := ledger.Jobs(ctx)
	if err != nil {
		return nil, nil, classify(err)
	}
	for _, j := range all {
		tally, err := ledger.Tally(ctx, j.ID)
		if err != nil {
			return nil, nil, classify(err)
		}
		switch {
		case tally.Open() == 0:
		case scope.holds(j):
			open = append(open, j)
		default:
			others = append(others, j)
		}
	}
	return open, others, nil
}

// leftOut lists the jobs that are out of scope, and the commands that go on with them.
func leftOut(s streams, scope target, jobs []job.Job, ledger string) string {
	var places []target
	numbers := map[target][]string{}
	for _, j := range jobs {
		place := target{environment: j.Environment}
		if scope.baseURL != "" {
			place.baseURL = j.BaseURL
		}
		if numbers[place] == nil {
			places = append(places, place)
		}
		numbers[place] = append(numbers[place], fmt.Sprintf("job %d", j.ID))
	}
	var parts []string
	for _, place := range places {
		flags := flagsAt(s, place.environment, ledger)
		if place.baseURL != "" && place.baseURL != job.InProcess {
			flags += " --base-url " + shellQuoted(place.baseURL)
		}
		parts = append(parts, fmt.Sprintf("%s of %s, go on with: paylinks resume%s", strings.Join(numbers[place], ", "), place.environment, flags))
	}
	return "left out: " + strings.Join(parts, "; ")
}

// ready makes sure that the jobs may be sent and that their outputs can be written, and asks a person where one must
// be asked. A --env or --base-url that differs from a job's own is refused.
func (o *resumeOptions) ready(ctx context.Context, s streams, jobs []job.Job) error {
	if err := o.send.check(); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := o.admit(s, j); err != nil {
			return err
		}
		if _, err := o.target.key(s, j.Environment, ""); err != nil {
			return err
		}
		if err := o.tryOutput(j); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if err := confirm(ctx, o.send.yes, j.Environment, fmt.Sprintf("go on with job %d, %s", j.ID, j.File), s); err != nil {
			return err
		}
	}
	return nil
}

// goOn finishes the jobs, each in its own environment and at its own address.
func (o *resumeOptions) goOn(ctx context.Context, ledger *store.Store, jobs []job.Job, s streams) error {
	return eachJob(jobs, targetOf, func(j job.Job) (int, bool, error) {
		if o.send.onUnknown != "" {
			j.OnUnknown = job.Policy(o.send.onUnknown)
		}
		if err := ledger.Remember(j); err != nil {
			return 0, true, classify(err)
		}
		return o.with(ledger, j, s, func(e *engine) (int, bool, error) { return e.finish(ctx, j, "") })
	})
}

// admit refuses a job that is not where the flags say, or in production without a word.
func (o *resumeOptions) admit(s streams, j job.Job) error {
	if o.target.env != "" && job.Environment(o.target.env) != j.Environment {
		return failf(exitConfig, "job %d belongs to %s, and --env says %s", j.ID, j.Environment, o.target.env).
			withHint("leave out --env: a job keeps its own")
	}
	if o.target.baseURL != "" {
		t, err := o.target.resolve(s)
		if err != nil {
			return err
		}
		if t.baseURL != j.BaseURL {
			return failf(exitConfig, "job %d was begun at %s, and --base-url says %s", j.ID, j.BaseURL, t.baseURL).
				withHint("leave out --base-url: a job keeps its own; to send the file elsewhere, use paylinks run")
		}
	}
	return o.send.checkProduction(s, j.Environment, "add --yes")
}

// with has do work on the job by an engine for the job's environment and address.
func (o *resumeOptions) with(ledger *store.Store, j job.Job, s streams, do func(*engine) (int, bool, error)) (int, bool, error) {
	key, err := o.target.key(s, j.Environment, "")
	if err != nil {
		return 0, true, err
	}
	e, err := newEngine(s, ledger, &o.send, targetOf(j), key)
	if err != nil {
		return 0, true, err
	}
	defer e.close()
	return do(e)
}
