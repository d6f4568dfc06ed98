package clink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	maxHeader = 64 << 10 // bytes of an answer's header

	// Gateways drop a connection that has been idle for 60 s or more; one that we drop first is
	// never found dead by a request, which would then be unknown.
	idleTimeout = 30 * time.Second

	// One HTTP/2 connection carries everything. When it has been silent this long it is pinged, and
	// given up when the ping has no answer, so that a dead one does not eat the timeout of every request.
	pingAfter = 10 * time.Second
)

func newTransport(cfg Config, plain bool) *http.Transport {
	// A connection in the making may outlive the request that wanted it, and serve another. It has
	// longer than a request, so that a request always ends by its own time.
	connecting := 2 * cfg.Timeout
	dial := cfg.DialContext
	if dial == nil {
		dialer := &net.Dialer{Timeout: connecting}
		if plain {
			dialer.Control = loopbackOnly
		}
		dial = dialer.DialContext
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		TLSHandshakeTimeout:    connecting,
		ForceAttemptHTTP2:      true, // a transport with a dialer or TLS settings of its own does not, by default
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter},
		MaxIdleConns:           cfg.Connections,
		MaxIdleConnsPerHost:    cfg.Connections,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // so that the bounds on a body are bounds on what it unpacks to
		MaxResponseHeaderBytes: maxHeader,
	}
}

// loopbackOnly guards plain HTTP against a name, such as localhost, that resolves to another machine.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Unmap().IsLoopback() {
		return errors.New("the host name leads to another machine, where plain http is not allowed")
	}
	return nil
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
		return fmt.Errorf("%w (the server must speak TLS 1.2 or later, and ask for no client certificate)", err)
	}
	return err
}
