package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"paylinks/cmd/paylinks/helptext"
	"paylinks/job/engine"
)

// Exit statuses. The numbers are those of sysexits where it has one.
const (
	exitOK          = 0
	exitBug         = 1
	exitAttention   = 3 // finished as far as running again can take it, but some rows need a person
	exitUsage       = 64
	exitData        = 65 // the file is wrong or unreadable, nothing sent
	exitFailures    = 69 // stopped by --max-failures, or because everything fails
	exitOutput      = 73
	exitLedger      = 74
	exitUnfinished  = 75 // running again will go on
	exitKey         = 77
	exitConfig      = 78
	exitInterrupted = 130
)

// statusOf is the exit status of each ending.
var statusOf = map[engine.Ending]int{
	engine.Complete: exitOK, engine.Attention: exitAttention, engine.Unfinished: exitUnfinished, engine.Interrupted: exitInterrupted,
	engine.TooManyFailures: exitFailures, engine.KeyRefused: exitKey, engine.WrongAddress: exitConfig,
	engine.OutputFailed: exitOutput, engine.LedgerFailed: exitLedger,
}

// meaning is an exit status for a command's help.
func meaning(status int, says string) helptext.Exit { return helptext.Exit{Status: status, Says: says} }

// meanings are those of the commands that send, in the order of the documentation.
var meanings = []helptext.Exit{
	meaning(exitOK, "every row has a link"),
	meaning(exitAttention, "finished as far as running again can take it, but some rows failed, are invalid, or wait for a person, or nothing was sent and links have expired"),
	meaning(exitUsage, "usage"),
	meaning(exitData, "the file is wrong or unreadable, nothing was sent"),
	meaning(exitFailures, "stopped by `--max-failures`, because Clink refused twenty rows in a row and took none, or because ten sessions in a row were not what was asked for"),
	meaning(exitOutput, "an output cannot be written (tried before the first send), or another file's or ledger's links are there"),
	meaning(exitLedger, "the ledger or the disk failed"),
	meaning(exitUnfinished, "unfinished, running again will go on: an outage, `--limit` reached, or another run holds the ledger"),
	meaning(exitKey, "Clink refused the key, not just a row"),
	meaning(exitConfig, "configuration: no key, a wrong address or profile, no ledger in production"),
	meaning(exitInterrupted, "interrupted; what was answered is saved"),
	meaning(exitBug, "a bug"),
}

// failure is an error with the status to exit with, and what its reader can do.
type failure struct {
	status int
	err    error
	hint   string
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.status)
	}
	return f.err.Error()
}
func (f *failure) Unwrap() error { return f.err }

func failf(status int, format string, args ...any) *failure {
	return &failure{status: status, err: fmt.Errorf(format, args...)}
}

// withHint adds what to do next.
func (f *failure) withHint(format string, args ...any) *failure {
	f.hint = fmt.Sprintf(format, args...)
	return f
}

// exitWith ends the program with the status, without a message of its own.
func exitWith(status int) error {
	if status == exitOK {
		return nil
	}
	return &failure{status: status}
}

// ownError gives every error of a command a status, so that what is left without one is a usage error of cobra's.
func ownError(err error) error {
	var f *failure
	var write *fs.PathError
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.As(err, &write), errors.Is(err, syscall.EPIPE):
		return &failure{status: exitOutput, err: err}
	}
	return &failure{exitBug, err, "this should not happen: please report it"}
}
