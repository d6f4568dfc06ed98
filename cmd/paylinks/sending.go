package main

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"paylinks/clink"
	"paylinks/clink/simulator"
	"paylinks/job"
	"paylinks/job/ahead"
	"paylinks/job/links"
	"paylinks/store"
)

// maxAttempts is the default of --max-attempts.
const maxAttempts = 5

// sendOptions say how fast and how far a run goes, and what it shows.
type sendOptions struct {
	rate        float64
	concurrency int
	timeout     time.Duration
	maxAttempts int
	giveUpAfter time.Duration
	maxFailures string
	onUnknown   string
	limit       int
	sent        int // items that count towards limit so far
	yes         bool
	progress    string
	logFormat   string
	verbose     bool
	quiet       bool
	json        bool
	metricsFile string
	metrics     *metrics // nil without a file
	reissue     bool     // links that have expired unpaid are replaced, too
}

func (o *sendOptions) addFlags(flags *pflag.FlagSet) {
	o.addPace(flags)
	flags.StringVar(&o.maxFailures, "max-failures", "", "stop when `N` rows, or N% of the job's rows, have failed in this run (default: never)")
	flags.StringVar(&o.onUnknown, "on-unknown", "", "`POLICY` for a row whose answer was lost. retry: send it again; hold: never without a person's word (default: as the job was begun, else retry)")
	flags.IntVar(&o.limit, "limit", -1, "send at most `N` rows, then stop: a canary (default: all)")
	flags.Lookup("limit").DefValue = "0" // none is shown
	flags.BoolVar(&o.yes, "yes", false, "production is meant; without it a terminal is asked")
	o.addShown(flags)
	flags.StringVar(&o.metricsFile, "metrics-file", "", "write to `PATH` how the run went, as Prometheus text for node_exporter's textfile collector, which wants a name in .prom; written also when the run fails")
}

// addPace adds the flags of everything that asks Clink for something.
func (o *sendOptions) addPace(flags *pflag.FlagSet) {
	flags.Float64Var(&o.rate, "rate", 10, "requests a second, smooth; 0 is no limit")
	flags.IntVar(&o.concurrency, "concurrency", 16, "requests in flight")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "for one request")
	flags.IntVar(&o.maxAttempts, "max-attempts", maxAttempts, "attempts of a row that may end without an answer, before it waits for a person")
	flags.DurationVar(&o.giveUpAfter, "give-up-after", 10*time.Minute, "how long to wait out an outage in which no row moves")
}

// addShown adds the flags of what is shown on the way.
func (o *sendOptions) addShown(flags *pflag.FlagSet) {
	flags.StringVar(&o.progress, "progress", "auto", "`KIND` of progress: auto, bar, plain (a line every 10 s) or none")
	flags.StringVar(&o.logFormat, "log-format", "text", "`FORMAT` of the log on standard error: text or json")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log every attempt")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing where all went well")
	flags.BoolVar(&o.json, "json", false, "the summary as one JSON object on standard output")
}

// check refuses what makes no sense before anything is opened.
func (o *sendOptions) check() error {
	oneOf := func(flag, value string, words ...string) error {
		for _, word := range words {
			if value == word {
				return nil
			}
		}
		return failf(exitUsage, "--%s %q is not one of: %s", flag, value, strings.Trim(strings.Join(words, ", "), ", "))
	}
	switch {
	case !(o.rate >= 0 && o.rate <= 1e6):
		return failf(exitUsage, "--rate %v is not from 0 to 1,000,000", o.rate)
	case o.concurrency < 1 || o.concurrency > 1024:
		return failf(exitUsage, "--concurrency %d is not from 1 to 1024", o.concurrency)
	case o.timeout <= 0:
		return failf(exitUsage, "--timeout %s is not above 0", o.timeout)
	case o.maxAttempts < 1:
		return failf(exitUsage, "--max-attempts %d is not at least 1", o.maxAttempts)
	case o.giveUpAfter <= 0:
		return failf(exitUsage, "--give-up-after %s is not above 0", o.giveUpAfter)
	case o.limit == 0 || o.limit < -1:
		return failf(exitUsage, "--limit %d is not at least 1", o.limit)
	}
	for _, err := range []error{
		oneOf("progress", o.progress, "auto", "bar", "plain", "none"),
		oneOf("log-format", o.logFormat, "text", "json"),
		oneOf("on-unknown", o.onUnknown, "", "retry", "hold"),
	} {
		if err != nil {
			return err
		}
	}
	_, err := o.failuresOf(100)
	return err
}

// checkProduction refuses a production run that nobody can confirm.
func (o *sendOptions) checkProduction(s streams, environment job.Environment, hint string) error {
	if environment == job.Production && !o.yes && !(isTerminal(s.in) && isTerminal(s.err)) {
		return failf(exitUsage, "production needs --yes where nobody can be asked: nothing was sent").
			withHint("%s", hint)
	}
	return nil
}

// failuresOf is how many failed rows stop a run of a job with so many rows; 0 is never.
func (o *sendOptions) failuresOf(rows int) (int, error) {
	if o.maxFailures == "" {
		return 0, nil
	}
	number, percent := strings.CutSuffix(o.maxFailures, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || percent && n > 100 {
		return 0, failf(exitUsage, "--max-failures %q is not a number of rows, nor a percentage from 1%% to 100%%", o.maxFailures)
	}
	if percent {
		n = max(1, (rows*n+99)/100)
	}
	return n, nil
}

// engine sends jobs: what run, resume and retry have in common.
type engine struct {
	s       streams
	ledger  *store.Store
	options *sendOptions
	keyFrom string // see secretKey
	client  *clink.Client
	console *console
	log     *slog.Logger
	stop    func() // ends the in-process simulator
}

// newEngine makes the client for the target, and starts the in-process simulator where that is meant.
func newEngine(s streams, ledger *store.Store, o *sendOptions, t target, key secretKey) (*engine, error) {
	e := &engine{s: s, ledger: ledger, options: o, keyFrom: key.from, console: newConsole(s.err), stop: func() {}}
	e.log = newLog(e.console, o)
	address := t.baseURL
	if address == job.InProcess {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, failf(exitConfig, "start the simulator: %w", err)
		}
		server := &http.Server{Handler: simulator.New(simulator.Config{AllowNoKey: true}), ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug)}
		go func() { _ = server.Serve(listener) }()
		e.stop = func() { _ = server.Close() }
		address = "http://" + listener.Addr().String()
	}
	var err error
	e.client, err = clink.New(clink.Config{
		BaseURL: address, Key: key.text, Version: programVersion(), Connections: o.concurrency, Timeout: o.timeout,
	})
	if err != nil {
		e.stop()
		return nil, failf(exitConfig, "%w", err)
	}
	if n := ledger.Crashed(); n > 0 {
		e.log.Warn("an earlier run ended before it had recorded its answers; those rows are in doubt", "rows", n)
	}
	return e, nil
}

func (e *engine) close() {
	e.client.CloseIdle()
	e.stop()
}

// finish sends what is open in the job, writes its links file and sums up. It returns the exit status, and whether the run
// was stopped; an error is a failure of its own.
func (e *engine) finish(ctx context.Context, j job.Job, rejected string) (status int, stopped bool, err error) {
	started := time.Now()
	after := context.WithoutCancel(ctx) // an interrupted run still writes what it has
	before, err := e.ledger.Tally(after, j.ID)
	if err != nil {
		return 0, true, classify(err)
	}
	failures, err := e.options.failuresOf(before.Rows())
	if err != nil {
		return 0, true, err
	}
	asking := job.Question{JobID: j.ID, At: started, Replace: true}
	unasked, err := e.unasked(after, asking)
	if err != nil {
		return 0, true, err
	}
	if err := e.ledger.BeginRun(j.ID, started); err != nil {
		return 0, true, classify(err)
	}
	show := e.newProgress(ctx, j, before.Items, before.Rows(), "rows", unasked)
	asked := map[job.LinkStatus]int{}
	runner := e.runner(j, show, asked)
	runner.MaxFailures = failures
	var report job.Report
	if e.options.reissue {
		report = runner.Reissue(ctx, j, asking.At)
	} else {
		report = runner.Run(ctx, j)
	}
	e.options.sent += report.Sent
	show.close()
	if err := e.ledger.EndRun(j.ID, time.Now(), report.Stop, report.Reason); err != nil && report.Stop != job.LedgerFailed {
		report = job.Report{Stop: job.LedgerFailed, Reason: err.Error(), Err: err, Sent: report.Sent}
	}

	outcome := outcome{job: j, report: report, rejected: rejected, asked: asked, flags: nextFlags(e.s, j.Environment, e.ledger.Path())}
	outputErr := e.writeLinks(after, j)
	if outcome.tally, err = e.ledger.Tally(after, j.ID); err != nil {
		return 0, true, classify(err)
	}
	if outcome.sendable, outcome.waiting, err = e.ledger.Left(after, j, e.options.maxAttempts); err != nil {
		return 0, true, classify(err)
	}
	if outcome.unasked, err = e.unasked(after, asking); err != nil {
		return 0, true, err
	}
	outcome.status = statusOf(report, outcome.tally, outcome.sendable+outcome.unasked)
	outcome.took = time.Since(started)
	if outputErr != nil {
		outcome.status, outcome.outputErr = exitOutput, classify(outputErr)
		if report.Stop == job.LedgerFailed || outcome.outputErr.status == exitLedger {
			outcome.status = exitLedger
		}
	}
	e.options.metrics.take(outcome, before.AllAttempts())
	if err := e.sumUp(outcome); err != nil {
		return 0, true, err
	}
	return outcome.status, outcome.status != exitOK && outcome.status != exitAttention, nil
}

// unasked counts the links that reissue has to ask about.
func (e *engine) unasked(ctx context.Context, q job.Question) (int, error) {
	if !e.options.reissue {
		return 0, nil
	}
	n, err := e.ledger.Unasked(ctx, q)
	if err != nil {
		return 0, classify(err)
	}
	return n, nil
}

// runner is a runner for the job that shows and logs what happens, and counts in asked what Clink says of links.
func (e *engine) runner(j job.Job, show *progress, asked map[job.LinkStatus]int) job.Runner {
	return job.Runner{
		Ledger: e.ledger,
		Clink:  e.client,
		Observe: func(event job.Event) {
			if moved, ok := event.(job.Moved); ok && moved.Link != "" {
				asked[moved.Link]++
			}
			show.observe(event)
			e.logEvent(j, event)
		},
		Settings: job.Settings{
			Rate:        e.options.rate,
			Concurrency: e.options.concurrency,
			MaxAttempts: e.options.maxAttempts,
			GiveUpAfter: e.options.giveUpAfter,
			Limit:       max(0, e.options.limit),
			Sent:        e.options.sent,
		},
	}
}

// writeLinks writes the job's links file, unless another job writes that file now.
func (e *engine) writeLinks(ctx context.Context, j job.Job) error {
	if j.Output == "" {
		return nil
	}
	format := outputOptions{rawCells: j.RawCells, bom: j.BOM}.format(j)
	return writeLinks(j.Output, format, e.s.out, linkRows(e.ledger.Results(ctx, j.ID)))
}

// writeLinks writes the links file at path, or into out where path is "-".
func writeLinks(path string, format links.Format, out io.Writer, rows iter.Seq2[links.Row, error]) error {
	if path == "-" {
		return links.WriteTo(out, format, rows)
	}
	return links.Write(path, format, rows)
}

// linkRows are the ledger's results as lines of the links file, read ahead of them: reading a line takes as long as
// writing it. An item in state sending is one in doubt.
func linkRows(results iter.Seq2[job.Result, error]) iter.Seq2[links.Row, error] {
	return func(yield func(links.Row, error) bool) {
		for r, err := range ahead.InBatches(results, resultSize) {
			state := r.State
			if state == job.Sending {
				state = job.Unknown
			}
			row := links.Row{
				Line: r.Row, Cells: r.Cells, Status: string(state), SessionID: r.SessionID, URL: r.URL,
				ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt, Attempts: r.Attempts, ErrorCode: r.ErrorCode, Error: r.Error,
				Link: string(r.Link), CheckedAt: r.CheckedAt,
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// resultSize is what the large parts of a result take: the user's own cells, and Clink's words.
func resultSize(r job.Result) int {
	const perCell = 16 // of a string, beside its text
	size := len(r.Error) + perCell*len(r.Cells)
	for _, cell := range r.Cells {
		size += len(cell)
	}
	return size
}
