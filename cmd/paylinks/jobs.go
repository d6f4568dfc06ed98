package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/store"
)

// lookOptions are those of a command that only looks.
type lookOptions struct {
	target targetOptions
	ledger ledgerOptions
}

func (o *lookOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.target.env, "env", "", "environment `NAME`, whose ledger is meant: simulator's, or that of sandbox and production (default: CLINK_ENV, else sandbox)")
	o.ledger.addFlags(cmd.Flags())
}

// open opens the ledger that is meant.
func (o *lookOptions) open(ctx context.Context, s streams) (*store.Store, error) {
	environment, err := o.target.resolveEnvironment(s)
	if err != nil {
		return nil, err
	}
	return o.ledger.openToRead(ctx, s, environment)
}

// jobNumber reads a JOB argument, of a command that is to look for it in that ledger.
func jobNumber(arg string, s streams, target targetOptions, ledger ledgerOptions) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err == nil && id > 0 {
		return id, nil
	}
	environment, err := target.resolveEnvironment(s)
	if err != nil {
		return 0, err
	}
	path, err := ledger.resolve(s, environment)
	if err != nil {
		return 0, err
	}
	return 0, failf(exitUsage, "%q is not the number of a job", arg).withHint("see the numbers with: paylinks jobs%s", nextFlags(s, "", path))
}

// jobIn is the job of that number in the ledger.
func jobIn(ctx context.Context, s streams, ledger *store.Store, id int64) (job.Job, error) {
	j, err := ledger.Job(ctx, id)
	switch {
	case errors.Is(err, store.ErrNoJob):
		return j, failf(exitUsage, "%w", err).withHint("see the jobs with: paylinks jobs%s", nextFlags(s, "", ledger.Path()))
	case err != nil:
		return j, classify(err)
	}
	return j, nil
}

// readEnough has nothing to say where whoever read standard output has gone: | head has what it wanted.
func readEnough(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return exitWith(exitOutput)
	}
	return err
}

func newJobs(s streams) *cobra.Command {
	var o lookOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs in the ledger",
		Long: `jobs lists the jobs in the ledger, oldest first; also while a run goes on.

The column STATE says how far a job is:

  done        every row has a link
  unfinished  rows are left to be sent: paylinks resume
  in doubt    what is left are rows whose answer was lost: paylinks show JOB
  attention   nothing is left to be sent, but some rows have no link: paylinks
              show JOB

With --json each job is an object on a line of its own, with these keys: ` + jobKeys + `.`,
		Example: `  paylinks jobs
  paylinks jobs --env simulator
  paylinks jobs --json`,
		Annotations: exits(
			meaning{exitOK, "done"},
			meaning{exitUsage, "usage, or there is no ledger yet"},
			meaning{exitOutput, "standard output cannot be written"},
			meaning{exitLedger, "the ledger cannot be read"},
		),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return readEnough(runJobs(cmd.Context(), o, asJSON, s))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a job")
	o.addFlags(cmd)
	return cmd
}

func runJobs(ctx context.Context, o lookOptions, asJSON bool, s streams) error {
	ledger, err := o.open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	jobs, err := ledger.Jobs(ctx)
	if err != nil {
		return classify(err)
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(table, "JOB\tFILE\tENVIRONMENT\tSTARTED\tROWS\tLINKS\tOPEN\tSTATE")
	}
	for _, j := range jobs {
		tally, err := ledger.Tally(ctx, j.ID)
		if err != nil {
			return classify(err)
		}
		if asJSON {
			if err := writeJSON(s.out, jobObjectOf(j, tally)); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", j.ID, printable(filepath.Base(j.File)), j.Environment,
			moment(j.CreatedAt), tally.Rows(), tally.Linked(), tally.Open(), progressWord(tally))
	}
	return table.Flush()
}

// jobObject is a job for programs. Its keys are fixed; times are RFC 3339 in UTC, or "".
type jobObject struct {
	Job         int64           `json:"job"`
	File        string          `json:"file"`
	Environment job.Environment `json:"environment"`
	counts
	Output    string        `json:"output"`
	BaseURL   string        `json:"base_url"`
	OnUnknown job.Policy    `json:"on_unknown"`
	Open      int           `json:"open"`
	State     string        `json:"state"`
	StartedAt string        `json:"started_at"`
	LastRun   lastRunObject `json:"last_run"`
}

type lastRunObject struct {
	BeganAt string   `json:"began_at"`
	EndedAt string   `json:"ended_at"`
	Stop    job.Stop `json:"stop"`
	Reason  string   `json:"reason"`
}

// jobKeys is what the help says of jobObject.
const jobKeys = `job, file, environment, rows, created, duplicate, failed, invalid, unknown, pending, superseded, attempts,
possible_orphans, totals (of the amounts that have links, by currency), output, base_url, on_unknown, open, state, started_at,
last_run (began_at, ended_at, stop, reason; no end: it goes on, or was killed)`

func jobObjectOf(j job.Job, t job.Tally) jobObject {
	return jobObject{
		Job: j.ID, File: j.File, Environment: j.Environment, counts: countsOf(t), Output: j.Output, BaseURL: j.BaseURL,
		OnUnknown: j.OnUnknown, Open: t.Open(), State: progressWord(t), StartedAt: moment(j.CreatedAt),
		LastRun: lastRunObject{moment(j.LastRun.Began), moment(j.LastRun.Ended), j.LastRun.Stop, j.LastRun.Reason},
	}
}

// writeJSON writes the value as a line of JSON.
func writeJSON(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return failf(exitOutput, "write to standard output: %w", err)
	}
	return nil
}

// moment writes a time for people and programs; none is "".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
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
