package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/store"
)

type showOptions struct {
	look     lookOptions
	attempts bool
	json     bool
}

func newShow(s streams) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show JOB",
		Short: "Show one job: counts, totals, what stopped it, problems; --attempts for the whole record",
		Long: `show prints on one screen what a person on call needs: how many rows are in which state, totals by currency, what stopped
the last run, the first problems with Clink's words, the sessions that may exist without being published, and the command to
go on with. It works while a run goes on, too.

With --json it is one object, with the keys of paylinks jobs --json (see paylinks help jobs), and: next (what to do, in words),
problems (each with row, state, invoice_id, reference, error_code, error) and extra_sessions (each an attempt); both lists in
full. With --attempts as well, each attempt follows as an object on a line of its own: row, reference, attempt, sent_at,
ended_at, outcome, status, code, message, session_id.`,
		Example: `  paylinks show 1
  paylinks show 1 --attempts
  paylinks show 1 --json`,
		Annotations: exits(
			meaning{exitOK, "done"},
			meaning{exitUsage, "usage, no such job, or there is no ledger yet"},
			meaning{exitOutput, "standard output cannot be written"},
			meaning{exitLedger, "the ledger cannot be read"},
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			return readEnough(runShow(cmd.Context(), o, args[0], s))
		},
	}
	cmd.Flags().BoolVar(&o.attempts, "attempts", false, "every attempt on record")
	cmd.Flags().BoolVar(&o.json, "json", false, "the same as JSON on standard output")
	o.look.addFlags(cmd)
	return cmd
}

// How many rows show lists: all of it is to fit on a screen.
const (
	problemRows = 8 // that only a person moves
	openRows    = 3 // that running again moves: their reasons are mostly the same
	extraRows   = 3 // possible extra sessions
)

func runShow(ctx context.Context, o showOptions, arg string, s streams) error {
	id, err := jobNumber(arg, s, o.look.target, o.look.ledger)
	if err != nil {
		return err
	}
	ledger, err := o.look.open(ctx, s)
	if err != nil {
		return err
	}
	defer ledger.Close()
	j, err := jobIn(ctx, s, ledger, id)
	if err != nil {
		return err
	}
	tally, err := ledger.Tally(ctx, id)
	if err != nil {
		return classify(err)
	}
	var links job.LinkTally
	if !j.RefreshedAt.IsZero() {
		if links, err = ledger.LinkTally(ctx, id); err != nil {
			return classify(err)
		}
	}
	sendable, waiting, err := ledger.Left(ctx, j, maxAttempts)
	if err != nil {
		return classify(err)
	}
	view := view{
		ledger: ledger, job: j, tally: tally, links: links, to: s.out, flags: nextFlags(s, j.Environment, ledger.Path()),
	}
	if j.PurgedAt.IsZero() {
		view.next = nextStep(j, j.LastRun.Stop, tally, sendable, waiting, view.flags)
	}
	switch {
	case o.json:
		return view.object(ctx, o.attempts)
	case o.attempts:
		return view.record(ctx)
	}
	return view.screen(ctx)
}

// view is a job as show prints it.
type view struct {
	ledger *store.Store
	job    job.Job
	tally  job.Tally
	links  job.LinkTally // nil before the first refresh
	next   string        // see nextStep
	flags  string        // see nextFlags
	to     io.Writer
}

func (v view) screen(ctx context.Context) error {
	if err := v.facts(); err != nil {
		return err
	}
	if err := v.problemTable(ctx); err != nil {
		return err
	}
	if err := v.extraTable(ctx); err != nil {
		return err
	}
	if v.next == "" {
		return nil
	}
	_, err := fmt.Fprintf(v.to, "\nnext: %s\n", v.next)
	return err
}

func (v view) facts() error {
	j, tally := v.job, v.tally
	table := v.table()
	fmt.Fprintf(v.to, "job %d: %s\n", j.ID, printable(j.File))
	fmt.Fprintf(table, "  environment\t%s, %s\n", j.Environment, j.BaseURL)
	fmt.Fprintf(table, "  started\t%s\n", moment(j.CreatedAt))
	fmt.Fprintf(table, "  last run\t%s\n", lastRunWords(j.LastRun))
	if !j.PurgedAt.IsZero() {
		fmt.Fprintf(table, "  purged\t%s: customers' data is gone, and no links file can be written\n", moment(j.PurgedAt))
	}
	fmt.Fprintf(table, "  on unknown\t%s\n", j.OnUnknown)
	fmt.Fprintf(table, "  rows\t%s\n", stateCounts(tally))
	if totals := tally.Totals(job.Created, job.Duplicate); len(totals) > 0 {
		fmt.Fprintf(table, "  with links\t%s\n", amounts(totals))
	}
	if totals := tally.Totals(job.Failed, job.Unknown, job.Sending, job.Pending); len(totals) > 0 {
		fmt.Fprintf(table, "  without\t%s\n", amounts(totals))
	}
	if !j.RefreshedAt.IsZero() {
		fmt.Fprintf(table, "  refreshed\t%s: %s\n", moment(j.RefreshedAt), linkCounts(v.links))
	}
	fmt.Fprintf(table, "  attempts\t%s\n", grouped(fmt.Sprint(tally.AllAttempts())))
	fmt.Fprintf(table, "  possible orphans\t%s\n", grouped(fmt.Sprint(tally.PossibleOrphans())))
	if j.PurgedAt.IsZero() {
		fmt.Fprintf(table, "  links file\t%s\n", cmp.Or(printable(j.Output), "none, a later job writes it now"))
	}
	return table.Flush()
}

// lastRunWords say when the last run was, and what stopped it.
func lastRunWords(run job.LastRun) string {
	switch {
	case run.Began.IsZero():
		return "none"
	case run.Stop == "":
		return fmt.Sprintf("began %s and has not ended: it goes on, or was killed", moment(run.Began))
	}
	words := fmt.Sprintf("%s to %s: %s", moment(run.Began), moment(run.Ended), strings.ReplaceAll(string(run.Stop), "_", " "))
	return words + prefixed(", ", printable(run.Reason))
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// problems yields the rows without a link that have a reason on record: first those that only a person moves. Of these
// and of the others it yields so many at most, and one more to say that there are; 0 is all.
func (v view) problems(ctx context.Context, settled, open int) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		for _, part := range []struct {
			most    int
			settled bool
		}{{settled, true}, {open, false}} {
			found := 0
			for r, err := range v.ledger.Problems(ctx, v.job.ID, part.settled) {
				if !yield(r, err) || err != nil {
					return
				}
				if found++; part.most > 0 && found > part.most {
					break
				}
			}
		}
	}
}

func (v view) problemTable(ctx context.Context) error {
	shown := map[bool]int{} // by whether running again moves the row
	table := v.table()
	for r, err := range v.problems(ctx, problemRows, openRows) {
		if err != nil {
			return classify(err)
		}
		if len(shown) == 0 {
			fmt.Fprintln(table, "\nROW\tSTATE\tREFERENCE\tCODE\tREASON")
		}
		open, most := r.State != job.Failed && r.State != job.Invalid, problemRows
		if open {
			most = openRows
		}
		if shown[open]++; shown[open] > most {
			fmt.Fprintf(table, "…\t%s\t\t\tand more, see the links file\n", r.State)
			continue
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", r.Row, r.State, orDash(printable(r.Reference)), printable(r.ErrorCode), printable(r.Error))
	}
	return table.Flush()
}

// extraTable lists the first attempts whose session may exist at Clink without being published.
func (v view) extraTable(ctx context.Context) error {
	shown := 0
	table := v.table()
	for a, err := range v.ledger.Attempts(ctx, v.job.ID, true) {
		if err != nil {
			return classify(err)
		}
		if shown == 0 {
			fmt.Fprintln(table, "\nPOSSIBLE EXTRA SESSIONS, which nobody has seen the link of\nROW\tREFERENCE\tATTEMPT\tSENT\tSESSION")
		}
		if shown++; shown > extraRows {
			fmt.Fprintf(table, "…\tall of them: paylinks show %d --attempts%s\n", v.job.ID, v.flags)
			break
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\n", a.Row, printable(a.Reference), a.Number, orDash(precise(a.SentAt)), orDash(printable(a.SessionID)))
	}
	return table.Flush()
}

// alignedRows is how many rows of a long table stand under one another: all of a million would take 600 MB of memory.
const alignedRows = 1000

// record prints the facts and every attempt.
func (v view) record(ctx context.Context) error {
	if err := v.facts(); err != nil {
		return err
	}
	table := v.table()
	fmt.Fprintln(table, "\nROW\tREFERENCE\tATTEMPT\tSENT\tENDED\tOUTCOME\tHTTP\tCODE\tSESSION\tPOSSIBLE ORPHAN\tREASON")
	rows := 0
	for a, err := range v.ledger.Attempts(ctx, v.job.ID, false) {
		if err != nil {
			return classify(err)
		}
		if rows++; rows%alignedRows == 0 {
			if err := table.Flush(); err != nil {
				return err
			}
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
			reason = "expired unpaid, given up for a new link at " + precise(a.Replaced)
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", a.Row, printable(a.Reference), a.Number,
			orDash(precise(a.SentAt)), orDash(precise(a.EndedAt)), outcome, a.Status, printable(a.Code), printable(a.SessionID), orphan, printable(reason))
	}
	return table.Flush()
}

// showObject is the job for programs. Its keys are fixed.
type showObject struct {
	jobObject
	Next          string          `json:"next"`
	Problems      []problemObject `json:"problems"`
	ExtraSessions []attemptObject `json:"extra_sessions"`
}

type problemObject struct {
	Row       int       `json:"row"`
	State     job.State `json:"state"`
	InvoiceID string    `json:"invoice_id"`
	Reference string    `json:"reference"`
	ErrorCode string    `json:"error_code"`
	Error     string    `json:"error"`
}

type attemptObject struct {
	Row       int         `json:"row"`
	Reference string      `json:"reference"`
	Attempt   int         `json:"attempt"`
	SentAt    string      `json:"sent_at"`
	EndedAt   string      `json:"ended_at"`
	Outcome   job.Outcome `json:"outcome"`
	Status    int         `json:"status"`
	Code      string      `json:"code"`
	Message   string      `json:"message"`
	SessionID string      `json:"session_id"`
}

func attemptObjectOf(a job.Attempt) attemptObject {
	return attemptObject{
		a.Row, a.Reference, a.Number, precise(a.SentAt), precise(a.EndedAt), a.Outcome, a.Status, a.Code, a.Message, a.SessionID,
	}
}

// object prints the job as JSON, and with attempts each attempt on a line after it.
func (v view) object(ctx context.Context, attempts bool) error {
	o := showObject{
		jobObject: jobObjectOf(v.job, v.tally), Next: v.next, Problems: []problemObject{}, ExtraSessions: []attemptObject{},
	}
	for r, err := range v.problems(ctx, 0, 0) {
		if err != nil {
			return classify(err)
		}
		o.Problems = append(o.Problems, problemObject{r.Row, r.State, r.InvoiceID, r.Reference, r.ErrorCode, r.Error})
	}
	for a, err := range v.ledger.Attempts(ctx, v.job.ID, true) {
		if err != nil {
			return classify(err)
		}
		o.ExtraSessions = append(o.ExtraSessions, attemptObjectOf(a))
	}
	if err := writeJSON(v.to, o); err != nil || !attempts {
		return err
	}
	for a, err := range v.ledger.Attempts(ctx, v.job.ID, false) {
		if err != nil {
			return classify(err)
		}
		if err := writeJSON(v.to, attemptObjectOf(a)); err != nil {
			return err
		}
	}
	return nil
}

func (v view) table() *tabwriter.Writer { return tabwriter.NewWriter(v.to, 0, 0, 2, ' ', 0) }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// precise writes a time to the millisecond; none is "".
func precise(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
