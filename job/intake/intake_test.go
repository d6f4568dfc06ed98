package intake_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bojanz/currency"

	"paylinks/job"
	"paylinks/job/intake"
	"paylinks/job/invoice"
	"paylinks/job/links"
	"paylinks/store"
)

const header = "invoice_id,customer_email,amount,currency\n"

// write makes a file in the folder and returns its path.
func write(t *testing.T, folder, name, content string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var settings = intake.Settings{Environment: job.Simulator, BaseURL: job.InProcess, Options: invoice.Options{AllowNoID: true}}

func open(t *testing.T, s intake.Settings, paths ...string) *intake.Batch {
	t.Helper()
	b, err := intake.Open(paths, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Outputs(""); err != nil {
		t.Fatal(err)
	}
	return b
}

func newLedger(t *testing.T) store.Ledger {
	t.Helper()
	ledger, err := store.OpenToSend(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), store.Opening{Doing: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return ledger
}

// reporter keeps what is reported.
type reporter struct {
	problems []intake.Problem
	word     func()
}

func (r *reporter) Report(p intake.Problem) error {
	r.problems = append(r.problems, p)
	return nil
}

func (r *reporter) Word(p intake.Problem) invoice.Problem {
	if r.word != nil {
		r.word()
	}
	p.Problem.What += ", as the face says it"
	return p.Problem
}

// check finds the files in the ledger and checks them.
func check(t *testing.T, b *intake.Batch, ledger intake.Ledger) (problems []intake.Problem, errs []error) {
	t.Helper()
	if err := b.Find(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	var r reporter
	for _, f := range b.Files {
		if err := f.Check(t.Context(), &r); err != nil {
			errs = append(errs, err)
		}
	}
	return r.problems, errs
}

// wantKind fails the test unless the error is a refusal of this kind.
func wantKind(t *testing.T, err error, kind intake.Kind) *intake.Refusal {
	t.Helper()
	var refusal *intake.Refusal
	if !errors.As(err, &refusal) || refusal.Kind != kind {
		t.Fatalf("%v (%+v), want a refusal of kind %d", err, refusal, kind)
	}
	return refusal
}

// TestRefusedFiles guards that each file that cannot be taken is refused by a kind, before or while it is read.
func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good.csv", header+"A-1,a@example.com,1.00,USD\n")
	pipe := filepath.Join(dir, "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		paths []string
		kind  intake.Kind
	}{
		{"missing", []string{good, filepath.Join(dir, "none.csv")}, intake.NoFile},
		{"a folder", []string{dir}, intake.Folder},
		{"a pipe", []string{pipe}, intake.NotRegular},
		{"twice", []string{good, good}, intake.SameFile},
		{"a copy", []string{good, write(t, dir, "copy.csv", header+"A-1,a@example.com,1.00,USD\n")}, intake.SameFile},
		{"below a file", []string{good + "/x.csv"}, intake.Unreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := intake.Open(tt.paths, settings)
			wantKind(t, err, tt.kind)
		})
	}
	for _, tt := range []struct {
		name, content string
		kind          intake.Kind
		reported      []invoice.Kind
	}{
		{"no rows", header, intake.Unusable, []invoice.Kind{invoice.NoRows}},
		{"no amount column", "invoice_id,customer_email,currency\nA-1,a@example.com,USD\n", intake.Unusable, []invoice.Kind{invoice.ColumnMissing}},
		{"a quote that does not end", header + "A-1,a@example.com,1.00,USD\nA-2,\"b@example.com\n", intake.CutOff, []invoice.Kind{invoice.QuoteUnclosed}},
		{"bad rows", header + "A-1,a@example.com,0,USD\nA-2,b@example.com,1.00,USD\n", intake.BadRows, []invoice.Kind{invoice.AmountZero}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, settings, write(t, t.TempDir(), "a.csv", tt.content))
			problems, errs := check(t, b, newLedger(t))
			if len(errs) != 1 {
				t.Fatal(errs)
			}
			wantKind(t, errs[0], tt.kind)
			var kinds []invoice.Kind
			for _, p := range problems {
				kinds = append(kinds, p.Kind)
			}
			if !slices.Equal(kinds, tt.reported) {
				t.Errorf("reported %v, want %v", kinds, tt.reported)
			}
		})
	}
	t.Run("gone before it is read", func(t *testing.T) {
		path := write(t, t.TempDir(), "a.csv", header+"A-1,a@example.com,1.00,USD\n")
		b := open(t, settings, path)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		_, errs := check(t, b, newLedger(t))
		wantKind(t, errors.Join(errs...), intake.Unreadable)
	})
}

// TestChangedFile guards that rows are taken only from the bytes that were looked at first.
func TestChangedFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", header+"A-1,a@example.com,1.00,USD\n")
	replace := func() { // a rename: who has the file open goes on with what it was
		if err := os.Rename(write(t, dir, "new", header+"A-1,a@example.com,0.00,USD\n"), path); err != nil {
			t.Error(err)
		}
	}
	t.Run("before its check", func(t *testing.T) {
		b := open(t, settings, path)
		replace()
		_, errs := check(t, b, newLedger(t))
		wantKind(t, errors.Join(errs...), intake.Changed)
	})
	t.Run("between its check and its rejected file", func(t *testing.T) {
		path = write(t, dir, "bad.csv", header+"A-1,a@example.com,0,USD\n")
		b := open(t, settings, path)
		r := changer{change: replace}
		refusal := wantKind(t, b.Files[0].Check(t.Context(), &r), intake.Changed)
		if refusal.Path != path {
			t.Errorf("refused %s, want %s", refusal.Path, path)
		}
		if _, err := os.Stat(filepath.Join(dir, "bad.rejected.csv")); err == nil {
			t.Error("there is a rejected file of rows that are in no file any more")
		}
	})
	t.Run("between its check and its import", func(t *testing.T) {
		path = write(t, dir, "late.csv", header+"A-1,a@example.com,1.00,USD\n")
		b, ledger := open(t, settings, path), newLedger(t)
		if _, errs := check(t, b, ledger); len(errs) > 0 {
			t.Fatal(errs)
		}
		replace()
		_, err := b.Files[0].Import(t.Context(), ledger)
		wantKind(t, err, intake.NotImported)
		if jobs, err := ledger.Jobs(t.Context()); err != nil || len(jobs) > 0 {
			t.Errorf("jobs %v, %v; want none", jobs, err)
		}
	})
}

// changer changes the file when its first problem is reported.
type changer struct {
	reporter
	change func()
}

func (c *changer) Report(p intake.Problem) error {
	if len(c.problems) == 0 {
		c.change()
	}
	return c.reporter.Report(p)
}

// TestImport guards that a file becomes one job, that the same file is that job again, and what the job remembers.
func TestImport(t *testing.T) {
	ledger := newLedger(t)
	path := write(t, t.TempDir(), "a.csv", header+"A-1,a@example.com,1.00,USD\nA-2,b@example.com,0,USD\n")
	s := settings
	s.SkipInvalid = true
	take := func(s intake.Settings) (job.Job, *intake.File) {
		t.Helper()
		b := open(t, s, path)
		if _, errs := check(t, b, ledger); len(errs) > 0 {
			t.Fatal(errs)
		}
		j, err := b.Files[0].Import(t.Context(), ledger)
		if err != nil {
			t.Fatal(err)
		}
		return j, b.Files[0]
	}
	first, f := take(s)
	if f.Known != nil || first.OnUnknown != job.Retry || first.Output != links.Place(links.DefaultPath(path)) {
		t.Errorf("known %v, policy %s, output %s", f.Known, first.OnUnknown, first.Output)
	}
	rejected, err := os.ReadFile(f.Rejected)
	if err != nil || !strings.Contains(string(rejected), "as the face says it") {
		t.Errorf("rejected file %q, %v", rejected, err)
	}
	tally, err := ledger.Tally(t.Context(), first.ID)
	if err != nil || tally.Items[job.Pending] != 1 || tally.Items[job.Invalid] != 1 {
		t.Errorf("tally %v, %v", tally, err)
	}
	for row, err := range ledger.Results(t.Context(), first.ID) {
		if err != nil || strings.Contains(row.Error, "face") {
			t.Errorf("the ledger keeps %q, %v, the words of a face", row.Error, err)
		}
	}
	s.OnUnknown, s.BOM = job.Hold, true
	if second, f := take(s); f.Known == nil || second.ID != first.ID || second.OnUnknown != job.Hold || !second.BOM {
		t.Errorf("again: %+v", second)
	}
	s.OnUnknown, s.BOM = "", false
	if third, _ := take(s); third.OnUnknown != job.Hold || third.BOM {
		t.Errorf("a third time: policy %s, mark %v", third.OnUnknown, third.BOM)
	}
}

// TestAgainstTheLedger guards what a check says of rows that earlier jobs have.
func TestAgainstTheLedger(t *testing.T) {
	ledger, dir := newLedger(t), t.TempDir()
	b := open(t, settings, write(t, dir, "old.csv", header+
		"A-1,a@example.com,1.00,USD\nA-2,a@example.com,2.00,USD\nA-3,a@example.com,3.00,USD\n,n@example.com,4.00,USD\n"))
	if _, errs := check(t, b, ledger); len(errs) > 0 {
		t.Fatal(errs)
	}
	old, err := b.Files[0].Import(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	items, err := ledger.Open(t.Context(), old.ID, 0, 10)
	if err != nil || len(items) != 4 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	created(t, ledger, &items[0])
	unknown(t, ledger, &items[1])

	b = open(t, settings, write(t, dir, "new.csv", header+
		"A-1,a@example.com,1.50,USD\nA-2,a@example.com,2.50,USD\nA-3,a@example.com,3.00,USD\nA-4,a@example.com,9.00,USD\n,n@example.com,4.00,USD\n"))
	problems, errs := check(t, b, ledger)
	wantKind(t, errors.Join(errs...), intake.BadRows)
	var conflicts []job.Conflict
	for _, p := range problems {
		if p.Kind != intake.LinkConflict || p.Resolution.Other.JobID != old.ID {
			t.Errorf("%s: kind %s, of job %d", p, p.Kind, p.Resolution.Other.JobID)
		}
		conflicts = append(conflicts, p.Resolution.Conflict)
	}
	if want := []job.Conflict{job.OtherMoney, job.IdenticalRow}; !slices.Equal(conflicts, want) {
		t.Errorf("conflicts %v, want %v", conflicts, want)
	}
	figures := b.Files[0].Figures
	if figures.Rows != 5 || figures.Bad != 2 || figures.ByAction[job.TakeOver] != 2 || figures.ByAction[job.Send] != 1 {
		t.Errorf("figures %+v", figures)
	}

	s := settings
	s.OnUnknown = job.Hold
	b = open(t, s, write(t, dir, "held.csv", header+"A-2,a@example.com,2.00,USD\n"))
	if _, errs := check(t, b, ledger); len(errs) > 0 || b.Files[0].Figures.ByAction[job.Wait] != 1 {
		t.Errorf("under hold: %v, %+v", errs, b.Files[0].Figures)
	}
}

// TestKnownFileAlone guards that the file of a known job is checked, whatever its open rows: with no other file in the run, it is not
// known of any invoice where it stands.
func TestKnownFileAlone(t *testing.T) {
	ledger, dir := newLedger(t), t.TempDir()
	take := func(path string) (j job.Job) {
		b := open(t, settings, path)
		_, errs := check(t, b, ledger)
		j, err := b.Files[0].Import(t.Context(), ledger)
		if err := errors.Join(append(errs, err)...); err != nil {
			t.Fatal(err)
		}
		return j
	}
	items, err := ledger.Open(t.Context(), take(write(t, dir, "old.csv", header+"A-1,a@example.com,1.00,USD\n")).ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	created(t, ledger, &items[0])
	path := write(t, dir, "new.csv", header+"A-1,a@example.com,1.00,USD\nA-2,a@example.com,1.00,USD\n,n@example.com,4.00,USD\n")
	if first, again := take(path), take(path); first.ID != again.ID {
		t.Errorf("jobs %d and %d", first.ID, again.ID)
	}
}

func created(t *testing.T, ledger store.Ledger, item *job.Item) {
	t.Helper()
	end(t, ledger, item, job.End{
		Decision: job.Decision{Outcome: job.OutcomeCreated, State: job.Created}, SessionID: "sess_1", URL: "https://pay.test/sess_1", ExpiresAt: time.Now().Add(time.Hour),
	})
}

func unknown(t *testing.T, ledger store.Ledger, item *job.Item) {
	t.Helper()
	end(t, ledger, item, job.End{Decision: job.Decision{Outcome: job.OutcomeUnknown, State: job.Unknown}})
}

func end(t *testing.T, ledger store.Ledger, item *job.Item, end job.End) {
	t.Helper()
	_, number, err := ledger.Begin(item, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	end.At = time.Now()
	ledger.End(item, number, end, func(_ job.Decision, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestAgainstOtherFiles guards that an invoice in two files of a run gets one link, and that both rows are refused where they differ.
func TestAgainstOtherFiles(t *testing.T) {
	dir := t.TempDir()
	aPath := write(t, dir, "a.csv", header+"A-1,a@example.com,1.00,USD\nA-2,a@example.com,2.00,USD\n,n@example.com,4.00,USD\nA-3,a@example.com,3.00,USD\n")
	bPath := write(t, dir, "b.csv", header+"A-1,a@example.com,1,USD\nA-2,a@example.com,2.50,USD\n,n@example.com,4.00,USD\nA-3,a@example.com,3.00,USD\n")
	cPath := write(t, dir, "c.csv", header+"A-3,c@example.com,3.00,USD\nA-1,a@example.com,1.00,USD\n")
	b := open(t, settings, aPath, bPath, cPath)
	problems, errs := check(t, b, newLedger(t))
	for _, err := range errs {
		wantKind(t, err, intake.BadRows)
	}
	var got []string
	for _, p := range problems {
		got = append(got, strings.ReplaceAll(fmt.Sprintf("%s:%d %s %s %s", p.File, p.Line, p.Kind, p.What, p.Advice), dir+"/", ""))
	}
	differs := " %s, too, and the two rows ask for different things correct one of the two: neither can be sent"
	want := []string{
		"a.csv:3 link-conflict stands at" + fmt.Sprintf(differs, "b.csv:3"),
		"a.csv:5 link-conflict stands at" + fmt.Sprintf(differs, "c.csv:2"),
		"b.csv:3 link-conflict stands at" + fmt.Sprintf(differs, "a.csv:3"),
		"b.csv:4 link-conflict this row asks for the same as the one at a.csv:4 give each row an invoice id",
		"b.csv:5 link-conflict stands at" + fmt.Sprintf(differs, "c.csv:2"),
		"c.csv:2 link-conflict stands at" + fmt.Sprintf(differs, "a.csv:5"),
	}
	if !slices.Equal(got, want) || len(errs) != 3 {
		t.Errorf("%d refused, problems\n%s\nwant\n%s", len(errs), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if problems[3].Options[0].Setting != "allow_repeats" {
		t.Errorf("options %v", problems[3].Options)
	}
	for i, want := range []struct{ bad, elsewhere, pending int }{{2, 0, 2}, {3, 1, 0}, {1, 1, 0}} {
		if f := b.Files[i].Figures; f.Bad != want.bad || f.InOtherFile != want.elsewhere || f.Tally.Items[job.Duplicate] != want.elsewhere || f.Tally.Items[job.Pending] != want.pending {
			t.Errorf("figures of file %d: %+v", i, f)
		}
	}
}

// TestRepeatBesideAnotherFile guards that an invoice that stands twice in a file is refused there also where it is in an earlier file
// of the run: once the earlier file's link has ended, each of the two rows would get one.
func TestRepeatBesideAnotherFile(t *testing.T) {
	dir := t.TempDir()
	const row = "A-1,a@example.com,1.00,USD\n"
	b := open(t, settings, write(t, dir, "a.csv", header+row), write(t, dir, "b.csv", header+row+row+row), write(t, dir, "c.csv", header+row+"C-1,a@example.com,1.00,USD\n"))
	problems, errs := check(t, b, newLedger(t))
	wantKind(t, errors.Join(errs...), intake.BadRows)
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s:%d %s %s", filepath.Base(p.File), p.Line, p.Kind, p.What))
	}
	if want := []string{"b.csv:3 id-repeated stands on line 2 already", "b.csv:4 id-repeated stands on line 2 already"}; !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
	for i, want := range []int{0, 1, 1} {
		if f := b.Files[i].Figures; f.InOtherFile != want {
			t.Errorf("figures of file %d: %+v", i, f)
		}
	}
}

// TestRepeats guards that of an invoice that stands twice in a file neither row is sent where they differ, and one where they do not.
func TestRepeats(t *testing.T) {
	const columns = "invoice_id,email,amount,currency,description,note\n"
	tests := []struct {
		name, rows string
		allow      bool
		want       string // line, kind and line named of each problem
	}{
		{"another amount", "A,a@example.com,1,EUR,,\nB,a@example.com,1,EUR,,\nA,a@example.com,2,EUR,,\n", false, "2 lines-unsaid 2;4 lines-unsaid 2"},
		{"another customer", "A,a@example.com,1,EUR,,\nA,b@example.com,1,EUR,,\n", false, "2 id-repeated 3;3 id-repeated 2"},
		{"another item", "A,a@example.com,1,EUR,x,\nA,a@example.com,1,EUR,y,\n", false, "2 lines-unsaid 2;3 lines-unsaid 2"},
		{"another note of the user's own", "A,a@example.com,1,EUR,,x\nA,a@example.com,1.00,EUR,,y\n", false, "2 lines-unsaid 2;3 lines-unsaid 2"},
		{"repeats allowed", "A,a@example.com,1,EUR,,\nA,a@example.com,2,EUR,,\n", true, "2 lines-unsaid 2;3 lines-unsaid 2"},
		{"three, the last differs", "A,a@example.com,1,EUR,,\nA,a@example.com,1,EUR,,\nA,a@example.com,2,EUR,,\n", false, "2 lines-unsaid 2;3 lines-unsaid 2;4 lines-unsaid 2"},
		{"three, the second differs", "A,a@example.com,1,EUR,,\nA,a@example.com,2,EUR,,\nA,a@example.com,1,EUR,,\n", false, "2 lines-unsaid 2;3 lines-unsaid 2;4 lines-unsaid 2"},
		{"three alike", "A,a@example.com,1,EUR,,\nA,a@example.com,1,EUR,,\nA,a@example.com,1,EUR,,\n", false, "3 id-repeated 2;4 id-repeated 2"},
		{"the first is bad", "A,a@example.com,0,EUR,,\nA,a@example.com,2,EUR,,\n", false, "2 amount-zero;2 lines-unsaid 2;3 lines-unsaid 2"},
		{"the second is bad", "A,a@example.com,2,EUR,,\nA,a@example.com,0,EUR,,\n", false, "2 lines-unsaid 2;3 amount-zero;3 lines-unsaid 2"},
		{"alike without an id", ",a@example.com,1,EUR,x,\n,A@example.com,1.00,EUR,x,y\n", false, "3 row-repeated 2"},
		{"alike without an id, allowed", ",a@example.com,1,EUR,x,\n,a@example.com,1,EUR,x,\n", true, ""},
		{"bad ones without an id", ",a@example.com,0,EUR,x,\n,a@example.com,0,EUR,x,\n", false, "2 amount-zero;3 amount-zero"},
		{"unlike without an id", ",a@example.com,1,EUR,x,\n,a@example.com,1,EUR,y,\n", false, ""},
		{"ids that differ in capitals", "a,a@example.com,1,EUR,,\nA,a@example.com,1,EUR,,\n", false, ""},
		{"an id that reads like a row", ",a@example.com,1,EUR,,\na@example.com,a@example.com,1,EUR,,\n", false, ""},
	}
	line := regexp.MustCompile(`line ([0-9]+)`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := settings
			s.Options.AllowRepeats, s.SkipInvalid = tt.allow, true
			b, ledger := open(t, s, write(t, t.TempDir(), "a.csv", columns+tt.rows)), newLedger(t)
			problems, errs := check(t, b, ledger)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			bad := map[int]bool{}
			for _, p := range problems {
				text := fmt.Sprint(p.Line, " ", p.Kind)
				if named := line.FindStringSubmatch(p.What); named != nil {
					text += " " + named[1]
				}
				got, bad[p.Line] = append(got, text), true
			}
			if s := strings.Join(got, ";"); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
			j, err := b.Files[0].Import(t.Context(), ledger)
			if err != nil {
				t.Fatal(err)
			}
			for row, err := range ledger.Results(t.Context(), j.ID) {
				if err != nil || (row.State == job.Invalid) != bad[row.Row] {
					t.Errorf("line %d is %s in the ledger, %v; refused: %v", row.Row, row.State, err, bad[row.Row])
				}
			}
		})
	}
}

// TestRepeatOfABadRow guards that a good row is not sent beside a bad one of the same invoice, whatever is wrong with that.
func TestRepeatOfABadRow(t *testing.T) {
	b := open(t, settings, write(t, t.TempDir(), "a.csv", "invoice_id,email,amount,currency,allow_promotion_codes\n"+
		"A,a@example.com,1,EUR,no\nA,a@example.com,1,EUR,maybe\n"))
	_, errs := check(t, b, newLedger(t))
	if refusal := wantKind(t, errors.Join(errs...), intake.BadRows); refusal.Rows != 2 {
		t.Errorf("%d rows are refused, want both", refusal.Rows)
	}
}

// TestSeries guards that numbers that begin again are other invoices in another series, under a reference of their own.
func TestSeries(t *testing.T) {
	ledger, dir := newLedger(t), t.TempDir()
	keys := map[string]bool{}
	for _, series := range []string{"", "2025", "2026"} {
		s := settings
		s.Options.Series = series
		b := open(t, s, write(t, dir, "in.csv", header+"0001,a@example.com,1.00,USD\n,a@example.com,1.00,USD\n"))
		if _, errs := check(t, b, ledger); len(errs) > 0 {
			t.Fatal(errs)
		}
		if f := b.Files[0].Figures; f.ByAction[job.Send] != 2 {
			t.Errorf("series %q: %v", series, f.ByAction)
		}
		j, err := b.Files[0].Import(t.Context(), ledger)
		if err != nil || keys[fmt.Sprint(j.Key())] || j.Series() != series {
			t.Fatalf("series %q: job %d of series %q, %v", series, j.ID, j.Series(), err)
		}
		keys[fmt.Sprint(j.Key())] = true
		want := "0001"
		if series != "" {
			want = series + "-0001"
		}
		for row, err := range ledger.Results(t.Context(), j.ID) {
			if err != nil || row.InvoiceID != "" && (row.InvoiceID != "0001" || row.Reference != want) || row.InvoiceID == "" && !strings.HasPrefix(row.Reference, "paylinks-") {
				t.Errorf("series %q: id %q, reference %q, %v", series, row.InvoiceID, row.Reference, err)
			}
		}
		found, err := ledger.Job(t.Context(), j.ID)
		if err != nil || found.Series() != series {
			t.Errorf("the ledger has series %q, %v; want %q", found.Series(), err, series)
		}
	}
}

// TestExpect guards control totals, for a new file and for one that the ledger has.
func TestExpect(t *testing.T) {
	ledger := newLedger(t)
	path := write(t, t.TempDir(), "a.csv", header+"A-1,a@example.com,1.00,USD\nA-2,b@example.com,2.50,USD\n")
	with := func(rows int, totals ...string) intake.Settings {
		s := settings
		s.Expect = intake.Expect{Rows: &rows, Totals: map[string]currency.Amount{}}
		for i := 0; i < len(totals); i += 2 {
			amount, err := currency.NewAmount(totals[i+1], totals[i])
			if err != nil {
				t.Fatal(err)
			}
			s.Expect.Totals[totals[i]] = amount
		}
		return s
	}
	for _, state := range []string{"new", "known"} {
		t.Run(state, func(t *testing.T) {
			b := open(t, with(3, "USD", "3.51", "CHF", "1.00"), path)
			_, errs := check(t, b, ledger)
			refusal := wantKind(t, errors.Join(errs...), intake.WrongTotals)
			want := []intake.Difference{{"", "2", "3"}, {"CHF", "0", "1.00"}, {"USD", "3.50", "3.51"}}
			if !slices.Equal(refusal.Differences, want) {
				t.Errorf("differences %v, want %v", refusal.Differences, want)
			}
			b = open(t, with(2, "USD", "3.5"), path)
			if _, errs := check(t, b, ledger); len(errs) > 0 {
				t.Fatal(errs)
			}
			if (b.Files[0].Known != nil) != (state == "known") {
				t.Errorf("known %v", b.Files[0].Known)
			}
			if _, err := b.Files[0].Import(t.Context(), ledger); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestOutputs guards that no links file takes the place of an input, a rejected file, another links file or the ledger.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.csv", header+"A-1,a@example.com,1.00,USD\n")
	links := write(t, dir, "a.links.csv", header+"A-2,a@example.com,1.00,USD\n")
	text := write(t, dir, "a.txt", header+"A-3,a@example.com,1.00,USD\n")
	hard := filepath.Join(dir, "hard.csv")
	if err := os.Link(a, hard); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		paths  []string
		output string
		kind   intake.Kind
	}{
		{"its input", []string{a}, a, intake.OutputIsInput},
		{"its input by another name", []string{a}, hard, intake.OutputIsInput},
		{"another input", []string{a, links}, "", intake.OutputIsInput},
		{"its rejected file", []string{a}, filepath.Join(dir, "a.rejected.csv"), intake.OutputIsRejected},
		{"another's links file", []string{a, text}, "", intake.OutputIsOther},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := intake.Open(tt.paths, settings)
			if err != nil {
				t.Fatal(err)
			}
			wantKind(t, b.Outputs(tt.output), tt.kind)
		})
	}
	t.Run("the ledger's", func(t *testing.T) {
		ledger := newLedger(t)
		b := open(t, settings, a)
		for _, file := range ledger.Files() {
			if err := b.Outputs(file); err != nil {
				t.Fatal(err)
			}
			wantKind(t, b.TryOutputs(ledger.Files()), intake.OutputIsLedger)
		}
	})
}
