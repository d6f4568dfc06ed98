package options

import (
	"testing"

	"paylinks/job/invoice"
)

// TestReadFlags guards that a command that is printed reads a file as the job did that it is about.
func TestReadFlags(t *testing.T) {
	o := invoice.Options{Encoding: "windows-1251", HeaderLine: 5, NoQuotes: true, SkipTotals: true, AllowNoID: true, AllowEmpty: true, Lines: invoice.LinesSum}
	const want = " --encoding windows-1251 --header-line 5 --quote none --lines sum --skip-totals --allow-no-id"
	if got := readFlags(o.Canonical()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
