package main

import (
	"context"
	"errors"
	"fmt"

	"paylinks/job"
	"paylinks/job/links"
	"paylinks/store"
)

// Exit statuses. The numbers are those of sysexits where it has one.
const (
	exitOK          = 0
	exitBug         = 1
	exitAttention   = 3 // finished as far as running again can take it, but some rows need a person
	exitUsage       = 64
	exitData        = 65 // the file is wrong or unreadable, nothing sent
	exitFailures    = 69 // stopped by --max-failures
	exitOutput      = 73
	exitLedger      = 74
	exitUnfinished  = 75 // running again will go on
	exitKey         = 77
	exitConfig      = 78
	exitInterrupted = 130
)

// meaning is what a status says.
type meaning struct {
	status int
	says   string
}

// meanings are those of the commands that send, in the order of the documentation.
var meanings = []meaning{
	{exitOK, "every row has a link"},
	{exitAttention, "finished as far as running again can take it, but some rows failed, are invalid, or wait for a person"},
	{exitUsage, "usage"},
	{exitData, "the file is wrong or unreadable, nothing was sent"},
	{exitFailures, "stopped by `--max-failures`, or because ten sessions in a row were not what was asked for"},
	{exitOutput, "an output cannot be written (tried before the first send)"},
	{exitLedger, "the ledger or the disk failed"},
	{exitUnfinished, "unfinished, running again will go on: an outage, `--limit` reached, or another run holds the ledger"},
	{exitKey, "Clink refused the key"},
	{exitConfig, "configuration: no key, a wrong address"},
	{exitInterrupted, "interrupted; what was answered is saved"},
	{exitBug, "a bug"},
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

// classify gives an error of the packages below its status and hint.
func classify(err error) *failure {
	var f *failure
	var held *store.HeldError
	var schema *store.VersionError
	var remote *store.NetworkError
	var output *links.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled):
		return &failure{exitInterrupted, errors.New("interrupted"), ""}
	case errors.As(err, &held):
		return &failure{exitUnfinished, err, "wait until it has ended, then run the same command again; nothing was sent"}
	case errors.As(err, &schema) && schema.Found < schema.Known:
		return &failure{exitLedger, err, "wait until the run of the older paylinks has ended, then run this again"}
	case errors.As(err, &schema):
		return &failure{exitLedger, err, "use the newer paylinks; another ledger knows of none of its links, and would send its invoices anew"}
	case errors.Is(err, store.ErrUnknownSchema):
		return &failure{exitLedger, err, "use the paylinks that made it; another ledger knows of none of its links, and would send its invoices anew"}
	case errors.Is(err, store.ErrNotUpdated):
		return &failure{exitLedger, err, "make sure that you may write to it and that its disk has room for twice the ledger, then run this again"}
	case errors.Is(err, store.ErrNotLedger):
		return &failure{exitLedger, err, "it has not been touched; name another file with --ledger"}
	case errors.Is(err, store.ErrGone):
		return &failure{exitLedger, err, hintGone}
	case errors.Is(err, store.ErrDamaged):
		return &failure{exitLedger, err, "nothing was sent; put the latest backup in its place (paylinks backup makes them), and keep the damaged file"}
	case errors.As(err, &remote):
		return &failure{exitLedger, err, "name a ledger on a local disk with --ledger; to keep a copy elsewhere: paylinks backup PATH"}
	case errors.As(err, &output):
		return &failure{exitOutput, err, "write it elsewhere with --output PATH; no folders are made"}
	}
	return &failure{exitLedger, err, ""}
}

// hintGone is what to do when the ledger went away under a run.
const hintGone = "put the ledger back where it was, or its latest backup, before you run again: a new one knows of no link and would send every row anew"

// statusOf is the exit status of a run that ended so, and left the job so.
func statusOf(report job.Report, tally job.Tally, sendable int) int {
	switch report.Stop {
	case job.Interrupted:
		if sendable > 0 { // else it came too late to interrupt anything
			return exitInterrupted
		}
	case job.TooManyFails:
		return exitFailures
	case job.GaveUp:
		return exitUnfinished
	case job.KeyRefused:
		return exitKey
	case job.WrongAddress:
		return exitConfig
	case job.LedgerFailed:
		return exitLedger
	}
	switch {
	case sendable > 0:
		return exitUnfinished
	case tally.Linked() == tally.Rows():
		return exitOK
	}
	return exitAttention
}
