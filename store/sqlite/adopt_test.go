package sqlite_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

// adoptable is a row of a links file whose bytes do not fit into SQLite's memory with a few hundred others.
func adoptable(i int) job.AdoptedItem {
	session := fmt.Sprintf("sess_%d", i)
	return job.AdoptedItem{NewItem: fat(i), State: job.Created, SessionID: session, URL: "https://pay.test/" + session, CreatedAt: at, Link: job.LinkPaid, CheckedAt: at}
}

// adopt adopts 1000 rows, of which the ledger knows some, and calls atRow before each.
func adopt(l *sqlite.Ledger, atRow func(i int)) (job.Adopted, error) {
	j := newJob("b")
	j.Adopted = true
	return l.Adopt(j, func(yield func(job.AdoptedItem, error) bool) {
		for i := range 1000 {
			atRow(i)
			if !yield(adoptable(i), nil) {
				return
			}
		}
	}, at)
}

func init() {
	helpers["adopt"] = func(args []string) error {
		s, err := sqlite.OpenToSend(args[0], "")
		if err != nil {
			return err
		}
		_, err = adopt(s, func(i int) {
			if i == 900 {
				fmt.Println("nearly done")
				_, _ = io.Copy(io.Discard, os.Stdin)
			}
		})
		return errors.Join(err, s.Close())
	}
}

// A links file is adopted whole or not at all, payments of links that were known before included.
func TestAdoptKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	item := l.first(l.imported(newJob("a"), fat(1)).ID)
	end := ends[job.OutcomeCreated]
	end.SessionID = "sess_1"
	_, number, err := l.Begin(item, at, nil)
	if err == nil {
		_, err = ended(l.Ledger, item, number, end)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := l.dump()
	l.close()
	p := start(t, "adopt", path)
	p.line()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() < 1<<20 {
		t.Fatalf("nothing of it is on disk yet, so this tests nothing: %v", err)
	}
	p.kill()
	l = openLedger(t, path)
	if after := l.dump(); after != before {
		t.Error("something of the file was recorded")
	}
	adopted, err := adopt(l.Ledger, func(int) {})
	if err != nil || adopted.Links != 999 || adopted.Payments != 1 {
		t.Errorf("%+v, %v", adopted, err)
	}
	l.want("SELECT link_status, count(*) FROM item GROUP BY 1", "paid|1000")
}
