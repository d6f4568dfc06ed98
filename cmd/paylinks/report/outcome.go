package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// counts are a job's figures for programs. Their keys are fixed.
type counts struct {
	Rows            int               `json:"rows"`
	Lines           int               `json:"lines"`
	Created         int               `json:"created"`
	Duplicate       int               `json:"duplicate"`
	Failed          int               `json:"failed"`
	Invalid         int               `json:"invalid"`
	Unknown         int               `json:"unknown"`
	Pending         int               `json:"pending"`
	Superseded      int               `json:"superseded"`
	Attempts        int               `json:"attempts"`
	PossibleOrphans int               `json:"possible_orphans"`
	Totals          map[string]string `json:"totals"`
}

func countsOf(j job.Job, t job.Tally) counts {
	return counts{
		Rows:            t.Rows(),
		Lines:           t.Rows() + j.FurtherLines,
		Created:         t.Items[job.Created],
		Duplicate:       t.Items[job.Duplicate],
		Failed:          t.Items[job.Failed],
		Invalid:         t.Items[job.Invalid],
		Unknown:         t.Items[job.Unknown] + t.Items[job.Sending],
		Pending:         t.Items[job.Pending],
		Superseded:      t.Items[job.Superseded],
		Attempts:        t.AllAttempts(),
		PossibleOrphans: t.PossibleOrphans(),
		Totals:          t.Totals(job.Created, job.Duplicate),
	}
}

// HintGone is what to do when the ledger went away under a run.
const HintGone = "put the ledger back where it was before you run again: another one knows of none of its links, and would send their rows anew; " +
	"where it is lost, " + afterLoss

// HintDamaged is what to do with a ledger that cannot be read.
const HintDamaged = "nothing was sent; keep the damaged file, " + afterLoss

// afterLoss leads from a lost ledger to one that knows all links that were handed out: a backup alone sends the nights since then again.
const afterLoss = "restore the latest backup, or begin a new ledger, take the links files written since into it with paylinks adopt, and only then " +
	"run again: paylinks help ledger"

// SummaryHelp is what the help says of Summary.
const SummaryHelp = `With --json the summary is one object a job on a line of standard output, with these keys: job, file, environment, rows,
lines (of the file: more than rows where invoices have several), created, duplicate, failed, invalid, unknown, pending, superseded,
attempts, possible_orphans, totals (of the amounts that have links, by currency), output, rejected_output, seconds. Figures are the whole job's, only seconds is this run's.`

// Summary is the outcome for programs. Its keys are fixed; figures are the whole job's, only Seconds is this run's.
type Summary struct {
	Job         int64           `json:"job"`
	File        string          `json:"file"`
	Environment job.Environment `json:"environment"`
	counts
	Output         string  `json:"output"`
	RejectedOutput string  `json:"rejected_output"`
	Seconds        float64 `json:"seconds"`
}

// inSeconds is the duration as programs read it, to the millisecond. [time.Duration.Seconds] adds up two numbers, of which
// 1.247 becomes 1.2469999999999999.
func inSeconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// Printer prints what came of jobs.
type Printer struct {
	Out     io.Writer                    // takes JSON
	Console io.Writer                    // takes words
	Flags   func(job.Environment) string // by which a further command finds a job of the environment
	Ledger  string                       // its path
	KeyFrom string                       // where the key is from, for messages
	JSON    bool
	Quiet   bool
}

// SumUp prints the outcome: JSON on standard output, or some lines for a person on standard error. rejected is the rejected file
// that this run wrote, if any.
func (p *Printer) SumUp(o engine.Outcome, rejected string) error {
	if p.JSON {
		err := WriteJSON(p.Out, Summary{
			Job: o.Job.ID, File: o.Job.File, Environment: o.Job.Environment, counts: countsOf(o.Job, o.Tally), Output: o.Job.Output,
			RejectedOutput: rejected, Seconds: inSeconds(o.Took),
		})
		if err != nil {
			return err
		}
	}
	p.complain(o.Job, o.Report, o.OutputErr)
	if p.Quiet && o.Ending() == engine.Complete && o.Job.Output != "" { // else links were made that are in no file
		return nil
	}
	fmt.Fprint(p.Console, outcomeLines(o, rejected, p.Ledger, p.Flags(o.Job.Environment)))
	return nil
}

// complain says what went wrong with the run, if anything did.
func (p *Printer) complain(j job.Job, report job.Report, outputErr error) {
	flags := p.Flags(j.Environment)
	if outputErr != nil {
		fmt.Fprintf(p.Console, "paylinks: error: %v\nhint: the links are safe in the ledger; write them there with: paylinks resume %d%s; or elsewhere: paylinks export %[2]d --output PATH%[3]s\n", outputErr, j.ID, flags)
	}
	if report.Stop == job.TakenOver {
		fmt.Fprintf(p.Console, "paylinks: error: another sender took job %d over, since the lease of this one was over\n"+
			"hint: what this run had sent is on record, and the other goes on with the job; see: paylinks show %[1]d%s\n", j.ID, flags)
		return
	}
	if report.Reason == "" || report.Stop == job.LimitReached { // a canary that ends is no error
		return
	}
	fmt.Fprintf(p.Console, "paylinks: error: job %d stopped: %s\n", j.ID, words.Printable(report.Reason))
	if report.Last != "" {
		fmt.Fprintf(p.Console, "the last attempt: %s\n", words.Printable(report.Last))
	}
	hint := ""
	switch report.Stop {
	case job.KeyRefused:
		hint = fmt.Sprintf("check the key in %s: is it the one for %s? no row was lost; run again with the right key", p.KeyFrom, j.Environment)
		if p.KeyFrom == "" {
			hint = "no row was lost; that simulator was started with --key, and --env simulator sends none: start it without, and run again"
		}
	case job.WrongAddress:
		hint = fmt.Sprintf("what answers at %s is not Clink's API; check --base-url and CLINK_BASE_URL", j.BaseURL)
	case job.AllRejected:
		hint = "put right what Clink names, in the file or at Clink; the rows that were not sent wait, and the next run stops at the first that is refused"
	case job.TooManyFailures:
		hint = fmt.Sprintf("see why with: paylinks show %d%s", j.ID, flags)
	case job.GaveUp:
		hint = "no row was lost; run again later"
		if !report.ComeBack.IsZero() {
			hint = "no row was lost; run again after " + words.Moment(report.ComeBack)
		}
	case job.LedgerFailed:
		hint = "nothing was sent that is not on record; make room on the disk, or mend it, and run again"
		if errors.Is(report.Err, job.ErrGone) {
			hint = HintGone
		}
		if known, cause := DatabaseHint(report.Err); cause != nil {
			hint = known
		}
	}
	if hint != "" {
		fmt.Fprintf(p.Console, "hint: %s\n", hint)
	}
	if report.Refused > 0 {
		fmt.Fprintf(p.Console, "hint: or something refuses %s, as a firewall may: run again, and all others go first\n", theseRows(report.Refused))
	}
}

func theseRows(n int) string {
	if n == 1 {
		return "this one row alone"
	}
	return fmt.Sprintf("these %d rows alone", n)
}

// outcomeLines are the outcome for a person; flags are those of the next command.
func outcomeLines(o engine.Outcome, rejected, ledger, flags string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "job %d (%s, %s): %s\n", o.Job.ID, o.Job.FileName(), o.Job.Environment, words.StateCounts(o.Tally))
	if totals := o.Tally.Totals(job.Created, job.Duplicate); len(totals) > 0 {
		fmt.Fprintf(&b, "  with links: %s\n", words.Amounts(totals))
	}
	if n := o.Tally.PossibleOrphans(); n > 0 {
		fmt.Fprintf(&b, "  %s, whose links nobody has seen: paylinks show %d --attempts%s\n", words.Count(n, "possible extra session"), o.Job.ID, flags)
	}
	if len(o.Checked) > 0 {
		fmt.Fprintf(&b, "  expired links: %s\n", reissued(o.Checked))
	}
	if !o.FinishedAt.IsZero() {
		fmt.Fprintf(&b, "  nothing was sent: this file was finished on %s as %s (job %d)\n", words.Moment(o.FinishedAt), words.Printable(cmp.Or(o.KnownAs, o.Job.FileName())), o.Job.ID)
	}
	if o.Left.Expired > 0 {
		fmt.Fprintf(&b, "  expired unpaid, as far as is known: %s of %s\n", words.Grouped(o.Left.Expired), words.Count(o.Tally.Linked(), "link"))
	}
	if o.Left.Made > 0 {
		fmt.Fprintf(&b, "  failed here, and made by a later job: %s\n", words.Count(o.Left.Made, "row"))
	}
	if o.OutputErr == nil && o.Report.Stop != job.TakenOver {
		b.WriteString(linksFileLine(o.Job, flags))
	}
	if rejected != "" {
		fmt.Fprintf(&b, "  rejected rows: %s\n", rejected)
	}
	fmt.Fprintf(&b, "  ledger: %s\n", ledger)
	if next := NextSteps(o.Job, o.Next(), rejected, flags); next != "" {
		fmt.Fprintf(&b, "next: %s\n", next)
	}
	return b.String()
}

// reissued says what became of the expired links that Clink was asked about.
func reissued(checked map[job.LinkStatus]int) string {
	var parts []string
	for _, about := range []struct {
		status job.LinkStatus
		words  string
	}{
		{job.LinkExpired, "given up, unpaid"}, {job.LinkPaid, "paid"}, {job.LinkProcessing, "being paid"}, {job.LinkOpen, "still open"},
	} {
		if n := checked[about.status]; n > 0 {
			parts = append(parts, words.Grouped(n)+" "+about.words)
		}
	}
	return strings.Join(parts, ", ")
}

// linksFileLine says where the job's links file is, for a summary.
func linksFileLine(j job.Job, flags string) string {
	switch {
	case j.Output == "-":
		return ""
	case j.Output == "" && j.OutputHost != "":
		return fmt.Sprintf("  links file: not written here, it is on %s, whose next run of the job writes it; write one here with: paylinks export %d -o PATH%s\n",
			words.Printable(j.OutputHost), j.ID, flags)
	case j.Output == "":
		return fmt.Sprintf("  links file: none, a later job writes it now; write this one's with: paylinks export %d --output PATH%s\n", j.ID, flags)
	}
	return fmt.Sprintf("  links file: %s\n", j.Output)
}
