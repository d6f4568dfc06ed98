package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strings"
	"text/tabwriter"

	"paylinks/job"
	"paylinks/job/invoice"
)

// problemsShown is how many problems a terminal shows one by one: a screen full.
const problemsShown = 20

// problemPrinter prints problems as they are found: on a terminal the first ones, elsewhere all; or, as JSON lines,
// all of them.
type problemPrinter struct {
	to    io.Writer
	json  *json.Encoder // nil is text
	most  int           // 0 is all
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

// problemLine is a problem for programs. Its keys are fixed.
type problemLine struct {
	File   string       `json:"file"`
	Line   int          `json:"line"` // 0 is the whole file
	Column string       `json:"column"`
	Value  string       `json:"value"`
	Kind   invoice.Kind `json:"kind"`
	What   string       `json:"what"`
	Hint   string       `json:"hint"`
}

func (p *problemPrinter) print(problem invoice.Problem) error {
	problem = worded(problem)
	switch {
	case p.json != nil:
		return p.json.Encode(problemLine{problem.File, problem.Line, problem.Column, problem.Value, problem.Kind, problem.What, problem.Advice})
	case p.most > 0 && p.shown == p.most:
		p.more[problem.Kind]++
		return nil
	}
	p.shown++
	_, err := fmt.Fprintln(p.to, problem)
	return err
}

// rest says how many of each kind were not shown.
func (p *problemPrinter) rest() {
	if len(p.more) == 0 {
		return
	}
	kinds := slices.SortedFunc(maps.Keys(p.more), func(a, b invoice.Kind) int { return p.more[b] - p.more[a] })
	var texts []string
	for _, kind := range kinds {
		texts = append(texts, fmt.Sprintf("%s × %s", grouped(fmt.Sprint(p.more[kind])), kind))
	}
	fmt.Fprintf(p.to, "… and more: %s\n", strings.Join(texts, ", "))
}

// checking is how files are checked.
type checking struct {
	expect      *expectOptions
	skipInvalid bool // bad rows are let through, but not an unreadable file
	output      outputOptions
	quiet       bool
	explain     bool
	problems    io.Writer // where problems go as JSON lines; nil is as text with the rest
	words       io.Writer
}

// all checks the files that are not known yet, prints what is wrong with all of them, and writes the rejected files.
// Its error says that nothing may be sent.
func (c *checking) all(ctx context.Context, intakes []*intake) error {
	var refused []string
	var bad []*intake
	hint := ""
	refuse := func(err error) error { // nil: the others are still to be checked
		f := classify(err)
		if f.status != exitData {
			return f
		}
		refused, hint = append(refused, f.Error()), cmp.Or(hint, f.hint)
		return nil
	}
	for _, in := range intakes {
		if in.known != nil {
			if err := expectKnown(ctx, in, c.expect); err != nil {
				return err
			}
			if c.explain {
				if err := in.readHeader(); err != nil {
					return classify(err)
				}
				fmt.Fprint(c.words, in.explain())
			}
			continue
		}
		printer := newProblemPrinter(c.words)
		if c.problems != nil {
			printer.json = json.NewEncoder(c.problems)
			printer.json.SetEscapeHTML(false)
		}
		err := in.check(ctx, printer.print)
		printer.rest()
		if c.explain {
			fmt.Fprint(c.words, in.explain())
		}
		if err != nil {
			if err := refuse(err); err != nil {
				return err
			}
			continue
		}
		if !c.quiet {
			fmt.Fprint(c.words, in.describe())
		}
		if in.figures.bad > 0 {
			if in.rejected, err = in.writeRejected(ctx, c.output, printer.print); err != nil {
				if err := refuse(err); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(c.words, "  rejected rows: %s\n", in.rejected)
			if !c.skipInvalid {
				bad = append(bad, in)
				refused = append(refused, fmt.Sprintf("%s has %s that cannot be sent", in.path, count(in.figures.bad, "row")))
				continue // its totals are not those of the file
			}
		}
		if err := c.expect.compare(in.path, in.figures.rows, in.figures.tally); err != nil {
			return err
		}
	}
	if len(refused) == 0 {
		return nil
	}
	if len(bad) > 0 {
		hint = afterBadRows(bad)
	}
	return failf(exitData, "%s; nothing was sent", strings.Join(refused, "; ")).withHint("%s", hint)
}

// afterBadRows says what to do with files that have bad rows.
func afterBadRows(files []*intake) string {
	commas, good := "", false
	for _, in := range files {
		if 2*in.figures.commas > in.figures.bad { // most of them: it is the file's way of writing
			commas += " " + shellQuoted(in.path)
		}
		good = good || in.figures.rows > in.figures.bad
	}
	hint := "correct these rows in the file itself, and run it again"
	if good {
		hint += "; or send the others now with --skip-invalid, and the rejected file once it is corrected"
	}
	switch {
	case commas == "":
		return hint
	case files[0].options.Canonical() != "{}": // other flags are needed, too
		return "if the file writes 1.234,50: check it with --decimal comma as well; else " + hint
	}
	return fmt.Sprintf("if the file writes 1.234,50: paylinks check%s --decimal comma; else %s", commas, hint)
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
	for _, some := range []struct {
		rows int
		are  string
	}{
		{f.met[job.Reuse], "with a link already"},
		{f.met[job.TakeOver], "to be taken over from an earlier job, which has no link for them"},
		{f.met[job.Ask], "with a link that has expired: before they are sent, Clink is asked whether it was paid"},
		{f.met[job.Wait], "waiting for a person's word on an earlier job"},
		{f.elsewhere, "in an earlier file too"},
	} {
		if some.rows > 0 {
			fmt.Fprintf(&b, ", %s of them %s", grouped(fmt.Sprint(some.rows)), some.are)
		}
	}
	if f.bad > 0 {
		fmt.Fprintf(&b, ", %s bad", grouped(fmt.Sprint(f.bad)))
	}
	b.WriteString("\n")
	totals := f.tally.Totals(job.Pending, job.Duplicate)
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		found := f.spans[code]
		fmt.Fprintf(&b, "  %s %s in %s", code, grouped(totals[code]), count(found.invoices, "invoice"))
		switch {
		case found.least < found.greatest:
			fmt.Fprintf(&b, ", from %s to %s", money(found.least, code), money(found.greatest, code))
		case found.invoices > 1:
			fmt.Fprintf(&b, ", %s each", money(found.least, code))
		}
		b.WriteString("\n")
	}
	for _, name := range slices.Sorted(maps.Keys(in.options.Defaults)) {
		if header, has := in.header.Taken[name]; has {
			fmt.Fprintf(&b, "  %s is not used: the file has the column %q\n", flagOf(name), header)
		}
	}
	for _, near := range in.header.Near {
		fmt.Fprintf(&b, "  the column %q is yours and passes through; if it is meant as %s, rename it, or %s\n",
			near.Header, near.Name, optionText(invoice.Option{Setting: "map", Column: near.Name, Value: near.Header}))
	}
	return b.String()
}

// explain says how the file was understood: which column was taken for what, the encoding, and the marks.
func (in *intake) explain() string {
	var b strings.Builder
	h := in.header
	if h.Delimiter == 0 {
		return "" // not even the header could be read
	}
	mark := "point"
	if in.options.DecimalComma {
		mark = "comma"
	}
	fmt.Fprintf(&b, "%s is read as %s, cells divided by %ss, decimal %s\n", in.path, h.Encoding, invoice.DelimiterName(h.Delimiter), mark)
	if h.FedBack {
		b.WriteString("  it is a links file or a rejected file: the columns that paylinks added are left out\n")
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	used := map[string]bool{}
	for _, column := range invoice.Columns() {
		var from []string
		if header, taken := h.Taken[column.Name]; taken {
			used[header] = true
			from = append(from, fmt.Sprintf("from the column %q", header))
		} else if value := in.options.Defaults[column.Name]; value != "" {
			from = append(from, fmt.Sprintf("%q in every row, from %s", value, flagOf(column.Name)))
		}
		if name := in.options.Defaults["item_name"]; name != "" && column.Name == "description" {
			from = append(from, fmt.Sprintf("%q where a row has none, from --item-name", name))
		}
		if len(from) > 0 {
			fmt.Fprintf(table, "  %s\t%s\n", column.Name, strings.Join(from, ", else "))
		}
	}
	_ = table.Flush() // into memory
	var own []string
	for _, header := range h.Columns {
		if !used[header] && header != "" {
			own = append(own, fmt.Sprintf("%q", header))
		}
	}
	if len(own) > 0 {
		fmt.Fprintf(&b, "  passed through: %s\n", strings.Join(own, ", "))
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

// money writes an amount, given in 1/10,000 of its major unit, for people.
func money(amount int64, code string) string {
	return grouped(job.FormatAmount(big.NewInt(amount), code))
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
