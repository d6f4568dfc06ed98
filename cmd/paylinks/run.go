package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/job/links"
	"paylinks/store"
)

type runOptions struct {
	target      targetOptions
	ledger      ledgerOptions
	read        readOptions
	expect      expectOptions
	send        sendOptions
	output      outputOptions
	skipInvalid bool
}

// outputOptions say where the links file goes, and its form.
type outputOptions struct {
	path     string
	rawCells bool
	bom      bool
}

func (o *outputOptions) addFlags(flags *pflag.FlagSet, byDefault string) {
	flags.StringVarP(&o.path, "output", "o", "", "write the links file to `PATH`; - is standard output (default: "+byDefault+")")
	o.addForm(flags)
}

func (o *outputOptions) addForm(flags *pflag.FlagSet) {
	flags.BoolVar(&o.rawCells, "raw-cells", false, "write your cells without the guard against formulas")
	flags.BoolVar(&o.bom, "bom", false, "begin the files with a byte order mark, for spreadsheets")
}

func (o outputOptions) format(j job.Job) links.Format {
	return links.Format{
		Columns: j.Columns, Delimiter: j.Delimiter, RawCells: o.rawCells, BOM: o.bom, Refreshed: !j.RefreshedAt.IsZero(),
	}
}

func newRun(s streams) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE...",
		Short: "Check, create a link for each row, and write each file's links file; run it again to resume",
		Long: `run checks the files first: one that is wrong sends nothing. Then it creates one checkout session per row and
writes FILE's links file. Every step is on record in the ledger: the same file again finishes what a stopped
run began, and sends nothing that is done. An edited file creates only what has no link yet.

` + summaryHelp,
		Annotations: exits(meanings...),
		Example: `  paylinks run invoices.csv --env simulator    # try it, no network
  paylinks run invoices.csv --limit 3          # a canary of three rows in Clink's sandbox
  paylinks run invoices.csv                    # the rest of them
  paylinks run invoices.csv --env production --yes`,
		RunE: func(cmd *cobra.Command, files []string) error {
			return o.send.measured("run", s, func() error { return runRun(cmd.Context(), o, files, s) })
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.output.addFlags(flags, "FILE without its extension, .links.csv, beside it; one file only")
	o.target.addFlags(flags)
	o.ledger.addFlags(flags)
	o.send.addFlags(flags)
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "send the good rows of a file that has bad ones")
	o.read.addFlags(flags)
	o.expect.addFlags(flags)
	return cmd
}

func runRun(ctx context.Context, o runOptions, files []string, s streams) (err error) {
	options, err := o.read.resolve()
	if err != nil {
		return err
	}
	if len(files) > 1 && (o.output.path != "" || o.expect.set()) {
		return failf(exitUsage, "--output, --expect-rows and --expect-total are for one file")
	}
	if _, err := o.expect.parse(); err != nil {
		return err
	}
	if o.output.path == "-" && o.send.json {
		return failf(exitUsage, "--json and --output - both write to standard output").withHint("name a file with --output")
	}
	t, err := o.target.resolve(s)
	if err != nil {
		return err
	}
	if err := o.send.check(); err != nil {
		return err
	}
	if err := o.send.checkProduction(s, t.environment, "say --yes; or try it first without: --env sandbox, or --env simulator"); err != nil {
		return err
	}
	key, err := o.target.key(s, t.environment, "; to try without Clink: --env simulator")
	if err != nil {
		return err
	}
	intakes, err := newIntakes(files, options, t, nil)
	if err != nil {
		return err
	}
	if err := setOutputs(intakes, o.output.path); err != nil {
		return err
	}
	ledger, err := o.ledger.openToSend(s, t.environment, "run "+strings.Join(files, " "))
	if err != nil {
		return err
	}
	defer func() { err = closed(ledger, err) }()
	for _, in := range intakes {
		in.ledger, in.hold = ledger, o.send.onUnknown == string(job.Hold)
		if err := in.find(ctx); err != nil {
			return classify(err)
		}
		if in.known != nil {
			if err := refusePurged(s, ledger, *in.known); err != nil {
				return err
			}
		}
	}
	check := checking{expect: &o.expect, skipInvalid: o.skipInvalid, output: o.output, quiet: o.send.quiet, words: s.err}
	if err := check.all(ctx, intakes); err != nil {
		return err
	}
	for _, in := range intakes {
		if err := spareLedger(in.output, ledger); err != nil {
			return err
		}
		if err := tryOutput(in.output); err != nil {
			return err
		}
	}
	if err := confirm(ctx, o.send.yes, t.environment, describeAll(intakes, o.send.limit), s); err != nil {
		return err
	}
	e, err := newEngine(s, ledger, &o.send, t, key)
	if err != nil {
		return err
	}
	defer e.close()

	return eachJob(intakes, func(*intake) target { return t }, func(in *intake) (int, bool, error) {
		j, err := o.take(ctx, in, ledger)
		if err != nil {
			return 0, true, err
		}
		return e.finish(ctx, j, in.rejected)
	})
}

// eachJob finishes one job after the other. One that stopped ends the whole, but where Clink refused the key, or is not what
// answers, only what goes to the same place: at another one it may be well. Else one job that needs attention makes the
// whole need it.
func eachJob[T any](jobs []T, place func(T) target, finish func(T) (status int, stopped bool, err error)) error {
	worst, stoppedAt := exitOK, map[target]bool{}
	for _, j := range jobs {
		if stoppedAt[place(j)] {
			continue
		}
		status, stopped, err := finish(j)
		switch {
		case err != nil:
			return err
		case stopped && status == exitUnfinished: // which must not hide a stop that a person has to see to
			return exitWith(max(worst, status))
		case stopped && status != exitKey && status != exitConfig:
			return exitWith(status)
		}
		stoppedAt[place(j)] = stopped
		worst = max(worst, status)
	}
	return exitWith(worst)
}

// take gives the file's job: the one that the ledger has, or a new one.
func (o *runOptions) take(ctx context.Context, in *intake, ledger *store.Store) (job.Job, error) {
	if in.known != nil {
		j := *in.known
		j.File, j.Output, j.RawCells, j.BOM = in.abs, in.output, o.output.rawCells, o.output.bom
		if o.send.onUnknown != "" {
			j.OnUnknown = job.Policy(o.send.onUnknown)
		}
		if err := ledger.Remember(j); err != nil {
			return job.Job{}, classify(err)
		}
		return j, nil
	}
	policy := job.Policy(o.send.onUnknown)
	if policy == "" {
		policy = job.Retry
	}
	now := time.Now()
	j, err := ledger.Import(job.Job{
		Identity:     in.identity,
		File:         in.abs,
		Columns:      in.header.Columns,
		Delimiter:    in.header.Delimiter,
		OnUnknown:    policy,
		AllowRepeats: in.options.AllowRepeats,
		RawCells:     o.output.rawCells,
		BOM:          o.output.bom,
		Output:       in.output,
	}, in.items(ctx, now), o.skipInvalid, now)
	var conflict *store.ConflictError
	var problem *invoice.Problem
	switch {
	case err == nil:
		return j, nil
	case errors.Is(err, errChanged), errors.As(err, &conflict), errors.As(err, &problem):
		return j, failf(exitData, "%w", err).withHint("nothing of this file was sent; run it again")
	case errors.Is(err, context.Canceled):
		return j, failf(exitInterrupted, "interrupted while %s was taken into the ledger: nothing of it was sent", in.path)
	}
	return j, classify(err)
}

// newIntakes looks at all files before any is read.
func newIntakes(files []string, options invoice.Options, t target, ledger *store.Store) ([]*intake, error) {
	run := &runFiles{several: len(files) > 1, seen: map[[16]byte]sighting{}}
	var intakes []*intake
	for _, path := range files {
		in, err := newIntake(path, options, t, run)
		if err != nil {
			return nil, err
		}
		for _, other := range intakes {
			if other.identity == in.identity {
				return nil, failf(exitUsage, "%s and %s are the same to the byte", other.path, in.path).withHint("name only one of them")
			}
		}
		in.ledger = ledger
		intakes = append(intakes, in)
	}
	return intakes, nil
}

// setOutputs decides where each links file goes, and refuses one that would overwrite an input or another's.
func setOutputs(intakes []*intake, output string) error {
	for i, in := range intakes {
		var err error
		if in.output, err = placeOf(cmp.Or(output, links.DefaultPath(in.abs))); err != nil {
			return err
		}
		for _, other := range intakes {
			if sameFile(in.output, other.abs) {
				return failf(exitUsage, "the links file of %s would overwrite the input %s", in.path, other.path).
					withHint("name another with --output, or take our own output files out of the command")
			}
		}
		if in.output == links.Place(links.RejectedPath(in.abs)) {
			return failf(exitUsage, "the links file of %s would take the place of its rejected file", in.path).
				withHint("name another with --output")
		}
		for _, other := range intakes[:i] {
			if in.output == other.output {
				return failf(exitUsage, "%s and %s would both write %s", other.path, in.path, in.output).
					withHint("run them one by one, each with its own --output")
			}
		}
	}
	return nil
}

// placeOf is the file that a path of the user's leads to, as the ledger keeps it; - is standard output.
func placeOf(path string) (string, error) {
	if path == "-" {
		return path, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", failf(exitOutput, "%s: %w", path, err)
	}
	return links.Place(abs), nil
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}

// spareLedger refuses an output that would take the place of the ledger, or of a file beside it that belongs to it.
func spareLedger(output string, ledger *store.Store) error {
	if isOf(ledger, output) {
		return failf(exitUsage, "%s is the ledger, or belongs to it", output).withHint("name another file with --output")
	}
	return nil
}

// isOf says whether the ledger has, or would have, one of its files at the path.
func isOf(ledger *store.Store, path string) bool {
	return slices.ContainsFunc(ledger.Files(), func(file string) bool { return sameFile(path, file) })
}

// tryOutput finds out before the first send whether the links file can be written, where the job writes one.
func tryOutput(path string) error {
	if path == "-" || path == "" {
		return nil
	}
	if err := links.Try(path); err != nil {
		return classify(err)
	}
	return nil
}

// describeAll sums up for the question before production what would be sent; a limit below 1 is none.
func describeAll(intakes []*intake, limit int) string {
	tally := job.NewTally()
	resumed := 0
	for _, in := range intakes {
		if in.known != nil {
			resumed++
			continue
		}
		tally.Merge(in.figures.tally)
	}
	var parts []string
	if n := tally.Items[job.Pending]; n > 0 {
		links, totals := count(n, "link"), amounts(tally.Totals(job.Pending))
		if limit > 0 && limit < n {
			links, totals = fmt.Sprintf("at most %s of %s", grouped(fmt.Sprint(limit)), links), totals+" in all"
		}
		parts = append(parts, "create "+links, totals)
	}
	if resumed > 0 {
		parts = append(parts, "go on with "+count(resumed, "job"))
	}
	return strings.Join(parts, ", ")
}

// confirm asks a person before real money is meant; see sendOptions.check for who is not at a terminal.
func confirm(ctx context.Context, yes bool, environment job.Environment, what string, s streams) error {
	if yes || environment != job.Production || what == "" {
		return nil
	}
	fmt.Fprintf(s.err, "production: %s? type yes to go on: ", what)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(s.in, 100)).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(line) == "yes" {
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(s.err)
		return failf(exitInterrupted, "interrupted: nothing was sent")
	}
	return failf(exitUsage, "not confirmed: nothing was sent").withHint("type yes in full, or say --yes")
}

// exitWith ends the program with the status, without a message of its own.
func exitWith(status int) error {
	if status == exitOK {
		return nil
	}
	return &failure{status: status}
}

// closed closes the ledger and says so if that is the only thing that went wrong.
func closed(ledger *store.Store, err error) error {
	if closeErr := ledger.Close(); err == nil && closeErr != nil {
		return classify(closeErr)
	}
	return err
}
