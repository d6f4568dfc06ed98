package main

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/clink"
	"paylinks/job"
)

// Base URLs of Clink's environments, from its public reference.
var clinkURL = map[job.Environment]string{
	job.Sandbox:    "https://uat-api.clinkbill.com/api",
	job.Production: "https://api.clinkbill.com/api",
}

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

// target is the Clink that a command talks to.
type target struct {
	environment job.Environment
	baseURL     string // job.InProcess for the in-process simulator
}

// resolveEnvironment decides the environment alone. The flag counts before Clink's own variable.
func (o *targetOptions) resolveEnvironment(s streams) (job.Environment, error) {
	environment := job.Environment(cmp.Or(o.env, s.getenv("CLINK_ENV"), string(job.Sandbox)))
	switch environment {
	case job.Simulator, job.Sandbox, job.Production:
		return environment, nil
	}
	return "", failf(exitUsage, "no environment is called %q", environment).
		withHint("say --env simulator, --env sandbox or --env production")
}

// resolve decides environment and address. A flag counts before Clink's own variables.
func (o *targetOptions) resolve(s streams) (target, error) {
	environment, err := o.resolveEnvironment(s)
	if err != nil {
		return target{}, err
	}
	t := target{environment: environment}
	address := o.baseURL
	if environment == job.Simulator && address == "" {
		t.baseURL = job.InProcess
		return t, nil
	}
	if environment != job.Simulator {
		address = cmp.Or(address, s.getenv("CLINK_BASE_URL"), clinkURL[environment])
	}
	if t.baseURL, err = clink.NormalizeBaseURL(address); err != nil { // the address itself may hold a secret
		return t, failf(exitConfig, "%w", err).withHint("see --base-url and CLINK_BASE_URL")
	}
	return t, t.check()
}

// named is the environment that a command without JOB keeps to, "" for any: also CLINK_ENV's, since the key beside it is for
// that one.
func (o *targetOptions) named(s streams) job.Environment {
	return job.Environment(cmp.Or(o.env, s.getenv("CLINK_ENV")))
}

// scope is where resume without JOB keeps to: the environment that is named, and the address of --base-url. "" is any.
func (o *targetOptions) scope(s streams) (target, error) {
	scope := target{environment: o.named(s)}
	if o.baseURL == "" {
		return scope, nil
	}
	t, err := o.resolve(s)
	scope.baseURL = t.baseURL
	return scope, err
}

// holds says whether the job lies within the scope.
func (t target) holds(j job.Job) bool {
	return (t.environment == "" || t.environment == j.Environment) && (t.baseURL == "" || t.baseURL == j.BaseURL)
}

// targetOf is the Clink that a job is sent to.
func targetOf(j job.Job) target { return target{environment: j.Environment, baseURL: j.BaseURL} }

// check refuses an address that belongs to another environment: the environment is what guards real money.
func (t target) check() error {
	u, err := url.Parse(t.baseURL)
	if err != nil {
		return failf(exitConfig, "base URL %q: %w", t.baseURL, err)
	}
	if t.environment == job.Simulator && !clink.IsLoopback(u.Hostname()) {
		return failf(exitConfig, "%s is not on this machine, and the simulator must be", t.baseURL).
			withHint("leave out --base-url for the in-process simulator, or start one with: paylinks simulator")
	}
	for env, address := range clinkURL {
		if own, _ := url.Parse(address); env != t.environment && strings.EqualFold(own.Hostname(), u.Hostname()) {
			return failf(exitConfig, "%s belongs to Clink's %s, and the environment is %s", t.baseURL, env, t.environment).
				withHint("say --env %s, or leave out --base-url and CLINK_BASE_URL", env)
		}
	}
	return nil
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
		return key, failf(exitConfig, "there is no secret key for %s: the file %s is empty", environment, path).
			withHint("it must hold the key and nothing else")
	case key.text == "":
		return key, failf(exitConfig, "there is no secret key for %s", environment).
			withHint("put it in CLINK_SECRET_KEY, or in a file named with --api-key-file%s", instead)
	case strings.ContainsFunc(key.text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return key, failf(exitConfig, "the secret key in %s has a space, a line break or a letter that no key has", key.from).
			withHint("it must hold the key and nothing else")
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
	return failf(exitConfig, "read the secret key%s: %w", where, err).withHint("--api-key-file takes the path of a file that holds the key")
}
