package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// targetOptions say which Clink is meant, and with which key.
type targetOptions struct {
	env        string
	baseURL    string
	apiKeyFile string
}

func (o *targetOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.env, "env", "", "environment `NAME`: simulator, sandbox or production (default: CLINK_ENV, else sandbox)")
	flags.StringVar(&o.baseURL, "base-url", "", "`URL` of Clink's API (default: CLINK_BASE_URL, else the environment's)")
	flags.StringVar(&o.apiKeyFile, "api-key-file", "", "`PATH` of a file with the secret key (default: $CREDENTIALS_DIRECTORY/clink-secret-key, else CLINK_SECRET_KEY)")
}

// resolveEnvironment decides the environment alone. The flag counts before Clink's own variable.
func (o *targetOptions) resolveEnvironment(s streams) (job.Environment, error) {
	environment := cmp.Or(o.named(s), job.Sandbox)
	switch environment {
	case job.Simulator, job.Sandbox, job.Production:
		return environment, nil
	}
	return "", exit.Failf(exit.Usage, "no environment is called %q", environment).
		WithHint("say --env simulator, --env sandbox or --env production")
}

// resolve decides environment and address. A flag counts before Clink's own variables; the simulator's address is never one of them.
func (o *targetOptions) resolve(s streams) (engine.Target, error) {
	environment, err := o.resolveEnvironment(s)
	if err != nil {
		return engine.Target{}, err
	}
	address := o.baseURL
	if environment != job.Simulator {
		address = cmp.Or(address, s.getenv("CLINK_BASE_URL"))
	}
	target, err := engine.NewTarget(environment, address)
	var wrong *engine.WrongTarget
	switch {
	case errors.As(err, &wrong) && wrong.Owner == "":
		return target, exit.Failf(exit.Config, "%w", err).WithHint("leave out --base-url for the in-process simulator, or start one with: paylinks simulator")
	case errors.As(err, &wrong):
		return target, exit.Failf(exit.Config, "%w", err).WithHint("say --env %s, or leave out --base-url and CLINK_BASE_URL", wrong.Owner)
	case err != nil:
		return target, exit.Failf(exit.Config, "%w", err).WithHint("see --base-url and CLINK_BASE_URL")
	}
	return target, nil
}

// addressFlag is the flag, after a space, by which a further command keeps to the target's address: none where that is the environment's own.
func addressFlag(t engine.Target) string {
	if own, err := engine.NewTarget(t.Environment, ""); err == nil && own == t {
		return ""
	}
	return " --base-url " + words.ShellQuoted(t.BaseURL)
}

// named is the environment that a command without JOB keeps to, "" for any: also CLINK_ENV's, since the key beside it is for
// that one.
func (o *targetOptions) named(s streams) job.Environment {
	return job.Environment(cmp.Or(o.env, s.getenv("CLINK_ENV")))
}

// scope is where resume without JOB keeps to: the environment that is named, and the address of --base-url. "" is any.
func (o *targetOptions) scope(s streams) (engine.Target, error) {
	scope := engine.Target{Environment: o.named(s)}
	if o.baseURL == "" {
		return scope, nil
	}
	target, err := o.resolve(s)
	scope.BaseURL = target.BaseURL
	return scope, err
}

// secretKey is the key, and where it came from, for messages.
type secretKey struct{ text, from string }

// key reads the secret key. The simulator needs none, and is not told one that was meant for Clink. instead is what the hint
// adds for one who has no key.
func (o *targetOptions) key(s streams, environment job.Environment, instead string) (secretKey, error) {
	if environment == job.Simulator {
		return secretKey{}, nil
	}
	path := o.apiKeyFile
	if folder := s.getenv("CREDENTIALS_DIRECTORY"); path == "" && folder != "" {
		credential := filepath.Join(folder, "clink-secret-key")
		if _, err := os.Stat(credential); err == nil {
			path = credential
		}
	}
	key := secretKey{s.getenv("CLINK_SECRET_KEY"), "CLINK_SECRET_KEY"}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return key, unreadableKey(path, err)
		}
		key = secretKey{string(text), path}
	}
	key.text = strings.TrimSpace(key.text)
	switch {
	case key.text == "" && path != "":
		return key, exit.Failf(exit.Config, "there is no secret key for %s: the file %s is empty", environment, path).
			WithHint("it must hold the key and nothing else")
	case key.text == "":
		return key, exit.Failf(exit.Config, "there is no secret key for %s", environment).
			WithHint("put it in CLINK_SECRET_KEY, or in a file named with --api-key-file%s", instead)
	case strings.HasPrefix(key.text, "CLINK_SECRET_KEY="):
		return key, exit.Failf(exit.Config, "the secret key in %s begins with CLINK_SECRET_KEY=, which is no part of it", key.from).
			WithHint("it must hold the key and nothing else")
	case strings.ContainsAny(key.text, "\"'`"):
		return key, exit.Failf(exit.Config, "the secret key in %s has quotes, which are no part of it", key.from).
			WithHint("leave them out: docker run --env-file and systemd's credentials pass them on as they stand")
	case strings.ContainsFunc(key.text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return key, exit.Failf(exit.Config, "the secret key in %s has a space, a line break or a letter that no key has", key.from).
			WithHint("it must hold the key and nothing else")
	}
	return key, nil
}

// unreadableKey says why the key's file cannot be read, and names it where nobody can have given the key itself for its path.
func unreadableKey(path string, err error) error {
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrong.Err
	}
	where := ""
	if filepath.IsAbs(path) || strings.HasPrefix(path, ".") {
		where = " in " + path
	}
	return exit.Failf(exit.Config, "read the secret key%s: %w", where, err).WithHint("--api-key-file takes the path of a file that holds the key")
}
