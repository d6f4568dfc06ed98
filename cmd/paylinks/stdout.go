package main

import (
	"errors"
	"syscall"

	"paylinks/cmd/paylinks/report"
)

// reported gives an error of package report its status.
func reported(err error) error {
	if read, ok := errors.AsType[*report.ReadError](err); ok {
		return classify(read.Err)
	}
	if _, ok := errors.AsType[*report.WriteError](err); ok {
		return classify(err)
	}
	return err
}

// readEnough has nothing to say where whoever read standard output has gone: | head has what it wanted.
func readEnough(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return exitWith(exitOutput)
	}
	return err
}
