// Package ledgertest is the contract of a ledger: what every backend must do, whatever keeps its records.
package ledgertest

import (
	"context"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/job"
)

// Reader is a ledger that is open for reading.
type Reader interface {
	Job(ctx context.Context, id int64) (job.Job, error)
	Find(ctx context.Context, identity job.Identity) (job.Job, error)
	Jobs(ctx context.Context) ([]job.Job, error)
	Facts(ctx context.Context, invoices [][16]byte) (map[[16]byte][]job.Facts, error)
	Tally(ctx context.Context, jobID int64) (job.Tally, error)
	LinkTally(ctx context.Context, jobID int64) (job.LinkTally, error)
	PaidTotals(ctx context.Context, jobID int64) (map[string]string, error)
	Left(ctx context.Context, j job.Job, maxAttempts int) (job.Left, error)
	CountLinks(ctx context.Context, q job.LinkQuery) (int, error)
	Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error]
	Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error]
	Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error]
	AllRejected(ctx context.Context, jobID int64) (bool, error)
	LinksFileOwner(ctx context.Context, path string) (jobID int64, err error)
	UnknownSession(ctx context.Context, ids []string) (string, error)
	ExpiredLinks(ctx context.Context, jobID int64, now time.Time, most int) (int, error)
	FailedButMade(ctx context.Context, jobID int64) (int, error)
	Purgeable(ctx context.Context, before, now time.Time) ([]job.Purgeable, error)
	Close() error
}

// Ledger is a ledger that is open for sending.
type Ledger interface {
	Reader
	job.Ledger
	Take(jobID int64) error
	Crashed(jobID int64) int
	Release(jobID int64) error
	Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error)
	Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], at time.Time) (job.Adopted, error)
	Remember(j job.Job) error
	RunAgain(j job.Job, disputed map[int]string, at time.Time) error
	LookAgain(jobID int64, at time.Time) error
	BeginRun(jobID int64, at time.Time) error
	EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error
	LinksFileChanges(jobID int64) error
	LinksFileWritten(jobID int64, path string) error
	Retry(jobID int64, unknown bool, at time.Time) (int, error)
	Refreshed(jobID int64, at time.Time) error
	Purge(j job.Job, now time.Time) error
}

// Opener opens one ledger, which is empty at first, as often as it is asked.
type Opener struct {
	ToSend func(holder string) (Ledger, error)
	ToRead func(ctx context.Context) (Reader, error)
}

// Run tests a backend; only names the parts that are tested, where not all are. fresh gives the opener of a new ledger.
func Run(t *testing.T, fresh func(t *testing.T) Opener, only ...string) {
	c := contract{fresh}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"import", c.testImport},
		{"import of nothing", c.testImportOfNothing},
		{"import of many kinds", c.testImportOfManyKinds},
		{"import is all or nothing", c.testImportIsAllOrNothing},
		{"lines", c.testLines},
		{"lines of many parts", c.testLinesOfManyParts},
		{"lines of a bad invoice", c.testLinesOfABadInvoice},
		{"adopt lines", c.testAdoptLines},
		{"adopt", c.testAdopt},
		{"adopt twice", c.testAdoptTwice},
		{"adopt is all or nothing", c.testAdoptIsAllOrNothing},
		{"adopt into a restored ledger", c.testAdoptIntoARestoredLedger},
		{"adopt a doubt and its link", c.testAdoptDoubtAndLink},
		{"adopt conflicts", c.testAdoptConflicts},
		{"adopt without a reference", c.testAdoptWithoutReference},
		{"remember", c.testRemember},
		{"same invoice", c.testSameInvoice},
		{"same invoice in a later job", c.testSameInvoiceInALaterJob},
		{"same invoice asked about", c.testSameInvoiceAskedAbout},
		{"same customer", c.testSameCustomer},
		{"run order", c.testRunOrder},
		{"look again at duplicates", c.testLookAgainAtDuplicates},
		{"run again after a refusal", c.testRunAgainAfterARefusal},
		{"disputed", c.testDisputed},
		{"rows alike", c.testRowsAlike},
		{"facts of many", c.testFactsOfMany},
		{"a request that cannot be sent is not imported", c.testARequestThatCannotBeSentIsNotImported},
		{"transitions", c.testTransitions},
		{"stale item", c.testStaleItem},
		{"begin", c.testBegin},
		{"end", c.testEnd},
		{"note goes", c.testNoteGoes},
		{"retry", c.testRetry},
		{"retry of doubts", c.testRetryOfDoubts},
		{"retry gives an unsettled link up", c.testRetryGivesAnUnsettledLinkUp},
		{"retry gives an own link up", c.testRetryGivesAnOwnLinkUp},
		{"crash recovery", c.testCrashRecovery},
		{"shared session", c.testSharedSession},
		{"results", c.testResults},
		{"attempts", c.testAttempts},
		{"open items by pages", c.testOpenItemsByPages},
		{"left", c.testLeft},
		{"no job", c.testNoJob},
		{"problems", c.testProblems},
		{"last run", c.testLastRun},
		{"suspects", c.testSuspects},
		{"known session", c.testKnownSession},
		{"all rejected", c.testAllRejected},
		{"which links are asked about", c.testWhichLinksAreAskedAbout},
		{"paid is final", c.testPaidIsFinal},
		{"replace gives the old link up", c.testReplaceGivesTheOldLinkUp},
		{"refreshed is remembered", c.testRefreshedIsRemembered},
		{"link tally of jobs beside each other", c.testLinkTallyOfJobsBesideEachOther},
		{"link tally beyond an int64", c.testLinkTallyBeyondAnInt64},
		{"tallies after anything", c.testTalliesAfterAnything},
		{"total beyond int64", c.testTotalBeyondInt64},
		{"one sender", c.testOneSender},
		{"many workers", c.testManyWorkers},
		{"purge", c.testPurge},
		{"links file on record", c.testLinksFileOnRecord},
		{"links file owner", c.testLinksFileOwner},
		{"unknown session", c.testUnknownSession},
		{"expired links", c.testExpiredLinks},
		{"failed but made by a later job", c.testFailedButMade},
	} {
		if len(only) == 0 || slices.Contains(only, test.name) {
			t.Run(test.name, test.run)
		}
	}
}

type contract struct{ fresh func(t *testing.T) Opener }

// ledger is a ledger under test.
type ledger struct {
	Ledger
	t      *testing.T
	opener Opener
	shut   bool
}

// At is when the tests take place.
var At = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newLedger opens a new ledger for sending. When the test ends, its tallies must be what a recount says.
func (c contract) newLedger(t *testing.T) *ledger {
	t.Helper()
	return openLedger(t, c.fresh(t))
}

func openLedger(t *testing.T, open Opener) *ledger {
	t.Helper()
	opened, err := open.ToSend("the test")
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{Ledger: opened, t: t, opener: open}
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
	if err := l.Close(); err != nil {
		l.t.Error(err)
	}
}

// recovered takes all jobs, and returns how many rows senders that are gone had left sending in them.
func (l *ledger) recovered() (crashed int) {
	l.t.Helper()
	for _, id := range l.jobs() {
		l.must(l.Take(id))
		crashed += l.Crashed(id)
		if _, wait, err := l.Recover(id); wait != 0 || err != nil {
			l.t.Errorf("job %d has more to recover in %s (%v)", id, wait, err)
		}
	}
	return crashed
}

// jobs are the numbers of all jobs.
func (l *ledger) jobs() (ids []int64) {
	l.t.Helper()
	jobs, err := l.Jobs(context.Background())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

// place says which of the ledger's jobs this is: 1 is the oldest. Numbers of jobs may have gaps.
func (l *ledger) place(jobID int64) int {
	l.t.Helper()
	return slices.Index(l.jobs(), jobID) + 1
}

// nth is the number of the job at this place.
func (l *ledger) nth(place int) int64 {
	l.t.Helper()
	jobs := l.jobs()
	if place > len(jobs) {
		l.t.Fatalf("the ledger has %d jobs, and none in place %d", len(jobs), place)
	}
	return jobs[place-1]
}

// dump is all that the ledger tells.
func (l *ledger) dump() string {
	l.t.Helper()
	var b strings.Builder
	for _, id := range l.jobs() {
		j, err := l.Job(context.Background(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n", j)
		for _, r := range l.results(id) {
			fmt.Fprintf(&b, "%+v\n", r)
		}
		for _, a := range l.attempts(id, false) {
			fmt.Fprintf(&b, "%+v\n", a)
		}
		tally, err := l.Tally(context.Background(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		fmt.Fprintln(&b, tally.Items, tally.Attempts, tally.Totals(job.States...))
	}
	return b.String()
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

// checkTallies compares the tallies of good rows with a recount; the amounts are those of Facts.
func (l *ledger) checkTallies() {
	l.t.Helper()
	for _, id := range l.jobs() {
		want := job.NewTally()
		for _, r := range l.results(id) {
			if !r.Further {
				want.Items[r.State]++
			}
		}
		for _, a := range l.attempts(id, false) {
			want.Attempts[a.Outcome]++
		}
		got, err := l.Tally(context.Background(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, s := range job.States {
			if got.Items[s] != want.Items[s] {
				l.t.Errorf("job %d: the tally has %d items in state %s, a recount %d", id, got.Items[s], s, want.Items[s])
			}
			if got.Items[s] == 0 {
				for code, total := range got.Totals(s) {
					if strings.Trim(total, "0.") != "" {
						l.t.Errorf("job %d: no item is %s, and they add up to %s %s", id, s, code, total)
					}
				}
			}
		}
		if got.AllAttempts() != want.AllAttempts() || got.PossibleOrphans() != want.PossibleOrphans() {
			l.t.Errorf("job %d: the tally has the attempts %v, a recount %v", id, got.Attempts, want.Attempts)
		}
	}
}

// checkAmounts compares the totals of the jobs with the facts of these invoices.
func (l *ledger) checkAmounts(rows []job.NewItem) {
	l.t.Helper()
	want := map[int64]job.Tally{}
	for _, row := range rows {
		for _, f := range l.factsOf(row) {
			if _, ok := want[f.JobID]; !ok {
				want[f.JobID] = job.NewTally()
			}
			want[f.JobID].Add(f.State, f.Currency, 1, big.NewInt(f.Amount))
		}
	}
	for id, tally := range want {
		got, err := l.Tally(context.Background(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, s := range job.States {
			if s == job.Invalid {
				continue // what is bad has no invoice
			}
			for code, total := range tally.Totals(s) {
				if got.Totals(s)[code] != total {
					l.t.Errorf("job %d: the tally of state %s is %s %s, a recount %s", id, s, code, got.Totals(s)[code], total)
				}
			}
		}
	}
}

func (l *ledger) factsOf(row job.NewItem) []job.Facts {
	l.t.Helper()
	found, err := l.Facts(context.Background(), [][16]byte{row.Invoice})
	if err != nil {
		l.t.Fatal(err)
	}
	return found[row.Invoice]
}
