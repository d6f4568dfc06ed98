package clink_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"paylinks/clink"
)

// A connection that breaks must leave one request in doubt, not all that are in flight.
func TestHTTP1IsUsed(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			client := via.client(t, func(rw http.ResponseWriter, r *http.Request) {
				if r.Proto != "HTTP/1.1" {
					t.Errorf("got %s", r.Proto)
				}
				if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), `"originalAmount":19.90`) {
					t.Errorf("got %s", body)
				}
				answer(200, `{"code":200,"data":{"sessionId":"sess_1"}}`)(rw, r)
			})
			got, err := client.CreateSession(t.Context(), smallRequest)
			if err != nil || got.SessionID != "sess_1" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// The proxy reads what is asked of it: the key is in none of that.
func TestProxyIsUsed(t *testing.T) {
	server := secureServer(t, answer(200, `{"code":200}`), nil)
	asked := make(chan string, 1)
	cfg := secureConfig(server)
	cfg.Proxy = proxy(t, func(rw http.ResponseWriter, r *http.Request) {
		asked <- fmt.Sprint(r.Method, r.RequestURI, r.Header)
		connectThrough(rw, r)
	})
	if _, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-asked:
		if !strings.HasPrefix(got, "CONNECT"+server.Listener.Addr().String()) || strings.Contains(got, testKey) {
			t.Errorf("asked for %s", got)
		}
	default:
		t.Error("the proxy was not asked")
	}
}

// A proxy's address may have a password in it.
func TestProxyAddressThatIsNone(t *testing.T) {
	for name, proxy := range map[string]func(*http.Request) (*url.URL, error){
		"not read": func(*http.Request) (*url.URL, error) {
			return nil, errors.New("invalid proxy address: http://ada:secret@proxy")
		},
		"read as something else": func(*http.Request) (*url.URL, error) { return url.Parse("http://http://ada:secret@[::1") },
	} {
		_, err := clink.New(clink.Config{BaseURL: "https://api.example.com", Key: testKey, Proxy: proxy})
		if err == nil || !strings.Contains(err.Error(), "HTTPS_PROXY") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", name, err)
		}
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
	barred := secureConfig(trusted)
	barred.Proxy = proxy(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
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
		{"no HTTP/1.1", secureConfig(secureServer(t, never, &tls.Config{NextProtos: []string{"spdy/3"}})), "and HTTP/1.1"},
		{"refused by a proxy", barred, "through the proxy 127.0.0.1:"},
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
		for _, via := range routes {
			t.Run(tt.name+" over "+via.name, func(t *testing.T) {
				_, err := via.client(t, tt.handler).CreateSession(t.Context(), smallRequest)
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
