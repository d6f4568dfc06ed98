package intake

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bojanz/currency"

	"paylinks/job"
)

// Expect are control totals: figures from another source that a file must agree with.
type Expect struct {
	Rows   *int // nil is any number
	Totals map[string]currency.Amount
}

// compare refuses a file whose rows or totals are not those expected.
func (e Expect) compare(path string, rows int, tally job.Tally) error {
	var wrong []Difference
	if e.Rows != nil && rows != *e.Rows {
		wrong = append(wrong, Difference{Found: fmt.Sprint(rows), Expected: fmt.Sprint(*e.Rows)})
	}
	totals := tally.Totals(job.States...)
	for _, code := range slices.Sorted(maps.Keys(e.Totals)) {
		total := totals[code]
		if total == "" {
			total = "0"
		}
		found, err := currency.NewAmount(total, code)
		if err != nil {
			return fmt.Errorf("%s: total of %s: %w", path, code, err)
		}
		if !found.Equal(e.Totals[code]) {
			wrong = append(wrong, Difference{Currency: code, Found: total, Expected: e.Totals[code].Number()})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &Refusal{Kind: WrongTotals, Path: path, Differences: wrong}
}
