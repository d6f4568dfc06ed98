package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/store"
)

func newShow(s streams) *cobra.Command {
	var o lookOptions
	var attempts bool
	cmd := &cobra.Command{
		Use:     "show JOB",
		Short:   "Show one job: counts, totals, problems; --attempts for the whole record",
		Long:    "show prints what a person needs who has to do with the job; also while a run goes on.\n\nExit status: 0; 64 usage, or no such job; 74 the ledger cannot be read.",
		Example: "  paylinks show 3\n  paylinks show 3 --attempts",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runShow(cmd.Context(), o, attempts, args[0], s)
		},
	}
	cmd.Flags().BoolVar(&attempts, "attempts", false, "every attempt on record, and the sessions that may exist without being published")
	o.addFlags(cmd)
	return cmd
}

// rowsShown is how many rows with a problem show lists: a screen full.
const rowsShown = 20

func runShow(ctx context.Context, o lookOptions, attempts bool, arg string, s streams) error {
	id, err := jobNumber(arg)
	if err != nil {
		return err
	}
	environment, err := o.target.resolveEnvironment(s)
	if err != nil {
		return err
	}
	ledger, err := o.ledger.openToRead(ctx, s, environment)
	if err != nil {
		return err
	}
	defer ledger.Close()
	j, err := ledger.Job(ctx, id)
	if err != nil {
		return classify(err)
	}
	tally, err := ledger.Tally(ctx, id)
	if err != nil {
		return classify(err)
	}
	fmt.Fprintf(s.out, "job %d: %s\n", j.ID, j.File)
	facts := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(facts, "  environment\t%s, %s\n", j.Environment, j.BaseURL)
	fmt.Fprintf(facts, "  started\t%s\n", j.CreatedAt.Format(time.RFC3339))
	fmt.Fprintf(facts, "  on unknown\t%s\n", j.OnUnknown)
	fmt.Fprintf(facts, "  rows\t%s\n", stateCounts(tally))
	if !j.RefreshedAt.IsZero() {
		links, err := ledger.LinkTally(ctx, id)
		if err != nil {
			return classify(err)
		}
		fmt.Fprintf(facts, "  refreshed\t%s: %s\n", j.RefreshedAt.Format(time.RFC3339), linkCounts(links))
	}
	if totals := tally.Totals(job.Created, job.Duplicate); len(totals) > 0 {
		fmt.Fprintf(facts, "  with links\t%s\n", amounts(totals))
	}
	fmt.Fprintf(facts, "  attempts\t%d\n", tally.AllAttempts())
	fmt.Fprintf(facts, "  possible orphans\t%d\n", tally.PossibleOrphans())
	fmt.Fprintf(facts, "  links file\t%s\n", j.Output)
	if err := facts.Flush(); err != nil {
		return err
	}
	if err := showProblems(ctx, s, ledger, id); err != nil {
		return err
	}
	if err := showOrphans(ctx, s, ledger, id); err != nil {
		return err
	}
	if attempts {
		return showAttempts(ctx, s, ledger, id)
	}
	return nil
}

// showOrphans lists the first attempts whose session may exist at Clink without being published.
func showOrphans(ctx context.Context, s streams, ledger *store.Store, id int64) error {
	shown := 0
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for a, err := range ledger.Attempts(ctx, id, true) {
		if err != nil {
			return classify(err)
		}
		if shown == 0 {
			fmt.Fprintln(table, "\nPOSSIBLE EXTRA SESSIONS, which nobody has seen the link of\nROW\tREFERENCE\tATTEMPT\tSENT\tSESSION")
		}
		if shown++; shown > rowsShown {
			fmt.Fprintf(table, "…\tall of them: paylinks show %d --attempts\t\t\t\n", id)
			break
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\n", a.Row, printable(a.Reference), a.Number, clock(a.SentAt), orDash(a.SessionID))
	}
	return table.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// showProblems lists the first rows that have no link, with the reason.
func showProblems(ctx context.Context, s streams, ledger *store.Store, id int64) error {
	shown := 0
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for r, err := range ledger.Results(ctx, id, job.Failed, job.Invalid, job.Unknown, job.Sending, job.Pending, job.Superseded) {
		if err != nil {
			return classify(err)
		}
		if r.Error == "" {
			continue
		}
		if shown == 0 {
			fmt.Fprintln(table, "\nROW\tSTATE\tREFERENCE\tCODE\tREASON")
		}
		if shown++; shown > rowsShown {
			fmt.Fprintln(table, "…\t\t\t\tthe rest stands in the links file")
			break
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", r.Row, r.State, printable(r.Reference), printable(r.ErrorCode), printable(r.Error))
	}
	return table.Flush()
}

func showAttempts(ctx context.Context, s streams, ledger *store.Store, id int64) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nROW\tREFERENCE\tATTEMPT\tSENT\tENDED\tOUTCOME\tHTTP\tCODE\tSESSION\tPOSSIBLE ORPHAN\tREASON")
	for a, err := range ledger.Attempts(ctx, id, false) {
		if err != nil {
			return classify(err)
		}
		outcome, orphan := string(a.Outcome), ""
		if outcome == "" {
			outcome = "on its way"
		}
		switch a.Outcome {
		case "", job.OutcomeUnknown, job.OutcomeMismatch:
			orphan = "yes"
		}
		reason := a.Message
		if !a.Replaced.IsZero() {
			reason = "expired unpaid, given up for a new link at " + clock(a.Replaced)
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", a.Row, printable(a.Reference), a.Number,
			clock(a.SentAt), clock(a.EndedAt), outcome, a.Status, printable(a.Code), printable(a.SessionID), orphan, printable(reason))
	}
	return table.Flush()
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
