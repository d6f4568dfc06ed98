package clink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	maxHeader  = 64 << 10 // bytes of an answer's header, with that of every 1xx before it
	maxAnswer  = 1 << 20  // bytes of a 2xx body; a session is well under 4 KiB
	maxRefusal = 64 << 10 // bytes read of any other body, enough for an envelope

	// Gateways drop a connection that has been idle for 60 s or more; one that we drop first is
	// never found dead by a request, which would then be unknown.
	idleTimeout = 30 * time.Second
)

// carrier takes requests to Clink and brings their answers back.
type carrier interface {
	// carry does one request, whole: from connecting to the last byte of the answer. It sends it at most once, and follows no
	// redirect. The ending's err is the context's where that has ended the request, and context.DeadlineExceeded at the deadline.
	carry(ctx context.Context, o outgoing, deadline time.Time) ending
	closeIdle()
}

// outgoing is a request on its way, but for the header, which says the same of each.
type outgoing struct {
	method string
	path   string // escaped; it goes on from the base URL
	body   string // without one there is no Content-Length
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// newCarrier has a proxy of the environment's in between where there is one for base. Its error does not repeat that proxy's
// address: there may be a password in it.
func newCarrier(cfg Config, base *url.URL) (carrier, error) {
	dial := cfg.DialContext
	if dial == nil {
		dialer := &net.Dialer{}
		if base.Scheme == "http" {
			dialer.Control = loopbackOnly
		}
		dial = dialer.DialContext
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, NextProtos: []string{"http/1.1"}}
	proxy := cfg.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	through, err := proxy(&http.Request{URL: base})
	switch {
	case err != nil, through != nil && strings.HasSuffix(through.Host, ":"): // net/http reads http://[::1 as a host named "http:"
		return nil, errors.New("the proxy's address is not a URL (HTTPS_PROXY)")
	case through != nil:
		return newProxied(cfg, base, through, dial, settings), nil
	}
	return newDirect(cfg, base, dial, settings), nil
}

// loopbackOnly guards plain HTTP against a name, such as localhost, that resolves to another machine.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Unmap().IsLoopback() {
		return errors.New("the host name leads to another machine, where plain http is not allowed")
	}
	return nil
}

// answered is the ending of a request that resp answers: it reads as much of the body as is of use. whole says that there is no
// more of it. A 1xx has none: after a 101, reading would wait for ever.
func answered(resp *http.Response) (e ending, whole bool) {
	e = ending{written: true, status: resp.StatusCode, header: resp.Header}
	if e.status < 200 {
		return e, false
	}
	limit := maxRefusal
	if e.status < 300 {
		limit = maxAnswer
	}
	var err error
	e.body, err = io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if len(e.body) > limit {
		e.body, e.tooLong = e.body[:limit], true
		return e, false
	}
	e.err = err
	return e, err == nil
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
