package sqlite_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

// A record that fails is taken out of the transaction that it shared, and the others are made again: a part of an import, too,
// as if it had not been made before.
func TestImportBesideRecordsThatFail(t *testing.T) {
	l := newLedger(t)
	var rows []job.NewItem
	for i := range 40 {
		row := invoice(i+2, fmt.Sprintf("INV-%d", i))
		row.Cells = append(row.Cells, strings.Repeat("x", 1<<20))
		rows = append(rows, row)
	}
	l.imported(newJob("a"), rows[:20]...) // to be taken over
	broken := errors.New("broken")
	var beside sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		beside.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := l.Record(func() error { return broken }); !errors.Is(err, broken) {
					t.Errorf("the record that fails: %v", err)
				}
			}
		})
	}
	j, err := l.Import(newJob("b"), good(rows...), false, at)
	close(done)
	beside.Wait()
	if err != nil {
		t.Fatal(err)
	}
	l.want("SELECT job_id, state, count(*), max(id) - min(id) + 1 FROM item GROUP BY 1", "1|superseded|20|20", fmt.Sprintf("%d|pending|40|40", j.ID))
}

// fat is a row so large that some hundreds of them do not stay in SQLite's memory.
func fat(i int) job.NewItem {
	row := invoice(i+2, fmt.Sprintf("FAT-%d", i))
	row.Cells = append(row.Cells, strings.Repeat("x", 40_000))
	return row
}

func init() {
	helpers["import"] = func(args []string) error {
		s, err := sqlite.OpenToSend(args[0], "")
		if err != nil {
			return err
		}
		_, err = s.Import(newJob("b"), func(yield func(job.NewItem, error) bool) {
			for i := range 1000 {
				if i == 900 {
					fmt.Println("nearly done")
					_, _ = io.Copy(io.Discard, os.Stdin)
				}
				if !yield(fat(i), nil) {
					return
				}
			}
		}, false, at)
		return errors.Join(err, s.Close())
	}
}

func TestImportKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), fat(950)) // to be taken over
	before := l.dump()
	l.close()
	p := start(t, "import", path)
	p.line()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() < 1<<20 {
		t.Fatalf("nothing of it is on disk yet, so this tests nothing: %v", err)
	}
	p.kill()
	l = openLedger(t, path)
	if after := l.dump(); after != before {
		t.Error("something of the killed import was recorded")
	}
}

// An import takes several transactions. Before the last one the ledger is for everybody as if there were none.
func TestAnImportIsUnseenUntilItsEnd(t *testing.T) {
	l := newLedger(t)
	older := l.imported(newJob("a"), fat(950)) // to be taken over
	newer := newJob("b")
	looked := false
	j, err := l.Import(newer, func(yield func(job.NewItem, error) bool) {
		for i := range 1000 {
			if i == 900 {
				looked = true
				if n := l.query("SELECT count(*) > 500 FROM item")[0]; n != "1" {
					t.Error("nothing of it is recorded yet, so this tests nothing")
				}
				if jobs, err := l.Jobs(t.Context()); err != nil || len(jobs) != 1 {
					t.Errorf("Jobs: %v, %v", jobs, err)
				}
				if _, err := l.Job(t.Context(), 2); !errors.Is(err, job.ErrNoJob) {
					t.Errorf("Job: %v", err)
				}
				if _, err := l.Find(t.Context(), newer.Identity); !errors.Is(err, job.ErrNoJob) {
					t.Errorf("Find: %v", err)
				}
				if found, err := l.factsOf(fat(1)); err != nil || found != nil {
					t.Errorf("Facts: %v, %v", found, err)
				}
				if open := l.open(older.ID); len(open) != 1 {
					t.Errorf("the older job has %d open items", len(open))
				}
			}
			if !yield(fat(i), nil) {
				return
			}
		}
	}, false, at)
	if err != nil || !looked {
		t.Fatal(err, looked)
	}
	l.want("SELECT state, count(*) FROM item GROUP BY 1", "pending|1000", "superseded|1")
	l.want("SELECT count(*) FROM invoice_item", "1001")
	if found, err := l.factsOf(fat(950)); err != nil || len(found) != 2 || found[1].JobID != j.ID {
		t.Errorf("Facts: %v, %v", found, err)
	}
}
