package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// line is a line of the table.
type line struct {
	name     string
	verb     string   // how a figure is written, such as %.0f
	unit     string   // of all figures of the line
	ours     []sample // of the program that is judged, and of the one that it is compared with, if any
	peer     sample
	peerName string
	bar      bar
	err      error // why there is no figure; the rest of the line is then empty
}

// bar is what the median of a line must be; a bound of 0 is none.
type bar struct{ atLeast, atMost float64 }

const ok, missed, unmeasured = "ok", "missed", "not measured"

// verdict judges the line; "" means that it has no bar, or nothing to judge.
func (l line) verdict(quick bool) string {
	switch {
	case l.err != nil:
		return unmeasured
	case l.bar == bar{} || len(l.ours) == 0 || quick:
		return ""
	}
	if value := l.ours[0].median(); value >= l.bar.atLeast && (l.bar.atMost == 0 || value <= l.bar.atMost) {
		return ok
	}
	return missed
}

func (b bar) text(verb string) string {
	switch least, most := english.Sprintf(verb, b.atLeast), english.Sprintf(verb, b.atMost); {
	case b == bar{}:
		return ""
	case b.atMost == 0:
		return "≥ " + least
	case b.atLeast == 0:
		return "≤ " + most
	default:
		return least + "–" + most
	}
}

// verdictOf is an error when a bar was missed or a figure is missing. Under quick nothing is judged.
func verdictOf(lines []line, quick bool) error {
	var errs []error
	for _, l := range lines {
		if v := l.verdict(quick); v == missed || v == unmeasured {
			errs = append(errs, fmt.Errorf("%s: %s", l.name, v))
		}
	}
	return errors.Join(errs...)
}

// markdown is the table with the machine above it. With before there is a column for the program that was compared.
func markdown(machine string, lines []line, before, quick bool) string {
	rows := [][]string{{"figure", "measured", "before", "peer", "bar", "unit", "verdict"}, slices.Repeat([]string{"---"}, 7)}
	for _, l := range lines {
		var ours [2]string
		for i, figure := range l.ours {
			ours[i] = figure.text(l.verb)
		}
		if l.err != nil {
			ours[0] = l.err.Error()
		}
		if len(l.peer) > 0 {
			l.peerName += ": " + l.peer.text(l.verb)
		}
		rows = append(rows, []string{l.name, ours[0], ours[1], l.peerName, l.bar.text(l.verb), l.unit, l.verdict(quick)})
	}
	text := machine + "\n\n"
	if quick {
		text += "**Tiny sizes (--quick): nothing is judged.**\n\n"
	}
	for _, cells := range rows {
		if !before {
			cells = slices.Delete(cells, 2, 3)
		}
		for i, cell := range cells {
			cells[i] = cmp.Or(strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell), "–")
		}
		text += "| " + strings.Join(cells, " | ") + " |\n"
	}
	return text + "\nMedians, with the least and the most of several runs. How each figure is measured: cmd/bench/README.md.\n"
}

// english writes figures as people read them: 1,234,567.
var english = message.NewPrinter(language.English)

// sample is one quantity, measured several times.
type sample []float64

// median of an empty sample is 0.
func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(s)-1)/2] + sorted[len(s)/2]) / 2
}

// text is the median, and the least and the most where there are several.
func (s sample) text(verb string) string {
	if len(s) < 2 {
		return english.Sprintf(verb, s.median())
	}
	return english.Sprintf(verb+" ("+verb+"–"+verb+")", s.median(), slices.Min(s), slices.Max(s))
}
