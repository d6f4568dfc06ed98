package contents

import (
	"errors"
	"math/big"
)

// ErrTallies: what the target keeps count of is not what a recount says.
var ErrTallies = errors.New("the counts that were made for the target are not what a recount of its rows says")

// Tally is how many items of a job are in a state, and their amount, or how many attempts have an outcome.
type Tally struct {
	Job      int64
	Attempts bool // Word is an outcome, else a state
	Word     string
	Currency string // of items
}

// Recount counts items and attempts, to compare with what a ledger keeps count of.
type Recount struct {
	counts map[Tally]*count
}

type count struct {
	rows   int64
	amount big.Int
}

// Counted are the tables, whose items and attempts are counted as they go by.
func (t Tables) Counted() (Tables, *Recount) {
	r := &Recount{counts: map[Tally]*count{}}
	t.Items = changed(t.Items, func(i *Item) bool {
		r.count(Tally{Job: i.Job, Word: i.State, Currency: i.Currency}, 1, big.NewInt(i.Amount))
		return true
	})
	t.Attempts = changed(t.Attempts, func(a *Attempt) bool {
		r.count(Tally{Job: a.Job, Attempts: true, Word: a.Outcome}, 1, new(big.Int))
		return true
	})
	return t, r
}

func (r *Recount) count(which Tally, rows int64, amount *big.Int) {
	c, known := r.counts[which]
	if !known {
		c = &count{}
		r.counts[which] = c
	}
	c.rows += rows
	c.amount.Add(&c.amount, amount)
}

// Kept takes away what the ledger keeps count of. When all of it is taken away, Differs must say no.
func (r *Recount) Kept(which Tally, rows int64, amount *big.Int) {
	r.count(which, -rows, new(big.Int).Neg(amount))
}

// Differs is ErrTallies where something is left.
func (r *Recount) Differs() error {
	for _, c := range r.counts {
		if c.rows != 0 || c.amount.Sign() != 0 {
			return ErrTallies
		}
	}
	return nil
}
