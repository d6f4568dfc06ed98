package job

import (
	"maps"
	"math/big"
	"slices"
)

// Tally counts a job's items and attempts.
type Tally struct {
	Items    map[State]int
	Attempts map[Outcome]int
	amounts  map[State]map[string]*big.Int // by currency, in 1/10,000 of the major unit
}

// NewTally returns an empty one.
func NewTally() Tally {
	return Tally{map[State]int{}, map[Outcome]int{}, map[State]map[string]*big.Int{}}
}

// Add counts n items in a state, with their amount together in 1/10,000 of the major unit.
func (t Tally) Add(s State, currency string, n int, amount *big.Int) {
	if n == 0 {
		return
	}
	t.Items[s] += n
	if currency != "" {
		t.addAmount(s, currency, amount)
	}
}

func (t Tally) addAmount(s State, currency string, amount *big.Int) {
	if t.amounts[s] == nil {
		t.amounts[s] = map[string]*big.Int{}
	}
	if t.amounts[s][currency] == nil {
		t.amounts[s][currency] = new(big.Int)
	}
	t.amounts[s][currency].Add(t.amounts[s][currency], amount)
}

// Merge adds all that the other has counted.
func (t Tally) Merge(other Tally) {
	for state, n := range other.Items {
		t.Items[state] += n
	}
	for outcome, n := range other.Attempts {
		t.Attempts[outcome] += n
	}
	for state, amounts := range other.amounts {
		for currency, amount := range amounts {
			t.addAmount(state, currency, amount)
		}
	}
}

// Rows is how many items there are.
func (t Tally) Rows() int {
	n := 0
	for _, items := range t.Items {
		n += items
	}
	return n
}

// Linked is how many items have a link.
func (t Tally) Linked() int { return t.Items[Created] + t.Items[Duplicate] }

// PossibleOrphans is how many sessions may exist at Clink without being published: by attempts whose end is not on
// record yet, too, since the run that made them may have crashed.
func (t Tally) PossibleOrphans() int {
	return t.Attempts[OutcomeUnknown] + t.Attempts[OutcomeMismatch] + t.Attempts[""]
}

// AllAttempts is how many attempts are on record.
func (t Tally) AllAttempts() int {
	n := 0
	for _, attempts := range t.Attempts {
		n += attempts
	}
	return n
}

// Totals are the amounts of the items in these states, as plain decimals by currency.
func (t Tally) Totals(states ...State) map[string]string {
	sums := map[string]*big.Int{}
	for _, s := range states {
		for currency, amount := range t.amounts[s] {
			if sums[currency] == nil {
				sums[currency] = new(big.Int)
			}
			sums[currency].Add(sums[currency], amount)
		}
	}
	totals := map[string]string{}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		totals[currency] = FormatAmount(sums[currency], currency)
	}
	return totals
}

// Open is how many items a runner or a person still moves to a link.
func (t Tally) Open() int {
	return t.Items[Pending] + t.Items[Sending] + t.Items[Unknown]
}
