package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paylinks/job"
	"paylinks/store"
)

// outcome is what a command made of a job.
type outcome struct {
	job       job.Job
	report    job.Report
	tally     job.Tally
	sendable  int                    // open rows that running again would send
	waiting   int                    // open rows that wait for a person
	unasked   int                    // expired links that reissue has still to ask about
	asked     map[job.LinkStatus]int // what Clink said to reissue
	status    int
	took      time.Duration
	rejected  string // path of the rejected file, if this run wrote one
	outputErr *failure
	flags     string // see nextFlags
}

// counts are a job's figures for programs. Their keys are fixed.
type counts struct {
	Rows            int               `json:"rows"`
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

func countsOf(t job.Tally) counts {
	return counts{
		Rows:            t.Rows(),
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

// summaryHelp is what the help says of summary.
const summaryHelp = `With --json the summary is one object a job on a line of standard output, with these keys: job, file, environment, rows,
created, duplicate, failed, invalid, unknown, pending, superseded, attempts, possible_orphans, totals (of the amounts that have
links, by currency), output, rejected_output, seconds. Figures are the whole job's, only seconds is this run's.`

// summary is the outcome for programs. Its keys are fixed; figures are the whole job's, only Seconds is this run's.
type summary struct {
	Job         int64           `json:"job"`
	File        string          `json:"file"`
	Environment job.Environment `json:"environment"`
	counts
	Output         string  `json:"output"`
	RejectedOutput string  `json:"rejected_output"`
	Seconds        float64 `json:"seconds"`
}

func (o outcome) summary() summary {
	return summary{
		Job:            o.job.ID,
		File:           o.job.File,
		Environment:    o.job.Environment,
		counts:         countsOf(o.tally),
		Output:         o.job.Output,
		RejectedOutput: o.rejected,
		Seconds:        inSeconds(o.took),
	}
}

// inSeconds is the duration as programs read it, to the millisecond. [time.Duration.Seconds] adds up two numbers, of which
// 1.247 becomes 1.2469999999999999.
func inSeconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// sumUp prints the outcome: JSON on standard output, or some lines for a person on standard error.
func (e *engine) sumUp(o outcome) error {
	if e.options.json {
		line, err := json.Marshal(o.summary())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.s.out, "%s\n", line); err != nil {
			return failf(exitOutput, "write the summary: %w", err)
		}
	}
	e.complain(o)
	if e.options.quiet && o.status == exitOK && o.job.Output != "" { // else links were made that stand in no file
		return nil
	}
	fmt.Fprint(e.console, o.lines(e.ledger.Path()))
	return nil
}

// complain says what went wrong with the run, if anything did.
func (e *engine) complain(o outcome) {
	if o.outputErr != nil {
		fmt.Fprintf(e.console, "paylinks: error: %v\nhint: the links are safe in the ledger; write them with: paylinks export %d --output PATH%s\n", o.outputErr, o.job.ID, o.flags)
	}
	if o.report.Reason == "" || o.report.Stop == job.LimitReached { // a canary that ends is no error
		return
	}
	fmt.Fprintf(e.console, "paylinks: error: job %d stopped: %s\n", o.job.ID, printable(o.report.Reason))
	if o.report.Last != "" {
		fmt.Fprintf(e.console, "the last attempt: %s\n", printable(o.report.Last))
	}
	hint := ""
	switch o.report.Stop {
	case job.KeyRefused:
		hint = fmt.Sprintf("check the key in %s: is it the one for %s? no row was lost; run again with the right key", e.keyFrom, o.job.Environment)
		if e.keyFrom == "" {
			hint = "no row was lost; that simulator was started with --key, and --env simulator sends none: start it without, and run again"
		}
	case job.WrongAddress:
		hint = fmt.Sprintf("what answers at %s is not Clink's API; check --base-url and CLINK_BASE_URL", o.job.BaseURL)
	case job.TooManyFails:
		hint = fmt.Sprintf("see why with: paylinks show %d%s", o.job.ID, o.flags)
	case job.GaveUp:
		hint = "no row was lost; run again later"
		if !o.report.ComeBack.IsZero() {
			hint = "no row was lost; run again after " + o.report.ComeBack.UTC().Format(time.RFC3339)
		}
	case job.LedgerFailed:
		hint = "nothing was sent that is not on record; make room on the disk, or mend it, and run again"
		if errors.Is(o.report.Err, store.ErrGone) {
			hint = hintGone
		}
	}
	if hint != "" {
		fmt.Fprintf(e.console, "hint: %s\n", hint)
	}
}

// lines are the outcome for a person.
func (o outcome) lines(ledger string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "job %d (%s, %s): %s\n", o.job.ID, filepath.Base(o.job.File), o.job.Environment, stateCounts(o.tally))
	if totals := o.tally.Totals(job.Created, job.Duplicate); len(totals) > 0 {
		fmt.Fprintf(&b, "  with links: %s\n", amounts(totals))
	}
	if n := o.tally.PossibleOrphans(); n > 0 {
		fmt.Fprintf(&b, "  %s may exist at Clink that nobody has seen the link of: paylinks show %d --attempts%s\n", count(n, "extra session"), o.job.ID, o.flags)
	}
	if len(o.asked) > 0 {
		fmt.Fprintf(&b, "  expired links: %s\n", reissued(o.asked))
	}
	if o.outputErr == nil {
		b.WriteString(linksFileLine(o.job, o.flags))
	}
	if o.rejected != "" {
		fmt.Fprintf(&b, "  rejected rows: %s\n", o.rejected)
	}
	fmt.Fprintf(&b, "  ledger: %s\n", ledger)
	next := nextStep(o.job, o.report.Stop, o.tally, o.sendable, o.waiting, o.flags)
	if o.rejected != "" && o.sendable+o.waiting+o.tally.Items[job.Failed] == 0 {
		next = invalidStep(o.tally.Items[job.Invalid], o.rejected)
	}
	if o.unasked > 0 {
		next = fmt.Sprintf("Clink has said nothing about %s; ask again with: paylinks reissue %d%s", count(o.unasked, "expired link"), o.job.ID, o.flags)
	}
	if o.sendable == 0 && o.tally.Items[job.Failed] > 0 {
		next = fmt.Sprintf("see why rows failed with: paylinks show %d%s; %s", o.job.ID, o.flags, next)
	}
	if next != "" {
		fmt.Fprintf(&b, "next: %s\n", next)
	}
	return b.String()
}

// linksFileLine says where the job's links file is, for a summary.
func linksFileLine(j job.Job, flags string) string {
	switch j.Output {
	case "-":
		return ""
	case "":
		return fmt.Sprintf("  links file: none, a later job writes it now; write this one's with: paylinks export %d --output PATH%s\n", j.ID, flags)
	}
	return fmt.Sprintf("  links file: %s\n", j.Output)
}

// nextStep says what a person does next with a job whose last run ended like this, and by which command; "" where there is
// nothing left to do.
func nextStep(j job.Job, stop job.Stop, t job.Tally, sendable, waiting int, flags string) string {
	id, items := j.ID, t.Items
	switch {
	case sendable > 0 && stop == job.WrongAddress && j.BaseURL != clinkURL[j.Environment]:
		return fmt.Sprintf("%s left, and a job keeps its address; run the file again with the right --base-url", count(sendable, "row"))
	case sendable > 0 && stop == job.TooManyFails:
		return fmt.Sprintf("%s left; once the cause is mended, go on with: paylinks resume %d%s", count(sendable, "row"), id, flags)
	case sendable > 0:
		return fmt.Sprintf("%s left; go on with: paylinks resume %d%s", count(sendable, "row"), id, flags)
	case items[job.Failed] > 0 && waiting > 0:
		return fmt.Sprintf("send the failed rows again with: paylinks retry %d%s; and %s", id, flags, doubtStep(id, items, waiting, flags))
	case items[job.Failed] > 0:
		return fmt.Sprintf("send the failed rows again with: paylinks retry %d%s", id, flags)
	case waiting > 0:
		return doubtStep(id, items, waiting, flags)
	case items[job.Superseded] > 0 && items[job.Invalid] == 0:
		return fmt.Sprintf("nothing here; a later job took %s over, and the reason says which: paylinks show %d%s",
			count(items[job.Superseded], "row"), id, flags)
	case items[job.Invalid] > 0:
		return invalidStep(items[job.Invalid], "the rejected file")
	}
	return ""
}

// invalidStep is what a person does with invalid rows, which stand in the rejected file as well.
func invalidStep(n int, rejected string) string {
	rows := "invalid row"
	if n > 1 {
		rows = count(n, rows)
	}
	return fmt.Sprintf("correct the %s in %s, and run that file", rows, rejected)
}

// doubtStep is what a person does with rows that wait for a person's word.
func doubtStep(id int64, items map[job.State]int, waiting int, flags string) string {
	if items[job.Unknown]+items[job.Sending] == 0 { // behind another job's doubt or link: a retry of this one moves nothing
		return fmt.Sprintf("%s waiting for a person's word on another job; the reason says on what: paylinks show %d%s",
			count(waiting, "row"), id, flags)
	}
	them := "them"
	if waiting == 1 {
		them = "it"
	}
	return fmt.Sprintf("%s in doubt; look %[2]s up at Clink, then send %[2]s again with: paylinks retry %[3]d --unknown%[4]s",
		count(waiting, "row"), them, id, flags)
}

// stateCounts lists how many rows are in which state.
func stateCounts(t job.Tally) string {
	parts := []string{count(t.Rows(), "row")}
	for _, state := range job.States {
		n := t.Items[state]
		switch state {
		case job.Sending: // only seen while a run goes on, or has just broken down
			continue
		case job.Unknown:
			n += t.Items[job.Sending]
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", grouped(fmt.Sprint(n)), state))
		}
	}
	return strings.Join(parts, ", ")
}

// amounts lists totals by currency.
func amounts(totals map[string]string) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		parts = append(parts, code+" "+grouped(totals[code]))
	}
	return strings.Join(parts, ", ")
}
