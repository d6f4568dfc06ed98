package job

import "math/big"

// LinkTally counts a job's links and their amounts by status; "" is for those that Clink has not spoken of.
type LinkTally map[LinkStatus]*LinkCount

// LinkCount is how many links there are, and their amounts by currency in 1/10,000 of the major unit.
type LinkCount struct {
	Links   int
	amounts map[string]*big.Int
}

// Add counts one link.
func (t LinkTally) Add(status LinkStatus, currency string, amount *big.Int) {
	c := t[status]
	if c == nil {
		c = &LinkCount{amounts: map[string]*big.Int{}}
		t[status] = c
	}
	c.Links++
	if c.amounts[currency] == nil {
		c.amounts[currency] = new(big.Int)
	}
	c.amounts[currency].Add(c.amounts[currency], amount)
}

// Links is how many links there are in this status.
func (t LinkTally) Links(status LinkStatus) int {
	if c := t[status]; c != nil {
		return c.Links
	}
	return 0
}

// All is how many links there are.
func (t LinkTally) All() int {
	n := 0
	for _, c := range t {
		n += c.Links
	}
	return n
}

// Totals are the amounts of the links in this status, as plain decimals by currency.
func (t LinkTally) Totals(status LinkStatus) map[string]string {
	totals := map[string]string{}
	if c := t[status]; c != nil {
		for currency, amount := range c.amounts {
			totals[currency] = FormatAmount(amount, currency)
		}
	}
	return totals
}
