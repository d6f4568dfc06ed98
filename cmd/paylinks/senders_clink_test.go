//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"paylinks/clink/simulator"
)

// sendersClink is a simulator in this process that notes of each request when its first byte arrived, by the kernel's clock, and which
// process sent it: each has a key of its own.
type sendersClink struct {
	address   string
	simulator *simulator.Server

	mu       sync.Mutex
	requests []*sendersRequest
	conns    map[*stampedConn]bool
}

// sendersRequest is one request as it came to Clink.
type sendersRequest struct {
	key       string // of the process
	reference string // empty where it asks for no session
	first     time.Time
	answered  time.Time // or given up by its sender; zero: not yet
}

func newSendersClink(t *testing.T, config simulator.Config) *sendersClink {
	t.Helper()
	listening := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		controlErr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
		if err == nil {
			err = controlErr
		}
		return err
	}}
	listener, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &sendersClink{address: "http://" + listener.Addr().String(), conns: map[*stampedConn]bool{}}
	config.PublicURL = c.address
	c.simulator = simulator.New(config)
	server := &http.Server{
		Handler:  c,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, stampedKey{}, conn)
		},
	}
	go func() { _ = server.Serve(stampedListener{listener, c}) }() // it ends with an error in any case
	t.Cleanup(func() { _ = server.Close() })
	return c
}

type stampedKey struct{}

func (c *sendersClink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn := r.Context().Value(stampedKey{}).(*stampedConn)
	if strings.HasPrefix(r.URL.Path, "/_simulator/") {
		c.simulator.ServeHTTP(w, r)
		return
	}
	request := &sendersRequest{key: r.Header.Get("X-API-KEY"), first: conn.firstByte()}
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		var asked struct {
			Reference string `json:"merchantReferenceId"`
		}
		if err == nil && json.Unmarshal(body, &asked) == nil {
			request.reference = asked.Reference
		}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	}
	c.mu.Lock()
	conn.key = request.key
	c.requests = append(c.requests, request)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		request.answered = time.Now()
	}()
	c.simulator.ServeHTTP(w, r)
}

// failing is the end of a body that has not come whole, where there is an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// seen are all requests so far, in the order in which they were read.
func (c *sendersClink) seen() []sendersRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]sendersRequest, len(c.requests))
	for i, r := range c.requests {
		all[i] = *r
	}
	return all
}

// answeredAll says whether all that came from the process with this key is answered.
func (c *sendersClink) answeredAll(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(c.requests, func(r *sendersRequest) bool { return r.key == key && r.answered.IsZero() })
}

// silent waits until nothing of the process with this key can arrive any more: it has ended, and its connections with it. "" is any.
func (c *sendersClink) silent(key string) bool {
	return within(10*time.Second, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for conn := range c.conns {
			if key == "" || conn.key == "" || conn.key == key {
				return false
			}
		}
		return true
	})
}

// within looks again and again until it is so, at most for so long, and says whether it came.
func within(most time.Duration, so func() bool) bool {
	tick, over := time.NewTicker(10*time.Millisecond), time.NewTimer(most)
	defer tick.Stop()
	defer over.Stop()
	for {
		if so() {
			return true
		}
		select {
		case <-tick.C:
		case <-over.C:
			return false
		}
	}
}

// stampedListener accepts connections whose bytes have the time at which the kernel got them.
type stampedListener struct {
	net.Listener
	clink *sendersClink
}

func (l stampedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &stampedConn{TCPConn: tcp, raw: raw, clink: l.clink}
	l.clink.mu.Lock()
	defer l.clink.mu.Unlock()
	l.clink.conns[c] = true
	return c, nil
}

type stampedConn struct {
	*net.TCPConn
	raw   syscall.RawConn
	clink *sendersClink
	key   string // of who sends by it; empty before its first request

	mu    sync.Mutex
	first time.Time // of what was read since the last answer
}

func (c *stampedConn) firstByte() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

func (c *stampedConn) Read(p []byte) (n int, err error) {
	var control [128]byte
	var controlled int
	var readErr error
	err = c.raw.Read(func(fd uintptr) bool {
		n, controlled, _, _, readErr = unix.Recvmsg(int(fd), p, control[:], 0)
		return readErr != unix.EAGAIN && readErr != unix.EINTR
	})
	if err == nil {
		err = readErr
	}
	switch {
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first.IsZero() {
		c.first = stampOf(control[:controlled])
	}
	return n, nil
}

// stampOf is the time in the control message; bytes that came while the kernel did not stamp yet have none.
func stampOf(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err == nil {
		for _, m := range messages {
			if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
				return time.Unix((*unix.Timespec)(unsafe.Pointer(&m.Data[0])).Unix())
			}
		}
	}
	return time.Now()
}

func (c *stampedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.first = time.Time{}
	c.mu.Unlock()
	return c.TCPConn.Write(p)
}

func (c *stampedConn) Close() error {
	c.clink.mu.Lock()
	delete(c.clink.conns, c)
	c.clink.mu.Unlock()
	return c.TCPConn.Close()
}
