package clink_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"paylinks/clink"
)

// route is how a client gets to a server. The promises hold on each.
type route struct {
	name            string
	secure, proxied bool
}

var routes = []route{{name: "plain HTTP"}, {name: "TLS", secure: true}, {name: "TLS through a proxy", secure: true, proxied: true}}

// client talks to a server that h serves, which offers HTTP/2 where there is TLS.
func (via route) client(t *testing.T, h http.HandlerFunc) *clink.Client {
	t.Helper()
	if !via.secure {
		return newClient(t, h)
	}
	cfg := secureConfig(secureServer(t, h, nil))
	if via.proxied {
		cfg.Proxy = proxy(t, connectThrough)
	}
	return clientOf(t, cfg)
}

// serve has handle serve every connection, and returns the configuration of a client that makes them.
func (via route) serve(t *testing.T, handle func(net.Conn)) (cfg clink.Config) {
	t.Helper()
	listener := listen(t)
	cfg.BaseURL = "http://" + listener.Addr().String()
	secured := func(raw net.Conn) net.Conn { return raw }
	if via.secure {
		certified := httptest.NewTLSServer(nil) // for its certificate
		certified.Close()
		secured = func(raw net.Conn) net.Conn {
			return tls.Server(raw, &tls.Config{Certificates: certified.TLS.Certificates})
		}
		cfg.BaseURL = "https://" + listener.Addr().String()
		cfg.RootCAs = certified.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	}
	if via.proxied {
		cfg.Proxy = proxy(t, connectThrough)
	}
	serveTCP(t, listener, func(conn net.Conn) { handle(secured(conn)) })
	return cfg
}

// below is the TCP connection under one that serve has made.
func below(conn net.Conn) *net.TCPConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*net.TCPConn)
}

func secureServer(t *testing.T, h http.HandlerFunc, settings *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.TLS = settings
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func secureConfig(server *httptest.Server) clink.Config {
	return clink.Config{BaseURL: server.URL, RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
}

// proxy starts a proxy that h serves, and returns it as a client's configuration names it.
func proxy(t *testing.T, h http.HandlerFunc) func(*http.Request) (*url.URL, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	return func(*http.Request) (*url.URL, error) { return address, err }
}

// connectThrough is what a proxy does for a client that speaks TLS.
func connectThrough(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(rw, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	server, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, buffered)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

// serveTCP has handle serve every connection to the listener, and returns its address.
func serveTCP(t *testing.T, listener net.Listener, handle func(net.Conn)) string {
	t.Helper()
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}
