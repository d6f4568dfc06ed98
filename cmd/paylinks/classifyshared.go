package main

import (
	"errors"

	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
)

// classifyShared gives an error that only a ledger in a database has its status and hint; nil for any other.
func classifyShared(err error) *failure {
	if moved, ok := errors.AsType[*job.TransferError](err); ok {
		switch moved.State {
		case job.TransferMoved:
			return &failure{exitConfig, err, "nothing was sent; name that one: --ledger " + words.ShellQuoted(moved.Other)}
		case job.TransferFilling:
			return &failure{exitConfig, err, "nothing was sent; run the same paylinks transfer again, or take it back with --cancel: paylinks help shared-ledger"}
		}
		return &failure{exitConfig, err, "nothing was sent; wait for paylinks transfer, run it again where it was broken off, or take it back with --cancel: paylinks help shared-ledger"}
	}
	hint, cause := report.DatabaseHint(err)
	if cause == nil {
		return nil
	}
	return &failure{databaseStatus[cause], err, hint}
}

// databaseStatus is the exit status of each cause that DatabaseHint knows.
var databaseStatus = map[error]int{
	job.ErrFailedOver: exitLedger, job.ErrReadOnly: exitLedger, job.ErrDenied: exitLedger, job.ErrUnreachable: exitLedger,
	job.ErrDropped: exitLedger, job.ErrUntrusted: exitLedger,
	job.ErrFenced: exitUnfinished, job.ErrPastDeadline: exitUnfinished, job.ErrLeases: exitUnfinished,
	job.ErrUnsafe: exitConfig,
}
