package options

import (
	"cmp"

	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/store"
)

// NextFlags are the flags, each after a space, by which a further command finds the ledger at path: none where it does
// so by itself. A command that is printed must work when it is pasted, into a shell with the same variables and into one
// without them: a mail of cron's is read elsewhere. Where a variable names an environment, the command says its own: that
// of the job that it is for, or with "" the variable's. A password in the path is not shown.
func NextFlags(s Streams, environment job.Environment, path string) string {
	path = ShownName(path)
	said := job.Environment(cmp.Or(s.Getenv(helptext.Variable("env")), s.Getenv("CLINK_ENV")))
	switch {
	case said != "":
		return FlagsAt(s, cmp.Or(environment, said), path)
	case leadsTo(s, job.Sandbox, path):
		return ""
	case (environment == "" || environment == job.Simulator) && leadsTo(s, job.Simulator, path):
		return FlagsAt(s, job.Simulator, path)
	}
	return " --ledger " + words.ShellQuoted(path)
}

// FlagsAt are the flags of a further command that keeps to the environment.
func FlagsAt(s Streams, environment job.Environment, path string) string {
	path = ShownName(path)
	flags := " --env " + string(environment)
	if !leadsTo(s, environment, path) {
		flags += " --ledger " + words.ShellQuoted(path)
	}
	return flags
}

// leadsTo says whether a command for the environment finds the ledger at path by itself, with our variables and without.
func leadsTo(s Streams, environment job.Environment, path string) bool {
	plain := s
	plain.Env = func(name string) (string, bool) {
		if name == "HOME" || name == "XDG_STATE_HOME" {
			return s.Env(name)
		}
		return "", false
	}
	for _, shell := range []Streams{s, plain} {
		ledger := Ledger{Path: shell.Getenv(helptext.Variable("ledger"))}
		found, err := ledger.Resolve(shell, environment)
		if err != nil || store.IsDatabase(path) && ShownName(found) != path || !store.IsDatabase(path) && !SameFile(found, path) {
			return false
		}
	}
	return true
}
