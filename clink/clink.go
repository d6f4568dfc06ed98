// Package clink is the HTTP client for Clink's checkout API: it creates a session and reads one back.
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
// What an answer can cost is bounded: its header, its body, and the time of the whole request.
//
// # Connections
//
// Requests go over HTTP/1.1 and connections that are kept. Each carries one request at a time, so that one that breaks leaves one
// request in doubt; an HTTP/2 connection would leave all that are in flight. Where the environment names a proxy (HTTPS_PROXY,
// NO_PROXY) net/http goes through it; else the client has its connections itself.
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
	baseURL string
	timeout time.Duration
	secrets redactor
	carrier carrier
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
	carrier, err := newCarrier(cfg, base)
	if err != nil {
		return nil, err
	}
	return &Client{
		baseURL: base.String(),
		timeout: cfg.Timeout,
		secrets: newRedactor(cfg.Key),
		carrier: carrier,
	}, nil
}

// CreateSession makes a checkout session. The answer is handed on as it came, but for a text that holds the key:
// that is "[redacted]". Whether it agrees with what was asked is the caller's to check. Every error is an [*Error].
func (c *Client) CreateSession(ctx context.Context, req Request) (*Session, error) {
	body, err := req.Body()
	if err != nil {
		return nil, &Error{Class: NotSent, Err: c.secrets.cause(err)}
	}
	return call(ctx, c, outgoing{http.MethodPost, "/checkout/session", body}, func(data object) (*Session, error) {
		s, err := decodeSession(data)
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
	return call(ctx, c, outgoing{http.MethodGet, "/checkout/session/" + url.PathEscape(id), ""}, func(data object) (*SessionStatus, error) {
		s, err := decodeStatus(data, id)
		if err == nil {
			c.secrets.conceal(&s.Status, &s.PaymentStatus, &s.MerchantReferenceID, &s.Currency)
		}
		return s, err
	})
}

// CloseIdle closes the connections that no request is using. One that a request is using may be kept after it.
func (c *Client) CloseIdle() { c.carrier.closeIdle() }

// String names the client by its base URL; no verb and no logger prints more of it.
func (c Client) String() string { return "clink.Client{" + c.baseURL + "}" }

// GoString is [Client.String].
func (c Client) GoString() string { return c.String() }

// Format prints [Client.String] for every verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is [Client.String].
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// call sends one request and decodes the data of its answer.
func call[T any](ctx context.Context, c *Client, o outgoing, decode func(object) (*T, error)) (*T, error) {
	e := c.send(ctx, o)
	v := classify(e)
	if v.class == "" {
		answer, err := decode(v.data)
		if err == nil {
			return answer, nil
		}
		v = verdict{class: Unknown, reason: err, code: v.code, message: v.message, unreadable: true}
	}
	return nil, c.failure(e, v)
}

// send does one request, whole: from connecting to the last byte of the answer.
func (c *Client) send(ctx context.Context, o outgoing) ending {
	deadline := time.Now().Add(c.timeout)
	e := c.carrier.carry(ctx, o, deadline)
	if e.err != nil && e.status != 0 {
		e.err = fmt.Errorf("read the answer: %w", e.err)
	}
	if e.err != nil {
		e.err = c.cause(ctx, deadline, e.err)
	}
	return e
}

// cause makes err safe to show, and certain to be the context's error when that is what ended the request.
func (c *Client) cause(caller context.Context, deadline time.Time, err error) error {
	err = c.secrets.cause(explain(err))
	ended := caller.Err()
	late := ended == nil && !time.Now().Before(deadline)
	if late {
		ended = context.DeadlineExceeded
	}
	if ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	if late {
		err = fmt.Errorf("not done within %v: %w", c.timeout, err)
	}
	return err
}

// failure is the error for an end that is no success, with every text in it redacted.
func (c *Client) failure(e ending, v verdict) *Error {
	failed := &Error{
		Class:   v.class,
		Status:  e.status,
		Code:    v.code,
		Message: c.secrets.redact(v.message),
		Err:     c.secrets.cause(v.reason),
	}
	if v.unreadable {
		failed.Sample = c.secrets.sample(string(e.body), maxSample)
	}
	if v.class == Throttled {
		failed.RetryAfter = retryAfter(e.header.Get("Retry-After"), time.Now())
	}
	return failed
}
