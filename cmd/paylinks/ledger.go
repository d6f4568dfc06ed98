package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"paylinks/job"
	"paylinks/store"
)

// ledgerOptions say which ledger is meant.
type ledgerOptions struct {
	path      string
	newLedger bool // a ledger is made in production, too
	quiet     bool // a new ledger is only told of where it guards money
}

func (o *ledgerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.path, "ledger", "", "`PATH` of the ledger (default: $STATE_DIRECTORY/ledger.db, else ledger.db in the user's state folder; simulator.db beside it for --env simulator)")
}

func (o *ledgerOptions) addNew(flags *pflag.FlagSet) {
	flags.BoolVar(&o.newLedger, "new-ledger", false, "make the ledger, of a first run in production: without it, one that finds no ledger is refused")
}

// resolve is the ledger's absolute path. It does not depend on the folder that the command is started in: the
// ledger is what recognises an invoice that has a link already.
func (o *ledgerOptions) resolve(s streams, environment job.Environment) (string, error) {
	if o.path != "" {
		path, err := filepath.Abs(o.path)
		if err != nil {
			return "", failf(exitLedger, "ledger %s: %w", o.path, err)
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
			return "", failf(exitConfig, "there is no home folder to keep the ledger in").withHint("name the ledger with --ledger PATH")
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "paylinks", name), nil
}

// openToSend opens the ledger as the one process that may change it; doing says for what. A new one is announced, also under -q:
// it recognises no link, and where the path is mistyped or a volume not mounted everything would be sent a second time. Under -q
// nothing is said of the simulator's, whose links nobody can pay. Only the default place gets its folders.
func (o *ledgerOptions) openToSend(s streams, environment job.Environment, doing string) (store.Ledger, error) {
	path, err := o.resolve(s, environment)
	if err != nil {
		return nil, err
	}
	isNew := store.IsNew(path)
	if isNew && environment == job.Production && !o.newLedger {
		return nil, failf(exitConfig, "there is no ledger at %s, and production makes none by the way: nothing was sent", path).
			withHint("name the ledger that you have with --ledger; only for the first run in production: --new-ledger")
	}
	if isNew && o.path == "" {
		if err := store.MakeFolder(path); err != nil {
			return nil, classify(err)
		}
	}
	holder := fmt.Sprintf("paylinks %s (process %d, since %s)", doing, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	ledger, err := store.OpenToSend(path, holder)
	if err != nil {
		return nil, classify(err)
	}
	if isNew && !(o.quiet && environment == job.Simulator) {
		fmt.Fprintf(s.err, "new ledger: %s\n", path)
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
		return nil, failf(exitUsage, "there is no ledger at %s yet", path).
			withHint("the first paylinks run makes it; if yours is elsewhere, name it with --ledger, or say --env simulator for the simulator's")
	}
	if err != nil {
		return nil, classify(err)
	}
	return ledger, nil
}

// closed closes the ledger and says so if that is the only thing that went wrong.
func closed(ledger io.Closer, err error) error {
	if closeErr := ledger.Close(); err == nil && closeErr != nil {
		return classify(closeErr)
	}
	return err
}
