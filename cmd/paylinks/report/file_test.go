package report

import (
	"bytes"
	"strings"
	"testing"

	"paylinks/job/intake"
	"paylinks/job/invoice"
)

// TestProblemsOnATerminal guards that a screen is not flooded: the first 20 problems, then how many of each kind.
func TestProblemsOnATerminal(t *testing.T) {
	var screen bytes.Buffer
	p := NewProblemPrinter(&screen, true, nil)
	for line := range 2000 {
		kind := invoice.AmountZero
		if line%10 == 0 {
			kind = invoice.EmailInvalid
		}
		if err := p.Report(intake.Problem{Problem: invoice.Problem{File: "a.csv", Line: line + 2, Kind: kind, What: "is wrong"}}); err != nil {
			t.Fatal(err)
		}
	}
	p.Rest()
	lines := strings.Split(strings.TrimSuffix(screen.String(), "\n"), "\n")
	if len(lines) != 21 || lines[0] != "a.csv:2: is wrong" || lines[19] != "a.csv:21: is wrong" {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	if want := "… and 1,980 more; in all: 1,800 × amount-zero, 200 × email-invalid"; lines[len(lines)-1] != want {
		t.Errorf("got %q, want %q", lines[len(lines)-1], want)
	}
}
