package engine

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paylinks/clink"
	"paylinks/clink/simulator"
	"paylinks/job"
)

// ClinkURL are the base URLs of Clink's environments, from its public reference.
var ClinkURL = map[job.Environment]string{
	job.Sandbox:    "https://uat-api.clinkbill.com/api",
	job.Production: "https://api.clinkbill.com/api",
}

// Target is the Clink that a job is sent to.
type Target struct {
	Environment job.Environment
	BaseURL     string // in the form of clink.NormalizeBaseURL, or job.InProcess
}

// NewTarget is the environment at an address; without an address it is the environment's own. The error does not repeat the
// address unless it is a *[WrongTarget]: there may be a secret in it.
func NewTarget(environment job.Environment, address string) (Target, error) {
	t := Target{Environment: environment}
	switch {
	case address == "" && environment == job.Simulator:
		t.BaseURL = job.InProcess
		return t, nil
	case address == "":
		address = ClinkURL[environment]
	}
	var err error
	if t.BaseURL, err = clink.NormalizeBaseURL(address); err != nil {
		return t, err
	}
	return t, t.check()
}

// WrongTarget means that an address belongs to another environment: the environment is what guards real money.
type WrongTarget struct {
	Target
	Owner job.Environment // whose address it is; empty: a simulator's that is not on this machine
}

func (e *WrongTarget) Error() string {
	if e.Owner == "" {
		return e.BaseURL + " is not on this machine, and the simulator must be"
	}
	return fmt.Sprintf("%s belongs to Clink's %s, and the environment is %s", e.BaseURL, e.Owner, e.Environment)
}

func (t Target) check() error {
	u, err := url.Parse(t.BaseURL)
	if err != nil {
		return err
	}
	if t.Environment == job.Simulator && !clink.IsLoopback(u.Hostname()) {
		return &WrongTarget{Target: t}
	}
	for owner, address := range ClinkURL {
		if own, err := url.Parse(address); err == nil && owner != t.Environment && strings.EqualFold(own.Hostname(), u.Hostname()) {
			return &WrongTarget{Target: t, Owner: owner}
		}
	}
	return nil
}

// TargetOf is the Clink that the job is sent to.
func TargetOf(j job.Job) Target { return Target{Environment: j.Environment, BaseURL: j.BaseURL} }

// Includes says whether the job is sent to this target, of which an empty field is any.
func (t Target) Includes(j job.Job) bool {
	return (t.Environment == "" || t.Environment == j.Environment) && (t.BaseURL == "" || t.BaseURL == j.BaseURL)
}

// Connect makes a client for the target, and starts the in-process simulator where that is meant; what net/http logs of the
// simulator goes to serverLog. cfg needs no BaseURL. disconnect ends both.
func (t Target) Connect(cfg clink.Config, serverLog *log.Logger) (client *clink.Client, disconnect func(), err error) {
	cfg.BaseURL = t.BaseURL
	stop := func() error { return nil }
	if t.BaseURL == job.InProcess {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("start the simulator: %w", err)
		}
		if serverLog == nil {
			serverLog = log.New(io.Discard, "", 0)
		}
		server := &http.Server{
			Handler: simulator.New(simulator.Config{AllowNoKey: true}), ErrorLog: serverLog, ReadHeaderTimeout: time.Minute,
		}
		go func() { _ = server.Serve(listener) }()
		stop, cfg.BaseURL = server.Close, "http://"+listener.Addr().String()
	}
	if client, err = clink.New(cfg); err != nil {
		_ = stop()
		return nil, nil, err
	}
	return client, func() {
		client.CloseIdle()
		_ = stop()
	}, nil
}
