package clink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Config is what a [Client] is made of. It can be printed and logged: the key is left out.
type Config struct {
	BaseURL string // see [NormalizeBaseURL]
	Key     string `json:"-"` // the secret key; may be empty for a loopback host only
	Version string // of paylinks, for the User-Agent

	Connections int           // requests in flight that keep their connection; 0 means 16
	Timeout     time.Duration // of one request, from connecting to the last byte of the answer; 0 means 30 s

	// MaySend is asked right before the first byte of each request is handed to the kernel. Its error means that nothing of the request
	// is written: the call then ends as [NotSent], with that cause. nil is always.
	MaySend func() error

	// DialContext makes the connections instead of a [net.Dialer]; for tests.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Proxy finds the proxy instead of [http.ProxyFromEnvironment]; for tests.
	Proxy func(*http.Request) (*url.URL, error)
	// RootCAs replaces the system's certificate authorities; for tests.
	RootCAs *x509.CertPool
}

// String is the configuration without its key; no verb and no logger prints more of it.
func (c Config) String() string {
	base, err := NormalizeBaseURL(c.BaseURL)
	if err != nil {
		base = "(not valid)" // whatever was put there may be a secret
	}
	key := "none"
	if c.Key != "" {
		key = redacted
	}
	return fmt.Sprintf("clink.Config{BaseURL: %s, Key: %s, Version: %q, Connections: %d, Timeout: %v}",
		base, key, c.Version, c.Connections, c.Timeout)
}

// GoString is [Config.String].
func (c Config) GoString() string { return c.String() }

// Format prints [Config.String] for every verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is [Config.String].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) check(base *url.URL) error {
	switch {
	case c.Key == "" && !IsLoopback(base.Hostname()):
		return errors.New("the key is empty")
	case !isVisible(c.Key):
		return errors.New("the key has a character that no key has: a space, a line break or a letter beyond ASCII")
	case !isVisible(c.Version):
		return errors.New("the version has a character that a User-Agent cannot hold")
	case c.Connections < 0:
		return fmt.Errorf("%d connections", c.Connections)
	case c.Timeout < 0:
		return fmt.Errorf("a timeout of %v", c.Timeout)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Connections == 0 {
		c.Connections = 16
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	return c
}

// header is what every request has, except for the timestamp, and the content type of one with a body.
func (c Config) header() http.Header {
	h := http.Header{"User-Agent": {"paylinks"}}
	if c.Version != "" {
		h.Set("User-Agent", "paylinks/"+c.Version)
	}
	if c.Key != "" {
		h.Set("X-API-KEY", c.Key)
	}
	return h
}

// isVisible says whether s is visible ASCII, which can stand in a header as it is.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
