package main

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

// ledgerOptions say which ledger is meant.
type ledgerOptions struct {
	path      string
	newLedger bool // a ledger is made in production, too
	quiet     bool // a new ledger is only told of where it guards money

	lease         time.Duration // of a process that sends from a ledger in a database
	timeout       time.Duration // the longest that one of its requests takes
	afterFailover bool
	flags         *pflag.FlagSet // nil: the path is of no flag
}

const (
	defaultLease = 10 * time.Second
	leastLease   = 2 * time.Second
	longestLease = 10 * time.Minute
)

func (o *ledgerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.path, "ledger", "", "`PATH` of the ledger, or postgres://… for one that several hosts share (default: $STATE_DIRECTORY/ledger.db, else ledger.db in the user's state folder; simulator.db beside it for --env simulator)")
	o.flags, o.lease = flags, defaultLease
}

// addLease adds the flag of a command that sends.
func (o *ledgerOptions) addLease(flags *pflag.FlagSet) {
	flags.DurationVar(&o.lease, "lease", defaultLease, "with a ledger that several hosts share: how long the command may send after each renewal of its lease; when it is over, another one takes its jobs over")
}

// refusePassword refuses a name with a password in it that was typed: whoever may list the processes of this machine reads it.
func (o *ledgerOptions) refusePassword() error {
	if o.flags == nil || !typed(o.flags, "ledger") || !store.HasPassword(o.path) {
		return nil
	}
	return exit.Failf(exit.Usage, "--ledger has a password in it, which others can read in the list of processes").
		WithHint("leave it out, and give it by PGPASSWORD, PGPASSFILE, ~/.pgpass or a service file, or put the whole name into PAYLINKS_LEDGER: paylinks help shared-ledger")
}

func (o *ledgerOptions) addNew(flags *pflag.FlagSet) {
	flags.BoolVar(&o.newLedger, "new-ledger", false, "make the ledger, of a first run in production: without it, one that finds no ledger is refused")
}

// resolve is the ledger's absolute path. It does not depend on the folder that the command is started in: the
// ledger is what recognises an invoice that has a link already.
func (o *ledgerOptions) resolve(s streams, environment job.Environment) (string, error) {
	if store.IsDatabase(o.path) {
		if err := o.refusePassword(); err != nil {
			return "", err
		}
		if _, err := store.Shown(o.path); err != nil {
			return "", exit.Failf(exit.Usage, "%w", err).WithHint("see: paylinks help shared-ledger")
		}
		return o.path, nil
	}
	if o.path != "" {
		path, err := filepath.Abs(o.path)
		if err != nil {
			return "", exit.Failf(exit.Ledger, "ledger %s: %w", o.path, err)
		}
		return path, nil
	}
	name := "ledger.db"
	if environment == job.Simulator {
		name = "simulator.db"
	}
	if folder := s.getenv("STATE_DIRECTORY"); folder != "" {
		return filepath.Join(filepath.SplitList(folder)[0], name), nil
	}
	folder := s.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) { // the standard says that a relative one counts as none
		home := s.getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", exit.Failf(exit.Config, "there is no home folder to keep the ledger in").WithHint("name the ledger with --ledger PATH")
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "paylinks", name), nil
}

// shownName is the ledger's name for messages, without a password.
func shownName(name string) string {
	shown, err := store.Shown(name)
	if err != nil {
		return "the database"
	}
	return shown
}

// checkSharing refuses what makes no sense for the ledger.
func (o *ledgerOptions) checkSharing(name string) error {
	switch {
	case o.lease < leastLease || o.lease > longestLease:
		return exit.Failf(exit.Usage, "--lease %s is not from %s to %s", o.lease, leastLease, longestLease)
	case o.afterFailover && !store.IsDatabase(name):
		return exit.Failf(exit.Usage, "--after-failover is for a ledger in a database, and this one is a file: %s", name)
	}
	return nil
}

// openToSend opens the ledger to send from it, or change it; doing says for what. A new one is announced, also under -q: it recognises
// no link, and where the path is mistyped or a volume not mounted everything would be sent a second time. Under -q nothing is said of
// the simulator's, whose links nobody can pay. Only the default place gets its folders.
func (o *ledgerOptions) openToSend(ctx context.Context, s streams, environment job.Environment, doing string) (store.Ledger, error) {
	path, err := o.resolve(s, environment)
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
		return nil, exit.Failf(exit.Config, "there is no ledger at %s, and production makes none by the way: nothing was sent", shownName(path)).
			WithHint("name the ledger that you have with --ledger; only for the first run in production: --new-ledger")
	}
	if isNew && o.path == "" {
		if err := store.MakeFolder(path); err != nil {
			return nil, exit.Classify(err)
		}
	}
	ledger, err := store.OpenToSend(ctx, path, store.Opening{Doing: doing, Lease: o.lease, Timeout: o.timeout, AfterFailover: o.afterFailover})
	if err != nil {
		return nil, exit.Classify(err)
	}
	if isNew && !(o.quiet && environment == job.Simulator) {
		fmt.Fprintf(s.err, "new ledger: %s\n", ledger.Path())
	}
	return ledger, nil
}

// openToRead opens the ledger for a command that only looks.
func (o *ledgerOptions) openToRead(ctx context.Context, s streams, environment job.Environment) (store.Reader, error) {
	path, err := o.resolve(s, environment)
	if err != nil {
		return nil, err
	}
	ledger, err := store.OpenToRead(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exit.Failf(exit.Usage, "there is no ledger at %s yet", shownName(path)).
			WithHint("the first paylinks run makes it; if yours is elsewhere, name it with --ledger, or say --env simulator for the simulator's")
	}
	if err != nil {
		return nil, exit.Classify(err)
	}
	if transferred := ledger.Transferred(); transferred != nil {
		fmt.Fprintf(s.err, "note: the ledger %s is as it was then: %v\n", ledger.Path(), transferred)
	}
	return ledger, nil
}

// closed closes the ledger and says so if that is the only thing that went wrong.
func closed(ledger io.Closer, err error) error {
	if closeErr := ledger.Close(); err == nil && closeErr != nil {
		return exit.Classify(closeErr)
	}
	return err
}
