package invoice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a file: where it is, what it is, and what the person with the file can do.
type Problem struct {
	File   string
	Line   int    // the physical line on which the record starts; 0 is the file as a whole
	Column string // the header as the file has it, or the flag that gave the value; "" is the whole row or file
	Value  string // the whole value, however long
	Kind   Kind
	What   string
	Hint   string
}

// String is one line of text: file:line: column: "value": what is wrong; what to do. The value is cut at 60 characters.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Column != "" {
		b.WriteString(": " + printable(p.Column))
	}
	if p.Value != "" {
		b.WriteString(": " + quote(p.Value))
	}
	b.WriteString(": " + p.What)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
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

// flaw is what is wrong with a value, before it is known where the value stands.
type flaw struct {
	kind       Kind
	what, hint string
}

func (f *flaw) at(file string, line int, column, value string) Problem {
	return Problem{File: file, Line: line, Column: column, Value: value, Kind: f.kind, What: f.what, Hint: f.hint}
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

// printable shows a header in a message: as it is, unless something in it would spoil the line.
func printable(header string) string {
	if q := quote(header); q != `"`+header+`"` {
		return q
	}
	return header
}

// quoteList shows headers in a message, the first 30 of them.
func quoteList(headers []string) string {
	const most = 30
	shown := headers[:min(len(headers), most)]
	quoted := make([]string, 0, len(shown)+1)
	for _, h := range shown {
		quoted = append(quoted, quote(h))
	}
	if more := len(headers) - len(shown); more > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(slices.Clip(quoted), ", ")
}
