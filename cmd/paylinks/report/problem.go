package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"paylinks/cmd/paylinks/words"
	"paylinks/job/intake"
	"paylinks/job/invoice"
)

// problemsShown is how many problems a terminal shows one by one: a screen full.
const problemsShown = 20

// ProblemPrinter prints problems as they are found: on a terminal the first ones, elsewhere all; or, as JSON lines,
// all of them.
type ProblemPrinter struct {
	to    io.Writer
	json  *json.Encoder // nil is text
	most  int           // 0 is all
	shown int
	found map[invoice.Kind]int
}

// NewProblemPrinter prints to a terminal or to another stream; asJSON takes the problems instead, where it is not nil.
func NewProblemPrinter(to io.Writer, terminal bool, asJSON io.Writer) *ProblemPrinter {
	p := &ProblemPrinter{to: to, found: map[invoice.Kind]int{}}
	if asJSON != nil {
		p.json = json.NewEncoder(asJSON)
		p.json.SetEscapeHTML(false)
	}
	if terminal {
		p.most = problemsShown
	}
	return p
}

// problemLine is a problem for programs. Its keys are fixed.
type problemLine struct {
	File   string       `json:"file"`
	Line   int          `json:"line"`           // 0 is the whole file
	Cell   string       `json:"cell,omitempty"` // of a workbook
	Column string       `json:"column"`
	Value  string       `json:"value"`
	Kind   invoice.Kind `json:"kind"`
	What   string       `json:"what"`
	Hint   string       `json:"hint"`
}

// Report prints the problem; see [intake.Reporter].
func (p *ProblemPrinter) Report(found intake.Problem) (err error) {
	problem := p.Word(found)
	p.found[problem.Kind]++
	switch {
	case p.json != nil:
		err = p.json.Encode(problemLine{problem.File, problem.Line, problem.Cell, problem.Column, problem.Value, problem.Kind, problem.What, problem.Advice})
	case p.most > 0 && p.shown == p.most: // Rest counts it
	default:
		p.shown++
		fmt.Fprintln(p.to, problem)
	}
	if err != nil {
		return &WriteError{err}
	}
	return nil
}

// Word is the problem in the words of the command line.
func (p *ProblemPrinter) Word(problem intake.Problem) invoice.Problem {
	return worded(problem.Problem)
}

// Rest says how many there are of each kind, where not all were shown.
func (p *ProblemPrinter) Rest() {
	all := 0
	for _, n := range p.found {
		all += n
	}
	if p.json != nil || all == p.shown {
		return
	}
	kinds := slices.SortedFunc(maps.Keys(p.found), func(a, b invoice.Kind) int {
		return cmp.Or(p.found[b]-p.found[a], strings.Compare(string(a), string(b)))
	})
	var texts []string
	for _, kind := range kinds {
		texts = append(texts, fmt.Sprintf("%s × %s", words.Grouped(p.found[kind]), kind))
	}
	fmt.Fprintf(p.to, "… and %s more; in all: %s\n", words.Grouped(all-p.shown), strings.Join(texts, ", "))
}

// worded is the problem in the words of the command line: a setting is named by its flag in Column, and Advice includes the
// flags that would help.
func worded(p invoice.Problem) invoice.Problem {
	if p.Setting != "" {
		p.Column, p.Setting = words.Flag(p.Setting), ""
	}
	for _, option := range p.Options {
		text := OptionText(option)
		switch {
		case option.When != "" && p.Advice != "":
			text = "; if " + option.When + ", " + text
		case option.When != "":
			text = "if " + option.When + ", " + text
		case p.Advice != "":
			text = ", or " + text
		}
		p.Advice += text
	}
	p.Options = nil
	return p
}

// placeholders stand for values that the person has to find.
var placeholders = map[string]string{"map": "HEADER", "ignore": "HEADER", "currency": "CODE", "return_url": "URL", "series": "NAME", "encoding": "NAME", "header_line": "N", "lines": "WORD"}

// OptionText says what to do with the option's flag.
func OptionText(o invoice.Option) string {
	value := ""
	switch {
	case o.Value != "":
		value = words.ShellQuoted(o.Value)
	case o.Do == invoice.Add:
		value = placeholders[o.Setting]
	}
	if o.Setting == "map" {
		value = o.Column + "=" + value
	}
	flag := strings.TrimSpace(words.Flag(o.Setting) + " " + value)
	switch {
	case o.Do == invoice.LeaveOut && o.When == "":
		return "leave out " + flag + " for this file"
	case o.Do == invoice.LeaveOut:
		return "leave out " + flag
	case o.Do == invoice.Replace && o.Value == "":
		return "give another " + words.Flag(o.Setting)
	case o.Do == invoice.Replace:
		return "did you mean " + flag + "?"
	}
	return "add " + flag
}
