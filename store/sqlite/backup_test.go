package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

// busy takes all open items of the job through their attempts, by several workers beside a feeder, and returns when all
// are created. Each fifth item needs two attempts.
func (l *ledger) busy(jobID int64, workers int, each func(*job.Item)) {
	l.t.Helper()
	todo := make(chan *job.Item)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for item := range todo {
				if item.Row%5 == 0 {
					l.send(item, job.OutcomeUnknown)
				}
				l.send(item, job.OutcomeCreated)
				each(item)
			}
		})
	}
	for after := int64(0); ; {
		items, err := l.Open(l.t.Context(), jobID, after, 256)
		if err != nil || len(items) == 0 {
			close(todo)
			group.Wait()
			if err != nil {
				l.t.Fatal(err)
			}
			return
		}
		for i := range items {
			after = items[i].ID
			todo <- &items[i]
		}
	}
}

// A backup taken under load is a ledger of one moment: SQLite finds it whole, its counts agree with its rows, no attempt
// is without its item, and what had been said to be on record before it began is in it. It can be gone on with.
func TestBackupUnderLoad(t *testing.T) {
	const rows, backups, senders = 1600, 4, 8
	l := newLedger(t)
	id := l.imported(newJob("a"), invoices(rows)...).ID
	l.imported(newJob("b"), invoice(2, "ANOTHER"))
	folder := t.TempDir()
	reader, err := sqlite.OpenToRead(t.Context(), l.path) // what a second process has
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()

	var mu sync.Mutex
	created := 0
	due := make(chan int, backups)
	taken := map[string]int{} // by the backup's path, how many were created before it
	var backing sync.WaitGroup
	backing.Go(func() {
		for n := range due {
			path := filepath.Join(folder, fmt.Sprint(n))
			mu.Lock()
			taken[path] = created
			mu.Unlock()
			if err := reader.Backup(t.Context(), path); err != nil {
				t.Error(err)
			}
		}
	})
	l.busy(id, senders, func(*job.Item) {
		mu.Lock()
		defer mu.Unlock()
		if created++; created%(rows/backups) == rows/backups/2 {
			due <- created
		}
	})
	close(due)
	backing.Wait()

	files, err := os.ReadDir(folder)
	if err != nil || len(files) != backups || len(taken) != backups {
		t.Fatalf("%d backups of %d, and %v: %v", len(taken), backups, files, err)
	}
	midway := 0
	for path, before := range taken {
		backup := openLedger(t, path) // when the test ends, its counts are compared with a recount
		tally, err := backup.Tally(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := tally.Items[job.Created]; got < before {
			t.Errorf("%s has %d links, and %d were on record before it", path, got, before)
		} else if got < rows {
			midway++
		}
		if crashed := backup.recovered(); tally.Rows() != rows || crashed > senders {
			t.Errorf("%s has %d rows, %d of them on their way", path, tally.Rows(), crashed)
		}
		backup.want("SELECT count(*) FROM job", "2")
		backup.want("SELECT count(*) FROM item WHERE attempts <> (SELECT count(*) FROM attempt WHERE item_id = item.id)", "0")
		backup.want("SELECT count(*) FROM attempt WHERE outcome = ''", "0")
		if open := backup.open(id); len(open) > 0 {
			backup.send(open[0], job.OutcomeCreated)
		}
	}
	if midway < backups/2 {
		t.Errorf("%d of %d backups were taken while the run went on", midway, backups)
	}
}
