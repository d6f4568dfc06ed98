package options

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job/intake"
	"paylinks/job/links"
	"paylinks/job/metrics"
	"paylinks/store"
)

// SpareLedger refuses a metrics file in the place of one of the ledger's files.
func (o *Send) spareLedger(s Streams, target Target, ledger Ledger) error {
	environment, err := target.ResolveEnvironment(s)
	if err != nil {
		return err
	}
	path, err := ledger.Resolve(s, environment)
	if err != nil {
		return err
	}
	file, err := filepath.Abs(o.metricsFile)
	if err != nil {
		return exit.Failf(exit.Output, "%w", err)
	}
	if store.IsDatabase(path) {
		return nil
	}
	if intake.SpareLedger(links.Place(file), store.Files(links.Place(path))) != nil {
		return exit.Failf(exit.Usage, "%s is the ledger, or belongs to it", o.metricsFile).WithHint("name another file with --metrics-file")
	}
	return nil
}

// Measured runs a command that sends, and writes the metrics file, if one is named, however the command ends. It comes
// back as the command's own error; one that only failed to write its metrics ends with status 73.
func (o *Send) Measured(command string, s Streams, target Target, ledger Ledger, act func() error) (err error) {
	if o.metricsFile == "" {
		return act()
	}
	if err := o.spareLedger(s, target, ledger); err != nil {
		return err
	}
	unwritable := func(err error) *exit.Failure {
		return exit.Failf(exit.Output, "%w", err).WithHint("name another with --metrics-file; no folders are made")
	}
	if o.Metrics, err = metrics.Open(o.metricsFile, command); err != nil {
		return unwritable(err)
	}
	status := exit.Bug // should act panic
	defer func() {
		writeErr := o.Metrics.Write(status, time.Now())
		switch {
		case writeErr == nil:
		case status == exit.OK || status == exit.Attention:
			err = unwritable(writeErr)
		default:
			fmt.Fprintf(s.Err, "paylinks: error: %v\n", writeErr)
		}
	}()
	err = exit.Own(act())
	status = exit.OK
	if f, failed := errors.AsType[*exit.Failure](err); failed {
		status = f.Status
	}
	return err
}
