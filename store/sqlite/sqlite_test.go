package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/sqlite"
)

// helpers are what this test binary does instead of its tests when it runs as another process: a second sender, or a
// run that is killed.
var helpers = map[string]func(args []string) error{}

const helperName = "PAYLINKS_STORE_TEST_HELPER"

func TestMain(m *testing.M) {
	if helper, ok := helpers[os.Getenv(helperName)]; ok {
		if err := helper(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process is a helper that runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner // what it says
	in    io.WriteCloser // it may wait for this to be closed
	err   bytes.Buffer
}

func start(t *testing.T, helper string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), helperName+"="+helper, "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.err
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	return p
}

// line waits for the helper's next line.
func (p *process) line() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("the helper ended: %v: %s", p.cmd.Wait(), p.err.String())
	}
	return p.lines.Text()
}

// kill ends the helper by SIGKILL, and returns what it had said until then.
func (p *process) kill() (said []string) {
	_ = p.cmd.Process.Kill()
	return p.rest()
}

// rest waits for the helper's end and returns what it said.
func (p *process) rest() (said []string) {
	for p.lines.Scan() {
		said = append(said, p.lines.Text())
	}
	_ = p.cmd.Wait()
	return said
}

// end lets the helper end, which it must do without an error.
func (p *process) end() {
	p.t.Helper()
	_ = p.in.Close()
	for p.lines.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the helper: %v: %s", err, p.err.String())
	}
}

// ledger is a store under test, and a connection that looks past it.
type ledger struct {
	*sqlite.Ledger
	t    *testing.T
	path string
	raw  *sql.DB
	shut bool
}

// What the tests are made of is the contract's.
var (
	at         = ledgertest.At
	newJob     = ledgertest.NewJob
	invoice    = ledgertest.Invoice
	invoices   = ledgertest.Invoices
	good       = ledgertest.Good
	ends       = ledgertest.Ends
	endOf      = ledgertest.EndOf
	wantError  = ledgertest.WantError
	ownSession = ledgertest.OwnSession
)

func newLedger(t *testing.T) *ledger {
	t.Helper()
	return openLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
}

// openLedger opens a ledger for sending. When the test ends, its tallies must be what a recount says, and SQLite must
// find it whole.
func openLedger(t *testing.T, path string) *ledger {
	t.Helper()
	s, err := sqlite.OpenToSend(path, "the test")
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{Ledger: s, t: t, path: path, raw: rawDB(t, path, "rw")}
	t.Cleanup(l.close)
	return l
}

func (l *ledger) close() {
	l.t.Helper()
	if l.shut {
		return
	}
	l.shut = true
	l.checkTallies()
	l.checkWhole()
	_ = l.raw.Close()
	if err := l.Close(); err != nil {
		l.t.Error(err)
	}
}

func rawDB(t *testing.T, path, mode string) *sql.DB {
	t.Helper()
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: "_foreign_keys=on&mode=" + mode}
	db, err := sql.Open("sqlite3", dsn.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// query returns the rows as lines, their values divided by |.
func (l *ledger) query(text string, args ...any) []string {
	l.t.Helper()
	rows, err := l.raw.Query(text, args...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var lines []string
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		to := make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			l.t.Fatal(err)
		}
		words := make([]string, len(cells))
		for i, c := range cells {
			words[i] = c.String
		}
		lines = append(lines, strings.Join(words, "|"))
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	return lines
}

// want checks what a query says.
// recovered is how many rows a crashed run had left sending, in all jobs.
func (l *ledger) recovered() (crashed int) {
	l.t.Helper()
	jobs, err := l.Jobs(context.Background())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, j := range jobs {
		crashed += l.Crashed(j.ID)
	}
	return crashed
}

func (l *ledger) want(query string, want ...string) {
	l.t.Helper()
	if got := l.query(query); !slices.Equal(got, want) {
		l.t.Errorf("%s\n got %q\nwant %q", query, got, want)
	}
}

// dump is all that the ledger holds.
func (l *ledger) dump() string {
	l.t.Helper()
	var all []string
	for _, table := range []string{"job", "item", "attempt", "invoice_item", "item_tally", "attempt_tally"} {
		all = append(all, table)
		all = append(all, slices.Sorted(slices.Values(l.query("SELECT * FROM "+table)))...)
	}
	return strings.Join(all, "\n")
}

// unchanged checks that do leaves the ledger as it is.
func (l *ledger) unchanged(do func()) {
	l.t.Helper()
	before := l.dump()
	do()
	if after := l.dump(); after != before {
		l.t.Errorf("something was recorded\nbefore:\n%s\nafter:\n%s", before, after)
	}
}

func (l *ledger) checkWhole() {
	l.t.Helper()
	l.want("PRAGMA integrity_check", "ok")
	l.want("PRAGMA foreign_key_check")
}

// checkTallies compares the tallies with a recount.
func (l *ledger) checkTallies() {
	l.t.Helper()
	for _, id := range l.query("SELECT id FROM job") {
		want := job.NewTally()
		for _, line := range l.query("SELECT "+"state, currency, amount FROM item WHERE job_id = ?", id) {
			words := strings.Split(line, "|")
			amount, _ := new(big.Int).SetString(words[2], 10)
			want.Add(job.State(words[0]), words[1], 1, amount)
		}
		for _, outcome := range l.query("SELECT outcome FROM attempt JOIN item ON item.id = item_id WHERE job_id = ?", id) {
			want.Attempts[job.Outcome(outcome)]++
		}
		var number int64
		if _, err := fmt.Sscan(id, &number); err != nil {
			l.t.Fatal(err)
		}
		got, err := l.Tally(context.Background(), number)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, s := range job.States {
			if got.Items[s] != want.Items[s] {
				l.t.Errorf("job %s: the tally has %d items in state %s, a recount %d", id, got.Items[s], s, want.Items[s])
			}
			if got, want := fmt.Sprint(got.Totals(s)), fmt.Sprint(want.Totals(s)); got != want && want != "map[]" {
				l.t.Errorf("job %s: the tally of state %s is %s, a recount %s", id, s, got, want)
			}
		}
		for outcome, n := range got.Attempts {
			if n != want.Attempts[outcome] {
				l.t.Errorf("job %s: the tally has %d attempts %q, a recount %d", id, n, outcome, want.Attempts[outcome])
			}
		}
		if got.AllAttempts() != want.AllAttempts() {
			l.t.Errorf("job %s: the tally has %d attempts, a recount %d", id, got.AllAttempts(), want.AllAttempts())
		}
	}
}

// imported imports the job with these rows.
func (l *ledger) imported(j job.Job, rows ...job.NewItem) job.Job {
	l.t.Helper()
	j, err := l.Import(j, good(rows...), false, at)
	if err != nil {
		l.t.Fatal(err)
	}
	return j
}

// open returns the job's open items.
func (l *ledger) open(jobID int64) []*job.Item {
	l.t.Helper()
	items, err := l.Open(l.t.Context(), jobID, 0, 1_000_000)
	if err != nil {
		l.t.Fatal(err)
	}
	all := make([]*job.Item, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// first returns the job's first open item.
func (l *ledger) first(jobID int64) *job.Item {
	l.t.Helper()
	items := l.open(jobID)
	if len(items) == 0 {
		l.t.Fatalf("job %d has no open item", jobID)
	}
	return items[0]
}

// begin records the intent to send, which nothing may stand against.
func (l *ledger) begin(item *job.Item) int {
	l.t.Helper()
	resolution, number, err := l.Begin(item, at, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if resolution.Action != job.Send && resolution.Action != job.TakeOver {
		l.t.Fatalf("Begin: %+v", resolution)
	}
	return number
}

// send takes the item through an attempt that ends so, and leaves it as the runner would.
// ended records the end, and waits for it.
func ended(s *sqlite.Ledger, item *job.Item, number int, end job.End) (decision job.Decision, err error) {
	done := make(chan struct{})
	s.End(item, number, end, func(v job.Decision, e error) {
		decision, err = v, e
		close(done)
	})
	<-done
	return decision, err
}

// End records the end, and returns only its error. Each created item gets a session of its own.
func (l *ledger) End(item *job.Item, number int, end job.End) error {
	return second(ended(l.Ledger, item, number, ownSession(item, end)))
}

func (l *ledger) send(item *job.Item, outcome job.Outcome) {
	l.t.Helper()
	number, end := l.begin(item), endOf(item, outcome)
	if err := l.End(item, number, end); err != nil {
		l.t.Fatal(err)
	}
	item.State, item.Attempts = end.State, number
	if outcome == job.OutcomeUnknown {
		item.UnknownEnds++
	}
}

// result returns the only item of a job.
func (l *ledger) result(jobID int64) job.Result {
	l.t.Helper()
	all := l.results(jobID)
	if len(all) != 1 {
		l.t.Fatalf("job %d has %d items", jobID, len(all))
	}
	return all[0]
}

func (l *ledger) results(jobID int64) (all []job.Result) {
	l.t.Helper()
	for r, err := range l.Results(l.t.Context(), jobID) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// problems are the rows that show lists, as "row state".
func (l *ledger) problems(jobID int64, settled bool) (all []string) {
	l.t.Helper()
	for r, err := range l.Problems(l.t.Context(), jobID, settled) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d %s", r.Row, r.State))
	}
	return all
}

// state checks the state of a job's only item.
func (l *ledger) state(jobID int64, want job.State) {
	l.t.Helper()
	if got := l.result(jobID); got.State != want {
		l.t.Errorf("the item of job %d is %s (%s: %s), want %s", jobID, got.State, got.ErrorCode, got.Error, want)
	}
}
