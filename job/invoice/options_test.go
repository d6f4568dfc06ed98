package invoice

import (
	"reflect"
	"testing"
)

// TestOptionsOfAJob guards that each option that changes which rows a file has, or how they are read, makes another job, and comes back
// from the job's own text.
func TestOptionsOfAJob(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range []Options{
		{}, {Encoding: "windows-1251"}, {DecimalComma: true}, {Map: map[string]string{"amount": "x"}}, {Defaults: map[string]string{"currency": "EUR"}},
		{Series: "2026"}, {HeaderLine: 5}, {NoQuotes: true}, {AllowNoID: true}, {SkipTotals: true}, {Lines: LinesTotal}, {Lines: LinesSum},
	} {
		text := o.Canonical()
		if seen[text] {
			t.Errorf("%+v is the job of other options: %s", o, text)
		}
		seen[text] = true
		if back, err := ReadOptions(text); err != nil || !reflect.DeepEqual(back, o) {
			t.Errorf("%s comes back as %+v, %v; want %+v", text, back, err, o)
		}
	}
	for _, o := range []Options{{AllowEmpty: true}, {AllowRepeats: true}} {
		if o.Canonical() != "{}" {
			t.Errorf("%+v makes another job", o)
		}
	}
}
