package exit

import (
	"errors"
	"syscall"

	"paylinks/cmd/paylinks/report"
)

// Reported gives an error of package report its status.
func Reported(err error) error {
	if read, ok := errors.AsType[*report.ReadError](err); ok {
		return Classify(read.Err)
	}
	if _, ok := errors.AsType[*report.WriteError](err); ok {
		return Classify(err)
	}
	return err
}

// ReadEnough has nothing to say where whoever read standard output has gone: | head has what it wanted.
func ReadEnough(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return With(Output)
	}
	return err
}
