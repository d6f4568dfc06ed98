package options

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

// Piped are about files that come through a pipe.
type Piped struct {
	name string
	Kept map[string]*intake.Piped // by the path on the command line
}

// AddFlags adds the flag that names what comes through a pipe.
func (o *Piped) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.name, "name", "", "`NAME` of the job whose file is - (standard input) or a pipe; its links file is NAME.links.csv in the current folder (default: stdin, or the pipe's name)")
}

// Check refuses what cannot be read through pipes, before anything is.
func (o *Piped) Check(paths []string) error {
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

// RefuseProduction refuses to ask on a terminal before production: what comes through a pipe was not seen by whoever answers, and a pipe
// may be what the answer would be read from.
func (o *Piped) RefuseProduction(paths []string, production, yes bool) error {
	for _, path := range paths {
		if production && !yes && intake.IsPiped(path) {
			return exit.Failf(exit.Usage, "production needs --yes where invoices come through a pipe: nothing was sent").
				WithHint("say --yes; or try it first without: --env sandbox, or --env simulator")
		}
	}
	return nil
}

// KeepAside reads all pipes among the paths to their ends.
func (o *Piped) KeepAside(ctx context.Context, paths []string, s Streams) error {
	o.Kept = map[string]*intake.Piped{}
	for _, path := range paths {
		if !intake.IsPiped(path) {
			continue
		}
		name := o.name
		if name == "" {
			name = intake.PipedName(path)
		}
		if intake.IsStandardInput(path) && IsTerminal(s.In) {
			fmt.Fprintln(s.Err, "reading invoices from standard input: end them with Ctrl-D on a line of its own")
		}
		kept, err := intake.KeepAside(ctx, name, func() (io.Reader, error) {
			if intake.IsStandardInput(path) {
				return s.In, nil
			}
			return os.Open(path)
		})
		if errors.Is(err, context.Canceled) {
			err = exit.Failf(exit.Interrupted, "interrupted while %s was read: nothing was sent", name)
		}
		if err != nil {
			o.Close()
			return exit.Classify(err)
		}
		o.Kept[path] = kept
	}
	return nil
}

// Close gives the room on the disk back.
func (o *Piped) Close() {
	for _, kept := range o.Kept {
		_ = kept.Close() // it is gone with the process in any case
	}
}
