// Package store opens a ledger by its name. A name is a path, of a SQLite file: see [paylinks/store/sqlite].
package store

import (
	"context"
	"iter"
	"time"

	"paylinks/job"
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
	Left(ctx context.Context, j job.Job, maxAttempts int) (sendable, waiting int, err error)
	CountLinks(ctx context.Context, q job.LinkQuery) (int, error)
	Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error]
	Problems(ctx context.Context, jobID int64, settled bool) iter.Seq2[job.Result, error]
	Attempts(ctx context.Context, jobID int64, orphansOnly bool) iter.Seq2[job.Attempt, error]
	Purgeable(ctx context.Context, before, now time.Time) ([]job.Purgeable, error)
	Backup(ctx context.Context, path string) error
	Close() error
}

// Ledger is a ledger that this process alone may change.
type Ledger interface {
	Reader
	job.Ledger
	Crashed() int
	Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error)
	Remember(j job.Job) error
	BeginRun(jobID int64, at time.Time) error
	EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error
	Retry(jobID int64, unknown bool) (int, error)
	Refreshed(jobID int64, at time.Time) error
	Purge(j job.Job, now time.Time) error
	Scrub() error
}

// OpenToRead opens an existing ledger for reading. The error is fs.ErrNotExist when there is none, or one of package job's.
func OpenToRead(ctx context.Context, name string) (Reader, error) {
	ledger, err := sqlite.OpenToRead(ctx, name)
	if err != nil {
		return nil, err
	}
	return ledger, nil
}

// OpenToSend opens the ledger for the one process that may change it, and makes it where there is none. holder says in a few words
// who that is. The error is a *[job.HeldError] when another process has it, or another one of package job's.
func OpenToSend(name, holder string) (Ledger, error) {
	ledger, err := sqlite.OpenToSend(name, holder)
	if err != nil {
		return nil, err
	}
	return ledger, nil
}
