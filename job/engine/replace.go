package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"paylinks/job"
	"paylinks/job/links"
)

// ownersLedger is what CheckReplaced asks of a ledger.
type ownersLedger interface {
	Job(ctx context.Context, id int64) (job.Job, error)
	LinksFileOwner(ctx context.Context, path string) (int64, error)
	UnknownSession(ctx context.Context, ids []string) (string, error)
}

// OtherOwnerError means that the links file at Output was written by the job of another input file.
type OtherOwnerError struct {
	Output string
	Owner  job.Job
}

func (e *OtherOwnerError) Error() string {
	return fmt.Sprintf("%s has the links of another file, %s (job %d)", e.Output, e.Owner.File, e.Owner.ID)
}

// OtherLedgerError means that the links file at Output names a session that the ledger does not know.
type OtherLedgerError struct {
	Output  string
	Session string
}

func (e *OtherLedgerError) Error() string {
	return fmt.Sprintf("%s was written from another ledger: this one does not know its session %s", e.Output, e.Session)
}

// CheckReplaced refuses to have the job's links file replace links that are not its own: those of a job of another input file, and
// those that another ledger has. Where the job is not in the ledger yet its number is 0. The error is an *[OtherOwnerError], an
// *[OtherLedgerError], a *[links.Error], or the ledger's.
func CheckReplaced(ctx context.Context, ledger ownersLedger, j job.Job) error {
	if j.Output == "" || j.Output == "-" {
		return nil
	}
	if _, err := os.Stat(j.Output); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := checkOwner(ctx, ledger, j); err != nil {
		return err
	}
	return checkSessions(ctx, ledger, j.Output)
}

func checkOwner(ctx context.Context, ledger ownersLedger, j job.Job) error {
	id, err := ledger.LinksFileOwner(ctx, j.Output)
	if err != nil || id == 0 || id == j.ID {
		return err
	}
	owner, err := ledger.Job(ctx, id)
	if err != nil || links.SameFile(owner.File, j.File) {
		return err
	}
	return &OtherOwnerError{Output: j.Output, Owner: owner}
}

// sessionsAtOnce is how many sessions are looked up by one query.
const sessionsAtOnce = 500

func checkSessions(ctx context.Context, ledger ownersLedger, output string) error {
	ids := make([]string, 0, sessionsAtOnce)
	look := func() error {
		unknown, err := ledger.UnknownSession(ctx, ids)
		if err == nil && unknown != "" {
			err = &OtherLedgerError{Output: output, Session: unknown}
		}
		ids = ids[:0]
		return err
	}
	for session, err := range links.Sessions(output) {
		if err != nil {
			return err
		}
		if session.Rehearsed() {
			continue
		}
		if ids = append(ids, session.ID); len(ids) == sessionsAtOnce {
			if err := look(); err != nil {
				return err
			}
		}
	}
	return look()
}
