package clink_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"paylinks/clink"
)

// newSecureClient talks HTTP/2 to a server that h serves.
func newSecureClient(t *testing.T, h http.HandlerFunc) *clink.Client {
	t.Helper()
	server := secureServer(t, h, nil)
	return clientOf(t, secureConfig(server))
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

func TestHTTP2IsUsed(t *testing.T) {
	client := newSecureClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("got %s", r.Proto)
		}
		if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), `"originalAmount":19.90`) {
			t.Errorf("got %s", body)
		}
		answer(200, `{"code":200,"data":{"sessionId":"sess_1"}}`)(w, r)
	})
	got, err := client.CreateSession(t.Context(), smallRequest)
	if err != nil || got.SessionID != "sess_1" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNoConnection(t *testing.T) {
	never := func(http.ResponseWriter, *http.Request) { t.Error("a request came") }
	plain := httptest.NewServer(http.HandlerFunc(never))
	t.Cleanup(plain.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	trusted := secureServer(t, never, nil)
	untrusted := secureConfig(trusted)
	untrusted.RootCAs = nil
	otherName := secureConfig(trusted)
	otherName.BaseURL = strings.Replace(trusted.URL, "127.0.0.1", "localhost", 1)
	otherName.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, trusted.Listener.Addr().String())
	}
	old := secureConfig(secureServer(t, never, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}))
	tests := []struct {
		name   string
		cfg    clink.Config
		advice string
	}{
		{"refused", clink.Config{BaseURL: gone.URL}, ""},
		{"name not known", clink.Config{BaseURL: "https://api.invalid", DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "api.invalid", IsNotFound: true}
		}}, ""},
		{"certificate of an unknown authority", untrusted, "SSL_CERT_FILE"},
		{"certificate for another name", otherName, "SSL_CERT_FILE"},
		{"TLS before 1.2", old, "TLS 1.2 or later"},
		{"no TLS", clink.Config{BaseURL: strings.Replace(plain.URL, "http:", "https:", 1)}, "no TLS at that port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := clientOf(t, tt.cfg)
			_, err := client.CreateSession(t.Context(), smallRequest)
			if got := asError(t, err); got.Class != clink.NotSent || got.Err == nil || got.Status != 0 || !strings.Contains(got.Error(), tt.advice) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAnswerIsBounded(t *testing.T) {
	const mib = 1 << 20
	padded := func(size int) string { // a success of this size
		const head, tail = `{"code":200,"data":{"sessionId":"sess_1"},"x":"`, `"}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for block := []byte(strings.Repeat(" ", 64<<10)); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	withHeader := func(size int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for range size / 1024 {
				w.Header().Add("X-Flood", strings.Repeat("x", 1000))
			}
			answer(200, `{"code":200}`)(w, r)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    clink.Class
	}{
		{"1 MiB", answer(200, padded(mib)), ""},
		{"1 MiB and a byte", answer(200, padded(mib+1)), clink.Unknown},
		{"a success and then 1 MiB of space", answer(200, `{"code":200}`+strings.Repeat(" ", mib)), clink.Unknown},
		{"a success without end", endless, clink.Unknown},
		{"a refusal without end", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			endless(w, r)
		}, clink.Unauthorized},
		{"compressed though not asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			_, _ = io.WriteString(packed, padded(2*mib))
			_ = packed.Close()
		}, clink.Unknown},
		{"header of 32 KiB", withHeader(32 << 10), ""},
		{"header of 128 KiB", withHeader(128 << 10), clink.Unknown},
	}
	for _, tt := range tests {
		for protocol, connect := range map[string]func(*testing.T, http.HandlerFunc) *clink.Client{"HTTP/1.1": newClient, "HTTP/2": newSecureClient} {
			t.Run(tt.name+" over "+protocol, func(t *testing.T) {
				_, err := connect(t, tt.handler).CreateSession(t.Context(), smallRequest)
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if got := asError(t, err); got.Class != tt.want {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// After a 101 the connection is no longer HTTP's, and its body has no end.
func TestSwitchingProtocolsIsNotRead(t *testing.T) {
	stay := make(chan struct{})
	addr := serveTCP(t, listen(t), func(conn net.Conn) {
		readOnly(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		<-stay
	})
	defer close(stay)
	_, err := clientOf(t, clink.Config{BaseURL: "http://" + addr}).CreateSession(t.Context(), smallRequest)
	if got := asError(t, err); got.Class != clink.Unknown || got.Status != 101 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", got)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	const workers = 8
	var conns atomic.Int32
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Done()
		arrived.Wait()
		answer(200, `{"code":200}`)(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := clientOf(t, clink.Config{BaseURL: server.URL, Connections: workers})
	for range 3 {
		arrived.Add(workers)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if got := conns.Load(); got != workers {
		t.Errorf("%d connections for %d workers", got, workers)
	}
}
