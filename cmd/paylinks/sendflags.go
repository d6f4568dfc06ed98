package main

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/metrics"
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
	metrics     *metrics.File // nil without one
	flags       *pflag.FlagSet
	rateSet     map[engine.Target]bool // where the rate has been given to all who share the ledger
	rateTold    map[engine.Target]bool // where a person has been told that another one holds
}

// rateGiven says whether a person has said the rate, for the first time for this target: later jobs of this command leave what others
// have said since.
func (o *sendOptions) rateGiven(target engine.Target) bool {
	return o.flags != nil && o.flags.Changed("rate") && first(&o.rateSet, target)
}

// first says whether the target comes for the first time.
func first(seen *map[engine.Target]bool, target engine.Target) bool {
	if *seen == nil {
		*seen = map[engine.Target]bool{}
	}
	again := (*seen)[target]
	(*seen)[target] = true
	return !again
}

func (o *sendOptions) addFlags(flags *pflag.FlagSet) {
	o.addPace(flags)
	flags.StringVar(&o.maxFailures, "max-failures", "", "stop when `N` rows, or N% of the job's rows, have failed in this run (default: when 20 in a row are refused and none got a link)")
	flags.StringVar(&o.onUnknown, "on-unknown", "", "`POLICY` for a row whose answer was lost. retry: send it again; hold: never without a person's word (default: as the job was begun, else retry)")
	flags.IntVar(&o.limit, "limit", -1, "send at most `N` rows, then stop: a canary (default: all)")
	flags.Lookup("limit").DefValue = "0" // none is shown
	flags.BoolVar(&o.yes, "yes", false, "production is meant; without it a terminal is asked")
	o.addShown(flags)
	flags.StringVar(&o.metricsFile, "metrics-file", "", "write to `PATH` how the run went, as Prometheus text for node_exporter's textfile collector, which wants a name in .prom; written also when the run fails")
}

// addPace adds the flags of everything that asks Clink for something.
func (o *sendOptions) addPace(flags *pflag.FlagSet) {
	o.flags = flags
	flags.Float64Var(&o.rate, "rate", 10, "requests a second, smooth; 0 is no limit; where several hosts share the ledger, of all of them")
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
	switch {
	case !(o.rate >= 0 && o.rate <= 1e6):
		return exit.Failf(exit.Usage, "--rate %v is not from 0 to 1,000,000", o.rate)
	case o.concurrency < 1 || o.concurrency > 1024:
		return exit.Failf(exit.Usage, "--concurrency %d is not from 1 to 1024", o.concurrency)
	case o.timeout <= 0:
		return exit.Failf(exit.Usage, "--timeout %s is not above 0", o.timeout)
	case o.maxAttempts < 1:
		return exit.Failf(exit.Usage, "--max-attempts %d is not at least 1", o.maxAttempts)
	case o.giveUpAfter <= 0:
		return exit.Failf(exit.Usage, "--give-up-after %s is not above 0", o.giveUpAfter)
	case o.limit == 0 || o.limit < -1:
		return exit.Failf(exit.Usage, "--limit %d is not at least 1", o.limit)
	}
	for _, of := range []struct {
		flag, value string
		words       []string
	}{
		{"progress", o.progress, []string{"auto", "bar", "plain", "none"}},
		{"log-format", o.logFormat, []string{"text", "json"}},
		{"on-unknown", o.onUnknown, []string{"retry", "hold", ""}},
	} {
		if !slices.Contains(of.words, of.value) {
			return exit.Failf(exit.Usage, "--%s %q is not one of: %s", of.flag, of.value, strings.TrimSuffix(strings.Join(of.words, ", "), ", "))
		}
	}
	_, err := o.failures()
	return err
}

// checkProduction refuses a production run that nobody can confirm.
func (o *sendOptions) checkProduction(s streams, environment job.Environment, hint string) error {
	if environment == job.Production && !o.yes && !(isTerminal(s.in) && isTerminal(s.err)) {
		return exit.Failf(exit.Usage, "production needs --yes where nobody can be asked: nothing was sent").WithHint("%s", hint)
	}
	return nil
}

// failures reads how many rows may fail.
func (o *sendOptions) failures() (engine.Failures, error) {
	if o.maxFailures == "" {
		return engine.Failures{}, nil
	}
	number, percent := strings.CutSuffix(o.maxFailures, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || percent && n > 100 {
		return engine.Failures{}, exit.Failf(exit.Usage, "--max-failures %q is not a number of rows, nor a percentage from 1%% to 100%%", o.maxFailures)
	}
	return engine.Failures{N: n, Percent: percent}, nil
}

// policy is the job's policy, unless a flag gives another one.
func (o *sendOptions) policy(of job.Policy) job.Policy {
	if o.onUnknown != "" {
		return job.Policy(o.onUnknown)
	}
	return of
}

// logLevel is the least that is logged.
func (o *sendOptions) logLevel() slog.Level {
	switch {
	case o.quiet:
		return slog.LevelError
	case o.verbose:
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
