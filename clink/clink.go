// Package clink is the HTTP client for Clink's checkout API: it creates a session and reads one back.
//
// # What is promised
//
// [Client.CreateSession] sends at most one request. Nothing is sent again behind the caller's back and
// no redirect is followed, over HTTP/1.1 and HTTP/2 alike; whether to try again is the caller's decision.
//
// Every error is an [*Error], and its [Class] says what is known afterwards: [NotSent] and the refusals
// mean that Clink made no session, [Unknown] means that it may have made one. In doubt it is [Unknown].
//
// The key goes to the configured host only, over TLS (plain HTTP to loopback only). It is in no error, and
// not shown when a client or its configuration is printed. A checkout's token is never decoded, nor sampled.
//
// What an answer can cost is bounded: its header, its body, and the time of the whole request.
package clink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxAnswer  = 1 << 20  // bytes of a 2xx body; a session is well under 4 KiB
	maxRefusal = 64 << 10 // bytes read of any other body, enough for an envelope
)

// Client talks to one base URL with one key. It is safe for concurrent use.
type Client struct {
	baseURL   string
	headers   *headers
	create    *http.Request // a blank one
	timeout   time.Duration
	secrets   redactor
	transport *http.Transport
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
	c := &Client{
		baseURL:   base.String(),
		headers:   &headers{timeless: cfg.header()},
		timeout:   cfg.Timeout,
		secrets:   newRedactor(cfg.Key),
		transport: newTransport(cfg, base.Scheme == "http"),
	}
	if c.create, err = c.blank(http.MethodPost, "/checkout/session"); err != nil {
		return nil, c.secrets.cause(err)
	}
	return c, nil
}

// CreateSession makes a checkout session. The answer is handed on as it came, but for a text that holds the key:
// that is "[redacted]". Whether it agrees with what was asked is the caller's to check. Every error is an [*Error].
func (c *Client) CreateSession(ctx context.Context, req Request) (*Session, error) {
	body, err := req.Body()
	if err != nil {
		return nil, &Error{Class: NotSent, Err: c.secrets.cause(err)}
	}
	return call(ctx, c, c.create, body, func(data object) (*Session, error) {
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
	blank, err := c.blank(http.MethodGet, "/checkout/session/"+url.PathEscape(id))
	if err != nil {
		return nil, &Error{Class: NotSent, Err: c.secrets.cause(err)}
	}
	return call(ctx, c, blank, "", func(data object) (*SessionStatus, error) {
		s, err := decodeStatus(data, id)
		if err == nil {
			c.secrets.conceal(&s.Status, &s.PaymentStatus, &s.MerchantReferenceID, &s.Currency)
		}
		return s, err
	})
}

// CloseIdle closes the connections that no request is using.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// String names the client by its base URL; no verb and no logger prints more of it.
func (c Client) String() string { return "clink.Client{" + c.baseURL + "}" }

// GoString is [Client.String].
func (c Client) GoString() string { return c.String() }

// Format prints [Client.String] for every verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is [Client.String].
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// call sends one request and decodes the data of its answer.
func call[T any](ctx context.Context, c *Client, blank *http.Request, body string, decode func(object) (*T, error)) (*T, error) {
	e := c.send(ctx, blank, body)
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
func (c *Client) send(ctx context.Context, blank *http.Request, body string) ending {
	own, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// Over HTTP/1 WroteHeaders comes before the headers leave the buffer. Over HTTP/2 it comes after
	// them, but before the body, and the transport sends no body for a request it has given up:
	// either way, without it Clink has no complete request.
	var written atomic.Bool
	own = httptrace.WithClientTrace(own, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})

	// The transport is used without http.Client, so that there is nothing to follow a redirect.
	resp, err := c.transport.RoundTrip(c.filled(own, blank, body))
	if err != nil {
		return ending{err: c.cause(ctx, own, err), written: written.Load()}
	}
	defer func() { _ = resp.Body.Close() }()
	e := ending{written: true, status: resp.StatusCode, header: resp.Header}
	e.body, e.tooLong, err = readBody(resp)
	if err != nil {
		e.err = c.cause(ctx, own, fmt.Errorf("read the answer: %w", err))
	}
	return e
}

// blank is a request without its header and its body. It is never sent itself, so it can be filled in many times.
func (c *Client) blank(method, path string) (*http.Request, error) {
	return http.NewRequest(method, c.baseURL+path, nil)
}

// filled is a request to be sent once, now. It has a body that cannot be read twice (no GetBody) and no
// idempotency header: with either, the transport would send it again by itself after some failures.
func (c *Client) filled(ctx context.Context, blank *http.Request, body string) *http.Request {
	req := blank.WithContext(ctx)
	req.Header = c.headers.at(time.Now())
	if body != "" {
		req.Body = io.NopCloser(strings.NewReader(body))
		req.ContentLength = int64(len(body))
	}
	return req
}

// readBody reads as much of a body as is of use. A 1xx has none: after a 101, reading would wait for ever.
func readBody(resp *http.Response) (body []byte, tooLong bool, err error) {
	if resp.StatusCode < 200 {
		return nil, false, nil
	}
	limit := maxRefusal
	if resp.StatusCode < 300 {
		limit = maxAnswer
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if len(body) > limit {
		return body[:limit], true, nil
	}
	return body, false, err
}

// cause makes err safe to show, and certain to be the context's error when that is what ended the request.
func (c *Client) cause(caller, own context.Context, err error) error {
	err = c.secrets.cause(explain(err))
	if ended := own.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	if own.Err() != nil && caller.Err() == nil {
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
