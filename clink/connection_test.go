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
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var conns atomic.Int32
			var arrived sync.WaitGroup
			cfg := via.serve(t, func(conn net.Conn) {
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

// No more connections are kept than configured, nor for longer than gateways keep them.
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
		requests := func(n int, wantMade, wantOpen int32) {
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
		requests(3, 3, 2)
		requests(2, 3, 2)
		<-time.After(29 * time.Second)
		requests(1, 3, 2)
		<-time.After(29 * time.Second)
		requests(1, 3, 1) // the other has been idle for longer than 30 s
		<-time.After(31 * time.Second)
		requests(1, 4, 1)
		client.CloseIdle()
		synctest.Wait()
		if open.Load() != 0 {
			t.Errorf("%d open", open.Load())
		}
	})
}

// countingServer answers each POST with a session of its own, sess_1 and on, and then does what after says.
func countingServer(posts *atomic.Int32, after func(conn net.Conn, n int32) (more bool)) func(net.Conn) {
	return func(conn net.Conn) {
		for from := bufio.NewReader(conn); readPost(from) == nil; {
			n := posts.Add(1)
			_, _ = io.WriteString(conn, made(fmt.Sprint("sess_", n), ""))
			if !after(conn, n) {
				return
			}
		}
	}
}

// A kept connection that is known to have ended is not used: its next request goes over a new one.
func TestDroppedConnectionIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posts atomic.Int32
		client := clientOf(t, clink.Config{BaseURL: "http://127.0.0.1", DialContext: pipes(t, countingServer(&posts, func(conn net.Conn, _ int32) bool {
			_ = conn.Close()
			return false
		}))})
		for n := range 5 {
			if id := create(t, client); id != fmt.Sprint("sess_", n+1) {
				t.Errorf("request %d: got %s", n+1, id)
			}
			synctest.Wait()
		}
	})
}

// A server may drop a kept connection at any moment. A request that comes at that moment is made, in doubt, or known not to be
// sent, but never sent twice, and never reported as not sent when the server has it.
func TestConnectionDroppedAtAnyMoment(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var posts atomic.Int32
			client := clientOf(t, via.serve(t, countingServer(&posts, func(net.Conn, int32) bool { return false })))
			for range 50 {
				before := posts.Load()
				session, err := client.CreateSession(t.Context(), smallRequest)
				came := posts.Load() - before
				if err == nil {
					if came != 1 || session.SessionID != fmt.Sprint("sess_", before+1) {
						t.Fatalf("%d posts made %s", came, session.SessionID)
					}
				} else if class := asError(t, err).Class; class != clink.Unknown && class != clink.NotSent || came > 1 || class == clink.NotSent && came != 0 {
					t.Fatalf("%d posts: %v", came, err)
				}
			}
		})
	}
}

// An answer that nobody asked for closes its connection when it is noticed in time. Else it may be taken for the next request's,
// and is handed on as it came, with its own reference, for the caller to compare.
func TestAnswerNobodyAskedFor(t *testing.T) {
	stray := made("sess_stray", "")
	synctest.Test(t, func(t *testing.T) {
		for name, answers := range map[string][]string{
			"with the answer":       {made("sess_1", "") + stray},
			"right behind":          {made("sess_1", ""), stray},
			"its beginning, behind": {made("sess_1", ""), stray[:1]},
		} {
			var conns atomic.Int32
			client := clientOf(t, clink.Config{BaseURL: "http://127.0.0.1", DialContext: pipes(t, func(conn net.Conn) {
				from := bufio.NewReader(conn)
				_ = readPost(from)
				if conns.Add(1) > 1 {
					answers = []string{made("sess_2", "")}
				}
				for _, answer := range answers {
					_, _ = io.WriteString(conn, answer)
				}
				if readPost(from) == nil {
					t.Errorf("%s: the connection was used again", name)
				}
			})})
			first := create(t, client)
			synctest.Wait() // it is noticed
			if second := create(t, client); first != "sess_1" || second != "sess_2" {
				t.Errorf("%s: got %s and %s", name, first, second)
			}
			synctest.Wait()
		}
	})
	for _, via := range routes {
		t.Run("at any moment over "+via.name, func(t *testing.T) {
			for range 20 {
				var posts atomic.Int32
				client := clientOf(t, via.serve(t, countingServer(&posts, func(conn net.Conn, n int32) bool {
					if n == 1 {
						_, _ = io.WriteString(conn, stray)
					}
					return true
				})))
				if first := create(t, client); first != "sess_1" {
					t.Fatalf("got %s", first)
				}
				session, err := client.CreateSession(t.Context(), smallRequest)
				switch {
				case err == nil && (session.SessionID == "sess_2" || session.SessionID == "sess_stray"):
				case err == nil:
					t.Errorf("got %s", session.SessionID)
				default:
					if class := asError(t, err).Class; class != clink.Unknown && class != clink.NotSent {
						t.Errorf("got %v", err)
					}
				}
				if posts.Load() > 2 {
					t.Errorf("%d posts", posts.Load())
				}
			}
		})
	}
}

// An answer that comes too late for its request is not taken for the next one's.
func TestConnectionOfAnInterruptedRequest(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var conns atomic.Int32
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan struct{})
			client := clientOf(t, via.serve(t, func(conn net.Conn) {
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
		for _, via := range routes {
			t.Run(name+" over "+via.name, func(t *testing.T) {
				var conns atomic.Int32
				client := clientOf(t, via.serve(t, func(conn net.Conn) {
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

// What is left of an answer that is too long is not taken for the next one.
func TestConnectionOfAnAnswerTooLong(t *testing.T) {
	const enough = 64<<10 + 1 // to know that it is too long
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			client := clientOf(t, via.serve(t, func(conn net.Conn) {
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
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var addresses sync.Map
			client := via.client(t, func(rw http.ResponseWriter, r *http.Request) {
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

// A server that refuses a connection may say so before any request comes. Whether its refusal is taken for the answer depends on
// who is first; a request that the server has got something of is in any case not reported as not sent.
func TestServerThatSpeaksFirst(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			got := make(chan int64, 1)
			cfg := via.serve(t, func(conn net.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				n, _ := io.Copy(io.Discard, conn)
				got <- n
			})
			for range 20 {
				_, err := clientOf(t, cfg).CreateSession(t.Context(), smallRequest)
				class := asError(t, err).Class
				if class != clink.Throttled && class != clink.Unknown && class != clink.NotSent {
					t.Fatalf("got %v", err)
				}
				if n := <-got; class == clink.NotSent && n != 0 {
					t.Errorf("the server got %d bytes of a request that was not sent", n)
				}
			}
		})
	}
}

// A status that HTTP does not know is an answer: no other one is waited for.
func TestStatusThatIsNone(t *testing.T) {
	for _, via := range routes {
		for _, status := range []int{0, 99} {
			t.Run(fmt.Sprintf("%03d over %s", status, via.name), func(t *testing.T) {
				client := clientOf(t, via.serve(t, func(conn net.Conn) {
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
	for _, via := range routes {
		for _, hints := range []int{1, 3, 10_000} {
			t.Run(fmt.Sprintf("%d over %s", hints, via.name), func(t *testing.T) {
				client := clientOf(t, via.serve(t, func(conn net.Conn) {
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
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			stay := make(chan struct{})
			cfg := via.serve(t, func(conn net.Conn) {
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

// A server may have some of a request that broke off while it was written, and perhaps all that it needs.
func TestRequestThatBreaksOff(t *testing.T) {
	large := small
	large.PriceData = []clink.PriceData{{Name: strings.Repeat("x", 8<<20), UnitAmount: "19.90"}}
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			client := clientOf(t, via.serve(t, func(conn net.Conn) {
				_, _ = io.ReadFull(conn, make([]byte, 100))
				_ = below(conn).SetLinger(0)
				_ = below(conn).Close()
			}))
			_, err := client.CreateSession(t.Context(), large.Prepare())
			if got := asError(t, err); got.Class != clink.Unknown {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A request whose time is up before it is written is not sent, and known not to be.
func TestNoTimeLeft(t *testing.T) {
	for _, via := range routes {
		t.Run(via.name, func(t *testing.T) {
			var posts atomic.Int32
			cfg := via.serve(t, func(conn net.Conn) {
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
