// Package clink is the HTTP client for Clink's checkout API: it creates a session, reads one back and lists the orders that
// were paid.
//
// # What is promised
//
// [Client.CreateSession] sends at most one request. Nothing is sent again behind the caller's back and
// no redirect is followed; whether to try again is the caller's decision.
//
// Every error is an [*Error], and its [Class] says what is known afterwards: [NotSent] and the refusals
// mean that Clink made no session, [Unknown] means that it may have made one. In doubt it is [Unknown].
//
// The key goes to the configured host only, over TLS (plain HTTP to loopback only). It is in no error, and
// not shown when a client or its configuration is printed. A checkout's token is never decoded, nor sampled.
//
// [Config.MaySend] is asked where a request's first byte leaves, not where the call begins: a process that is stopped in between does
// not send when it goes on.
//
// What an answer can cost is bounded: its header, its body, and the time of the whole request.
//
// # Connections
//
// Requests go over net/http's transport, through the proxy that the environment names if there is one (HTTPS_PROXY, NO_PROXY).
// They use HTTP/1.1 and kept connections. Each carries one request at a time, so that one that breaks leaves one request in
// doubt; an HTTP/2 connection would leave all that are in flight.
//
// An answer that nobody asked for can be taken for the next request's on its connection: the caller must compare an answer's
// reference with its own. Where net/http notices such an answer, it prints it with package log, so a program that keeps
// secrets out of its output silences that.
package clink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Client talks to one base URL with one key. It is safe for concurrent use.
type Client struct {
	baseURL   string
	header    http.Header // of every request, except for the timestamp
	timeout   time.Duration
	maySend   func() error
	transport *http.Transport
	proxy     string // its host and port; empty without one
	secrets   redactor
}

// New returns a client, or says what is wrong with cfg, without repeating the values in it.
func New(cfg Config) (*Client, error) {
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.check(base); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	transport, proxy, err := newTransport(cfg, base)
	if err != nil {
		return nil, err
	}
	return &Client{
		baseURL:   base.String(),
		header:    cfg.header(),
		timeout:   cfg.Timeout,
		maySend:   cfg.MaySend,
		transport: transport,
		proxy:     proxy,
		secrets:   newRedactor(cfg.Key),
	}, nil
}

// CreateSession makes a checkout session. The answer is handed on as it came, except that a text with the key in it becomes
// "[redacted]". Whether it agrees with what was asked is the caller's to check. Every error is an [*Error].
func (c *Client) CreateSession(ctx context.Context, req Request) (*Session, error) {
	body, err := req.Body()
	if err != nil {
		return nil, &Error{Class: NotSent, Err: c.secrets.cause(err)}
	}
	return do(ctx, c, http.MethodPost, "/checkout/session", body, func(answer classification) (*Session, error) {
		s, err := decodeSession(answer.data)
		if err == nil {
			c.secrets.conceal(&s.SessionID, &s.URL, &s.Currency, &s.CustomerID, &s.MerchantReferenceID, &s.UIMode)
		}
		return s, err
	})
}

// GetSession reads a session back. An answer without a status, or about another session, is [Unknown].
// Every error is an [*Error].
func (c *Client) GetSession(ctx context.Context, id string) (*SessionStatus, error) {
	if id == "" || id == "." || id == ".." {
		return nil, &Error{Class: NotSent, Err: errors.New("no session id to ask for")}
	}
	return do(ctx, c, http.MethodGet, "/checkout/session/"+url.PathEscape(id), "", func(answer classification) (*SessionStatus, error) {
		s, err := decodeStatus(answer.data, id)
		if err == nil {
			c.secrets.conceal(&s.Status, &s.PaymentStatus, &s.MerchantReferenceID, &s.CustomerID, &s.Currency)
		}
		return s, err
	})
}

// CloseIdle closes the connections that no request is using. One that a request is using may be kept after it.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// String names the client by its base URL; no verb and no logger prints more of it.
func (c Client) String() string { return "clink.Client{" + c.baseURL + "}" }

// GoString is [Client.String].
func (c Client) GoString() string { return c.String() }

// Format prints [Client.String] for every verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is [Client.String].
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// do sends one request and decodes its answer.
func do[T any](ctx context.Context, c *Client, method, path, body string, decode func(classification) (*T, error)) (*T, error) {
	r := c.send(ctx, method, path, body)
	outcome := classify(r)
	if outcome.class == "" {
		answer, err := decode(outcome)
		if err == nil {
			return answer, nil
		}
		outcome.class, outcome.reason, outcome.unreadable = Unknown, err, true
	}
	return nil, c.failure(r, outcome)
}

// failure is the error for a response that is no success, with every text in it redacted.
func (c *Client) failure(r response, outcome classification) *Error {
	failed := &Error{
		Class:   outcome.class,
		Status:  r.status,
		Code:    outcome.code,
		Message: c.secrets.redact(outcome.message),
		Err:     c.secrets.cause(outcome.reason),
	}
	if outcome.unreadable {
		failed.Sample = c.secrets.sample(string(r.body), maxSample)
	}
	if outcome.class == Throttled {
		failed.RetryAfter = retryAfter(r.header.Get("Retry-After"), time.Now())
	}
	return failed
}
