package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"paylinks/job"
	"testing"
	"time"
)

// testTalliesAfterAnything walks at random through what can happen to three jobs that share invoices, with amounts
// whose sum is beyond an int64, and recounts on the way.
func (c contract) testTalliesAfterAnything(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			opener := c.fresh(t)
			l := openLedger(t, opener)
			w := walk{ledger: l, random: random, now: At, seen: seen}
			const steps = 600
			for i := range steps {
				if i%(steps/4) == 0 {
					w.importJob(fmt.Sprint("job ", i))
				}
				w.step()
				if i%100 == 99 {
					l.checkTallies()
					l.checkAmounts(w.rows())
				}
				if i == steps/2 {
					l.close()
					l = openLedger(t, opener)
					if crashed := l.recovered(); crashed != len(w.sending) {
						t.Errorf("%d crashed, %d were sending", crashed, len(w.sending))
					}
					w.ledger = l
					w.sending = nil
				}
			}
		})
	}
	for _, what := range []string{"Send", "TakeOver", "Reuse", "Ask", "Later", "Wait", "Refuse", "GiveWay", "end", "retry", "replace", "again"} {
		if seen[what] == 0 {
			t.Errorf("no walk met %s: %v", what, seen)
		}
	}
}

// importJob imports a job that shares its invoices with those before. Some of these fail and are retried around it,
// so that invoices are open in several jobs.
func (w *walk) importJob(name string) {
	w.t.Helper()
	for _, id := range w.imports {
		for _, item := range w.open(id) {
			if w.random.IntN(3) == 0 {
				continue
			}
			_, number, err := w.Begin(item, w.now, nil)
			if err == nil && number > 0 {
				err = w.End(item, number, Ends[job.OutcomeRejected])
			}
			w.must(err)
		}
	}
	var rows []job.NewItem
	for i := range 20 {
		row := Invoice(2*i+2, fmt.Sprintf("INV-%d", i))
		row.Currency = []string{"USD", "JPY", "KWD"}[i%3]
		row.Amount = 999_999_999_999_999_999 - int64(i)
		if w.random.IntN(4) == 0 {
			row.Amount = 1 + w.random.Int64N(1_000_000)
		}
		if w.random.IntN(10) == 0 {
			row = job.NewItem{Row: 2*i + 2, Problem: "amount: missing"}
		}
		rows = append(rows, row)
		if i%4 == 1 {
			rows = append(rows, further(2*i+3, i/2))
		}
	}
	j := NewJob(name)
	if w.random.IntN(3) == 0 {
		j.OnUnknown = job.Hold
	}
	j, err := w.Import(j, Good(rows...), true, w.now)
	w.must(err)
	for _, id := range w.imports {
		w.must(second(w.Retry(id, false, w.now)))
	}
	w.imports = append(w.imports, j.ID)
}

// step does one thing.
func (w *walk) step() {
	w.t.Helper()
	w.now = w.now.Add(10 * time.Minute)
	jobID := w.imports[w.random.IntN(len(w.imports))]
	switch dice := w.random.IntN(100); {
	case dice < 3:
		_, err := w.Retry(jobID, false, w.now)
		w.seen["retry"]++
		w.must(err)
	case dice < 6:
		_, err := w.Retry(jobID, true, w.now)
		w.seen["retry"]++
		w.must(err)
	case dice < 8:
		j, err := w.Job(w.t.Context(), jobID)
		w.must(err)
		w.must(w.RunAgain(j, nil, w.now))
		w.seen["again"]++
	case dice < 10:
		w.must(w.LookAgain(jobID, w.now))
	case dice < 45:
		if len(w.sending) == 0 {
			return
		}
		item := w.sending[0]
		w.sending = w.sending[1:]
		outcomes := []job.Outcome{
			job.OutcomeCreated, job.OutcomeMismatch, job.OutcomeRejected, job.OutcomeUnknown, job.OutcomeNotSent, job.OutcomeThrottled,
		}
		end := Ends[outcomes[w.random.IntN(len(outcomes))]]
		end.At, end.ExpiresAt = w.now, w.now.Add(60*time.Hour)
		w.must(w.End(item, item.Attempts+1, end))
		w.seen["end"]++
	case dice >= 90 && w.now.After(At.Add(90*time.Hour)): // late, since it empties the invoices that others meet
		which := []job.LinkChoice{job.Ended, job.EndedElsewhere}[dice%2]
		items, err := w.Links(w.t.Context(), job.LinkQuery{JobID: jobID, At: w.now, Which: which}, 0, 1)
		w.must(err)
		if len(items) > 0 {
			w.must(w.Replace(&items[0], w.now))
			w.seen["replace"]++
		}
	default:
		items := w.open(jobID)
		if len(items) == 0 {
			return
		}
		item := items[w.random.IntN(len(items))]
		if dice < 50 {
			w.must(w.Note(item, []string{job.CodeUnclear, job.CodeUnsettled}[dice%2], "why"))
			return
		}
		resolution, _, err := w.Begin(item, w.now, nil)
		w.must(err)
		w.seen[[]string{"Send", "TakeOver", "Reuse", "Ask", "Later", "Wait", "Refuse", "Overtaken", "GiveWay"}[resolution.Action]]++
		if resolution.Action == job.Ask {
			said := []job.LinkStatus{job.LinkExpired, job.LinkOpen, job.LinkPaid}[dice%3]
			w.must(w.Checked(resolution.Other.ItemID, said, w.now))
			item.Heard = map[string]job.LinkStatus{resolution.Other.SessionID: said}
			resolution, _, err = w.Begin(item, w.now, nil)
			w.must(err)
		}
		if resolution.Action == job.Send || resolution.Action == job.TakeOver {
			w.sending = append(w.sending, item)
		}
	}
}

func (c contract) testTotalBeyondInt64(t *testing.T) {
	l := c.newLedger(t)
	var rows []job.NewItem
	for i := range 20 {
		row := Invoice(i+2, fmt.Sprint(i))
		row.Amount = 999_999_999_999_999_999
		rows = append(rows, row)
	}
	j := l.imported(NewJob("a"), rows...)
	tally, err := l.Tally(t.Context(), j.ID)
	if got := tally.Totals(job.Pending)["USD"]; err != nil || got != "1999999999999999.998" {
		t.Errorf("the total is %s, %v", got, err)
	}
}

type walk struct {
	*ledger
	random  *rand.Rand
	sending []*job.Item
	now     time.Time
	seen    map[string]int
	imports []int64 // the jobs
}

// rows are the good rows that the walk's files may have.
func (w *walk) rows() []job.NewItem {
	var rows []job.NewItem
	for i := range 20 {
		rows = append(rows, Invoice(i+2, fmt.Sprintf("INV-%d", i)))
	}
	return rows
}
