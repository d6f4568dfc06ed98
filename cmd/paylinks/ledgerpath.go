package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"paylinks/job"
	"paylinks/store"
)

// ledgerOptions say which ledger is meant.
type ledgerOptions struct {
	path string
}

func (o *ledgerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.path, "ledger", "", "`PATH` of the ledger (default: $STATE_DIRECTORY/ledger.db, else ledger.db in the user's state folder; simulator.db beside it for --env simulator)")
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

// openToSend opens the ledger as the one process that may change it; doing says for what.
func (o *ledgerOptions) openToSend(s streams, environment job.Environment, doing string) (*store.Store, error) {
	path, err := o.resolve(s, environment)
	if err != nil {
		return nil, err
	}
	holder := fmt.Sprintf("paylinks %s (process %d, since %s)", doing, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	ledger, err := store.OpenForSending(path, holder)
	if err != nil {
		return nil, classify(err)
	}
	return ledger, nil
}

// openToRead opens the ledger for a command that only looks.
func (o *ledgerOptions) openToRead(ctx context.Context, s streams, environment job.Environment) (*store.Store, error) {
	path, err := o.resolve(s, environment)
	if err != nil {
		return nil, err
	}
	ledger, err := store.OpenToRead(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitUsage, "there is no ledger at %s yet", path).
			withHint("the first paylinks run makes it; is another one meant (--ledger, --env simulator)?")
	}
	if err != nil {
		return nil, classify(err)
	}
	return ledger, nil
}

// nextFlags are the flags, each after a space, by which a further command finds the ledger at path: none where it
// does so by itself. A command that is printed must work when it is pasted.
func nextFlags(s streams, path string) string {
	leadsTo := func(env string) bool {
		target := targetOptions{env: cmp.Or(env, s.getenv(envName("env")))}
		environment, err := target.resolveEnvironment(s)
		if err != nil {
			return false
		}
		ledger := ledgerOptions{path: s.getenv(envName("ledger"))}
		found, err := ledger.resolve(s, environment)
		return err == nil && sameFile(found, path)
	}
	switch {
	case leadsTo(""):
		return ""
	case leadsTo(string(job.Simulator)):
		return " --env " + string(job.Simulator)
	}
	return " --ledger " + shellQuoted(path)
}

// shellQuoted is the text as a shell takes it for one word.
func shellQuoted(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:@%", r)
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
