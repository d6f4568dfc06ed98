// Package exit has the exit statuses of paylinks: which error of the layers below ends a command with which status, in which words, and
// with which hint of what to do.
package exit

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
	OK          = 0
	Bug         = 1
	Attention   = 3 // finished as far as running again can take it, but some rows need a person
	Usage       = 64
	Data        = 65 // the file is wrong or unreadable, nothing sent
	Failures    = 69 // stopped by --max-failures, or because everything fails
	Output      = 73
	Ledger      = 74
	Unfinished  = 75 // running again will go on
	Key         = 77
	Config      = 78
	Interrupted = 130
)

// StatusOf is the exit status of each ending.
var StatusOf = map[engine.Ending]int{
	engine.Complete: OK, engine.Attention: Attention, engine.Unfinished: Unfinished, engine.Interrupted: Interrupted,
	engine.TooManyFailures: Failures, engine.KeyRefused: Key, engine.WrongAddress: Config,
	engine.OutputFailed: Output, engine.LedgerFailed: Ledger,
}

// Meaning is an exit status for a command's help.
func Meaning(status int, says string) helptext.Exit { return helptext.Exit{Status: status, Says: says} }

// Meanings are those of the commands that send, in the order of the documentation.
var Meanings = []helptext.Exit{
	Meaning(OK, "every row has a link"),
	Meaning(Attention, "finished as far as running again can take it, but some rows failed, are invalid, or wait for a person, or nothing was sent and links have expired"),
	Meaning(Usage, "usage"),
	Meaning(Data, "the file is wrong or unreadable, nothing was sent"),
	Meaning(Failures, "stopped by `--max-failures`, because Clink refused twenty rows in a row and took none, or because ten sessions in a row were not what was asked for"),
	Meaning(Output, "an output cannot be written (tried before the first send), or another file's or ledger's links are there"),
	Meaning(Ledger, "the ledger or the disk failed"),
	Meaning(Unfinished, "unfinished, running again will go on: an outage, `--limit` reached, or another run holds the ledger"),
	Meaning(Key, "Clink refused the key, not just a row"),
	Meaning(Config, "configuration: no key, a wrong address or profile, no ledger in production"),
	Meaning(Interrupted, "interrupted; what was answered is saved"),
	Meaning(Bug, "a bug"),
}

// Failure is an error with the status to exit with, and what its reader can do.
type Failure struct {
	Status int
	Err    error
	Hint   string
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit status %d", f.Status)
	}
	return f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Failf is a failure without a hint; it wraps what %w names.
func Failf(status int, format string, args ...any) *Failure {
	return &Failure{Status: status, Err: fmt.Errorf(format, args...)}
}

// WithHint adds what to do next.
func (f *Failure) WithHint(format string, args ...any) *Failure {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// With ends the program with the status, without a message of its own.
func With(status int) error {
	if status == OK {
		return nil
	}
	return &Failure{Status: status}
}

// Own gives every error of a command a status, so that what is left without one is a usage error of cobra's.
func Own(err error) error {
	var f *Failure
	var write *fs.PathError
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.As(err, &write), errors.Is(err, syscall.EPIPE):
		return &Failure{Status: Output, Err: err}
	}
	return &Failure{Bug, err, "this should not happen: please report it"}
}
