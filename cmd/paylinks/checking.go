package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"paylinks/job"
	"paylinks/job/invoice"
)

// problemsShown is how many problems a terminal shows one by one: a screen full.
const problemsShown = 20

// problemPrinter prints problems as they are found: on a terminal the first ones, elsewhere all.
type problemPrinter struct {
	to    io.Writer
	most  int // 0 is all
	shown int
	more  map[invoice.Kind]int // those not shown
}

func newProblemPrinter(to io.Writer) *problemPrinter {
	p := &problemPrinter{to: to, more: map[invoice.Kind]int{}}
	if isTerminal(to) {
		p.most = problemsShown
	}
	return p
}

func (p *problemPrinter) print(problem invoice.Problem) {
	if p.most > 0 && p.shown == p.most {
		p.more[problem.Kind]++
		return
	}
	p.shown++
	fmt.Fprintln(p.to, problem)
}

// rest says how many of each kind were not shown.
func (p *problemPrinter) rest() {
	if len(p.more) == 0 {
		return
	}
	kinds := slices.SortedFunc(maps.Keys(p.more), func(a, b invoice.Kind) int { return p.more[b] - p.more[a] })
	var texts []string
	for _, kind := range kinds {
		texts = append(texts, fmt.Sprintf("%d × %s", p.more[kind], kind))
	}
	fmt.Fprintf(p.to, "… and more: %s\n", strings.Join(texts, ", "))
}

// checkAll checks the files that are not known yet, prints what is wrong with all of them, and writes the rejected
// files. Its error says that nothing may be sent. skipInvalid lets bad rows through, but not an unreadable file.
func checkAll(ctx context.Context, intakes []*intake, expect *expectOptions, skipInvalid, rawCells, quiet bool, to io.Writer) error {
	var refused []string
	bad := 0
	for _, in := range intakes {
		if in.known != nil {
			if err := expectKnown(ctx, in, expect); err != nil {
				return err
			}
			continue
		}
		printer := newProblemPrinter(to)
		err := in.check(ctx, printer.print)
		printer.rest()
		var f *failure
		switch {
		case errors.As(err, &f) && f.status == exitData:
			refused = append(refused, f.Error())
			continue
		case err != nil:
			return classify(err)
		}
		if !quiet {
			fmt.Fprint(to, in.describe())
		}
		if in.figures.bad > 0 {
			if in.rejected, err = in.writeRejected(ctx, rawCells); err != nil {
				return classify(err)
			}
			fmt.Fprintf(to, "  rejected rows: %s\n", in.rejected)
			if !skipInvalid {
				bad += in.figures.bad
				refused = append(refused, fmt.Sprintf("%s has %s that cannot be sent", in.path, count(in.figures.bad, "row")))
			}
		}
		if err := expect.compare(in.path, in.figures.rows, in.figures.tally); err != nil {
			return err
		}
	}
	if len(refused) == 0 {
		return nil
	}
	f := failf(exitData, "%s; nothing was sent", strings.Join(refused, "; "))
	if bad > 0 {
		return f.withHint("correct the rows in the file, or in its rejected file, and run again; --skip-invalid sends the others now")
	}
	return f
}

// expectKnown holds control totals against a job that is in the ledger already.
func expectKnown(ctx context.Context, in *intake, expect *expectOptions) error {
	tally, err := in.ledger.Tally(ctx, in.known.ID)
	if err != nil {
		return classify(err)
	}
	return expect.compare(in.path, tally.Rows(), tally)
}

// describe says in a few lines what the file asks for.
func (in *intake) describe() string {
	var b strings.Builder
	f := in.figures
	fmt.Fprintf(&b, "%s: %s", in.path, count(f.rows, "row"))
	if f.duplicates > 0 {
		fmt.Fprintf(&b, ", %d of them with a link already", f.duplicates)
	}
	if f.bad > 0 {
		fmt.Fprintf(&b, ", %d bad", f.bad)
	}
	b.WriteString("\n")
	totals := f.tally.Totals(job.Pending, job.Duplicate)
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		fmt.Fprintf(&b, "  %s %s (%s to %s)\n", code, grouped(totals[code]),
			grouped(job.FormatAmount(f.smallest[code], code)), grouped(job.FormatAmount(f.largest[code], code)))
	}
	return b.String()
}

// count writes "1 row", "2 rows".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%s %ss", grouped(fmt.Sprint(n)), thing)
}

// grouped puts commas between the thousands of a plain decimal, for people.
func grouped(decimal string) string {
	whole, part, hasPart := strings.Cut(decimal, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if hasPart {
		return whole + "." + part
	}
	return whole
}
