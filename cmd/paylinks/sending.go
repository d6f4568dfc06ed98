package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"paylinks/clink"
	"paylinks/cmd/paylinks/eventlog"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/progress"
	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/intake"
	"paylinks/job/links"
	"paylinks/job/metrics"
	"paylinks/store"
)

// sending is a command that works on jobs of one target: what run, resume, retry, reissue and refresh have in common.
type sending struct {
	*engine.Engine
	report.Printer
	s       streams
	console *progress.Console
	options *sendOptions
	log     *slog.Logger
	ledger  sendingLedger
	close   func()
}

// sendingLedger is what sending asks of a ledger.
type sendingLedger interface {
	engine.Ledger
	Job(ctx context.Context, id int64) (job.Job, error)
	MaySend() error
	Path() string
}

// newSending connects to the target.
func newSending(s streams, ledger sendingLedger, o *sendOptions, target engine.Target, key secretKey) (*sending, error) {
	failures, err := o.failures()
	if err != nil {
		return nil, err
	}
	c := progress.NewConsole(s.err)
	e := &sending{
		options: o, log: eventlog.New(c, o.logLevel(), o.logFormat == "json"),
		s: s, console: c, ledger: ledger,
		Printer: report.Printer{
			Out: s.out, Console: c, Ledger: ledger.Path(), KeyFrom: key.from, JSON: o.json, Quiet: o.quiet,
			Flags: func(environment job.Environment) string { return nextFlags(s, environment, ledger.Path()) },
		},
	}
	client, disconnect, err := target.Connect(clink.Config{
		Key: key.text, Version: programVersion(), Connections: o.concurrency, Timeout: o.timeout, MaySend: ledger.MaySend,
	}, slog.NewLogLogger(e.log.Handler(), slog.LevelDebug))
	if err != nil {
		return nil, exit.Failf(exit.Config, "%w", err)
	}
	e.close = disconnect
	e.Engine = &engine.Engine{
		Ledger: ledger, Client: client, RateGiven: o.rateGiven(target), MaxFailures: failures, Stdout: s.out, Watch: e.watch,
		Settings: job.Settings{
			Rate: o.rate, Concurrency: o.concurrency, MaxAttempts: o.maxAttempts, GiveUpAfter: o.giveUpAfter,
			Limit: max(0, o.limit), Sent: o.sent,
		},
	}
	return e, nil
}

// watch shows and logs what happens to a job.
func (e *sending) watch(ctx context.Context, start engine.Start) (observe func(job.Event), done func()) {
	if start.Crashed > 0 {
		e.log.Warn("an earlier run ended before it had recorded its answers; those rows are in doubt", "job", start.Job.ID, "rows", start.Crashed)
	}
	if target := engine.TargetOf(start.Job); start.OthersSet && !e.options.quiet && first(&e.options.rateTold, target) {
		fmt.Fprintf(e.console, "the rate of this account is %s, set by another run; --rate sets it for all\n", perSecond(start.Rate))
	}
	show := progress.New(ctx, e.console, e.progressMode(), start)
	log := eventlog.For(e.log, start.Job, e.options.maxAttempts)
	return func(event job.Event) {
			show.Observe(event)
			log.Observe(event)
		}, func() {
			show.Close()
			log.Close()
		}
}

func perSecond(rate float64) string {
	if rate == 0 {
		return "without a limit"
	}
	return strconv.FormatFloat(rate, 'f', -1, 64) + "/s"
}

// progressMode decides what auto means here: a bar needs a terminal that can take a line back.
func (e *sending) progressMode() progress.Mode {
	switch {
	case e.options.quiet:
		return progress.None
	case e.options.progress != "auto":
		return progress.Mode(e.options.progress)
	case isTerminal(e.s.err) && e.s.getenv("TERM") != "dumb":
		return progress.Bar
	}
	return progress.Plain
}

// finish prints the outcome of a job; rejected is the rejected file that this run wrote, if any. It returns what engine.Each wants.
func (e *sending) finish(o engine.Outcome, rejected string, err error) (ending engine.Ending, stopped bool, _ error) {
	e.options.sent = e.Settings.Sent
	if err != nil {
		return "", true, exit.Classify(err)
	}
	if e.options.metrics != nil {
		e.options.metrics.Note(o, exit.StatusOf[o.Ending()])
		if err := e.options.metrics.NoteOthers(context.Background(), e.ledger, time.Now()); err != nil {
			return "", true, exit.Classify(err)
		}
	}
	return o.Ending(), o.Stopped(), exit.Reported(e.SumUp(o, rejected))
}

// spareLedger refuses a metrics file in the place of one of the ledger's files.
func (o *sendOptions) spareLedger(s streams, target targetOptions, ledger ledgerOptions) error {
	environment, err := target.resolveEnvironment(s)
	if err != nil {
		return err
	}
	path, err := ledger.resolve(s, environment)
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

// measured runs a command that sends, and writes the metrics file, if one is named, however the command ends. It comes
// back as the command's own error; one that only failed to write its metrics ends with status 73.
func (o *sendOptions) measured(command string, s streams, target targetOptions, ledger ledgerOptions, act func() error) (err error) {
	if o.metricsFile == "" {
		return act()
	}
	if err := o.spareLedger(s, target, ledger); err != nil {
		return err
	}
	unwritable := func(err error) *exit.Failure {
		return exit.Failf(exit.Output, "%w", err).WithHint("name another with --metrics-file; no folders are made")
	}
	if o.metrics, err = metrics.Open(o.metricsFile, command); err != nil {
		return unwritable(err)
	}
	status := exit.Bug // should act panic
	defer func() {
		writeErr := o.metrics.Write(status, time.Now())
		switch {
		case writeErr == nil:
		case status == exit.OK || status == exit.Attention:
			err = unwritable(writeErr)
		default:
			fmt.Fprintf(s.err, "paylinks: error: %v\n", writeErr)
		}
	}()
	err = exit.Own(act())
	status = exit.OK
	if f, failed := errors.AsType[*exit.Failure](err); failed {
		status = f.Status
	}
	return err
}
