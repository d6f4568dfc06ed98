package options

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

// MaxAttempts is the default of --max-attempts.
const MaxAttempts = 5

// Send say how fast and how far a run goes, and what it shows.
type Send struct {
	Rate        float64
	Concurrency int
	Timeout     time.Duration
	MaxAttempts int
	GiveUpAfter time.Duration
	maxFailures string
	OnUnknown   string
	Limit       int
	Sent        int // items that count towards limit so far
	Yes         bool
	Progress    string
	LogFormat   string
	verbose     bool
	Quiet       bool
	JSON        bool
	metricsFile string
	Metrics     *metrics.File // nil without one
	flags       *pflag.FlagSet
	rateSet     map[engine.Target]bool // where the rate has been given to all who share the ledger
	RateTold    map[engine.Target]bool // where a person has been told that another one holds
}

// RateGiven says whether a person has said the rate, for the first time for this target: later jobs of this command leave what others
// have said since.
func (o *Send) RateGiven(target engine.Target) bool {
	return o.flags != nil && o.flags.Changed("rate") && First(&o.rateSet, target)
}

// First says whether the target comes for the first time.
func First(seen *map[engine.Target]bool, target engine.Target) bool {
	if *seen == nil {
		*seen = map[engine.Target]bool{}
	}
	again := (*seen)[target]
	(*seen)[target] = true
	return !again
}

// AddFlags adds the flags of a command that sends.
func (o *Send) AddFlags(flags *pflag.FlagSet) {
	o.AddPace(flags)
	flags.StringVar(&o.maxFailures, "max-failures", "", "stop when `N` rows, or N% of the job's rows, have failed in this run (default: when 20 in a row are refused and none got a link)")
	flags.StringVar(&o.OnUnknown, "on-unknown", "", "`POLICY` for a row whose answer was lost. retry: send it again; hold: never without a person's word (default: as the job was begun, else retry)")
	flags.IntVar(&o.Limit, "limit", -1, "send at most `N` rows, then stop: a canary (default: all)")
	flags.Lookup("limit").DefValue = "0" // none is shown
	flags.BoolVar(&o.Yes, "yes", false, "production is meant; without it a terminal is asked")
	o.AddShown(flags)
	flags.StringVar(&o.metricsFile, "metrics-file", "", "write to `PATH` how the run went, as Prometheus text for node_exporter's textfile collector, which wants a name in .prom; written also when the run fails")
}

// AddPace adds the flags of everything that asks Clink for something.
func (o *Send) AddPace(flags *pflag.FlagSet) {
	o.flags = flags
	flags.Float64Var(&o.Rate, "rate", 10, "requests a second, smooth; 0 is no limit; where several hosts share the ledger, of all of them")
	flags.IntVar(&o.Concurrency, "concurrency", 16, "requests in flight")
	flags.DurationVar(&o.Timeout, "timeout", 30*time.Second, "for one request")
	flags.IntVar(&o.MaxAttempts, "max-attempts", MaxAttempts, "attempts of a row that may end without an answer, before it waits for a person")
	flags.DurationVar(&o.GiveUpAfter, "give-up-after", 10*time.Minute, "how long to wait out an outage in which no row moves")
}

// AddShown adds the flags of what is shown on the way.
func (o *Send) AddShown(flags *pflag.FlagSet) {
	flags.StringVar(&o.Progress, "progress", "auto", "`KIND` of progress: auto, bar, plain (a line every 10 s) or none")
	flags.StringVar(&o.LogFormat, "log-format", "text", "`FORMAT` of the log on standard error: text or json")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log every attempt")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "say nothing where all went well")
	flags.BoolVar(&o.JSON, "json", false, "the summary as one JSON object on standard output")
}

// Check refuses what makes no sense before anything is opened.
func (o *Send) Check() error {
	switch {
	case !(o.Rate >= 0 && o.Rate <= 1e6):
		return exit.Failf(exit.Usage, "--rate %v is not from 0 to 1,000,000", o.Rate)
	case o.Concurrency < 1 || o.Concurrency > 1024:
		return exit.Failf(exit.Usage, "--concurrency %d is not from 1 to 1024", o.Concurrency)
	case o.Timeout <= 0:
		return exit.Failf(exit.Usage, "--timeout %s is not above 0", o.Timeout)
	case o.MaxAttempts < 1:
		return exit.Failf(exit.Usage, "--max-attempts %d is not at least 1", o.MaxAttempts)
	case o.GiveUpAfter <= 0:
		return exit.Failf(exit.Usage, "--give-up-after %s is not above 0", o.GiveUpAfter)
	case o.Limit == 0 || o.Limit < -1:
		return exit.Failf(exit.Usage, "--limit %d is not at least 1", o.Limit)
	}
	for _, of := range []struct {
		flag, value string
		words       []string
	}{
		{"progress", o.Progress, []string{"auto", "bar", "plain", "none"}},
		{"log-format", o.LogFormat, []string{"text", "json"}},
		{"on-unknown", o.OnUnknown, []string{"retry", "hold", ""}},
	} {
		if !slices.Contains(of.words, of.value) {
			return exit.Failf(exit.Usage, "--%s %q is not one of: %s", of.flag, of.value, strings.TrimSuffix(strings.Join(of.words, ", "), ", "))
		}
	}
	_, err := o.Failures()
	return err
}

// CheckProduction refuses a production run that nobody can confirm.
func (o *Send) CheckProduction(s Streams, environment job.Environment, hint string) error {
	if environment == job.Production && !o.Yes && !(IsTerminal(s.In) && IsTerminal(s.Err)) {
		return exit.Failf(exit.Usage, "production needs --yes where nobody can be asked: nothing was sent").WithHint("%s", hint)
	}
	return nil
}

// Failures reads how many rows may fail.
func (o *Send) Failures() (engine.Failures, error) {
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

// Policy is the job's policy, unless a flag gives another one.
func (o *Send) Policy(of job.Policy) job.Policy {
	if o.OnUnknown != "" {
		return job.Policy(o.OnUnknown)
	}
	return of
}

// LogLevel is the least that is logged.
func (o *Send) LogLevel() slog.Level {
	switch {
	case o.Quiet:
		return slog.LevelError
	case o.verbose:
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
