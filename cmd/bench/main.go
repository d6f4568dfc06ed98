// Command bench measures paylinks and writes one table: each figure with its bar, and beside it what a peer, or an earlier
// paylinks, does in the same run on the same machine. README.md says how each figure is measured.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	exitOK          = 0
	exitMissed      = 1 // a bar was missed or a figure could not be measured, as the table says; or there is no table at all
	exitUsage       = 64
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errUsage ends the message of a mistake in the command line.
var errUsage = errors.New("see --help")

// run is the whole program: it returns the exit status. bare, scan and serve are parts of bench that it runs as processes of
// their own.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := attempt(func() {
		switch {
		case len(args) == 3 && args[0] == "bare":
			sendBare(args[1], args[2])
		case len(args) == 2 && args[0] == "scan":
			scan(args[1], stdout)
		case len(args) == 2 && args[0] == "serve":
			serve(args[1], os.Stdin, stdout)
		default:
			runBench(ctx, args, stdout, stderr)
		}
	})
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "bench: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "bench: error: %v\n", err)
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitMissed
}

// runBench measures in a folder of its own, which it removes, and writes the table.
func runBench(ctx context.Context, args []string, stdout, stderr io.Writer) {
	refuse := func(format string, args ...any) { must(fmt.Errorf(format+"; %w", append(args, errUsage)...)) }
	var known []string
	for _, m := range measurements {
		known = append(known, m.name)
	}
	cache, _ := os.UserCacheDir() // where there is none, a folder must be named
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	paylinks := flags.String("paylinks", filepath.Join("bin", "paylinks"), "`PATH` of the program to measure")
	before := flags.String("before", "", "`PATH` of an earlier paylinks, measured in turns with it for a column of its own")
	only := flags.String("only", strings.Join(known, ","), "make only these `MEASUREMENTS`")
	output := flags.String("output", filepath.Join("bin", "bench.md"), "write the table to `PATH`, too")
	work := flags.String("work", cache, "`FOLDER` to work in, on a real disk")
	quick := flags.Bool("quick", false, "tiny sizes, to see that it works; nothing is judged")
	if err := flags.Parse(args); err != nil {
		refuse("%w", err)
	}
	if flags.NArg() > 0 {
		refuse("bench takes only flags, and was given %q", flags.Arg(0))
	}
	var chosen []measurement
	for name := range strings.SplitSeq(*only, ",") {
		i := slices.Index(known, name)
		if i < 0 {
			refuse("--only: there is no measurement %q", name)
		}
		chosen = append(chosen, measurements[i])
	}
	b := &bench{ctx: ctx, self: must1(os.Executable()), quick: *quick, words: stderr, stop: func() {}}
	b.durable, b.million = sync.OnceValue(b.measureDurable), sync.OnceValue(b.measureMillion)
	for _, path := range []string{*paylinks, *before} {
		if _, err := os.Stat(path); path != "" && err != nil {
			refuse("the program to measure: %w", err)
		} else if path != "" {
			b.programs = append(b.programs, must1(filepath.Abs(path)))
		}
	}
	if info, err := os.Stat(filepath.Dir(*output)); err != nil || !info.IsDir() {
		refuse("--output: there is no folder %s", filepath.Dir(*output))
	}
	must(os.MkdirAll(*work, 0o700))
	b.folder = must1(os.MkdirTemp(must1(filepath.Abs(*work)), "paylinks-bench-"))
	defer func() { b.stop(); must(os.RemoveAll(b.folder)) }()
	machine := b.machine()
	lines := b.measure(chosen)
	must(ctx.Err())
	text := markdown(machine, lines, *before != "", *quick)
	must1(io.WriteString(stdout, text))
	must(os.WriteFile(*output, []byte(text), 0o644))
	must(verdictOf(lines, *quick))
}

// machine says in a line where the figures come from. A folder in memory is an error, since nothing is durable there.
func (b *bench) machine() string {
	fileSystem := b.said("df", "--output=fstype", b.folder)
	if strings.HasSuffix(fileSystem, "tmpfs") && !b.quick {
		must(fmt.Errorf("%s is in memory, where nothing is durable: name a folder on a disk with --work; %w", b.folder, errUsage))
	}
	versions := b.said(b.programs[0], "version")
	if len(b.programs) > 1 {
		versions += ", before: " + b.said(b.programs[1], "version")
	}
	return fmt.Sprintf("%s, %d cores, %s; %s; %s; work folder on %s, where a commit of 40 KB takes %.2f ms; %s; %s.",
		b.said("grep", "-m1", "model name", "/proc/cpuinfo"), runtime.NumCPU(), b.said("grep", "MemTotal", "/proc/meminfo"),
		b.said("uname", "-sr"), runtime.Version(), fileSystem, b.timeCommit()*1e3, versions, time.Now().UTC().Format(time.DateOnly))
}

// said is what follows the last colon of what a program says in its last line, or that it is not known.
func (b *bench) said(program string, args ...string) string {
	out, _ := b.process(program, args).Output()
	text := strings.TrimSpace(string(out))
	return cmp.Or(strings.TrimSpace(text[strings.LastIndexAny(text, ":\n")+1:]), program+" not known")
}
