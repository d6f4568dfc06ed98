// Package store opens a ledger by its name. A name is a path, of a SQLite file, or a PostgreSQL URL or DSN: see [paylinks/store/sqlite]
// and [paylinks/store/postgres].
package store

import (
	"context"
	"iter"
	"os"
	"time"

	"paylinks/job"
	"paylinks/store/postgres"
	"paylinks/store/sqlite"
)

// Reader is a ledger that is open for reading, also while another process sends.
type Reader interface {
	Path() string
	Files() []string
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
	Backup(ctx context.Context, path string) error
	// Senders are the processes that have not ended, oldest first.
	Senders(ctx context.Context) ([]job.Sender, error)
	// Transferred says that the ledger is being moved to another one, or was; nil: it is not.
	Transferred() *job.TransferError
	Close() error
}

// Ledger is a ledger that this process alone may change.
type Ledger interface {
	Reader
	job.Ledger
	// Take takes the right to send the job. The error is a *[job.HeldError] where another sender has it, and then nothing has changed.
	Take(jobID int64) error
	// Crashed is how many of the job's rows senders that are gone had left sending when Take took it over. It says so once.
	Crashed(jobID int64) int
	// Release gives it back.
	Release(jobID int64) error
	// MaySend says whether a request may leave now: it is asked right before the first byte of each.
	MaySend() error
	// Budget is the pace that all senders at an address share; nil where nobody else can send.
	Budget(environment job.Environment, baseURL string) job.Budget
	Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error)
	Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], at time.Time) (job.Adopted, error)
	Remember(j job.Job) error
	RunAgain(j job.Job, disputed map[int]string, at time.Time) error
	LookAgain(jobID int64, at time.Time) error
	BeginRun(jobID int64, at time.Time) error
	EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error
	Retry(jobID int64, unknown bool, at time.Time) (int, error)
	LinksFileChanges(jobID int64) error
	LinksFileWritten(jobID int64, path string) error
	Refreshed(jobID int64, at time.Time) error
	Purge(j job.Job, now time.Time) error
	Scrub() error
}

// IsDatabase says whether the name is of a database, whose ledger several hosts may share; else it is the path of a file.
func IsDatabase(name string) bool { return postgres.IsName(name) }

// Shown is the name as it may be shown: without a password.
func Shown(name string) (string, error) {
	if !IsDatabase(name) {
		return name, nil
	}
	n, err := postgres.ParseName(name)
	return n.String(), err
}

// HasPassword says whether the name itself has a password in it.
func HasPassword(name string) bool {
	if !IsDatabase(name) {
		return false
	}
	n, err := postgres.ParseName(name)
	return err == nil && n.HasPassword()
}

// OpenToRead opens an existing ledger for reading. The error is fs.ErrNotExist when there is none, or one of package job's.
func OpenToRead(ctx context.Context, name string) (Reader, error) {
	if IsDatabase(name) {
		return opened[Reader](postgres.OpenToRead(ctx, name))
	}
	return opened[Reader](sqlite.OpenToRead(ctx, name))
}

// opened is the ledger, or the error: never a nil of the backend's own type.
func opened[L Reader, O Reader](ledger O, err error) (opened L, _ error) {
	if err != nil {
		return opened, err
	}
	return any(ledger).(L), nil
}

// IsNew says whether there is no ledger of that name yet.
func IsNew(ctx context.Context, name string) (bool, error) {
	if IsDatabase(name) {
		return postgres.IsNew(ctx, name)
	}
	return sqlite.IsNew(name), nil
}

// MakeFolder makes the folder of a ledger that is a file.
func MakeFolder(name string) error {
	if IsDatabase(name) {
		return nil
	}
	return sqlite.MakeFolder(name)
}

// Files are the paths where the ledger has, or would have, files.
func Files(name string) []string {
	if IsDatabase(name) {
		return nil
	}
	return sqlite.Files(name)
}

// Opening says who opens a ledger to send.
type Opening struct {
	Doing         string        // in a few words
	Lease         time.Duration // how long it may send after each renewal, where the ledger is shared
	Timeout       time.Duration // the longest that one of its requests takes
	AfterFailover bool          // a person has said that the database may have lost what it had acknowledged; see [job.ErrFailedOver]
}

// OpenToSend opens the ledger to send from it, and makes it where there is none. A file is for one process alone. The error is a
// *[job.HeldError] when another process has the ledger, or another one of package job's.
func OpenToSend(ctx context.Context, name string, as Opening) (Ledger, error) {
	sender := job.Sender{Doing: as.Doing, Process: os.Getpid(), Since: time.Now(), Lease: as.Lease, Timeout: as.Timeout}
	switch {
	case !IsDatabase(name):
		return opened[Ledger](sqlite.OpenToSend(name, sender.String()))
	case as.AfterFailover:
		return opened[Ledger](postgres.OpenAfterFailover(ctx, name, sender))
	}
	return opened[Ledger](postgres.OpenToSend(ctx, name, sender))
}
