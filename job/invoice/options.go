package invoice

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Options are the settings for reading a file. The zero value is the default.
type Options struct {
	Encoding     string            // an IANA name such as windows-1252; "" is UTF-8, or UTF-16 by its mark
	DecimalComma bool              // 1.234,50 instead of 1,234.50
	Map          map[string]string // canonical column name to the header in the file
	Ignore       []string          // headers in the file that are taken for nothing
	Defaults     map[string]string // canonical column name, or item_name, to the value for a file that lacks the column
	Series       string            // of the invoices, where their numbers begin again in each; "" is the only one
	Sheet        string            // of a workbook; "" is the only one that fits
	HiddenRows   HiddenRows        // of a sheet
	HeaderLine   int               // the line of the column names; 0 is where they are found
	NoQuotes     bool              // double quotes are text
	AllowNoID    bool              // a row may have no id where others have one
	SkipTotals   bool              // totals that add up are left out
	AllowEmpty   bool              // there may be no rows
	Lines        LinesMode         // what a row says of an invoice that may have several
	AllowRepeats bool              // rows without an id may ask for the same
	GuardAmount  bool              // Map has the amount from an earlier file: a header that could be it, too, and is new, refuses this one
	GuardLine    bool              // likewise, the amount of a line
	OtherAmounts []string          // with either, the headers that could be the amount, or a line's, and were there then
}

// Canonical is a stable text of the options that shape requests, which are part of a job's identity. It is the same for all
// names of an encoding. AllowRepeats is not in it, because it changes no request, and neither are AllowEmpty
// and what guards the amount.
func (o Options) Canonical() string {
	text, err := json.Marshal(canonicalOptions{
		canonicalEncoding(o.Encoding), o.DecimalComma, o.Map, slices.Compact(slices.Sorted(slices.Values(o.Ignore))), o.Defaults, o.Series,
		o.HeaderLine, o.NoQuotes, o.AllowNoID, o.SkipTotals, o.Sheet, o.HiddenRows,
		o.Lines,
	})
	if err != nil {
		panic(fmt.Sprintf("marshal options: %v", err)) // strings and a bool always marshal
	}
	return string(text)
}

// canonicalOptions are the options that are in the canonical text.
type canonicalOptions struct {
	Encoding     string            `json:"encoding,omitempty"`
	DecimalComma bool              `json:"decimal_comma,omitempty"`
	Map          map[string]string `json:"map,omitempty"`
	Ignore       []string          `json:"ignore,omitempty"`
	Defaults     map[string]string `json:"defaults,omitempty"`
	Series       string            `json:"series,omitempty"`
	HeaderLine   int               `json:"header_line,omitempty"`
	NoQuotes     bool              `json:"no_quotes,omitempty"`
	AllowNoID    bool              `json:"allow_no_id,omitempty"`
	SkipTotals   bool              `json:"skip_totals,omitempty"`
	Sheet        string            `json:"sheet,omitempty"`
	HiddenRows   HiddenRows        `json:"hidden_rows,omitempty"`
	Lines        LinesMode         `json:"lines,omitempty"`
}

// ReadOptions are the options that have this canonical text.
func ReadOptions(canonical string) (Options, error) {
	var o canonicalOptions
	if err := json.Unmarshal([]byte(canonical), &o); err != nil {
		return Options{}, fmt.Errorf("read options: %w", err)
	}
	return Options{
		Encoding: o.Encoding, DecimalComma: o.DecimalComma, Map: o.Map, Ignore: o.Ignore, Defaults: o.Defaults, Series: o.Series,
		HeaderLine: o.HeaderLine, NoQuotes: o.NoQuotes, AllowNoID: o.AllowNoID, SkipTotals: o.SkipTotals,
		Sheet: o.Sheet, HiddenRows: o.HiddenRows, Lines: o.Lines,
	}, nil
}

// SeriesOf is the series in the canonical text of options.
func SeriesOf(canonical string) string {
	o, err := ReadOptions(canonical)
	if err != nil {
		return "" // it is of no job that was read with a series
	}
	return o.Series
}

var seriesName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// ValidSeries says whether a series can have this name: it stands before the id in the reference that Clink gets.
func ValidSeries(name string) bool { return seriesName.MatchString(name) }
