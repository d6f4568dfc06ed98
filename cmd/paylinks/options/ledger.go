package options

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
	"paylinks/store"
)

// Ledger say which ledger is meant.
type Ledger struct {
	Path      string
	newLedger bool // a ledger is made in production, too
	Quiet     bool // a new ledger is only told of where it guards money

	lease         time.Duration // of a process that sends from a ledger in a database
	Timeout       time.Duration // the longest that one of its requests takes
	AfterFailover bool
	flags         *pflag.FlagSet // nil: the path is of no flag
}

const (
	defaultLease = 10 * time.Second
	LeastLease   = 2 * time.Second
	longestLease = 10 * time.Minute
)

// AddFlags adds the flag that names the ledger.
func (o *Ledger) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Path, "ledger", "", "`PATH` of the ledger, or postgres://… for one that several hosts share (default: $STATE_DIRECTORY/ledger.db, else ledger.db in the user's state folder; simulator.db beside it for --env simulator)")
	o.flags, o.lease = flags, defaultLease
}

// AddLease adds the flag of a command that sends.
func (o *Ledger) AddLease(flags *pflag.FlagSet) {
	flags.DurationVar(&o.lease, "lease", defaultLease, "with a ledger that several hosts share: how long the command may send after each renewal of its lease; when it is over, another one takes its jobs over")
}

// refusePassword refuses a name with a password in it that was typed: whoever may list the processes of this machine reads it.
func (o *Ledger) refusePassword() error {
	if o.flags == nil || !typed(o.flags, "ledger") || !store.HasPassword(o.Path) {
		return nil
	}
	return exit.Failf(exit.Usage, "--ledger has a password in it, which others can read in the list of processes").
		WithHint("leave it out, and give it by PGPASSWORD, PGPASSFILE, ~/.pgpass or a service file, or put the whole name into PAYLINKS_LEDGER: paylinks help shared-ledger")
}

// AddNew adds the flag of a command that may make a ledger in production.
func (o *Ledger) AddNew(flags *pflag.FlagSet) {
	flags.BoolVar(&o.newLedger, "new-ledger", false, "make the ledger, of a first run in production: without it, one that finds no ledger is refused")
}

// Resolve is the ledger's absolute path. It does not depend on the folder that the command is started in: the
// ledger is what recognises an invoice that has a link already.
func (o *Ledger) Resolve(s Streams, environment job.Environment) (string, error) {
	if store.IsDatabase(o.Path) {
		if err := o.refusePassword(); err != nil {
			return "", err
		}
		if _, err := store.Shown(o.Path); err != nil {
			return "", exit.Failf(exit.Usage, "%w", err).WithHint("see: paylinks help shared-ledger")
		}
		return o.Path, nil
	}
	if o.Path != "" {
		path, err := filepath.Abs(o.Path)
		if err != nil {
			return "", exit.Failf(exit.Ledger, "ledger %s: %w", o.Path, err)
		}
		return path, nil
	}
	name := "ledger.db"
	if environment == job.Simulator {
		name = "simulator.db"
	}
	if folder := s.Getenv("STATE_DIRECTORY"); folder != "" {
		return filepath.Join(filepath.SplitList(folder)[0], name), nil
	}
	folder := s.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) { // the standard says that a relative one counts as none
		home := s.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", exit.Failf(exit.Config, "there is no home folder to keep the ledger in").WithHint("name the ledger with --ledger PATH")
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "paylinks", name), nil
}

// ShownName is the ledger's name for messages, without a password.
func ShownName(name string) string {
	shown, err := store.Shown(name)
	if err != nil {
		return "the database"
	}
	return shown
}

// checkSharing refuses what makes no sense for the ledger.
func (o *Ledger) checkSharing(name string) error {
	switch {
	case o.lease < LeastLease || o.lease > longestLease:
		return exit.Failf(exit.Usage, "--lease %s is not from %s to %s", o.lease, LeastLease, longestLease)
	case o.AfterFailover && !store.IsDatabase(name):
		return exit.Failf(exit.Usage, "--after-failover is for a ledger in a database, and this one is a file: %s", name)
	}
	return nil
}

// OpenToSend opens the ledger to send from it, or change it; doing says for what. A new one is announced, also under -q: it recognises
// no link, and where the path is mistyped or a volume not mounted everything would be sent a second time. Under -q nothing is said of
// the simulator's, whose links nobody can pay. Only the default place gets its folders.
func (o *Ledger) OpenToSend(ctx context.Context, s Streams, environment job.Environment, doing string) (store.Ledger, error) {
	path, err := o.Resolve(s, environment)
	if err != nil {
		return nil, err
	}
	if err := o.checkSharing(path); err != nil {
		return nil, err
	}
	isNew, err := store.IsNew(ctx, path)
	if err != nil {
		return nil, exit.Classify(err)
	}
	if isNew && environment == job.Production && !o.newLedger {
		return nil, exit.Failf(exit.Config, "there is no ledger at %s, and production makes none by the way: nothing was sent", ShownName(path)).
			WithHint("name the ledger that you have with --ledger; only for the first run in production: --new-ledger")
	}
	if isNew && o.Path == "" {
		if err := store.MakeFolder(path); err != nil {
			return nil, exit.Classify(err)
		}
	}
	ledger, err := store.OpenToSend(ctx, path, store.Opening{Doing: doing, Lease: o.lease, Timeout: o.Timeout, AfterFailover: o.AfterFailover})
	if err != nil {
		return nil, exit.Classify(err)
	}
	if isNew && !(o.Quiet && environment == job.Simulator) {
		fmt.Fprintf(s.Err, "new ledger: %s\n", ledger.Path())
	}
	return ledger, nil
}

// OpenToRead opens the ledger for a command that only looks.
func (o *Ledger) OpenToRead(ctx context.Context, s Streams, environment job.Environment) (store.Reader, error) {
	path, err := o.Resolve(s, environment)
	if err != nil {
		return nil, err
	}
	ledger, err := store.OpenToRead(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exit.Failf(exit.Usage, "there is no ledger at %s yet", ShownName(path)).
			WithHint("the first paylinks run makes it; if yours is elsewhere, name it with --ledger, or say --env simulator for the simulator's")
	}
	if err != nil {
		return nil, exit.Classify(err)
	}
	if transferred := ledger.Transferred(); transferred != nil {
		fmt.Fprintf(s.Err, "note: the ledger %s is as it was then: %v\n", ledger.Path(), transferred)
	}
	return ledger, nil
}

// Closed closes the ledger and says so if that is the only thing that went wrong.
func Closed(ledger io.Closer, err error) error {
	if closeErr := ledger.Close(); err == nil && closeErr != nil {
		return exit.Classify(closeErr)
	}
	return err
}
