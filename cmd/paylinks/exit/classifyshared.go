package exit

import (
	"errors"

	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
)

// classifyShared gives an error that only a ledger in a database has its status and hint; nil for any other.
func classifyShared(err error) *Failure {
	if moved, ok := errors.AsType[*job.TransferError](err); ok {
		switch moved.State {
		case job.TransferMoved:
			return &Failure{Config, err, "nothing was sent; name that one: --ledger " + words.ShellQuoted(moved.Other)}
		case job.TransferFilling:
			return &Failure{Config, err, "nothing was sent; run the same paylinks transfer again, or take it back with --cancel: paylinks help shared-ledger"}
		}
		return &Failure{Config, err, "nothing was sent; wait for paylinks transfer, run it again where it was broken off, or take it back with --cancel: paylinks help shared-ledger"}
	}
	hint, cause := report.DatabaseHint(err)
	if cause == nil {
		return nil
	}
	return &Failure{databaseStatus[cause], err, hint}
}

// databaseStatus is the exit status of each cause that DatabaseHint knows.
var databaseStatus = map[error]int{
	job.ErrFailedOver: Ledger, job.ErrReadOnly: Ledger, job.ErrDenied: Ledger, job.ErrUnreachable: Ledger,
	job.ErrDropped: Ledger, job.ErrUntrusted: Ledger, job.ErrDiskFull: Ledger,
	job.ErrFenced: Unfinished, job.ErrPastDeadline: Unfinished, job.ErrLeases: Unfinished,
	job.ErrUnsafe: Config,
}
