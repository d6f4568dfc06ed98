package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mattn/go-sqlite3"

	"paylinks/job"
)

// watched is SQLite's driver, and remembers each statement.
type watched struct {
	sqlite3.SQLiteDriver
	mu         sync.Mutex
	statements map[string]bool
}

var watch = &watched{statements: map[string]bool{}}

func init() { sql.Register("sqlite3 watched", watch) }

func (w *watched) Open(dsn string) (driver.Conn, error) {
	conn, err := w.SQLiteDriver.Open(dsn)
	if err != nil {
		return nil, err
	}
	return watchedConn{conn.(*sqlite3.SQLiteConn)}, nil
}

func (w *watched) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements[text] = true
}

type watchedConn struct{ *sqlite3.SQLiteConn }

func (c watchedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	watch.note(text)
	return c.SQLiteConn.PrepareContext(ctx, text)
}

func (c watchedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	watch.note(text)
	return c.SQLiteConn.ExecContext(ctx, text, args)
}

func (c watchedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	watch.note(text)
	return c.SQLiteConn.QueryContext(ctx, text, args)
}

// TestNoStatementGoesThroughATable has the store do all that it can, and asks SQLite how it would go about each
// statement: where there are a million rows, none may be looked at in vain.
func TestNoStatementGoesThroughATable(t *testing.T) {
	l := newLedger(t)
	if err := l.Through("sqlite3 watched"); err != nil {
		t.Fatal(err)
	}
	j := l.imported(newJob("a"), invoices(5)...)
	l.imported(newJob("b"), invoice(2, "INV-5"))
	items := l.open(j.ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeUnknown)
	l.results(j.ID)
	l.results(l.imported(newJob("lines"), invoice(2, "INV-7"), job.NewItem{Row: 3, Further: true, Cells: []string{"line"}}).ID)
	l.problems(j.ID, true)
	l.problems(j.ID, false)
	l.attempts(j.ID, false)
	l.attempts(j.ID, true)
	link := l.withLink()
	replaced := *link
	replaced.SessionID = l.query("SELECT session_id FROM item WHERE id = ?", link.ID)[0]
	question := job.LinkQuery{JobID: link.JobID, At: at.AddDate(1, 0, 0)}
	l.asked(question)
	if _, err := l.LastChecked(t.Context(), link.JobID); err != nil {
		t.Fatal(err)
	}
	shares := l.imported(newJob("shares the link"), invoice(2, "INV-LINK"), invoice(3, "INV-5"))
	for question.JobID, question.Which = range map[int64]job.LinkChoice{link.JobID: job.Ended, shares.ID: job.EndedElsewhere} {
		l.asked(question)
	}
	for _, err := range []error{
		second(l.Retry(j.ID, false, at)),
		second(l.Retry(j.ID, true, at)),
		l.RecoverAll(at),
		second(l.Tally(t.Context(), j.ID)),
		second(l.Suspects(t.Context(), j.ID, 0, 9)),
		second(l.KnownSession(t.Context(), j.ID)),
		second(l.AllRejected(t.Context(), j.ID)),
		second(l.factsOf(invoice(2, "INV-5"))),
		second(l.Jobs(t.Context())),
		second(l.Job(t.Context(), j.ID)),
		second(l.Find(t.Context(), j.Identity)),
		l.Remember(job.Job{ID: j.ID, OnUnknown: job.Hold}),
		l.RunAgain(job.Job{ID: j.ID, OnUnknown: job.Hold}, nil, at),
		l.LookAgain(shares.ID, at),
		l.Checked(link.ID, job.LinkExpired, at),
		l.Note(items[2], "", ""),
		l.Refreshed(j.ID, at),
		second(l.LinkTally(t.Context(), j.ID)),
		second(l.PaidTotals(t.Context(), j.ID)),
		l.Replace(&replaced, at),
		second(l.Purgeable(t.Context(), at.AddDate(1, 0, 0), at)),
		l.LinksFileChanges(j.ID),
		l.LinksFileWritten(j.ID, j.Output),
		second(l.LinksFileOwner(t.Context(), j.Output)),
		second(l.UnknownSession(t.Context(), []string{"sess_none"})),
		second(l.ExpiredLinks(t.Context(), j.ID, at, 10)),
		second(l.FailedButMade(t.Context(), j.ID)),
		l.Purge(l.secretive("old"), afterAll),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	j.OnUnknown = job.Hold
	if _, err := l.Left(t.Context(), j, 5); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\?(\d*)`)
	scan := regexp.MustCompile(`SCAN (item|line|other|owner|attempt)\b|TEMP B-TREE`)
	smallIndex := regexp.MustCompile(`SCAN (attempt|item) USING (COVERING )?INDEX (attempt_(replaced|open)|item_unsettled)`)
	plans := map[string]string{}
	for text := range watch.statements {
		if word, _, _ := strings.Cut(strings.TrimSpace(text), " "); word == "PRAGMA" || word == "BEGIN" || word == "COMMIT" || word == "ROLLBACK" {
			continue
		}
		args := make([]any, strings.Count(text, "?"))
		most := 0
		for _, match := range parameter.FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(match[1])
			if err != nil { // without a number it is the next one
				n = most + 1
			}
			most = max(most, n)
		}
		plan := strings.Join(l.query("EXPLAIN QUERY PLAN "+text, args[:most]...), "\n")
		plans[text] = plan
		// The invoices of an import are sorted, once; of links that were asked about, the last one is looked for; of the links that
		// duplicates share, a page is.
		sorts := strings.Contains(text, "INSERT INTO invoice_item") || strings.Contains(text, "ORDER BY checked_at DESC") ||
			strings.Contains(text, "item.session_id IN")
		if scan.MatchString(smallIndex.ReplaceAllString(plan, "")) && !sorts {
			t.Errorf("%s\n%s", text, plan)
		}
	}
	// Each of these must have been among them, and use its index.
	for _, want := range []struct{ text, plan string }{
		{"NOT EXISTS", "invoice_item USING PRIMARY KEY (invoice=?)"},
		{"WHERE invoice_item.invoice IN", "invoice_item USING PRIMARY KEY (invoice=?)"},
		{"WHERE invoice_item.invoice = (SELECT ?1)", "invoice_item USING PRIMARY KEY (invoice=?)"},
		{"WHERE session_id = ?1", "item_session (session_id=?)"},
		{"attempt.session_id = ?1", "attempt_replaced (session_id=?)"},
		{"WITH asked", "item_session (session_id=?)"},
		{"WITH asked", "item_shared_session (session_id=?)"},
		{"AND item.session_id IN (SELECT attempt.session_id", "item_shared_session (session_id=?)"},
		{"AND item.session_id IN (SELECT attempt.session_id", "attempt USING PRIMARY KEY (item_id=?)"},
		{"item.session_id IN", "item_session (session_id=? AND rowid>?)"},
		{"item.session_id IN", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"FROM item AS owner", "owner USING INDEX item_session (session_id=?)"},
		{"NOT IN ('paid', 'refunded', 'expired')", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"count(*) FILTER (WHERE state IN", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"cells = '[]'", "item USING INTEGER PRIMARY KEY (rowid=?)"},
		{"FROM line", "line USING PRIMARY KEY (place>? AND place<?)"},
		{"FROM line", "item USING INTEGER PRIMARY KEY (rowid=?)"},
		{"UPDATE line", "line USING PRIMARY KEY (place>? AND place<?)"},
		{"SET message = ''", "attempt USING PRIMARY KEY (item_id>? AND item_id<?)"},
		{"SELECT link_status, count(*)", "item_link_status (job_id=?)"},
		{"link_status = 'paid'", "item_link_status (job_id=? AND link_status=?)"},
		{"item.state = 'pending'", "item_open (job_id=? AND state=? AND rowid>?)"},
		{"item.suspect_ends > 0", "item_suspect (job_id=? AND rowid>?)"},
		{"WITH latest", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"INDEXED BY item_open", "item_open (job_id=? AND state=?)"},
		{"item.session_id FROM item", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"ORDER BY item.id", "item USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"state = 'invalid'", "item_problem (job_id=? AND state=?)"},
		{"state = 'superseded'", "item_problem (job_id=? AND state=?)"},
		{"CROSS JOIN item ON item.id = attempt.item_id", "attempt USING PRIMARY KEY (item_id>? AND item_id<?)"},
		{"WHERE attempt.outcome = ''", "attempt_open"},
		{"FROM json_each", "item_session (session_id=?)"},
		{"FROM json_each", "item_shared_session (session_id=?)"},
		{"FROM json_each", "attempt_replaced (session_id=?)"},
		{"FROM json_each", "attempt_unpublished (session_id=?)"},
		{"INDEXED BY item_expiry", "item_expiry (job_id=? AND expires_at<?)"},
		{"INDEXED BY item_expiry", "item_link_status (job_id=? AND link_status=?)"},
		{"INDEXED BY item_failed", "item_failed (job_id=?)"},
	} {
		found := false
		for text, plan := range plans {
			found = found || strings.Contains(text, want.text) && strings.Contains(plan, want.plan)
		}
		if !found {
			t.Errorf("no statement with %q has the plan %q", want.text, want.plan)
			for text, plan := range plans {
				if strings.Contains(text, want.text) {
					t.Logf("%s\n%s", text, plan)
				}
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }
