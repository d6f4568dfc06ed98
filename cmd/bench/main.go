// Command bench measures paylinks and writes one table: each figure beside its peer from the same run, on this machine.
//
// # What can be trusted
//
// What is timed is a process of its own, from its start to its exit, with CPU time and peak memory from the kernel's
// account of it; the exceptions (pace, import, the time to the first request) say so in the table's notes.
// A figure and its peer take turns. A run counts only when it ended with the status that was expected, its summary says
// that every row has its link, the links file has a line for each, and the server made as many sessions. What cannot be
// measured is named, and never counts as reached.
//
// # Layout
//
// [figures] lists what is measured; each figure has a file. The work that several of them share, such as the job of a
// million rows, is done once, by whichever comes first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK          = 0
	exitUnmeasured  = 1 // the table is written, but a figure is missing; or nothing could be measured at all
	exitUsage       = 64
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errUnmeasured means that the table says what is missing.
var errUnmeasured = errors.New("not every figure could be measured: see the table")

// usageError is a mistake in the command line.
type usageError struct{ error }

// run is the whole program: it returns the exit status.
func run(ctx context.Context, args []string, out, words io.Writer) int {
	root := newRoot(out, words)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(words)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		fmt.Fprintln(words, "bench: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(words, "bench: error: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(words, "hint: see --help")
		return exitUsage
	}
	return exitUnmeasured
}

type options struct {
	paylinks string
	only     []string
	output   string
	work     string
	quick    bool
}

func newRoot(out, words io.Writer) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "bench",
		Short: "Measure paylinks, each figure beside its peer, and write one table",
		Long: `bench measures the paylinks program against the stand-in Clink on this machine, and writes one Markdown table: what was
measured, what a peer does in the same run, what is to be reached, and whether it is. What is under way goes to standard
error. All of it takes some seven minutes and 4 GB of disk; do nothing else on the machine meanwhile.

The figures, for --only:

` + figureHelp() + `
Peers that are not installed (GNU parallel, curl, sqlite3) are named as skipped. The status is 0 when everything was
measured, be it reached or not; 1 when a figure is missing; 64 for a mistake in the command line; 130 when interrupted.
Everything it makes is in a folder of its own, which is removed at the end.`,
		Example: `  make bench
  go run ./cmd/bench --only throughput,parallel
  go run ./cmd/bench --quick               # does it work? judges nothing`,
		Args:          func(_ *cobra.Command, args []string) error { return noArguments(args) },
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), o, out, words) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.paylinks, "paylinks", filepath.Join("bin", "paylinks"), "`PATH` of the program to measure")
	flags.StringSliceVar(&o.only, "only", nil, "measure only these `FIGURES`, by name (default: all)")
	flags.StringVar(&o.output, "output", filepath.Join("bin", "bench.md"), "write the table to `PATH`, too")
	flags.StringVar(&o.work, "work", "", "`FOLDER` to work in, on a real disk (default: the user's cache folder)")
	flags.BoolVar(&o.quick, "quick", false, "tiny sizes, to see that it works; nothing is judged")
	root.AddCommand(newBare(), newScan(out), newImport(out))
	return root
}

func noArguments(args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("bench takes nothing but flags, and was given %q", args[0])}
	}
	return nil
}

func runBench(ctx context.Context, o options, out, words io.Writer) (err error) {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	program, err := filepath.Abs(o.paylinks)
	if err != nil {
		return err
	}
	if _, err := os.Stat(program); err != nil {
		return usageError{fmt.Errorf("--paylinks: %w", err)}
	}
	if info, err := os.Stat(filepath.Dir(o.output)); err != nil || !info.IsDir() {
		return usageError{fmt.Errorf("--output: there is no folder %s", filepath.Dir(o.output))}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := makeFolder(o.work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	b := newBench(ctx, program, self, folder, o.quick, words)
	m, err := b.describeMachine(ctx)
	if err != nil {
		return err
	}
	if m.fileSystem.inMemory && !o.quick {
		return usageError{fmt.Errorf("%s is in memory (%s), where nothing is durable: name a folder on a disk with --work", folder, m.fileSystem.name)}
	}
	t := b.measure(ctx, chosen)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := t.markdown(m, b)
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if err := os.WriteFile(o.output, []byte(text), 0o644); err != nil {
		return err
	}
	if t.missing {
		return errUnmeasured
	}
	return nil
}

// choose finds the figures by name, in the order of the table; none named is all of them.
func choose(names []string) ([]figure, error) {
	var chosen []figure
	known := map[string]bool{}
	for _, f := range figures {
		known[f.name] = true
		if len(names) == 0 || slices.Contains(names, f.name) {
			chosen = append(chosen, f)
		}
	}
	for _, name := range names {
		if !known[name] {
			return nil, usageError{fmt.Errorf("--only: there is no figure %q", name)}
		}
	}
	return chosen, nil
}

func figureHelp() string {
	var b strings.Builder
	for _, f := range figures {
		fmt.Fprintf(&b, "  %-12s %s\n", f.name, f.what)
	}
	return b.String()
}

// makeFolder makes the work folder inside the one named, or inside the user's cache.
func makeFolder(inside string) (string, error) {
	if inside == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", usageError{fmt.Errorf("%w; name a folder with --work", err)}
		}
		if err := os.MkdirAll(cache, 0o700); err != nil {
			return "", err
		}
		inside = cache
	}
	inside, err := filepath.Abs(inside)
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(inside, "paylinks-bench-")
}
