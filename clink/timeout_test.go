package clink_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paylinks/clink"
)

const timeout = 30 * time.Second

// pipes makes connections that end at serve.
func pipes(t *testing.T, serve func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		var served sync.WaitGroup
		served.Go(func() { serve(theirs) })
		t.Cleanup(func() {
			_ = theirs.Close()
			served.Wait()
		})
		return ours, nil
	}
}

func dialForEver(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func readOnly(conn net.Conn) { _ = readPost(bufio.NewReader(conn)) }

// answerSlowly reads a request and answers with these pieces, ten seconds apart, and then nothing.
func answerSlowly(pieces ...string) func(net.Conn) {
	return func(conn net.Conn) {
		readOnly(conn)
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
			<-time.After(10 * time.Second)
		}
	}
}

func TestWhatTimeAndInterruptionsMean(t *testing.T) {
	nothing := func(net.Conn) {}
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"
	tests := []struct {
		name   string
		base   string
		serve  func(net.Conn) // nil: no connection is made
		want   clink.Class
		status int
	}{
		{"no connection", "http://127.0.0.1", nil, clink.NotSent, 0},
		{"no TLS handshake", "https://127.0.0.1", nothing, clink.NotSent, 0},
		{"request not taken", "http://127.0.0.1", nothing, clink.Unknown, 0}, // the transport may have written it for all it knows
		{"no answer", "http://127.0.0.1", readOnly, clink.Unknown, 0},
		{"half a header", "http://127.0.0.1", answerSlowly(head[:20]), clink.Unknown, 0},
		{"no body", "http://127.0.0.1", answerSlowly(head), clink.Unknown, 200},
		{"half a body", "http://127.0.0.1", answerSlowly(head + `{"code"`), clink.Unknown, 200},
		{"dripping body", "http://127.0.0.1", answerSlowly(head, `{`, `"`, `c`, `o`, `d`, `e`), clink.Unknown, 200},
	}
	for _, tt := range tests {
		connect := func(t *testing.T) *clink.Client {
			cfg := clink.Config{BaseURL: tt.base, Timeout: timeout, DialContext: dialForEver}
			if tt.serve != nil {
				cfg.DialContext = pipes(t, tt.serve)
			}
			return clientOf(t, cfg)
		}
		t.Run(tt.name+" in time", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, start := connect(t), time.Now()
				_, err := client.CreateSession(t.Context(), smallRequest)
				got := asError(t, err)
				if got.Class != tt.want || got.Status != tt.status || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", got)
				}
				if tt.status == 200 != strings.Contains(got.Error(), "read the answer") {
					t.Errorf("got %v", got)
				}
				if took := time.Since(start); took != timeout || !strings.Contains(got.Error(), timeout.String()) {
					t.Errorf("after %v: %v", took, got)
				}
			})
		})
		t.Run(tt.name+" until interrupted", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(15*time.Second, cancel)
				client, start := connect(t), time.Now()
				_, err := client.CreateSession(ctx, smallRequest)
				got := asError(t, err)
				if got.Class != tt.want || got.Status != tt.status || !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", got)
				}
				if took := time.Since(start); took != 15*time.Second {
					t.Errorf("after %v", took)
				}
			})
		})
		t.Run(tt.name+" until the caller's deadline", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				_, err := connect(t).CreateSession(ctx, smallRequest)
				got := asError(t, err)
				if got.Class != tt.want || !errors.Is(err, context.DeadlineExceeded) || strings.Contains(got.Error(), timeout.String()) {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestSlowAnswerInTimeIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, clink.Config{BaseURL: "http://127.0.0.1", Timeout: timeout,
			DialContext: pipes(t, answerSlowly(created[:30], created[30:50], created[50:]))})
		if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
			t.Error(err)
		}
	})
}

func TestTimestampIsTakenAtEachSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		client := clientOf(t, clink.Config{BaseURL: "http://127.0.0.1", DialContext: pipes(t, func(conn net.Conn) {
			for from := bufio.NewReader(conn); ; {
				req, err := http.ReadRequest(from)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				got = append(got, req.Header.Get("X-Timestamp"))
				_, _ = io.WriteString(conn, created)
			}
		})})
		for range 2 {
			if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if want := strconv.FormatInt(time.Now().UnixMilli(), 10); got[len(got)-1] != want {
				t.Errorf("got %v, want %s last", got, want)
			}
			<-time.After(5 * time.Second)
		}
	})
}
