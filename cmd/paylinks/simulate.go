package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paylinks/clink"
	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
)

type simulatorOptions struct {
	addr      string
	key       string
	seed      uint64
	latency   time.Duration
	jitter    float64
	rate      float64
	retry     time.Duration
	lifetime  time.Duration
	slowBy    time.Duration
	faults    string
	getFaults string
	forget    bool
}

func newSimulator(s options.Streams) *cobra.Command {
	var o simulatorOptions
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "Serve the stand-in Clink on a loopback address",
		Long: `simulator serves a stand-in for Clink's checkout sessions, for rehearsals: it checks requests as Clink does, and
can misbehave on purpose. No money moves. It prints its address, serves until it is interrupted, and then sums
up what it saw. Each link opens a page that shows the session.

Faults, each a share of the requests, e.g. --faults lost=10%,500-after=5%. FAULT:PATTERN strikes only the rows whose
reference or customer's email fits, e.g. html-403:*@shop.example=100%.

` + faultHelp(),
		Example: `  paylinks simulator --faults lost=5%,429=5% &
  paylinks run invoices.csv --env simulator --base-url http://127.0.0.1:8181`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "interrupted, as it should be"),
			exit.Meaning(exit.Usage, "usage"),
			exit.Meaning(exit.Output, "standard output cannot be written"),
			exit.Meaning(exit.Config, "the address cannot be served"),
		),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSimulator(cmd.Context(), o, s)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8181", "loopback `ADDRESS` to serve; port 0 takes a free one")
	flags.StringVar(&o.key, "key", "", "the only `KEY` that is accepted; not a real one (default: any, or none)")
	flags.Uint64Var(&o.seed, "seed", 1, "the same seed gives the same faults")
	flags.DurationVar(&o.latency, "latency", 0, "how long each answer takes")
	flags.Float64Var(&o.jitter, "jitter", 0, "`SHARE` of the latency that is added at random, e.g. 0.5")
	flags.Float64Var(&o.rate, "rate-limit", 0, "requests a second above which 429 is answered; 0 is no limit")
	flags.DurationVar(&o.retry, "retry-after", time.Second, "what a 429 says")
	flags.DurationVar(&o.lifetime, "lifetime", 24*time.Hour, "how long a session can be paid")
	flags.DurationVar(&o.slowBy, "slow-by", 40*time.Second, "how long the fault slow holds an answer back")
	flags.StringVar(&o.faults, "faults", "", "`FAULT=SHARE`,… of session creation")
	flags.StringVar(&o.getFaults, "get-faults", "", "`FAULT=SHARE`,… of reading a session back")
	flags.BoolVar(&o.forget, "keep-no-record", false, "forget each session once it is answered, for long benchmarks")
	return cmd
}

func faultHelp() string {
	var b strings.Builder
	for _, fault := range simulator.Faults() {
		fmt.Fprintf(&b, "  %-16s %s\n", fault, fault.Effect())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func runSimulator(ctx context.Context, o simulatorOptions, s options.Streams) error {
	faults, err := simulator.ParseFaults(o.faults)
	if err != nil {
		return exit.Failf(exit.Usage, "--faults: %w", err)
	}
	getFaults, err := simulator.ParseFaults(o.getFaults)
	if err != nil {
		return exit.Failf(exit.Usage, "--get-faults: %w", err)
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil || !clink.IsLoopback(host) {
		return exit.Failf(exit.Usage, "--addr %q is not a loopback address with a port", o.addr).WithHint("for example: --addr 127.0.0.1:8181")
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return exit.Failf(exit.Config, "serve %s: %w", o.addr, err).WithHint("is another simulator running? name another port with --addr")
	}
	address := "http://" + listener.Addr().String()
	config := simulator.Config{
		Seed: o.seed, Key: o.key, AllowNoKey: o.key == "", Latency: o.latency, Jitter: o.jitter, RatePerSecond: o.rate,
		RetryAfter: o.retry, Lifetime: o.lifetime, SlowBy: o.slowBy, Faults: faults, GetFaults: getFaults,
		PublicURL: address, KeepNoRecord: o.forget, Rest: sleep,
	}
	if err := config.Validate(); err != nil {
		_ = listener.Close()
		return exit.Failf(exit.Usage, "%w", err)
	}
	handler := simulator.New(config)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	if _, err := fmt.Fprintf(s.Out, "simulator at %s\n", address); err != nil {
		return exit.Failf(exit.Output, "%w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = server.Close()
	}
	fmt.Fprintln(s.Err, handler.Summary())
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return exit.Failf(exit.Config, "serve %s: %w", o.addr, err)
	}
	return nil
}
