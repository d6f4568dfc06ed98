package sqlite_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"paylinks/job"
)

// secret stands wherever a job keeps customers' data.
const secret = "anna.secret@example.com"

// secretive is a job of three rows that are full of it: one with a link, one that failed, one that is invalid.
func (l *ledger) secretive(name string) job.Job {
	l.t.Helper()
	j := newJob(name)
	j.File, j.Output = "/home/"+secret+"/in.csv", "/home/"+secret+"/in.links.csv"
	rows := []job.NewItem{invoice(2, "INV-1 "+name), invoice(3, "INV-2 "+name), {Row: 4, Cells: []string{secret}, Problem: "amount: " + secret},
		{Row: 5, Further: true, Item: 1, Cells: []string{secret, "line"}}}
	for i := range rows[:2] {
		rows[i].Cells = []string{secret, strings.Repeat(secret, 300)} // over several pages
		rows[i].InvoiceID += secret
		rows[i].Reference += secret
		rows[i].Request.CustomerEmail = secret
	}
	j, err := l.Import(j, good(rows...), true, at)
	if err != nil {
		l.t.Fatal(err)
	}
	items := l.open(j.ID)
	for i, outcome := range []job.Outcome{job.OutcomeCreated, job.OutcomeRejected} {
		_, number, err := l.Begin(items[i], at, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		end := ends[outcome]
		end.At, end.Reason = at, secret
		if outcome == job.OutcomeCreated {
			end.SessionID, end.URL, end.ExpiresAt = "sess_"+name, "https://pay.test/"+secret, at.Add(time.Hour)
		}
		if _, err := ended(l.Ledger, items[i], number, end); err != nil {
			l.t.Fatal(err)
		}
	}
	return j
}

var afterAll = at.Add(24 * time.Hour)

func TestPurgeLeavesNoByteOfCustomersData(t *testing.T) {
	l := newLedger(t)
	j := l.secretive("a")
	digests := l.query("SELECT id, hex(invoice), state, amount, currency, session_id, expires_at, created_at, attempts FROM item")
	identity := l.query("SELECT hex(identity), hex(file_digest), options FROM job")
	if n := l.bytesWith(secret); n == 0 {
		t.Fatal("the data is not in the file to begin with")
	}
	if err := l.Purge(j, afterAll); err != nil {
		t.Fatal(err)
	}
	if err := l.Scrub(); err != nil {
		t.Fatal(err)
	}
	if n := l.bytesWith(secret); n != 0 {
		t.Errorf("it is still there %d times", n)
	}
	l.want("SELECT id, hex(invoice), state, amount, currency, session_id, expires_at, created_at, attempts FROM item", digests...)
	l.want("SELECT hex(identity), hex(file_digest), options FROM job", identity...)
	l.want("SELECT file, output, purged_at FROM job", "in.csv||2026-03-02T12:00:00.000Z")
	if found, err := l.Find(t.Context(), j.Identity); err != nil || !found.PurgedAt.Equal(afterAll) {
		t.Errorf("the same file finds %+v, %v", found, err)
	}
	old, err := l.Purgeable(t.Context(), afterAll, afterAll)
	if err != nil || len(old) != 0 {
		t.Errorf("it can be purged again: %v, %v", old, err)
	}
	// Nothing of it can be sent.
	if n, err := l.Retry(j.ID, false, at); err != nil || n != 0 {
		t.Errorf("retry put %d rows back, %v", n, err)
	}
	if got := l.asked(job.LinkQuery{JobID: j.ID, At: afterAll, Which: job.Ended}); len(got) != 0 {
		t.Errorf("reissue asks about %v", got)
	}
	// The link still found its invoice, until Clink says that it expired unpaid.
	again := invoice(2, "INV-1 a")
	found, err := l.factsOf(again)
	if err != nil || len(found) != 1 || found[0].SessionID != "sess_a" {
		t.Errorf("the found on its invoice are %+v, %v", found, err)
	}
}

// bytesWith counts the text in the ledger's file and its -wal.
func (l *ledger) bytesWith(text string) int {
	l.t.Helper()
	n := 0
	for _, file := range []string{l.path, l.path + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil {
			l.t.Fatal(err)
		}
		n += bytes.Count(content, []byte(text))
	}
	return n
}

func TestWhatIsNotPurged(t *testing.T) {
	tests := []struct {
		name, set  string // of the row with the link
		open, live int
	}{
		{"expired by the clock", "expires_at = '2026-03-02T12:00:00.000Z'", 0, 0},
		{"live", "expires_at = '2026-03-02T12:00:00.001Z'", 0, 1},
		{"no expiry known", "expires_at = ''", 0, 1},
		{"no expiry known, but Clink says expired", "expires_at = '', link_status = 'expired', checked_at = '2026-03-01T13:00:00.000Z'", 0, 0},
		{"being paid", "link_status = 'processing', checked_at = '2026-03-01T12:30:00.000Z'", 0, 1},
		{"still open after its time", "link_status = 'open', checked_at = '2026-03-01T13:00:00.000Z'", 0, 1},
		{"open before its time", "link_status = 'open', checked_at = '2026-03-01T12:30:00.000Z'", 0, 0},
		{"paid", "link_status = 'paid', checked_at = '2026-03-01T12:30:00.000Z'", 0, 0},
		{"paid, no expiry known", "expires_at = '', link_status = 'paid', checked_at = '2026-03-01T12:30:00.000Z'", 0, 0},
		{"paid before its time", "expires_at = '2026-03-02T12:00:00.001Z', link_status = 'paid', checked_at = '2026-03-01T12:30:00.000Z'", 0, 0},
		{"a duplicate that is live", "state = 'duplicate', expires_at = ''", 0, 1},
		{"pending", "state = 'pending', session_id = '', url = ''", 1, 0},
		{"unknown", "state = 'unknown', session_id = '', url = ''", 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(t)
			l.secretive("a")
			if _, err := l.raw.Exec("UPDATE item SET " + tt.set + " WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
			defer l.recount()
			old, err := l.Purgeable(t.Context(), at.Add(time.Millisecond), afterAll)
			if err != nil || len(old) != 1 || old[0].Open != tt.open || old[0].Live != tt.live || old[0].Kept() != (tt.open+tt.live > 0) {
				t.Fatalf("got %+v, %v", old, err)
			}
			if !old[0].Kept() {
				if err := l.Purge(old[0].Job, afterAll); err != nil {
					t.Error(err)
				}
				return
			}
			l.unchanged(func() { wantError(t, l.Purge(old[0].Job, afterAll), job.ErrKept) })
		})
	}
	t.Run("too young", func(t *testing.T) {
		l := newLedger(t)
		l.secretive("a")
		if old, err := l.Purgeable(t.Context(), at, afterAll); err != nil || len(old) != 0 {
			t.Errorf("got %+v, %v", old, err)
		}
	})
	t.Run("another job", func(t *testing.T) {
		l := newLedger(t)
		first, second := l.secretive("a"), l.secretive("b")
		before := l.query("SELECT * FROM item WHERE job_id = ?", second.ID)
		if err := l.Purge(first, afterAll); err != nil {
			t.Fatal(err)
		}
		if after := l.query("SELECT * FROM item WHERE job_id = ?", second.ID); strings.Join(after, "\n") != strings.Join(before, "\n") {
			t.Errorf("it was changed: %q", after)
		}
	})
}

// recount makes the tallies agree with what a test has set by hand.
func (l *ledger) recount() {
	l.t.Helper()
	for _, text := range []string{
		"DELETE FROM item_tally",
		"INSERT INTO item_tally SELECT job_id, state, currency, count(*), 0, sum(amount) FROM item GROUP BY 1, 2, 3",
		"DELETE FROM attempt_tally",
		"INSERT INTO attempt_tally SELECT job_id, outcome, count(*) FROM attempt JOIN item ON item.id = item_id GROUP BY 1, 2",
	} {
		if _, err := l.raw.Exec(text); err != nil {
			l.t.Fatal(err)
		}
	}
}

// A reader holds old pages of the ledger: then the data is not gone, and nobody must be told that it is.
func TestScrubSaysWhereSomebodyReads(t *testing.T) {
	l := newLedger(t)
	j := l.secretive("a")
	for range l.Results(context.Background(), j.ID) {
		if err := l.Purge(j, afterAll); err != nil {
			t.Fatal(err)
		}
		if err := l.Scrub(); err == nil {
			t.Error("no error")
		}
		break
	}
	if err := l.Scrub(); err != nil || l.bytesWith(secret) != 0 {
		t.Errorf("%v, and it is still there %d times", err, l.bytesWith(secret))
	}
}
