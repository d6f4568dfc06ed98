package report

import (
	"fmt"
	"strings"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// linkSummary is the outcome of a refresh for programs. Its keys are fixed; Unchecked counts the links that Clink has never spoken of, and
// Unanswered those that it did not speak of this time.
type linkSummary struct {
	Job         int64             `json:"job"`
	File        string            `json:"file"`
	Environment job.Environment   `json:"environment"`
	Links       int               `json:"links"`
	Paid        int               `json:"paid"`
	Refunded    int               `json:"refunded"`
	Processing  int               `json:"processing"`
	Open        int               `json:"open"`
	Expired     int               `json:"expired"`
	Unchecked   int               `json:"unchecked"`
	Unanswered  int               `json:"unanswered"`
	PaidTotals  map[string]string `json:"paid_totals"`
	Output      string            `json:"output"`
	Seconds     float64           `json:"seconds"`
}

// SumUpLinks prints what was found out: JSON on standard output, or some lines for a person on standard error.
func (p *Printer) SumUpLinks(o engine.LinkOutcome) error {
	if p.JSON {
		err := WriteJSON(p.Out, linkSummary{
			Job:         o.Job.ID,
			File:        o.Job.File,
			Environment: o.Job.Environment,
			Links:       o.Links.All(),
			Paid:        o.Links[job.LinkPaid],
			Refunded:    o.Links[job.LinkRefunded],
			Processing:  o.Links[job.LinkProcessing],
			Open:        o.Links[job.LinkOpen],
			Expired:     o.Links[job.LinkExpired],
			Unchecked:   o.Links[""],
			Unanswered:  o.Unchecked,
			PaidTotals:  o.PaidTotals,
			Output:      o.Job.Output,
			Seconds:     inSeconds(o.Took),
		})
		if err != nil {
			return err
		}
	}
	p.complain(o.Job, o.Report, o.OutputErr)
	if !p.Quiet || o.Ending() != engine.Complete {
		fmt.Fprint(p.Console, linkLines(o, p.Flags(o.Job.Environment)))
	}
	return nil
}

// linkLines are what was found out, for a person.
func linkLines(o engine.LinkOutcome, flags string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "job %d (%s, %s): %s\n", o.Job.ID, o.Job.FileName(), o.Job.Environment, words.LinkCounts(o.Links))
	if len(o.PaidTotals) > 0 {
		fmt.Fprintf(&b, "  paid: %s\n", words.Amounts(o.PaidTotals))
	}
	if o.OutputErr == nil {
		b.WriteString(linksFileLine(o.Job, flags))
	}
	switch {
	case o.Unchecked > 0:
		fmt.Fprintf(&b, "next: Clink has said nothing about %s; ask again with: paylinks refresh %d%s\n", words.Count(o.Unchecked, "link"), o.Job.ID, flags)
	case o.Links[job.LinkExpired] > 0:
		fmt.Fprintf(&b, "next: rows of this job whose link has expired get a new one with: paylinks reissue %d%s\n", o.Job.ID, flags)
	}
	return b.String()
}
