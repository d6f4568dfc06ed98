package invoice

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a file: where it is, what it is, and what the person with the file can do.
type Problem struct {
	File    string
	Line    int    // the physical line on which the record starts; 0 is the file as a whole
	Cell    string // in a workbook, what it calls the place: Sheet1!C7; else ""
	Column  string // the header as the file has it; "" is the whole row or file
	Setting string // instead of Column, the name of the setting that gave the value, as in [Option]
	Value   string // the whole value, however long
	Kind    Kind
	What    string
	Advice  string   // what can be changed in the file; "" where only Options help
	Options []Option // what can be changed in how the file is read
}

// Option is a change of the settings that would solve a problem: a flag on a terminal, a button on a page.
type Option struct {
	Do      Change
	Setting string // map, ignore, decimal, encoding, allow_repeats, or the column whose value for the whole job it is
	Column  string // of map: the canonical name
	Value   string // of map and ignore, the header; "" is for the person to find
	When    string // the condition under which it helps, as in "both are meant"; "" is none
}

// Change is what an [Option] does with its setting.
type Change int

const (
	Add      Change = iota // it was not given
	LeaveOut               // it was given, and must not be
	Replace                // it was given another value: Value is what was probably meant
)

// String is one line of text: file:line: column: "value": what is wrong; advice. The value is cut at 60 characters.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	switch {
	case p.Cell != "":
		b.WriteString(": " + p.Cell)
	case p.Line > 0:
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if place := cmp.Or(p.Column, p.Setting); place != "" {
		b.WriteString(": " + printable(place))
	}
	if p.Value != "" {
		b.WriteString(": " + quote(p.Value))
	}
	b.WriteString(": " + p.What)
	if p.Advice != "" {
		b.WriteString("; " + p.Advice)
	}
	return b.String()
}

func (p *Problem) Error() string { return p.String() }

// Problems is why a file cannot be read at all: the error of [Open].
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find each problem as a [*Problem].
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i := range ps {
		errs[i] = &ps[i]
	}
	return errs
}

// flaw is a problem whose place is not known yet.
func flaw(kind Kind, what, advice string, options ...Option) *Problem {
	return &Problem{Kind: kind, What: what, Advice: advice, Options: options}
}

func (p *Problem) at(file string, line int, column, value string) Problem {
	placed := *p
	placed.File, placed.Line, placed.Column, placed.Value = file, line, column, value
	return placed
}

// atSetting places the problem in the value of a setting.
func (p *Problem) atSetting(file string, line int, setting, value string) Problem {
	placed := p.at(file, line, "", value)
	placed.Setting = setting
	return placed
}

// quote shows a value in a message: in double quotes, unprintable characters escaped, cut at 60 characters.
func quote(value string) string {
	const most = 60
	n := 0
	for i := range value {
		if n == most {
			return strconv.Quote(value[:i] + "…")
		}
		n++
	}
	return strconv.Quote(value)
}

// printable shows a header in a message: as it is, or quoted where it has quotes or unprintable characters.
func printable(header string) string {
	if q := quote(header); q != `"`+header+`"` {
		return q
	}
	return header
}

// quoteList shows headers in a message, the first 30 of them.
func quoteList(headers []string) string {
	const most = 30
	var quoted []string
	for _, h := range headers[:min(len(headers), most)] {
		quoted = append(quoted, quote(h))
	}
	if more := len(headers) - most; more > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(quoted, ", ")
}
