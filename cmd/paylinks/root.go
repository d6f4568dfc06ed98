package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// streams are what a command reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer // data only
	err io.Writer // words for people
	env func(name string) (string, bool)
}

// getenv is the variable's value, or "".
func (s streams) getenv(name string) string {
	value, _ := s.env(name)
	return value
}

// isTerminal says whether a person sits at this stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// version is set by the linker in a release.
var version = ""

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "dev"
}

// run is the whole program: it returns the exit status.
func run(ctx context.Context, args []string, s streams) (status int) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(s.err, "paylinks: error: this is a bug in paylinks: %v\nhint: what was sent is on record; run the same command again to go on, and report this\n", cause)
			status = exitBug
		}
	}()
	log.SetOutput(io.Discard) // net/http prints there what a broken server sent; our own log is elsewhere
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) { // of cobra's own making
		f = failf(exitUsage, "%w", err).withHint("see: paylinks help")
	}
	if f.err != nil {
		fmt.Fprintf(s.err, "paylinks: error: %v\n", f.err)
	}
	if f.hint != "" {
		fmt.Fprintf(s.err, "hint: %s\n", f.hint)
	}
	return f.status
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "paylinks",
		Short: "Turn an invoice file into payment links: one Clink checkout session per row",
		Long: `paylinks reads an invoice file (CSV, a row per customer and amount), creates one Clink checkout session per
row at a safe pace, and writes a CSV of the links and their expiry times. Every step is on record in a ledger, so
a run that stopped anywhere is finished by running it again.`,
		Example: `  paylinks check invoices.csv                  # what would be sent, without any network
  paylinks run invoices.csv --env simulator    # a rehearsal
  paylinks run invoices.csv                    # in Clink's sandbox`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(cmd, "command", args[0], "paylinks ")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return withHelp(cmd, setFromEnvironment(cmd.Flags(), s.env))
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		width := helpWidth
		if isTerminal(s.out) {
			width = terminalWidth(s.out)
		}
		fmt.Fprint(s.out, helpText(cmd, width))
	})
	root.SetFlagErrorFunc(flagError)
	help := newHelp(root)
	root.SetHelpCommand(help)
	root.AddCommand(
		newCheck(s), newRun(s), newResume(s), newRetry(s), newRefresh(s), newReissue(s), newJobs(s), newShow(s), newExport(s),
		newBackup(s), newPurge(s), newSimulator(s), newCompletion(s), newMan(root), newVersion(s), help,
	)
	root.AddCommand(topics()...)
	for _, cmd := range root.Commands() {
		nameArguments(cmd.Flags())
		complete(cmd, s)
		if cmd.Args == nil {
			cmd.Args = argumentsOf(cmd)
		}
		act := cmd.RunE
		if act == nil { // a topic
			continue
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return withHelp(cmd, ownError(act(cmd, args)))
		}
	}
	return root
}

// ownError gives every error of a command a status, so that what is left without one is a usage error of cobra's.
func ownError(err error) error {
	var f *failure
	var write *fs.PathError
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.As(err, &write), errors.Is(err, syscall.EPIPE):
		return &failure{status: exitOutput, err: err}
	}
	return &failure{exitBug, err, "this should not happen: please report it"}
}

// envName is the environment variable that sets the flag.
func envName(flag string) string {
	return "PAYLINKS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// typedKey is the annotation of a flag that no variable sets.
const typedKey = "typed"

// onlyTyped makes the flag count on the command line alone: what is meant for one command must not come from a file of
// settings for all of them.
func onlyTyped(flags *pflag.FlagSet, name string) {
	if err := flags.SetAnnotation(name, typedKey, nil); err != nil {
		panic(err) // there is no such flag
	}
}

// hasVariable says whether PAYLINKS_<FLAG> sets the flag.
func hasVariable(flag *pflag.Flag) bool {
	_, typed := flag.Annotations[typedKey]
	return !typed
}

// setFromEnvironment sets each flag that the command line leaves out from PAYLINKS_<FLAG>; an empty variable is as
// good as none. A flag that can be repeated takes several values from there, one a line or between semicolons.
func setFromEnvironment(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(flag *pflag.Flag) {
		value, _ := env(envName(flag.Name))
		if flag.Changed || value == "" || flag.Name == "help" || !hasVariable(flag) {
			return
		}
		values := []string{value}
		if _, repeatable := flag.Value.(pflag.SliceValue); repeatable {
			values = strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == ';' })
		}
		for _, value := range values {
			if err := flags.Set(flag.Name, value); err != nil {
				errs = append(errs, failf(exitUsage, "%s=%q: it takes %s", envName(flag.Name), value, kindOf(flag)))
				return
			}
		}
	})
	return errors.Join(errs...)
}

func newVersion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the version",
		Long:        "version prints the version.",
		Example:     "  paylinks version",
		Annotations: exits(meaning{exitOK, "done"}),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.out, "paylinks", programVersion())
			return err
		},
	}
}
