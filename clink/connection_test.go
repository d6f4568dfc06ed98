package clink_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paylinks/clink"
)

// directly are the ways on which the client has its connections itself.
var directly = ways[:2]

// made is an answer with a session, of HTTP/1.1 unless header says more.
func made(id, header string) string {
	body := fmt.Sprintf(`{"code":200,"data":{"sessionId":%q}}`, id)
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
}

// create makes a session and returns its id.
func create(t *testing.T, client *clink.Client) string {
	t.Helper()
	session, err := client.CreateSession(t.Context(), smallRequest)
	if err != nil {
		t.Fatal(err)
	}
	return session.SessionID
}

func TestConnectionsAreKept(t *testing.T) {
	const workers = 8
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var conns atomic.Int32
			var arrived sync.WaitGroup
			cfg := w.serve(t, func(conn net.Conn) {
				conns.Add(1)
				for from := bufio.NewReader(conn); readPost(from) == nil; {
					arrived.Done()
					arrived.Wait()
					_, _ = io.WriteString(conn, created)
				}
			})
			cfg.Connections = workers
			client := clientOf(t, cfg)
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
		})
	}
}

// No more connections are kept than there are meant to be, nor longer than gateways keep them.
func TestKeptConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made, open atomic.Int32
		var arrived sync.WaitGroup
		client := clientOf(t, clink.Config{BaseURL: "http://127.0.0.1", Connections: 2, DialContext: pipes(t, func(conn net.Conn) {
			made.Add(1)
			open.Add(1)
			for from := bufio.NewReader(conn); readPost(from) == nil; {
				arrived.Done()
				arrived.Wait()
				_, _ = io.WriteString(conn, created)
			}
			open.Add(-1)
		})})
		turn := func(n int, wantMade, wantOpen int32) {
			t.Helper()
			arrived.Add(n)
			for range n {
				go func() { _, _ = client.CreateSession(t.Context(), smallRequest) }()
			}
			synctest.Wait()
			if made.Load() != wantMade || open.Load() != wantOpen {
				t.Errorf("%d connections made and %d open, want %d and %d", made.Load(), open.Load(), wantMade, wantOpen)
			}
		}
		turn(3, 3, 2)
		turn(2, 3, 2)
		<-time.After(29 * time.Second)
		turn(1, 3, 2)
		<-time.After(29 * time.Second)
		turn(1, 3, 1) // the other has been idle for longer than 30 s
		<-time.After(31 * time.Second)
		turn(1, 4, 1)
		client.CloseIdle()
		synctest.Wait()
		if open.Load() != 0 {
			t.Errorf("%d open", open.Load())
		}
	})
}

// A server may drop a kept connection whenever it likes. A request that finds that out before it is written is not in doubt.
func TestDroppedConnectionIsNotWrittenTo(t *testing.T) {
	for _, w := range directly {
		t.Run(w.name, func(t *testing.T) {
			var conns atomic.Int32
			dropped := make(chan struct{})
			client := clientOf(t, w.serve(t, func(conn net.Conn) {
				if readPost(bufio.NewReader(conn)) == nil {
					_, _ = io.WriteString(conn, made(fmt.Sprint("sess_", conns.Add(1)), ""))
				}
				_ = conn.Close()
				dropped <- struct{}{}
			}))
			for n := range 5 {
				if id := create(t, client); id != fmt.Sprint("sess_", n+1) {
					t.Errorf("call %d: got %s", n+1, id)
				}
				<-dropped
			}
		})
	}
}

// What comes over a connection though nobody has asked is not the answer to the next request.
func TestAnswerNobodyAskedFor(t *testing.T) {
	tests := []struct {
		name   string
		answer func(conn net.Conn, taken <-chan struct{})
	}{
		{"with the answer", func(conn net.Conn, _ <-chan struct{}) {
			_, _ = io.WriteString(conn, made("sess_1", "")+made("sess_wrong", ""))
		}},
		{"in a record of its own, with the answer", func(conn net.Conn, _ <-chan struct{}) {
			below(conn).hold()
			_, _ = io.WriteString(conn, made("sess_1", ""))
			_, _ = io.WriteString(conn, made("sess_wrong", ""))
			below(conn).release()
		}},
		{"later", func(conn net.Conn, taken <-chan struct{}) {
			_, _ = io.WriteString(conn, made("sess_1", ""))
			<-taken
			_, _ = io.WriteString(conn, made("sess_wrong", ""))
		}},
	}
	for _, tt := range tests {
		for _, w := range directly {
			t.Run(tt.name+" over "+w.name, func(t *testing.T) {
				var conns atomic.Int32
				taken, sent := make(chan struct{}), make(chan struct{})
				cfg := w.serve(t, func(conn net.Conn) {
					from := bufio.NewReader(conn)
					if readPost(from) != nil {
						return
					}
					if conns.Add(1) > 1 {
						_, _ = io.WriteString(conn, made("sess_2", ""))
						return
					}
					tt.answer(conn, taken)
					close(sent)
					if readPost(from) == nil {
						t.Error("the connection was used again")
					}
				})
				client := clientOf(t, cfg)
				first := create(t, client)
				close(taken)
				<-sent
				if second := create(t, client); first != "sess_1" || second != "sess_2" {
					t.Errorf("got %s and %s", first, second)
				}
			})
		}
	}
}

// An answer that comes too late for its request is not the next one's.
func TestConnectionOfAnInterruptedRequest(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var conns atomic.Int32
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan struct{})
			client := clientOf(t, w.serve(t, func(conn net.Conn) {
				n := conns.Add(1)
				for from := bufio.NewReader(conn); readPost(from) == nil; {
					if n == 1 {
						cancel()
						<-over
					}
					_, _ = io.WriteString(conn, made(fmt.Sprint("sess_", n), ""))
				}
			}))
			_, err := client.CreateSession(ctx, smallRequest)
			if got := asError(t, err); got.Class != clink.Unknown || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", got)
			}
			close(over)
			_, err = client.CreateSession(ctx, smallRequest)
			if got := asError(t, err); got.Class != clink.NotSent || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", got)
			}
			if id := create(t, client); id != "sess_2" {
				t.Errorf("got %s", id)
			}
		})
	}
}

// After these answers the connection carries no other request.
func TestConnectionThatEndsWithItsAnswer(t *testing.T) {
	const body = `{"code":200,"data":{"sessionId":"sess_1"}}`
	for name, answer := range map[string]string{
		"said to be the last": made("sess_1", "Connection: close\r\n"),
		"HTTP/1.0":            strings.Replace(made("sess_1", ""), "HTTP/1.1", "HTTP/1.0", 1),
		"without a length":    "HTTP/1.1 200 OK\r\n\r\n" + body,
	} {
		for _, w := range ways {
			t.Run(name+" over "+w.name, func(t *testing.T) {
				var conns atomic.Int32
				client := clientOf(t, w.serve(t, func(conn net.Conn) {
					conns.Add(1)
					from := bufio.NewReader(conn)
					if readPost(from) != nil {
						return
					}
					_, _ = io.WriteString(conn, answer)
					if !strings.Contains(answer, "Length") {
						return
					}
					if readPost(from) == nil {
						t.Error("the connection was used again")
					}
				}))
				for range 2 {
					create(t, client)
				}
				if conns.Load() != 2 {
					t.Errorf("%d connections", conns.Load())
				}
			})
		}
	}
}

// What is left of an answer that is too long is not the next one.
func TestConnectionOfAnAnswerTooLong(t *testing.T) {
	const enough = 64<<10 + 1 // to know that it is too long
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			client := clientOf(t, w.serve(t, func(conn net.Conn) {
				from := bufio.NewReader(conn)
				for n := 0; readPost(from) == nil; n++ {
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 200000\r\n\r\n%s", strings.Repeat("x", enough))
					if n > 0 {
						t.Error("the connection was used again")
					}
				}
			}))
			for range 3 {
				_, err := client.CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Unauthorized {
					t.Errorf("got %v", got)
				}
			}
		})
	}
}

// A refusal is an answer like any other: its connection is kept.
func TestConnectionOfARefusalIsKept(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var addresses sync.Map
			client := w.client(t, func(rw http.ResponseWriter, r *http.Request) {
				addresses.Store(r.RemoteAddr, true)
				answer(400, `{"code":400,"msg":"no"}`)(rw, r)
			})
			for range 3 {
				_, err := client.CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Rejected {
					t.Errorf("got %v", got)
				}
			}
			n := 0
			addresses.Range(func(_, _ any) bool { n++; return true })
			if n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// Who refuses a connection may say so before any request comes, and then leave it open.
func TestServerThatSpeaksFirst(t *testing.T) {
	for _, w := range directly {
		t.Run(w.name, func(t *testing.T) {
			said := make(chan struct{}, 1)
			cfg := w.serve(t, func(conn net.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				said <- struct{}{}
				_, _ = io.Copy(io.Discard, conn)
			})
			if !w.secure { // there it says so in the handshake at the earliest
				cfg.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					<-said
					return conn, err
				}
			}
			for range 20 {
				_, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Throttled {
					t.Fatalf("got %v", got)
				}
				if w.secure {
					<-said
				}
			}
		})
	}
}

// It is no interim answer, after which another one would be waited for.
func TestStatusThatIsNone(t *testing.T) {
	for _, w := range ways {
		for _, status := range []int{0, 99} {
			t.Run(fmt.Sprintf("%03d over %s", status, w.name), func(t *testing.T) {
				client := clientOf(t, w.serve(t, func(conn net.Conn) {
					from := bufio.NewReader(conn)
					if readPost(from) == nil {
						_, _ = fmt.Fprintf(conn, "HTTP/1.1 %03d Odd\r\nContent-Length: 0\r\n\r\n", status)
						_ = readPost(from)
					}
				}))
				_, err := client.CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Unknown || got.Status != status || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

func TestInterimAnswersArePassedOver(t *testing.T) {
	const hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
	for _, w := range ways {
		for _, hints := range []int{1, 3, 10_000} {
			t.Run(fmt.Sprintf("%d over %s", hints, w.name), func(t *testing.T) {
				client := clientOf(t, w.serve(t, func(conn net.Conn) {
					for from := bufio.NewReader(conn); readPost(from) == nil; {
						_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"+strings.Repeat(hint, hints)+made("sess_1", ""))
					}
				}))
				if hints < 10_000 {
					create(t, client)
					create(t, client)
					return
				}
				_, err := client.CreateSession(t.Context(), smallRequest)
				if got := asError(t, err); got.Class != clink.Unknown {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// After a 101 the connection is no longer HTTP's, and its body has no end.
func TestSwitchingProtocolsIsNotRead(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			stay := make(chan struct{})
			cfg := w.serve(t, func(conn net.Conn) {
				readOnly(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
				<-stay
			})
			defer close(stay)
			_, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest)
			if got := asError(t, err); got.Class != clink.Unknown || got.Status != 101 || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Some of a request that broke off while it was written may be with the server: the rest of it may be as well.
func TestRequestThatBreaksOff(t *testing.T) {
	large := small
	large.PriceData = []clink.PriceData{{Name: strings.Repeat("x", 8<<20), UnitAmount: "19.90"}}
	for name, breakOff := range map[string]func(*socket){
		"reset":    func(s *socket) { _ = s.SetLinger(0); _ = s.Close() },
		"not read": func(*socket) {},
	} {
		for _, w := range directly {
			t.Run(name+" over "+w.name, func(t *testing.T) {
				over := make(chan struct{})
				cfg := w.serve(t, func(conn net.Conn) {
					_, _ = io.ReadFull(conn, make([]byte, 100))
					breakOff(below(conn))
					<-over
				})
				defer close(over)
				cfg.Timeout = 5 * time.Second
				_, err := clientOf(t, cfg).CreateSession(t.Context(), large.Prepare())
				if got := asError(t, err); got.Class != clink.Unknown {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// A request whose time is up before it is written is not sent, and known not to be.
func TestNoTimeLeft(t *testing.T) {
	for _, w := range directly {
		t.Run(w.name, func(t *testing.T) {
			var posts atomic.Int32
			cfg := w.serve(t, func(conn net.Conn) {
				for from := bufio.NewReader(conn); readPost(from) == nil; posts.Add(1) {
					_, _ = io.WriteString(conn, created)
				}
			})
			cfg.Timeout = time.Nanosecond
			_, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest)
			if got := asError(t, err); got.Class != clink.NotSent || !errors.Is(err, context.DeadlineExceeded) || posts.Load() != 0 {
				t.Errorf("%d posts, got %v", posts.Load(), got)
			}
		})
	}
}
