package clink_test

import (
	"bufio"
	"context"
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

func TestPostIsSentOnce(t *testing.T) {
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
		for _, via := range routes {
			t.Run(tt.name+" over "+via.name, func(t *testing.T) {
				var posts atomic.Int32
				cfg := via.serve(t, func(conn net.Conn) {
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
						_ = below(conn).SetLinger(0)
						_ = below(conn).Close()
					}
				})
				client := clientOf(t, cfg)
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
}

// net/http would send a GET again by itself when its kept connection ends without an answer.
func TestGetIsSentOnce(t *testing.T) {
	const open = `{"code":200,"data":{"status":"open"}}`
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var requests atomic.Int32
			client := clientOf(t, via.serve(t, func(conn net.Conn) {
				for from := bufio.NewReader(conn); readPost(from) == nil && requests.Add(1)%2 == 1; {
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(open), open)
				}
			}))
			if _, err := client.GetSession(t.Context(), "sess_1"); err != nil {
				t.Fatal(err)
			}
			_, err := client.GetSession(t.Context(), "sess_1")
			if got := asError(t, err); got.Class != clink.Unknown || requests.Load() != 2 {
				t.Errorf("%d requests, got %v", requests.Load(), got)
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

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, via := range routes {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprintf("%d over %s", status, via.name), func(t *testing.T) {
				var requests atomic.Int32
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
				defer elsewhere.Close()
				client := via.client(t, func(rw http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					http.Redirect(rw, r, elsewhere.URL, status)
				})
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
