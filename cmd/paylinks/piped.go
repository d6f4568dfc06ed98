package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job/intake"
)

// pipedOptions are about files that come through a pipe.
type pipedOptions struct {
	name string
	kept map[string]*intake.Piped // by the path on the command line
}

func (o *pipedOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.name, "name", "", "`NAME` of the job whose file is - (standard input) or a pipe; its links file is NAME.links.csv in the current folder (default: stdin, or the pipe's name)")
}

// check refuses what cannot be read through pipes, before anything is.
func (o *pipedOptions) check(paths []string) error {
	piped, input := 0, 0
	for _, path := range paths {
		if intake.IsPiped(path) {
			piped++
		}
		if intake.IsStandardInput(path) {
			input++
		}
	}
	switch {
	case input > 1:
		return exit.Failf(exit.Usage, "standard input can be read only once")
	case o.name != "" && piped != 1:
		return exit.Failf(exit.Usage, "--name is for one file that is - (standard input) or a pipe: other files have names")
	case o.name != "" && !intake.ValidName(o.name):
		return exit.Failf(exit.Usage, "--name %q cannot be part of a file name", o.name).WithHint("write a name without a folder, such as --name november")
	}
	return nil
}

// refuseProduction refuses to ask on a terminal before production: what comes through a pipe was not seen by whoever answers, and a pipe
// may be what the answer would be read from.
func (o *pipedOptions) refuseProduction(paths []string, production, yes bool) error {
	for _, path := range paths {
		if production && !yes && intake.IsPiped(path) {
			return exit.Failf(exit.Usage, "production needs --yes where invoices come through a pipe: nothing was sent").
				WithHint("say --yes; or try it first without: --env sandbox, or --env simulator")
		}
	}
	return nil
}

// keepAside reads all pipes among the paths to their ends.
func (o *pipedOptions) keepAside(ctx context.Context, paths []string, s streams) error {
	o.kept = map[string]*intake.Piped{}
	for _, path := range paths {
		if !intake.IsPiped(path) {
			continue
		}
		name := o.name
		if name == "" {
			name = intake.PipedName(path)
		}
		if intake.IsStandardInput(path) && isTerminal(s.in) {
			fmt.Fprintln(s.err, "reading invoices from standard input: end them with Ctrl-D on a line of its own")
		}
		kept, err := intake.KeepAside(ctx, name, func() (io.Reader, error) {
			if intake.IsStandardInput(path) {
				return s.in, nil
			}
			return os.Open(path)
		})
		if errors.Is(err, context.Canceled) {
			err = exit.Failf(exit.Interrupted, "interrupted while %s was read: nothing was sent", name)
		}
		if err != nil {
			o.close()
			return exit.Classify(err)
		}
		o.kept[path] = kept
	}
	return nil
}

// close gives the room on the disk back.
func (o *pipedOptions) close() {
	for _, kept := range o.kept {
		_ = kept.Close() // it is gone with the process in any case
	}
}
