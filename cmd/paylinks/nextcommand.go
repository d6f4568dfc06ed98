package main

import (
	"cmp"

	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/store"
)

// nextFlags are the flags, each after a space, by which a further command finds the ledger at path: none where it does
// so by itself. A command that is printed must work when it is pasted, into a shell with the same variables and into one
// without them: a mail of cron's is read elsewhere. Where a variable names an environment, the command says its own: that
// of the job that it is for, or with "" the variable's. A password in the path is not shown.
func nextFlags(s streams, environment job.Environment, path string) string {
	path = shownName(path)
	said := job.Environment(cmp.Or(s.getenv(helptext.Variable("env")), s.getenv("CLINK_ENV")))
	switch {
	case said != "":
		return flagsAt(s, cmp.Or(environment, said), path)
	case leadsTo(s, job.Sandbox, path):
		return ""
	case (environment == "" || environment == job.Simulator) && leadsTo(s, job.Simulator, path):
		return flagsAt(s, job.Simulator, path)
	}
	return " --ledger " + words.ShellQuoted(path)
}

// flagsAt are the flags of a further command that keeps to the environment.
func flagsAt(s streams, environment job.Environment, path string) string {
	path = shownName(path)
	flags := " --env " + string(environment)
	if !leadsTo(s, environment, path) {
		flags += " --ledger " + words.ShellQuoted(path)
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
		ledger := ledgerOptions{path: shell.getenv(helptext.Variable("ledger"))}
		found, err := ledger.resolve(shell, environment)
		if err != nil || store.IsDatabase(path) && shownName(found) != path || !store.IsDatabase(path) && !sameFile(found, path) {
			return false
		}
	}
	return true
}
