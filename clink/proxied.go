package clink

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// proxied goes through a proxy, of any kind that net/http knows.
type proxied struct {
	transport *http.Transport
	through   string // the proxy's host and port
	baseURL   string
	header    http.Header // of every request, but for its time
}

func newProxied(cfg Config, base *url.URL, through *url.URL, dial dialFunc, settings *tls.Config) *proxied {
	// A connection in the making may outlive the request that wanted it, and serve another. It has
	// longer than a request, so that a request always ends by its own time.
	connecting := 2 * cfg.Timeout
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &proxied{through: through.Host, baseURL: base.String(), header: cfg.header(), transport: &http.Transport{
		Proxy: http.ProxyURL(through),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connecting)
			defer cancel()
			return dial(ctx, network, address)
		},
		TLSClientConfig:        settings,
		TLSHandshakeTimeout:    connecting,
		Protocols:              &http1,
		MaxIdleConns:           cfg.Connections,
		MaxIdleConnsPerHost:    cfg.Connections,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // so that the bounds on a body are bounds on what it unpacks to
		MaxResponseHeaderBytes: maxHeader,
	}}
}

func (p *proxied) carry(ctx context.Context, o outgoing, deadline time.Time) ending {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	var written atomic.Bool // WroteHeaders comes before the headers leave the buffer
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, o.method, p.baseURL+o.path, nil)
	if err != nil {
		return ending{err: err}
	}
	req.Header = p.header.Clone()
	req.Header.Set("X-Timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	if o.body != "" {
		// A body that cannot be read twice (no GetBody) and no idempotency header: with either, the transport would send the
		// request again by itself after some failures.
		req.Body = io.NopCloser(strings.NewReader(o.body))
		req.ContentLength = int64(len(o.body))
	}
	// The transport is used without http.Client, so that there is nothing to follow a redirect.
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		if !written.Load() { // else a refusal would be the proxy's bare "Forbidden"
			err = fmt.Errorf("through the proxy %s: %w", p.through, err)
		}
		return ending{err: err, written: written.Load()}
	}
	defer func() { _ = resp.Body.Close() }()
	e, _ := answered(resp)
	return e
}

func (p *proxied) closeIdle() { p.transport.CloseIdleConnections() }
