package options

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

// Target say which Clink is meant, and with which key.
type Target struct {
	Env        string
	BaseURL    string
	apiKeyFile string
}

// AddFlags adds the flags of the environment, the address and the key.
func (o *Target) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Env, "env", "", "environment `NAME`: simulator, sandbox or production (default: CLINK_ENV, else sandbox)")
	flags.StringVar(&o.BaseURL, "base-url", "", "`URL` of Clink's API (default: CLINK_BASE_URL, else the environment's)")
	flags.StringVar(&o.apiKeyFile, "api-key-file", "", "`PATH` of a file with the secret key (default: $CREDENTIALS_DIRECTORY/clink-secret-key, else CLINK_SECRET_KEY)")
}

// ResolveEnvironment decides the environment alone. The flag counts before Clink's own variable.
func (o *Target) ResolveEnvironment(s Streams) (job.Environment, error) {
	environment := cmp.Or(o.Named(s), job.Sandbox)
	switch environment {
	case job.Simulator, job.Sandbox, job.Production:
		return environment, nil
	}
	return "", exit.Failf(exit.Usage, "no environment is called %q", environment).
		WithHint("say --env simulator, --env sandbox or --env production")
}

// Resolve decides environment and address. A flag counts before Clink's own variables; the simulator's address is never one of them.
func (o *Target) Resolve(s Streams) (engine.Target, error) {
	environment, err := o.ResolveEnvironment(s)
	if err != nil {
		return engine.Target{}, err
	}
	address := o.BaseURL
	if environment != job.Simulator {
		address = cmp.Or(address, s.Getenv("CLINK_BASE_URL"))
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

// Named is the environment that a command without JOB keeps to, "" for any: also CLINK_ENV's, since the key beside it is for
// that one.
func (o *Target) Named(s Streams) job.Environment {
	return job.Environment(cmp.Or(o.Env, s.Getenv("CLINK_ENV")))
}

// Scope is where resume without JOB keeps to: the environment that is named, and the address of --base-url. "" is any.
func (o *Target) Scope(s Streams) (engine.Target, error) {
	scope := engine.Target{Environment: o.Named(s)}
	if o.BaseURL == "" {
		return scope, nil
	}
	target, err := o.Resolve(s)
	scope.BaseURL = target.BaseURL
	return scope, err
}

// SecretKey is the key, and where it came from, for messages.
type SecretKey struct{ Text, From string }

// Key reads the secret key. The simulator needs none, and is not told one that was meant for Clink. instead is what the hint
// adds for one who has no key.
func (o *Target) Key(s Streams, environment job.Environment, instead string) (SecretKey, error) {
	if environment == job.Simulator {
		return SecretKey{}, nil
	}
	path := o.apiKeyFile
	if folder := s.Getenv("CREDENTIALS_DIRECTORY"); path == "" && folder != "" {
		credential := filepath.Join(folder, "clink-secret-key")
		if _, err := os.Stat(credential); err == nil {
			path = credential
		}
	}
	key := SecretKey{s.Getenv("CLINK_SECRET_KEY"), "CLINK_SECRET_KEY"}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return key, unreadableKey(path, err)
		}
		key = SecretKey{string(text), path}
	}
	key.Text = strings.TrimSpace(key.Text)
	switch {
	case key.Text == "" && path != "":
		return key, exit.Failf(exit.Config, "there is no secret key for %s: the file %s is empty", environment, path).
			WithHint("it must hold the key and nothing else")
	case key.Text == "":
		return key, exit.Failf(exit.Config, "there is no secret key for %s", environment).
			WithHint("put it in CLINK_SECRET_KEY, or in a file named with --api-key-file%s", instead)
	case strings.HasPrefix(key.Text, "CLINK_SECRET_KEY="):
		return key, exit.Failf(exit.Config, "the secret key in %s begins with CLINK_SECRET_KEY=, which is no part of it", key.From).
			WithHint("it must hold the key and nothing else")
	case strings.ContainsAny(key.Text, "\"'`"):
		return key, exit.Failf(exit.Config, "the secret key in %s has quotes, which are no part of it", key.From).
			WithHint("leave them out: docker run --env-file and systemd's credentials pass them on as they stand")
	case strings.ContainsFunc(key.Text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return key, exit.Failf(exit.Config, "the secret key in %s has a space, a line break or a letter that no key has", key.From).
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
