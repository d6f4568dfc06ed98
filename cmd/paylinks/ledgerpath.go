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

// nextFlags are the flags, each after a space, by which a further command finds the ledger at path: none where it does
// so by itself. A command that is printed must work when it is pasted, into a shell with the same variables and into one
// without them: a mail of cron's is read elsewhere. Where a variable names an environment, the command says its own: that
// of the job that it is for, or with "" the variable's.
func nextFlags(s streams, environment job.Environment, path string) string {
	said := job.Environment(cmp.Or(s.getenv(envName("env")), s.getenv("CLINK_ENV")))
	switch {
	case said != "":
		return flagsAt(s, cmp.Or(environment, said), path)
	case leadsTo(s, job.Sandbox, path):
		return ""
	case (environment == "" || environment == job.Simulator) && leadsTo(s, job.Simulator, path):
		return flagsAt(s, job.Simulator, path)
	}
	return " --ledger " + shellQuoted(path)
}

// flagsAt are the flags of a further command that keeps to the environment.
func flagsAt(s streams, environment job.Environment, path string) string {
	flags := " --env " + string(environment)
	if !leadsTo(s, environment, path) {
		flags += " --ledger " + shellQuoted(path)
	}
	return flags
}

// leadsTo says whether a command for the environment finds the ledger at path by itself, with our variables and without.
func leadsTo(s streams, environment job.Environment, path string) bool {
	plain := s
	plain.env = func(name string) (string, bool) {
		if name == "HOME" || name == "XDG_STATE_HOME" {
			return s.env(name)
		}
		return "", false
	}
	for _, shell := range []streams{s, plain} {
		ledger := ledgerOptions{path: shell.getenv(envName("ledger"))}
		if found, err := ledger.resolve(shell, environment); err != nil || !sameFile(found, path) {
			return false
		}
	}
	return true
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
