package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"paylinks/clink"
	"paylinks/cmd/paylinks/eventlog"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/progress"
	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/engine"
)

// sending is a command that works on jobs of one target: what run, resume, retry, reissue and refresh have in common.
type sending struct {
	*engine.Engine
	report.Printer
	s       options.Streams
	console *progress.Console
	options *options.Send
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
func newSending(s options.Streams, ledger sendingLedger, o *options.Send, target engine.Target, key options.SecretKey) (*sending, error) {
	failures, err := o.Failures()
	if err != nil {
		return nil, err
	}
	c := progress.NewConsole(s.Err)
	e := &sending{
		options: o, log: eventlog.New(c, o.LogLevel(), o.LogFormat == "json"),
		s: s, console: c, ledger: ledger,
		Printer: report.Printer{
			Out: s.Out, Console: c, Ledger: ledger.Path(), KeyFrom: key.From, JSON: o.JSON, Quiet: o.Quiet,
			Flags: func(environment job.Environment) string { return options.NextFlags(s, environment, ledger.Path()) },
		},
	}
	client, disconnect, err := target.Connect(clink.Config{
		Key: key.Text, Version: programVersion(), Connections: o.Concurrency, Timeout: o.Timeout, MaySend: ledger.MaySend,
	}, slog.NewLogLogger(e.log.Handler(), slog.LevelDebug))
	if err != nil {
		return nil, exit.Failf(exit.Config, "%w", err)
	}
	e.close = disconnect
	e.Engine = &engine.Engine{
		Ledger: ledger, Client: client, RateGiven: o.RateGiven(target), MaxFailures: failures, Stdout: s.Out, Watch: e.watch,
		Settings: job.Settings{
			Rate: o.Rate, Concurrency: o.Concurrency, MaxAttempts: o.MaxAttempts, GiveUpAfter: o.GiveUpAfter,
			Limit: max(0, o.Limit), Sent: o.Sent,
		},
	}
	return e, nil
}

// watch shows and logs what happens to a job.
func (e *sending) watch(ctx context.Context, start engine.Start) (observe func(job.Event), done func()) {
	if start.Crashed > 0 {
		e.log.Warn("an earlier run ended before it had recorded its answers; those rows are in doubt", "job", start.Job.ID, "rows", start.Crashed)
	}
	if target := engine.TargetOf(start.Job); start.OthersSet && !e.options.Quiet && options.First(&e.options.RateTold, target) {
		fmt.Fprintf(e.console, "the rate of this account is %s, set by another run; --rate sets it for all\n", perSecond(start.Rate))
	}
	show := progress.New(ctx, e.console, e.progressMode(), start)
	log := eventlog.For(e.log, start.Job, e.options.MaxAttempts)
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
	case e.options.Quiet:
		return progress.None
	case e.options.Progress != "auto":
		return progress.Mode(e.options.Progress)
	case options.IsTerminal(e.s.Err) && e.s.Getenv("TERM") != "dumb":
		return progress.Bar
	}
	return progress.Plain
}

// finish prints the outcome of a job; rejected is the rejected file that this run wrote, if any. It returns what engine.Each wants.
func (e *sending) finish(o engine.Outcome, rejected string, err error) (ending engine.Ending, stopped bool, _ error) {
	e.options.Sent = e.Settings.Sent
	if err != nil {
		return "", true, exit.Classify(err)
	}
	if e.options.Metrics != nil {
		e.options.Metrics.Note(o, exit.StatusOf[o.Ending()])
		if err := e.options.Metrics.NoteOthers(context.Background(), e.ledger, time.Now()); err != nil {
			return "", true, exit.Classify(err)
		}
	}
	return o.Ending(), o.Stopped(), exit.Reported(e.SumUp(o, rejected))
}
