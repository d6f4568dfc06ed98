package report

import (
	"testing"

	"paylinks/job/invoice"
)

// TestProblemsWorded guards that the command line names the flag to type, and the flag that a wrong value came from.
func TestProblemsWorded(t *testing.T) {
	for _, tt := range []struct {
		advice string
		option invoice.Option
		want   string
	}{
		{"fill it", invoice.Option{Setting: "return_url"}, "fill it, or add --return-url URL"},
		{"rename it", invoice.Option{Setting: "map", Column: "amount"}, "rename it, or add --map amount=HEADER"},
		{"rename it", invoice.Option{Setting: "map", Column: "amount", Value: "Amount Dues"}, "rename it, or add --map amount='Amount Dues'"},
		{"", invoice.Option{Do: invoice.Replace, Setting: "map", Column: "amount", Value: "Honorar"}, "did you mean --map amount=Honorar?"},
		{"rename it", invoice.Option{Setting: "currency", When: "all have one"}, "rename it; if all have one, add --currency CODE"},
		{"", invoice.Option{Setting: "decimal", Value: "comma", When: "it has commas"}, "if it has commas, add --decimal comma"},
		{"", invoice.Option{Do: invoice.LeaveOut, Setting: "decimal", Value: "comma", When: "it has points"}, "if it has points, leave out --decimal comma"},
		{"", invoice.Option{Do: invoice.LeaveOut, Setting: "encoding"}, "leave out --encoding for this file"},
		{"save it", invoice.Option{Do: invoice.Replace, Setting: "encoding"}, "save it, or give another --encoding"},
		{"take it out", invoice.Option{Setting: "allow_repeats", When: "both are meant"}, "take it out; if both are meant, add --allow-repeats"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			p := worded(invoice.Problem{File: "a.csv", Setting: "ui_mode", Value: "x", What: "is wrong", Advice: tt.advice, Options: []invoice.Option{tt.option}})
			if want := `a.csv: --ui-mode: "x": is wrong; ` + tt.want; p.String() != want {
				t.Errorf("got  %s\nwant %s", p, want)
			}
		})
	}
}
