package sqlite_test

import (
	"os"
	"sync/atomic"
	"testing"

	"paylinks/job"
)

// The WAL is folded in as a job is imported and sent, beside a feeder that reads, and its file does not grow with the
// number of rows: SQLite folds it from 1,000 pages on, and what a transaction, or a reader that is just then at work, adds
// to that is allowed for as much again.
func TestWALStaysBounded(t *testing.T) {
	const imported, sent, most = 40_000, 10_000, 2 * 1000 * (4096 + 24)
	l := newLedger(t)
	var largest, looks atomic.Int64
	look := func(row int) {
		if row%100 != 0 {
			return
		}
		info, err := os.Stat(l.path + "-wal")
		if err != nil {
			t.Error(err)
			return
		}
		largest.Store(max(largest.Load(), info.Size()))
		looks.Add(1)
	}
	rows := invoices(imported + sent)
	_, err := l.Import(newJob("a"), func(yield func(job.NewItem, error) bool) {
		for row := range good(rows[sent:]...) {
			look(row.Row)
			if !yield(row, nil) {
				return
			}
		}
	}, false, at)
	if err != nil {
		t.Fatal(err)
	}
	look(0)
	l.busy(l.imported(newJob("b"), rows[:sent]...).ID, 64, func(item *job.Item) { look(item.Row) })
	if n := looks.Load(); n < (imported+sent)/100 {
		t.Errorf("the WAL was looked at %d times", n)
	}
	t.Logf("the WAL had %d bytes at most", largest.Load())
	if largest.Load() > most {
		t.Errorf("the WAL had %d bytes, want at most %d", largest.Load(), int64(most))
	}
	l.close()
	if _, err := os.Stat(l.path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the WAL is left: %v", err)
	}
	if info, err := os.Stat(l.path); err != nil || info.Size() < most {
		t.Errorf("the ledger is too small to have shown anything: %v, %v", info.Size(), err)
	}
}
