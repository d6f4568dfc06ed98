package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bojanz/currency"
	"github.com/spf13/pflag"

	"paylinks/job"
)

// expectOptions are control totals: figures from another source that the file must agree with.
type expectOptions struct {
	rows    int
	rowsSet func() bool // whether rows are given
	totals  []string    // USD=120400.00
}

func (o *expectOptions) addFlags(flags *pflag.FlagSet) {
	flags.IntVar(&o.rows, "expect-rows", 0, "refuse the file unless it has `N` rows; one file only")
	flags.StringArrayVar(&o.totals, "expect-total", nil, "refuse the file unless its rows add up to `CURRENCY=AMOUNT`, e.g. USD=120400.00; repeatable; one file only")
	o.rowsSet = func() bool { return flags.Changed("expect-rows") }
}

func (o *expectOptions) set() bool { return o.rowsSet() || len(o.totals) > 0 }

// parse reads the figures that were given.
func (o *expectOptions) parse() (map[string]currency.Amount, error) {
	if o.rows < 0 {
		return nil, failf(exitUsage, "--expect-rows %d is no number of rows", o.rows)
	}
	totals := map[string]currency.Amount{}
	for _, text := range o.totals {
		code, number, ok := strings.Cut(text, "=")
		code = strings.ToUpper(code)
		if !ok || strings.Trim(number, "0123456789.") != "" || strings.Count(number, ".") > 1 {
			return nil, failf(exitUsage, "--expect-total %q is not a currency and a plain amount", text).
				withHint("for example: --expect-total USD=120400.00")
		}
		amount, err := currency.NewAmount(number, code)
		if err != nil {
			return nil, failf(exitUsage, "--expect-total %q: %w", text, err)
		}
		totals[code] = amount
	}
	return totals, nil
}

// compare refuses a file whose rows or totals are not those expected.
func (o *expectOptions) compare(file string, rows int, tally job.Tally) error {
	expected, err := o.parse()
	if err != nil {
		return err
	}
	var wrong []string
	if o.rowsSet() && rows != o.rows {
		wrong = append(wrong, fmt.Sprintf("it has %s, and --expect-rows says %d", count(rows, "row"), o.rows))
	}
	found := tally.Totals(job.States...)
	for _, code := range slices.Sorted(maps.Keys(expected)) {
		total := found[code]
		if total == "" {
			total = "0"
		}
		amount, err := currency.NewAmount(total, code)
		if err != nil {
			return failf(exitData, "%s: total of %s: %w", file, code, err)
		}
		if !amount.Equal(expected[code]) {
			wrong = append(wrong, fmt.Sprintf("its rows in %s add up to %s, and --expect-total says %s", code, total, expected[code].Number()))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return failf(exitData, "%s is not the file that was expected: %s", file, strings.Join(wrong, "; ")).
		withHint("nothing was sent; ask where the file comes from before you correct the figures")
}
