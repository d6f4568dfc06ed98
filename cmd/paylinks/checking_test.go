package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paylinks/job"
	"paylinks/job/invoice"
)

// TestProblemsOnATerminal guards that a screen is not flooded: the first 20 problems, then how many of each kind.
func TestProblemsOnATerminal(t *testing.T) {
	var screen bytes.Buffer
	p := newProblemPrinter(&screen)
	p.most = problemsShown // as on a terminal
	for line := range 2000 {
		kind := invoice.AmountZero
		if line%10 == 0 {
			kind = invoice.EmailInvalid
		}
		if err := p.print(invoice.Problem{File: "a.csv", Line: line + 2, Kind: kind, What: "is wrong"}); err != nil {
			t.Fatal(err)
		}
	}
	p.rest()
	lines := strings.Split(strings.TrimSuffix(screen.String(), "\n"), "\n")
	if len(lines) != 21 || lines[0] != "a.csv:2: is wrong" || lines[19] != "a.csv:21: is wrong" {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	if want := "… and more: 1,782 × amount-zero, 198 × email-invalid"; lines[len(lines)-1] != want {
		t.Errorf("got %q, want %q", lines[len(lines)-1], want)
	}
}

// TestFileChangesBeforeItsRejectedFile guards that the file is to blame, and named, where it changes between its check and
// the writing of its rejected file.
func TestFileChangesBeforeItsRejectedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.csv")
	put := func(amount string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(invoiceFile("A-1", amount)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("0")
	in, err := newIntake(path, invoice.Options{}, target{environment: job.Simulator, baseURL: job.InProcess}, &runFiles{})
	if err != nil {
		t.Fatal(err)
	}
	check := checking{expect: &expectOptions{}, words: writerFunc(func(said string) {
		if strings.Contains(said, "1 row, 1 bad") {
			put("0.00")
		}
	})}
	f := classify(check.all(t.Context(), []*intake{in}))
	if want := path + ": the file changed while it was read; nothing was sent"; f.status != exitData || f.Error() != want {
		t.Errorf("status %d, %q; want %d, %q", f.status, f.Error(), exitData, want)
	}
	if want := "run again when nobody writes to it any more"; f.hint != want {
		t.Errorf("hint %q, want %q", f.hint, want)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "bad.rejected.csv")); err == nil {
		t.Error("there is a rejected file of rows that are in no file any more")
	}
}

// writerFunc is an io.Writer that shows what is written.
type writerFunc func(said string)

func (w writerFunc) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
