package clink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxHeader  = 64 << 10 // bytes of an answer's header, together with any 1xx answers before it
	maxAnswer  = 1 << 20  // bytes of a 2xx body; a session is well under 4 KiB
	maxRefusal = 64 << 10 // bytes read of any other body, enough for an envelope

	// Gateways drop a connection that has been idle for 60 s or more. We drop it earlier, because a request that is
	// written to a dropped connection is in doubt.
	idleTimeout = 30 * time.Second
)

// newTransport returns a transport for base, through the environment's proxy where there is one; proxy is that one's host and
// port. The error does not repeat the proxy's address: there may be a password in it.
func newTransport(cfg Config, base *url.URL) (transport *http.Transport, proxy string, err error) {
	find := cfg.Proxy
	if find == nil {
		find = http.ProxyFromEnvironment
	}
	through, err := find(&http.Request{URL: base})
	switch {
	case err != nil, through != nil && strings.HasSuffix(through.Host, ":"): // net/http reads http://[::1 as a host named "http:"
		return nil, "", errors.New("the proxy's address is not a URL (HTTPS_PROXY)")
	case through != nil:
		proxy = through.Host
	}
	dial := cfg.DialContext
	if dial == nil {
		dialer := &net.Dialer{}
		if base.Scheme == "http" {
			dialer.Control = loopbackOnly
		}
		dial = dialer.DialContext
	}
	// net/http lets a connection attempt outlive its request, to serve a later one. This bound is longer than a request may
	// take, so a request always ends by its own timeout.
	connecting := 2 * cfg.Timeout
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyURL(through),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connecting)
			defer cancel()
			conn, err := dial(ctx, network, address)
			if err != nil || cfg.MaySend == nil {
				return conn, err
			}
			return &guardedConn{Conn: conn}, nil
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, NextProtos: []string{"http/1.1"}},
		TLSHandshakeTimeout:    connecting,
		Protocols:              &http1,
		MaxIdleConns:           cfg.Connections,
		MaxIdleConnsPerHost:    cfg.Connections,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // so that the bounds on a body are bounds on what it unpacks to
		MaxResponseHeaderBytes: maxHeader,
	}, proxy, nil
}

// loopbackOnly guards plain HTTP against a name, such as localhost, that resolves to another machine.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Unmap().IsLoopback() {
		return errors.New("the host name leads to another machine, where plain http is not allowed")
	}
	return nil
}

// send does one request, from connecting to the last byte of the answer, within the client's timeout. path is escaped and is
// appended to the base URL.
func (c *Client) send(caller context.Context, method, path, body string) response {
	ctx, cancel := context.WithTimeout(caller, c.timeout)
	defer cancel()
	r := c.roundTrip(ctx, method, path, body)
	if r.err != nil && r.status != 0 {
		r.err = fmt.Errorf("read the answer: %w", r.err)
	}
	if r.err != nil {
		r.err = c.cause(caller, ctx, r.err)
	}
	return r
}

func (c *Client) roundTrip(ctx context.Context, method, path, body string) response {
	var written atomic.Bool // WroteHeaders is called before the headers leave the buffer
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	var allowed *permission
	if c.maySend != nil {
		allowed = &permission{ask: c.maySend}
		trace.GotConn = func(info httptrace.GotConnInfo) { allowed.guard(info.Conn) }
	}
	ctx = httptrace.WithClientTrace(ctx, trace)
	req, err := http.NewRequestWithContext(ctx, method, c.baseURL+path, nil)
	if err != nil {
		return response{err: err}
	}
	req.Header = maps.Clone(c.header)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	// net/http sends a request again by itself after some failures if it has no body, or one that can be read twice (GetBody),
	// or an idempotency header. So each has a body without GetBody; an empty one adds nothing to a GET on the wire.
	req.Body = io.NopCloser(strings.NewReader(body))
	req.ContentLength = int64(len(body))

	resp, err := c.transport.RoundTrip(req) // unlike an http.Client, it follows no redirect
	if refused := allowed.reason(); refused != nil {
		if err == nil { // a stray answer: nobody was asked
			_ = resp.Body.Close()
		}
		return response{err: refused}
	}
	if err != nil {
		if c.proxy != "" && !written.Load() { // else a proxy's refusal would read as a bare "Forbidden"
			err = fmt.Errorf("through the proxy %s: %w", c.proxy, err)
		}
		return response{err: err, written: written.Load()}
	}
	defer func() { _ = resp.Body.Close() }() // of a body that is not read to its end this closes the connection
	return read(resp)
}

// read reads as much of an answer's body as is of use. A 1xx has no body: after a 101, reading would wait for ever.
func read(resp *http.Response) response {
	r := response{written: true, status: resp.StatusCode, header: resp.Header}
	if r.status < 200 {
		return r
	}
	limit := maxRefusal
	if r.status < 300 {
		limit = maxAnswer
	}
	r.body, r.err = io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if len(r.body) > limit {
		r.body, r.tooLong, r.err = r.body[:limit], true, nil
	}
	return r
}

// cause makes err safe to show. It wraps the context's error when a context has ended the request: the caller's, or ours by
// the timeout.
func (c *Client) cause(caller, ours context.Context, err error) error {
	err = c.secrets.cause(explain(err))
	ended := caller.Err()
	late := ended == nil && ours.Err() != nil
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

// explain adds to a TLS failure what its reader can do.
func explain(err error) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	network, ok := errors.AsType[*net.OpError](err)
	switch refused := ok && network.Op == "remote error"; {
	case untrusted:
		return fmt.Errorf("%w (what answers there has not proved to be the host of the base URL: check that URL, this "+
			"machine's clock, a proxy in between, and the certificate authorities, SSL_CERT_FILE)", err)
	case noTLS:
		return fmt.Errorf("%w (there is no TLS at that port: check the base URL)", err)
	case refused:
		return fmt.Errorf("%w (the server must speak TLS 1.2 or later and HTTP/1.1, and ask for no client certificate)", err)
	}
	return err
}
