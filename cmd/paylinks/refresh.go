package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/store"
)

func newRefresh(s streams) *cobra.Command {
	var o resumeOptions
	cmd := &cobra.Command{
		Use:   "refresh [JOB]",
		Short: "Ask Clink how far the links of a job, or of all jobs, are: paid, processing, open or expired",
		Long: `refresh asks Clink about each link, at the pace of a run, and writes the links file again with two more columns:
link_status (paid, processing, open or expired) and checked_at. Nothing is sent, and no row changes its state. What
is paid, or has expired unpaid, is final and not asked about again. Without JOB it takes every job that has a
link left to ask about, oldest first; with --env or CLINK_ENV only those of that environment.

With --json the summary is one object a job, with these keys: job, file, environment, links, paid, processing, open, expired,
unchecked, unanswered, paid_totals, output, seconds.`,
		Example: "  paylinks refresh\n  paylinks refresh 1",
		Annotations: exits(
			meaning{exitOK, "Clink has answered for every link"},
			meaning{exitUsage, "usage, no such job, or there is no ledger yet"},
			meaning{exitOutput, "an output cannot be written"},
			meaning{exitLedger, "the ledger or the disk failed"},
			meaning{exitUnfinished, "Clink has not answered for some links, running again asks about them"},
			meaning{exitKey, "Clink refused the key"},
			meaning{exitConfig, "configuration: no key, a wrong address"},
			meaning{exitInterrupted, "interrupted; what was answered is saved"},
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRefresh(cmd.Context(), o, args, s)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.output, "output", "o", "", "write the links file of JOB to `PATH`; - is standard output (default: where the job's last run wrote it)")
	o.target.addFlags(flags)
	o.ledger.addFlags(flags)
	o.send.addPace(flags)
	o.send.addShown(flags)
	o.send.limit = -1
	o.send.yes = true // nothing is sent: production needs no word
	return cmd
}

func runRefresh(ctx context.Context, o resumeOptions, args []string, s streams) (err error) {
	var id int64
	if len(args) == 1 {
		if id, err = jobNumber(args[0], s, o.target, o.ledger); err != nil {
			return err
		}
	}
	ledger, err := o.open(s, "refresh")
	if err != nil {
		return err
	}
	defer func() { err = closed(ledger, err) }()
	started := time.Now()
	var jobs []job.Job
	var blocked error
	if id > 0 {
		j, err := o.job(ctx, s, ledger, id)
		if err != nil {
			return err
		}
		jobs = []job.Job{j}
	} else {
		if o.output != "" {
			return failf(exitUsage, "--output is for one job").withHint("name the job: paylinks refresh JOB --output PATH%s", nextFlags(s, "", ledger.Path()))
		}
		if jobs, err = o.withLinks(ctx, ledger, o.target.named(s), started); err != nil {
			return err
		}
		jobs, blocked = o.writable(jobs, ledger, "refresh", s)
		if len(jobs) == 0 && blocked == nil && !o.send.quiet {
			fmt.Fprintln(s.err, "no job has a link that is left to ask about")
		}
	}
	if err := o.ready(ctx, s, jobs); err != nil {
		return err
	}
	err = eachJob(jobs, targetOf, func(j job.Job) (int, bool, error) {
		return o.with(ledger, j, s, func(e *engine) (int, bool, error) { return e.refresh(ctx, j, started) })
	})
	return withBlocked(err, blocked, s)
}

// withLinks are the jobs, of all environments or of the one that is named, that have a link whose status is not final, oldest first.
func (o *resumeOptions) withLinks(ctx context.Context, ledger *store.Store, named job.Environment, at time.Time) ([]job.Job, error) {
	all, err := ledger.Jobs(ctx)
	if err != nil {
		return nil, classify(err)
	}
	var jobs []job.Job
	for _, j := range all {
		if !j.PurgedAt.IsZero() || named != "" && named != j.Environment {
			continue
		}
		n, err := ledger.Unasked(ctx, job.Question{JobID: j.ID, At: at})
		if err != nil {
			return nil, classify(err)
		}
		if n > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// refresh asks about the job's links, writes its links file and sums up. at is when the command began: a link that
// several jobs report is asked about once. stopped is as eachJob takes it: a link that stays unclear keeps no other job waiting.
func (e *engine) refresh(ctx context.Context, j job.Job, at time.Time) (status int, stopped bool, err error) {
	started := time.Now()
	after := context.WithoutCancel(ctx) // what was answered is written even when interrupted
	asking := job.Question{JobID: j.ID, At: at}
	before, err := e.ledger.Unasked(after, asking)
	if err != nil {
		return 0, true, classify(err)
	}
	show := e.newProgress(ctx, j, nil, before, "links", before)
	runner := e.runner(j, show, map[job.LinkStatus]int{})
	o := refreshed{outcome: outcome{job: j, report: runner.Refresh(ctx, asking), flags: nextFlags(e.s, j.Environment, e.ledger.Path())}}
	show.close()
	if o.unasked, err = e.ledger.Unasked(after, asking); err != nil {
		return 0, true, classify(err)
	}
	if o.report.Stop != job.LedgerFailed {
		o.job.RefreshedAt = time.Now()
		if err := e.ledger.Refreshed(j.ID, o.job.RefreshedAt); err != nil {
			return 0, true, classify(err)
		}
	}
	o.status = statusOf(o.report, job.NewTally(), o.unasked)
	if outputErr := e.writeLinks(after, o.job); outputErr != nil {
		o.outputErr = classify(outputErr)
		o.status = o.outputErr.status
	}
	if o.links, err = e.ledger.LinkTally(after, j.ID); err != nil {
		return 0, true, classify(err)
	}
	if o.paid, err = e.ledger.PaidTotals(after, j.ID); err != nil {
		return 0, true, classify(err)
	}
	o.took = time.Since(started)
	return o.status, o.report.Stop != job.Finished || o.outputErr != nil, e.sumUpLinks(o)
}

// refreshed is what a refresh found out about a job.
type refreshed struct {
	outcome
	links job.LinkTally
	paid  map[string]string // amounts by currency
}

// linkSummary is that for programs. Its keys are fixed; Unchecked counts the links that Clink has never spoken of, and
// Unanswered those that it did not speak of this time.
type linkSummary struct {
	Job         int64             `json:"job"`
	File        string            `json:"file"`
	Environment job.Environment   `json:"environment"`
	Links       int               `json:"links"`
	Paid        int               `json:"paid"`
	Processing  int               `json:"processing"`
	Open        int               `json:"open"`
	Expired     int               `json:"expired"`
	Unchecked   int               `json:"unchecked"`
	Unanswered  int               `json:"unanswered"`
	PaidTotals  map[string]string `json:"paid_totals"`
	Output      string            `json:"output"`
	Seconds     float64           `json:"seconds"`
}

// sumUpLinks prints what was found out: JSON on standard output, or some lines for a person on standard error.
func (e *engine) sumUpLinks(o refreshed) error {
	if e.options.json {
		line, err := json.Marshal(linkSummary{
			Job:         o.job.ID,
			File:        o.job.File,
			Environment: o.job.Environment,
			Links:       o.links.All(),
			Paid:        o.links[job.LinkPaid],
			Processing:  o.links[job.LinkProcessing],
			Open:        o.links[job.LinkOpen],
			Expired:     o.links[job.LinkExpired],
			Unchecked:   o.links[""],
			Unanswered:  o.unasked,
			PaidTotals:  o.paid,
			Output:      o.job.Output,
			Seconds:     inSeconds(o.took),
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.s.out, "%s\n", line); err != nil {
			return failf(exitOutput, "write the summary: %w", err)
		}
	}
	e.complain(o.outcome)
	if e.options.quiet && o.status == exitOK {
		return nil
	}
	fmt.Fprint(e.console, o.lines())
	return nil
}

// lines are what was found out, for a person.
func (o refreshed) lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "job %d (%s, %s): %s\n", o.job.ID, filepath.Base(o.job.File), o.job.Environment, linkCounts(o.links))
	if len(o.paid) > 0 {
		fmt.Fprintf(&b, "  paid: %s\n", amounts(o.paid))
	}
	if o.outputErr == nil {
		b.WriteString(linksFileLine(o.job, o.flags))
	}
	switch {
	case o.unasked > 0:
		fmt.Fprintf(&b, "next: Clink has said nothing about %s; ask again with: paylinks refresh %d%s\n", count(o.unasked, "link"), o.job.ID, o.flags)
	case o.links[job.LinkExpired] > 0:
		fmt.Fprintf(&b, "next: rows of this job whose link has expired get a new one with: paylinks reissue %d%s\n", o.job.ID, o.flags)
	}
	return b.String()
}

// linkCounts lists how many links are in which status.
func linkCounts(t job.LinkTally) string {
	parts := []string{count(t.All(), "link")}
	for _, status := range job.LinkStatuses {
		if n := t[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", grouped(fmt.Sprint(n)), status))
		}
	}
	if n := t[""]; n > 0 {
		parts = append(parts, grouped(fmt.Sprint(n))+" not known")
	}
	return strings.Join(parts, ", ")
}
