package sqlite_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"paylinks/job"
)

func TestManyAtOnce(t *testing.T) {
	l := newLedger(t)
	const workers, each = 64, 5
	id := l.imported(newJob("a"), invoices(workers*each)...).ID
	items := l.open(id)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for _, item := range items[w*each : (w+1)*each] {
				_, number, err := l.Begin(item, at, nil)
				if err == nil {
					err = l.End(item, number, ends[job.OutcomeCreated])
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	l.want("SELECT state, count(*) FROM item GROUP BY 1", fmt.Sprintf("created|%d", workers*each))
	l.want("SELECT outcome, count(*) FROM attempt GROUP BY 1", fmt.Sprintf("created|%d", workers*each))
}

// together makes the records wait at the same moment, behind one that is being made, and returns how many
// transactions they took.
func together(t *testing.T, l *ledger, records ...func()) (commits int) {
	t.Helper()
	if err := l.OnCommit(func() { commits++ }); err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		if err := l.Record(func() error { <-free; return nil }); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	for _, record := range records {
		group.Go(record)
	}
	synctest.Wait()
	close(free)
	group.Wait()
	return commits
}

// inBubble opens a ledger whose goroutines are those of the bubble.
func inBubble(t *testing.T, test func(t *testing.T, l *ledger)) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		defer l.close()
		test(t, l)
	})
}

func TestRecordsThatWaitShareATransaction(t *testing.T) {
	inBubble(t, func(t *testing.T, l *ledger) {
		var records []func()
		for _, item := range l.open(l.imported(newJob("a"), invoices(100)...).ID) {
			records = append(records, func() {
				if _, _, err := l.Begin(item, at, nil); err != nil {
					t.Error(err)
				}
			})
		}
		if commits := together(t, l, records...); commits != 2 {
			t.Errorf("100 records and the one they waited for took %d transactions, want 2", commits)
		}
		l.want("SELECT count(*) FROM attempt", "100")
	})
}

func TestOneFailingRecordFailsAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, l *ledger) {
		items := l.open(l.imported(newJob("a"), invoices(20)...).ID)
		items[7].Attempts = 3
		broken := errors.New("broken")
		errs := make([]error, len(items))
		var records []func()
		for i, item := range items {
			records = append(records, func() { _, _, errs[i] = l.Begin(item, at, nil) })
		}
		var failed error
		records = append(records, func() { failed = l.Record(func() error { return broken }) })
		together(t, l, records...)
		for i, err := range errs {
			want := error(nil)
			if i == 7 {
				want = job.ErrMoved
			}
			wantError(t, err, want)
		}
		wantError(t, failed, broken)
		l.want("SELECT count(*) FROM attempt", "19")
	})
}
