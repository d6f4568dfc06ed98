package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// How many rows show lists: all of it is to fit on a screen.
const (
	problemRows = 8 // that only a person moves
	openRows    = 3 // that running again moves: their reasons are mostly the same
	extraRows   = 3 // possible extra sessions
)

// Ledger is what a View asks of a ledger.
type Ledger interface {
	Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error]
	Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error]
}

// View is a job on a screen or as JSON. Its errors are a *[ReadError], a *[WriteError], or of a write to To.
type View struct {
	Ledger Ledger
	Job    job.Job
	Tally  job.Tally
	Links  job.LinkTally // nil before the first refresh
	Left   engine.Left
	Sender *job.Sender // who has the job, or nil
	Next   string      // see NextSteps
	Flags  string      // by which a further command finds the job
	To     io.Writer
}

// Screen prints what a person on call needs, on one screen.
func (v View) Screen(ctx context.Context) error {
	if err := v.facts(); err != nil {
		return err
	}
	if err := v.problemTable(ctx); err != nil {
		return err
	}
	if err := v.extraTable(ctx); err != nil {
		return err
	}
	if v.Next == "" {
		return nil
	}
	_, err := fmt.Fprintf(v.To, "\nnext: %s\n", v.Next)
	return err
}

func (v View) facts() error {
	j, tally := v.Job, v.Tally
	table := v.table()
	fmt.Fprintf(v.To, "job %d: %s\n", j.ID, words.Printable(j.File))
	fmt.Fprintf(table, "  environment\t%s, %s\n", j.Environment, j.BaseURL)
	if series := j.Series(); series != "" {
		fmt.Fprintf(table, "  series\t%s\n", words.Printable(series))
	}
	if j.Adopted {
		fmt.Fprintln(table, "  adopted\tfrom a links file: its links were made from another ledger")
	}
	fmt.Fprintf(table, "  started\t%s\n", words.Moment(j.CreatedAt))
	fmt.Fprintf(table, "  last run\t%s\n", lastRunWords(j.LastRun))
	if v.Sender != nil {
		fmt.Fprintf(table, "  sender\t%s\n", senderWords(*v.Sender, j.ID, v.Flags))
	}
	if !j.PurgedAt.IsZero() {
		fmt.Fprintf(table, "  purged\t%s: customers' data is gone, and no links file can be written\n", words.Moment(j.PurgedAt))
	}
	fmt.Fprintf(table, "  on unknown\t%s\n", j.OnUnknown)
	fmt.Fprintf(table, "  rows\t%s\n", words.StateCounts(tally))
	if totals := tally.Totals(job.Created, job.Duplicate); len(totals) > 0 {
		fmt.Fprintf(table, "  with links\t%s\n", words.Amounts(totals))
	}
	if totals := tally.Totals(job.Failed, job.Unknown, job.Sending, job.Pending); len(totals) > 0 {
		fmt.Fprintf(table, "  without\t%s\n", words.Amounts(totals))
	}
	if !j.RefreshedAt.IsZero() {
		fmt.Fprintf(table, "  refreshed\t%s: %s\n", words.Moment(j.RefreshedAt), words.LinkCounts(v.Links))
	}
	if v.Left.Expired > 0 {
		fmt.Fprintf(table, "  expired unpaid\t%s, as far as is known\n", words.Count(v.Left.Expired, "link"))
	}
	if v.Left.Made > 0 {
		fmt.Fprintf(table, "  made by a later job\t%s that failed here\n", words.Count(v.Left.Made, "row"))
	}
	fmt.Fprintf(table, "  attempts\t%s\n", words.Grouped(tally.AllAttempts()))
	fmt.Fprintf(table, "  possible extra sessions\t%s\n", words.Grouped(tally.PossibleOrphans()))
	if j.PurgedAt.IsZero() {
		file := cmp.Or(words.Printable(j.Output), "none, a later job writes it now")
		if j.Output == "" && j.OutputHost != "" {
			file = fmt.Sprintf("on %s; write one here with: paylinks export %d -o PATH%s", words.Printable(j.OutputHost), j.ID, v.Flags)
		}
		if j.Unwritten() {
			file += ", not written since the last change"
		}
		fmt.Fprintf(table, "  links file\t%s\n", file)
	}
	return table.Flush()
}

// lastRunWords say when the last run was, and what stopped it.
func lastRunWords(run job.LastRun) string {
	switch {
	case run.Began.IsZero():
		return "none"
	case run.Stop == "":
		return fmt.Sprintf("began %s and has not ended: it goes on, or was killed", words.Moment(run.Began))
	}
	said := fmt.Sprintf("%s to %s: %s", words.Moment(run.Began), words.Moment(run.Ended), strings.ReplaceAll(string(run.Stop), "_", " "))
	return said + prefixed(", ", words.Printable(run.Reason))
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// problems yields the rows without a link that have a reason on record: first those that only a person moves. Of these
// and of the others it yields so many at most, and one more to say that there are; 0 is all.
func (v View) problems(ctx context.Context, settled, open int) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		for _, part := range []struct {
			most    int
			settled bool
		}{{settled, true}, {open, false}} {
			found := 0
			for r, err := range v.Ledger.Problems(ctx, v.Job.ID, part.settled) {
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

func (v View) problemTable(ctx context.Context) error {
	shown := map[bool]int{} // by whether running again moves the row
	held := false
	table := v.table()
	for r, err := range v.problems(ctx, problemRows, openRows) {
		if err != nil {
			return &ReadError{err}
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
		held = held || r.ErrorCode == job.CodeHeld
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", r.Row, r.State, orDash(words.Printable(r.Reference)), words.Printable(r.ErrorCode), words.Printable(r.Error))
	}
	if err := table.Flush(); err != nil || !held {
		return err
	}
	_, err := fmt.Fprintf(v.To, "to send a held row after all: paylinks retry N --unknown%s, with the number of the job that its reason names, and then paylinks resume %d%[1]s\n",
		v.Flags, v.Job.ID)
	return err
}

// extraTable lists the first attempts whose session may exist at Clink without being published.
func (v View) extraTable(ctx context.Context) error {
	shown := 0
	table := v.table()
	for a, err := range v.Ledger.Attempts(ctx, v.Job.ID, true) {
		if err != nil {
			return &ReadError{err}
		}
		if shown == 0 {
			fmt.Fprintln(table, "\nPOSSIBLE EXTRA SESSIONS, which nobody has seen the link of\nROW\tREFERENCE\tATTEMPT\tSENT\tSESSION")
		}
		if shown++; shown > extraRows {
			fmt.Fprintf(table, "…\tall of them: paylinks show %d --attempts%s\n", v.Job.ID, v.Flags)
			break
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\n", a.Row, words.Printable(a.Reference), a.Number, orDash(words.Precise(a.SentAt)), orDash(words.Printable(a.SessionID)))
	}
	return table.Flush()
}

// AlignedRows is how many rows of a long table stand under one another: all of a million would take 600 MB of memory.
const AlignedRows = 1000

// Record prints the facts and every attempt.
func (v View) Record(ctx context.Context) error {
	if err := v.facts(); err != nil {
		return err
	}
	table := v.table()
	fmt.Fprintln(table, "\nROW\tREFERENCE\tATTEMPT\tSENT\tENDED\tOUTCOME\tHTTP\tCODE\tSESSION\tPOSSIBLE EXTRA\tREASON")
	rows := 0
	for a, err := range v.Ledger.Attempts(ctx, v.Job.ID, false) {
		if err != nil {
			return &ReadError{err}
		}
		if rows++; rows%AlignedRows == 0 {
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
			reason = "expired unpaid, given up for a new link at " + words.Precise(a.Replaced)
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", a.Row, words.Printable(a.Reference), a.Number,
			orDash(words.Precise(a.SentAt)), orDash(words.Precise(a.EndedAt)), outcome, a.Status, words.Printable(a.Code), words.Printable(a.SessionID), orphan, words.Printable(reason))
	}
	return table.Flush()
}

// ShowObject is the job for programs. Its keys are fixed.
type ShowObject struct {
	JobObject
	Next          string          `json:"next"`
	Problems      []ProblemObject `json:"problems"`
	ExtraSessions []AttemptObject `json:"extra_sessions"`
}

type ProblemObject struct {
	Row       int       `json:"row"`
	State     job.State `json:"state"`
	InvoiceID string    `json:"invoice_id"`
	Reference string    `json:"reference"`
	ErrorCode string    `json:"error_code"`
	Error     string    `json:"error"`
}

type AttemptObject struct {
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

func attemptOf(a job.Attempt) AttemptObject {
	return AttemptObject{
		a.Row, a.Reference, a.Number, words.Precise(a.SentAt), words.Precise(a.EndedAt), a.Outcome, a.Status, a.Code, a.Message, a.SessionID,
	}
}

// Object prints the job as JSON, and with attempts each attempt on a line after it.
func (v View) Object(ctx context.Context, attempts bool) error {
	o := ShowObject{
		JobObject: JobOf(v.Job, v.Tally, v.Left.Made, v.Left.Expired, v.Sender), Next: v.Next, Problems: []ProblemObject{}, ExtraSessions: []AttemptObject{},
	}
	for r, err := range v.problems(ctx, 0, 0) {
		if err != nil {
			return &ReadError{err}
		}
		o.Problems = append(o.Problems, ProblemObject{r.Row, r.State, r.InvoiceID, r.Reference, r.ErrorCode, r.Error})
	}
	for a, err := range v.Ledger.Attempts(ctx, v.Job.ID, true) {
		if err != nil {
			return &ReadError{err}
		}
		o.ExtraSessions = append(o.ExtraSessions, attemptOf(a))
	}
	if err := WriteJSON(v.To, o); err != nil || !attempts {
		return err
	}
	for a, err := range v.Ledger.Attempts(ctx, v.Job.ID, false) {
		if err != nil {
			return &ReadError{err}
		}
		if err := WriteJSON(v.To, attemptOf(a)); err != nil {
			return err
		}
	}
	return nil
}

func (v View) table() *tabwriter.Writer { return tabwriter.NewWriter(v.To, 0, 0, 2, ' ', 0) }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
