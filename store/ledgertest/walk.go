package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Walk fills a new ledger with what a random walk through three jobs leaves, some of it on its way, and closes it.
func Walk(t *testing.T, opener Opener, seed uint64) {
	t.Helper()
	w := walk{ledger: openLedger(t, opener), random: rand.New(rand.NewPCG(seed, 2)), now: At, seen: map[string]int{}}
	for i := range 300 {
		if i%100 == 0 {
			w.importJob(fmt.Sprint("job ", i))
		}
		w.step()
	}
	w.close()
}
