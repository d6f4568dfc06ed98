package options

import (
	"strings"

	"github.com/bojanz/currency"
	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job/intake"
)

// Expect are control totals: figures from another source that the file must agree with.
type Expect struct {
	rows    int
	rowsSet func() bool // whether rows are given
	totals  []string    // USD=120400.00
}

// AddFlags adds the flags of the control totals.
func (o *Expect) AddFlags(flags *pflag.FlagSet) {
	flags.IntVar(&o.rows, "expect-rows", 0, "refuse the file unless it has `N` rows; one file only")
	flags.StringArrayVar(&o.totals, "expect-total", nil, "refuse the file unless its invoices add up to `CURRENCY=AMOUNT`, e.g. USD=120400.00; repeatable; one file only")
	o.rowsSet = func() bool { return flags.Changed("expect-rows") }
}

// Set says whether a figure is given.
func (o *Expect) Set() bool { return o.rowsSet() || len(o.totals) > 0 }

// Resolve reads the figures that were given.
func (o *Expect) Resolve() (intake.Expect, error) {
	expect := intake.Expect{Totals: map[string]currency.Amount{}}
	if o.rows < 0 {
		return expect, exit.Failf(exit.Usage, "--expect-rows %d is not a number of rows", o.rows)
	}
	if o.rowsSet() {
		expect.Rows = &o.rows
	}
	for _, text := range o.totals {
		code, number, ok := strings.Cut(text, "=")
		code = strings.ToUpper(code)
		if !ok || strings.Trim(number, "0123456789.") != "" || strings.Count(number, ".") > 1 {
			return expect, exit.Failf(exit.Usage, "--expect-total %q is not a currency and a plain amount", text).
				WithHint("for example: --expect-total USD=120400.00")
		}
		amount, err := currency.NewAmount(number, code)
		if err != nil {
			return expect, exit.Failf(exit.Usage, "--expect-total %q: %w", text, err)
		}
		expect.Totals[code] = amount
	}
	return expect, nil
}
