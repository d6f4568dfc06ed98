package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/store"
)

type purgeOptions struct {
	look      options.Look
	olderThan string
	yes       bool
}

func newPurge(s options.Streams) *cobra.Command {
	var o purgeOptions
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Take customers' data out of old jobs in the ledger",
		Long: `purge takes the customers' data out of jobs that were begun before a time: the rows as they stood in the file, what was
sent, invoice ids, links, the words of errors, and folders. What recognises an invoice or a file stays, as a digest;
so do session ids, amounts, times and counts. A job that has open rows stays as it is, and so does one with a link
that can still be paid, as far as is known: refresh finds out. Without --yes it only says what it would do; --yes
must be typed here, PAYLINKS_YES does not count.

A purged job can be shown, and no more: its links file cannot be written again, and nothing of it can be sent. An
invoice of it in a new file is recognised: Clink is asked whether it was paid. Links files, rejected files and
backups that were made before are not touched.`,
		Example: "  paylinks purge --older-than 90d\n  paylinks purge --older-than 90d --yes",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done, or said what would be done"),
			exit.Meaning(exit.Usage, "usage, or there is no ledger yet"),
			exit.Meaning(exit.Ledger, "the ledger failed, or somebody reads it: run it again"),
			exit.Meaning(exit.Unfinished, "another run holds the ledger"),
		),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPurge(cmd.Context(), o, s)
		},
	}
	o.look.AddFlags(cmd)
	cmd.Flags().StringVar(&o.olderThan, "older-than", "", "`AGE` of a job at least, e.g. 90d, 12w or 2160h; required")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do it: this cannot be undone")
	helptext.OnlyTyped(cmd.Flags(), "yes")
	return cmd
}

// parseAge reads days, weeks or a Go duration, above 0.
func parseAge(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		number, ok := strings.CutSuffix(text, suffix)
		if n, err := strconv.Atoi(number); ok && err == nil && n > 0 && n <= 10_000 {
			return time.Duration(n) * unit, nil
		}
	}
	if age, err := time.ParseDuration(text); err == nil && age > 0 {
		return age, nil
	}
	if text == "" {
		return 0, exit.Failf(exit.Usage, "purge needs --older-than").WithHint("for example: paylinks purge --older-than 90d")
	}
	return 0, exit.Failf(exit.Usage, "--older-than %q is no age", text).WithHint("for example: --older-than 90d")
}

func runPurge(ctx context.Context, o purgeOptions, s options.Streams) (err error) {
	age, err := parseAge(o.olderThan)
	if err != nil {
		return err
	}
	ledger, changing, err := o.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	now := time.Now()
	old, err := ledger.Purgeable(ctx, now.Add(-age), now)
	if err != nil {
		return exit.Classify(err)
	}
	if len(old) == 0 {
		fmt.Fprintf(s.Err, "no job with customers' data was begun more than %s ago\n", o.olderThan)
	}
	goes := 0
	for _, p := range old {
		said := "would be purged"
		switch {
		case p.Kept():
			said = "stays, " + reasonsToStay(p, options.NextFlags(s, p.Environment, ledger.Path()))
		case o.yes:
			if err := purgeOne(changing, p.Job, now); err != nil {
				return exit.Classify(err)
			}
			said = "purged"
			goes++
		default:
			goes++
		}
		fmt.Fprintf(s.Out, "job %d (%s, %s, begun %s): %s\n", p.ID, words.Printable(p.FileName()), p.Environment, p.CreatedAt.Format(time.DateOnly), said)
	}
	if o.yes { // also where nothing goes: an earlier purge may have been cut off before it
		if err := changing.Scrub(); err != nil {
			if errors.Is(err, job.ErrDenied) {
				return exit.Classify(err).WithHint("what was purged is still in the database's files: let the role that owns the tables run the same command")
			}
			return exit.Classify(err).WithHint("end what reads the ledger, and run the same command again")
		}
		if goes > 0 && store.IsDatabase(ledger.Path()) {
			fmt.Fprintln(s.Err, "what the database server archives (WAL, base backups, dumps) keeps that data until it is deleted there")
		}
		return nil
	}
	if goes > 0 {
		fmt.Fprintf(s.Err, "next: nothing was done; purge %s with: paylinks purge --older-than %s --yes%s\n", words.Count(goes, "job"), o.olderThan, options.NextFlags(s, "", ledger.Path()))
	}
	return nil
}

// purgeOne purges the job, which no other process may send meanwhile.
func purgeOne(ledger store.Ledger, j job.Job, now time.Time) error {
	if err := ledger.Take(j.ID); err != nil {
		return err
	}
	if err := ledger.Purge(j, now); err != nil {
		return err
	}
	return ledger.Release(j.ID)
}

// open opens the ledger: to look, or, with --yes, to change it. One that is not there is not made.
func (o *purgeOptions) open(ctx context.Context, s options.Streams) (reader store.Reader, ledger store.Ledger, err error) {
	reader, err = o.look.Open(ctx, s)
	if err != nil || !o.yes {
		return reader, nil, err
	}
	if err := reader.Close(); err != nil {
		return nil, nil, exit.Classify(err)
	}
	environment, err := o.look.Target.ResolveEnvironment(s)
	if err != nil {
		return nil, nil, err
	}
	ledger, err = o.look.Ledger.OpenToSend(ctx, s, environment, "purge")
	return ledger, ledger, err
}

// reasonsToStay say why a job is not purged, and what can be done.
func reasonsToStay(p job.Purgeable, flags string) string {
	switch {
	case p.Open > 0 && p.Live > 0:
		return fmt.Sprintf("for %s and %s", words.Count(p.Open, "open row"), words.Count(p.Live, "live link"))
	case p.Open > 0:
		return fmt.Sprintf("for %s: paylinks show %d%s", words.Count(p.Open, "open row"), p.ID, flags)
	}
	return fmt.Sprintf("for %s, as far as is known: paylinks refresh %d%s", words.Count(p.Live, "live link"), p.ID, flags)
}
