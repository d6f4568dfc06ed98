package clink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"paylinks/clink"
)

var errTooLate = errors.New("the time to send is over")

// deadline says when requests may leave, and counts how often it was asked.
type deadline struct {
	over  atomic.Bool
	asked atomic.Int32
}

func (d *deadline) maySend() error {
	d.asked.Add(1)
	if d.over.Load() {
		return errTooLate
	}
	return nil
}

// stoppedBeforeWriting is a context whose request meets the deadline after the call has begun and has a connection, and before a byte
// has left: so does a process that is stopped there and goes on later.
func (d *deadline) stoppedBeforeWriting(ctx context.Context) context.Context {
	pass := func() { d.over.Store(true) }
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: pass})
}

// heard collects what a server reads.
type heard struct {
	mu     sync.Mutex
	bytes  bytes.Buffer
	dialed atomic.Int32
	ended  chan struct{} // a connection, after all of it was read
}

func newHeard() *heard { return &heard{ended: make(chan struct{}, 10)} }

// configure has the client's connections counted.
func (h *heard) configure(cfg clink.Config) clink.Config {
	cfg.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		h.dialed.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return cfg
}

// wait waits until all connections that the client has made have ended.
func (h *heard) wait() {
	for ; h.dialed.Load() > 0; h.dialed.Add(-1) {
		<-h.ended
	}
}

// answerEach reads requests and answers them, as long as they come whole.
func (h *heard) answerEach(conn net.Conn) {
	defer func() { h.ended <- struct{}{} }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		h.mu.Lock()
		h.bytes.Write(buffer[:n])
		whole := strings.HasSuffix(h.bytes.String(), "}") || strings.HasSuffix(h.bytes.String(), "\r\n\r\n")
		h.mu.Unlock()
		if err != nil {
			return
		}
		if whole {
			_, _ = io.WriteString(conn, created)
		}
	}
}

func (h *heard) requests() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Count(h.bytes.String(), "X-Timestamp")
}

var calls = []struct {
	name string
	call func(context.Context, *clink.Client) error
}{
	{"a session", func(ctx context.Context, c *clink.Client) error {
		_, err := c.CreateSession(ctx, smallRequest)
		return err
	}},
	{"a session larger than the buffers", func(ctx context.Context, c *clink.Client) error {
		large := small
		large.CustomerEmail = strings.Repeat("a", 100_000) + "@example.com"
		_, err := c.CreateSession(ctx, large.Prepare())
		return err
	}},
	{"a question", func(ctx context.Context, c *clink.Client) error {
		_, err := c.GetSession(ctx, "sess_1")
		return err
	}},
}

// The deadline holds where the first byte leaves: over a new connection and a kept one, through TLS and a proxy, also of a request
// that fills several buffers.
func TestNothingLeavesAfterTheDeadline(t *testing.T) {
	for _, via := range routes {
		for _, kept := range []bool{false, true} {
			for _, tt := range calls {
				name := via.name + ", new connection, " + tt.name
				if kept {
					name = via.name + ", kept connection, " + tt.name
				}
				t.Run(name, func(t *testing.T) {
					var d deadline
					server := newHeard()
					cfg := server.configure(via.serve(t, server.answerEach))
					cfg.MaySend = d.maySend
					client := clientOf(t, cfg)
					before := 0
					if kept {
						create(t, client)
						before = 1
					}
					err := tt.call(d.stoppedBeforeWriting(t.Context()), client)
					if got := asError(t, err); got.Class != clink.NotSent || !errors.Is(err, errTooLate) {
						t.Errorf("got %v, want not sent", err)
					}
					client.CloseIdle()
					server.wait()
					if got := server.requests(); got != before {
						t.Errorf("the server read something of %d requests, want %d", got, before)
					}
					d.over.Store(false)
					if err := tt.call(t.Context(), client); errors.Is(err, errTooLate) || server.requests() != before+1 {
						t.Errorf("the next request ended with %v, and %d reached the server", err, server.requests())
					}
				})
			}
		}
	}
}

// Why the first byte: who asks before the call lets a request out that leaves after the deadline.
func TestAskingBeforeTheCallIsTooEarly(t *testing.T) {
	var d deadline
	server := newHeard()
	client := clientOf(t, server.configure(routes[0].serve(t, server.answerEach)))
	if err := d.maySend(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateSession(d.stoppedBeforeWriting(t.Context()), smallRequest); err != nil {
		t.Fatal(err)
	}
	if d.maySend() == nil || server.requests() != 1 {
		t.Errorf("%d requests reached the server, want the one that left after the deadline", server.requests())
	}
}

// A request is asked about once, however many buffers it fills; a handshake and a proxy's CONNECT are no requests.
func TestEachRequestIsAskedAboutOnce(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var d deadline
			server := newHeard()
			cfg := server.configure(via.serve(t, server.answerEach))
			cfg.MaySend = d.maySend
			client := clientOf(t, cfg)
			for n := range 3 {
				if err := calls[1].call(t.Context(), client); err != nil {
					t.Fatal(err)
				}
				if got := d.asked.Load(); int(got) != n+1 {
					t.Errorf("asked %d times for %d requests", got, n+1)
				}
			}
		})
	}
}

// Many requests share connections while the deadline comes and goes: each reaches the server or is not sent, and none is in doubt.
func TestNoRequestIsInDoubtByTheDeadline(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var d deadline
			var n, made, notSent atomic.Int32
			var posts atomic.Int32
			cfg := via.serve(t, countingServer(&posts, func(net.Conn, int32) bool { return true }))
			cfg.MaySend = func() error {
				d.over.Store(n.Add(1)%3 == 0)
				return d.maySend()
			}
			cfg.Connections = 4
			client := clientOf(t, cfg)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range 20 {
						_, err := client.CreateSession(t.Context(), smallRequest)
						switch {
						case err == nil:
							made.Add(1)
						case errors.Is(err, errTooLate):
							notSent.Add(1)
						default:
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if made.Load() != posts.Load() || made.Load()+notSent.Load() != 160 || notSent.Load() == 0 {
				t.Errorf("%d made and %d not sent of 160, and the server read %d", made.Load(), notSent.Load(), posts.Load())
			}
		})
	}
}
