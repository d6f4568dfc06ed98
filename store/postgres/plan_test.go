package postgres_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// watch remembers each statement with its arguments.
type watch struct {
	mu         sync.Mutex
	statements map[string][]any
}

func (w *watch) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements[q.SQL] = q.Args
	return ctx
}

func (w *watch) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (w *watch) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements[q.SQL] = q.Args
}

func (w *watch) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (w *watch) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// plans are the server's plans for the statements.
func (w *watch) plans(t *testing.T, r *postgres.Reader) map[string]string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	plans := map[string]string{}
	for text, args := range w.statements {
		word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
		if slices.Contains([]string{"begin", "commit", "rollback"}, strings.ToLower(word)) {
			continue
		}
		lines, err := r.Column(t.Context(), `EXPLAIN (COSTS OFF) `+text, args...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		plans[text] = strings.Join(lines, "\n")
	}
	return plans
}

// TestNoReadGoesThroughATable has the ledger read all that it can from tables with many rows, and asks the server how it goes about each
// statement: no row may be looked at in vain, neither where the server has statistics nor right after an import, when it has none.
func TestNoReadGoesThroughATable(t *testing.T) {
	name := pgtest.Shared(t).Ledger(t)
	filler := made(t, name)
	run(t, filler, `ALTER TABLE {item} SET (autovacuum_enabled = off)`, `ALTER TABLE {attempt} SET (autovacuum_enabled = off)`)
	const rows = 30_000
	for id := range 4 {
		fill(t, filler, id+1, rows)
	}
	fillOpen(t, filler, 5, 2*rows)
	run(t, filler, `UPDATE {item} SET suspect_ends = 1 WHERE state = 'pending' AND row % 1000 = 1`, `UPDATE {job} SET on_unknown = 'hold' WHERE id = 2`,
		`ALTER TABLE {line} SET (autovacuum_enabled = off)`, `INSERT INTO {line} SELECT id, 100000 + row, id, '[]' FROM {item}`, `UPDATE {job} SET further_lines = 1 WHERE id = 3`)
	t.Run("after an import", func(t *testing.T) { testPlans(t, name, false) })
	run(t, filler, `ANALYZE {item}`, `ANALYZE {line}`, `ANALYZE {attempt}`, `ANALYZE {job}`, `ANALYZE {item_tally}`)
	t.Run("with statistics", func(t *testing.T) { testPlans(t, name, true) })
}

// testPlans checks that no statement reads a table whole, and where the server has statistics that each takes the index that is made for it.
func testPlans(t *testing.T, name string, statistics bool) {
	filler := opened(t, name)
	w := &watch{statements: map[string][]any{}}
	r, err := postgres.Traced(name, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	ctx, now := t.Context(), time.Now()
	j, err := r.Job(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	var sessions []string
	for n := range 50 {
		sessions = append(sessions, strings.Repeat("x", n+1))
	}
	var invoices [][16]byte
	for n := range 256 {
		invoices = append(invoices, invoiceNumber(n))
	}
	_, err = r.Find(ctx, j.Identity)
	wantError(t, err, job.ErrNoJob)
	for _, err := range []error{
		second(r.Jobs(ctx)),
		second(r.Tally(ctx, j.ID)),
		second(r.Open(ctx, 5, 0, 100)), // after many rows of other jobs that are done
		second(r.Suspects(ctx, j.ID, 0, 100)),
		second(r.KnownSession(ctx, j.ID)),
		second(r.AllRejected(ctx, j.ID)),
		second(r.Facts(ctx, invoices)),
		second(r.Left(ctx, j, 5)),
		second(r.LastChecked(ctx, j.ID)),
		second(r.LinkTally(ctx, j.ID)),
		second(r.PaidTotals(ctx, j.ID)),
		second(r.Purgeable(ctx, now, now)),
		second(r.LinksFileOwner(ctx, j.Output)),
		second(r.UnknownSession(ctx, sessions)),
		second(r.ExpiredLinks(ctx, j.ID, now, 10)),
		second(r.FailedButMade(ctx, j.ID)),
		second(r.Senders(ctx)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, which := range []job.LinkChoice{job.NotFinal, job.Ended, job.EndedElsewhere} {
		q := job.LinkQuery{JobID: j.ID, At: now, Which: which}
		if _, err := r.Links(ctx, q, 0, 100); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CountLinks(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []int64{j.ID, 3} { // the other has lines
		for _, err := range r.Results(ctx, id) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, some := range []bool{true, false} {
		for _, err := range r.Problems(ctx, j.ID, some) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range r.Attempts(ctx, j.ID, some) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}

	plans := w.plans(t, filler)
	whole := regexp.MustCompile(`Seq Scan on (item|line|attempt)\b`)
	for text, plan := range plans {
		if whole.MatchString(plan) {
			t.Errorf("%s\n%s", text, plan)
		}
	}
	if !statistics {
		return
	}
	// Each of these must be among them, and use its index.
	for _, want := range []struct{ text, plan string }{
		{"unnest($1::bytea[])", "item_invoice"},
		{"suspect_ends = 0", "Index Scan using item_open on item"},
		{"suspect_ends > 0", "Index Scan using item_suspect on item"},
		{"unknown_ends > 0", "item_doubt"},
		{"WITH latest", "Index Scan Backward using item_pkey on item"},
		{"shares.session_id = item.session_id", "item_unsettled"},
		{"shares.session_id = item.session_id", "item_shared_session on item shares"},
		{"error_code IN ('held', 'unsettled')", "Index Scan using item_waiting on item"},
		{"checked_at IS NOT NULL", "item_pkey on item"},
		{"GROUP BY 1", "item_link_status on item"},
		{"GROUP BY currency", "item_link_status on item"},
		{"expires_at IS NULL", "item_pkey on item"},
		{"unnest($1::text[])", "item_session on item"},
		{"unnest($1::text[])", "item_shared_session on item"},
		{"unnest($1::text[])", "attempt_replaced on attempt"},
		{"unnest($1::text[])", "attempt_unpublished on attempt"},
		{"checked_at < expires_at", "item_expiry on item"},
		{"checked_at < expires_at", "item_link_status on item"},
		{"AS later", "item_failed on item"},
		{"AS later", "item_invoice on item other"},
		{"item.link_status NOT IN ('paid', 'refunded', 'expired')", "item_pkey on item"},
		{"FROM {item} AS owner", "item_session on item owner"},
		{"FROM {item} AS owner", "item_pkey on item"},
		{"AS item\n WHERE item.id BETWEEN $1", "Index Scan using item_pkey on item"},
		{"item.state = 'invalid'", "Index Scan using item_problem on item"},
		{"item.state = 'superseded'", "Index Scan using item_problem on item"},
		{"UNION ALL ( SELECT item.id, line.row", "Index Scan using line_pkey on line"},
		{"UNION ALL ( SELECT item.id, line.row", "item_pkey on item"},
		{"UNION ALL ( SELECT item.id, line.row", "Merge Append"},
		{"ORDER BY attempt.item_id", "attempt_pkey on attempt"},
		{"ORDER BY attempt.item_id", "item_pkey on item"},
	} {
		found, seen := false, ""
		for text, plan := range plans {
			if like(text, want.text) {
				found = found || strings.Contains(plan, want.plan)
				seen += text + "\n" + plan + "\n"
			}
		}
		if !found {
			t.Errorf("no statement with %q has the plan %q\n%s", want.text, want.plan, seen)
		}
	}
	// Rows in the file's order come so from the index: nothing waits for a sort of a million rows.
	for text, plan := range plans {
		if like(text, "item.cells") && strings.Contains(plan, "Sort Key") && !strings.Contains(plan, "Merge Append") {
			t.Errorf("%s\n%s", text, plan)
		}
	}
}

// like compares a statement with a part of one, whatever the spaces in it and the schema of its tables.
func like(text, part string) bool {
	text = regexp.MustCompile(`"t\d+"\.`).ReplaceAllString(text, "")
	part = strings.NewReplacer("{", "", "}", "").Replace(part)
	return strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(part), " "))
}

func second[T any](_ T, err error) error { return err }

// TestNoRecordGoesThroughATable: an intent and an end look up what they need, and nothing else.
func TestNoRecordGoesThroughATable(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	l := s.open("host-a", long)
	filler := opened(t, s.name)
	const rows = 30_000
	run(t, filler, `ALTER TABLE {item} SET (autovacuum_enabled = off)`, `ALTER TABLE {attempt} SET (autovacuum_enabled = off)`)
	fillOpen(t, filler, 2, rows)
	for _, statistics := range []string{"none", "from before anything was sent", "of now"} {
		switch statistics {
		case "from before anything was sent":
			run(t, filler, `ANALYZE {item}`, `ANALYZE {attempt}`, `ANALYZE {job}`)
			fill(t, filler, 1, rows)
		case "of now":
			run(t, filler, `ANALYZE {item}`, `ANALYZE {attempt}`, `ANALYZE {job}`)
		}
		plans, err := l.Plans(t.Context(), &l.items(2)[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, plan := range plans {
			if strings.Contains(plan, "hashed SubPlan") || regexp.MustCompile(`Seq Scan on (item|attempt)`).MatchString(plan) {
				t.Errorf("with statistics %s, a table is read whole:\n%s", statistics, plan)
			}
		}
	}
}
