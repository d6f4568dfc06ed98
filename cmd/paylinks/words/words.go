// Package words puts figures, amounts and times into words for people.
package words

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"paylinks/job"
)

// Count writes "1 row", "2 rows".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Grouped(n) + " " + thing + "s"
}

// Grouped writes a number with commas between the thousands.
func Grouped(n int) string { return GroupedDecimal(strconv.Itoa(n)) }

// GroupedDecimal puts commas between the thousands of a plain decimal.
func GroupedDecimal(decimal string) string {
	whole, part, hasPart := strings.Cut(decimal, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if hasPart {
		return whole + "." + part
	}
	return whole
}

// Money writes an amount, given in 1/10,000 of its major unit.
func Money(amount int64, code string) string {
	return GroupedDecimal(job.FormatAmount(big.NewInt(amount), code))
}

// Amounts lists totals by currency.
func Amounts(totals map[string]string) string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		parts = append(parts, code+" "+GroupedDecimal(totals[code]))
	}
	return strings.Join(parts, ", ")
}

// StateCounts lists how many rows are in which state.
func StateCounts(t job.Tally) string {
	parts := []string{Count(t.Rows(), "row")}
	for _, state := range job.States {
		n := t.Items[state]
		switch state {
		case job.Sending: // only seen while a run goes on, or has just broken down
			continue
		case job.Unknown:
			n += t.Items[job.Sending]
		}
		if n > 0 {
			parts = append(parts, Grouped(n)+" "+string(state))
		}
	}
	return strings.Join(parts, ", ")
}

// LinkCounts lists how many links are in which status.
func LinkCounts(t job.LinkTally) string {
	parts := []string{Count(t.All(), "link")}
	for _, status := range job.LinkStatuses {
		if n := t[status]; n > 0 {
			parts = append(parts, Grouped(n)+" "+string(status))
		}
	}
	if n := t[""]; n > 0 {
		parts = append(parts, Grouped(n)+" unchecked")
	}
	return strings.Join(parts, ", ")
}

// Moment writes a time for people and programs; none is "".
func Moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Precise writes a time to the millisecond; none is "".
func Precise(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Roughly writes a duration as people say it.
func Roughly(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", (d+30*time.Second)/time.Minute)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// Printable makes a text from outside safe to print on a terminal, on one line.
func Printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
