package clink_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"paylinks/clink"
)

// These guard the promise that a POST goes out once, whatever becomes of it: a second one would be a second session.

// serveTCP lets handle have every connection to a loopback address, which it returns.
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

// readPost reads one request whole.
func readPost(from *bufio.Reader) error {
	req, err := http.ReadRequest(from)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}

const created = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + `{"code":200}`

func TestPostIsSentOnceOverHTTP1(t *testing.T) {
	tests := []struct {
		name   string
		answer string // to the first POST on a connection; nothing to the second
		reset  bool
		calls  int
	}{
		{"closed without an answer", "", false, 1},
		{"reset without an answer", "", true, 1},
		{"kept connection closed without an answer", created, false, 2},
		{"kept connection reset without an answer", created, true, 2},
		{"cut off in the header", "HTTP/1.1 200 OK\r\nContent-Le", false, 1},
		{"cut off in the body", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" + `{"code"`, false, 1},
		{"cut off in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n" + `{"code"`, false, 1},
		{"cut off before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n" + `{"code":200}` + "\r\n", false, 1},
		{"no HTTP", "220 mail.example.com ESMTP\r\n", false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var posts atomic.Int32
			addr := serveTCP(t, listen(t), func(conn net.Conn) {
				from := bufio.NewReader(conn)
				for n := 1; readPost(from) == nil; n++ {
					posts.Add(1)
					if n == 1 {
						_, _ = io.WriteString(conn, tt.answer)
					}
					if n == tt.calls {
						break
					}
				}
				if tt.reset {
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
			})
			client := clientOf(t, clink.Config{BaseURL: "http://" + addr})
			for range tt.calls - 1 {
				if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
					t.Fatal(err)
				}
			}
			_, err := client.CreateSession(t.Context(), smallRequest)
			if got := asError(t, err); got.Class != clink.Unknown || got.Err == nil {
				t.Errorf("got %v", got)
			}
			if got := int(posts.Load()); got != tt.calls {
				t.Errorf("%d calls made %d posts", tt.calls, got)
			}
		})
	}
}

// A transport may send again what it knows it has not written at all, given a body it can rewind.
func TestPostIsNotSentAgainOnAnotherConnection(t *testing.T) {
	var posts, dials atomic.Int32
	addr := serveTCP(t, listen(t), func(conn net.Conn) {
		for from := bufio.NewReader(conn); readPost(from) == nil; {
			posts.Add(1)
			_, _ = io.WriteString(conn, created)
		}
	})
	var broken atomic.Bool
	client := clientOf(t, clink.Config{BaseURL: "http://" + addr, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if dials.Add(1) == 1 {
			return &breaking{Conn: conn, broken: &broken}, err
		}
		return conn, err
	}})
	if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	_, err := client.CreateSession(t.Context(), smallRequest)
	if got := asError(t, err); got.Class != clink.Unknown {
		t.Errorf("got %v", got)
	}
	if posts.Load() != 1 || dials.Load() != 1 {
		t.Errorf("%d posts over %d connections", posts.Load(), dials.Load())
	}
}

// breaking is a connection that takes nothing more once it is broken.
type breaking struct {
	net.Conn
	broken *atomic.Bool
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.broken.Load() {
		return 0, errors.New("broken")
	}
	return b.Conn.Write(p)
}

func TestPostIsSentOnceOverHTTP2(t *testing.T) {
	const (
		rstStream, goAway       = 3, 7
		refused, internal, none = 7, 2, 0
	)
	number := func(ns ...uint32) (b []byte) {
		for _, n := range ns {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	tests := []struct {
		name   string
		answer func(stream uint32) []byte
	}{
		{"stream refused", func(stream uint32) []byte { return frame(rstStream, stream, number(refused)) }},
		{"stream reset", func(stream uint32) []byte { return frame(rstStream, stream, number(internal)) }},
		{"connection going away, request not taken", func(uint32) []byte { return frame(goAway, 0, number(0, none)) }},
		{"connection going away for an error", func(uint32) []byte { return frame(goAway, 0, number(0, internal)) }},
		{"connection closed", func(uint32) []byte { return nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var posts atomic.Int32
			cfg := serveHTTP2(t, func(conn net.Conn, stream uint32) {
				posts.Add(1)
				_, _ = conn.Write(tt.answer(stream))
			})
			_, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest)
			if got := asError(t, err); got.Class != clink.Unknown || got.Err == nil {
				t.Errorf("got %v", got)
			}
			if got := posts.Load(); got != 1 {
				t.Errorf("%d posts", got)
			}
		})
	}
}

// frame is an HTTP/2 frame without flags.
func frame(kind byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, 0}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// serveHTTP2 speaks just enough HTTP/2 to have a request come in whole, let answer answer it, and close.
func serveHTTP2(t *testing.T, answer func(conn net.Conn, stream uint32)) clink.Config {
	t.Helper()
	const (
		data, settings = 0, 4
		preface        = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	)
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	listener := tls.NewListener(listen(t), &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
	addr := serveTCP(t, listener, func(conn net.Conn) {
		from := bufio.NewReader(conn)
		if _, err := from.Discard(len(preface)); err != nil {
			return
		}
		_, _ = conn.Write(frame(settings, 0, nil))
		for {
			var head [9]byte
			if _, err := io.ReadFull(from, head[:]); err != nil {
				return
			}
			size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
			if _, err := from.Discard(size); err != nil {
				return
			}
			kind, endOfStream := head[3], head[4]&1 == 1
			if kind == data && endOfStream {
				answer(conn, binary.BigEndian.Uint32(head[5:]))
				return
			}
		}
	})
	roots := certified.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return clink.Config{BaseURL: "https://" + addr, RootCAs: roots}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%d secure %v", status, secure), func(t *testing.T) {
				var requests atomic.Int32
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
				defer elsewhere.Close()
				handler := func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					http.Redirect(w, r, elsewhere.URL, status)
				}
				var client *clink.Client
				if secure {
					client = newSecureClient(t, handler)
				} else {
					client = newClient(t, handler)
				}
				_, err := client.CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Redirected || got.Status != status {
					t.Errorf("got %v", got)
				}
				_, err = client.GetSession(t.Context(), "sess_1")
				if got := asError(t, err); got.Class != clink.Redirected {
					t.Errorf("got %v", got)
				}
				if requests.Load() != 2 {
					t.Errorf("%d requests", requests.Load())
				}
			})
		}
	}
}
