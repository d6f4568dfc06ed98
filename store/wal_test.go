package store_test

import (
	"os"
	"sync/atomic"
	"testing"

	"paylinks/job"
)

// The WAL is folded in as a run goes on, beside a feeder that reads, and its file does not grow with the number of rows:
// SQLite folds it from 1,000 pages on, and what a transaction, or a reader that is just then at work, adds to that is
// allowed for as much again.
func TestWALStaysBounded(t *testing.T) {
	const rows, most = 20_000, 2 * 1000 * (4096 + 24)
	l := newLedger(t)
	const each = rows / 10 // an import is one transaction, and so as large in the WAL as it is
	var largest, written atomic.Int64
	for i := range 10 {
		batch := invoices(rows)[i*each : (i+1)*each]
		id := l.imported(newJob(string(rune('a'+i))), batch...).ID
		l.busy(id, 64, func(item *job.Item) {
			if item.Row%100 != 0 {
				return
			}
			info, err := os.Stat(l.path + "-wal")
			if err != nil {
				t.Error(err)
				return
			}
			largest.Store(max(largest.Load(), info.Size()))
			written.Add(1)
		})
	}
	if n := written.Load(); n < rows/100 {
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
