package clink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// connection is one to Clink, used by one request at a time.
type connection struct {
	net.Conn                       // with TLS, where there is any
	raw      net.Conn              // without
	reader   *bufio.Reader         // of Read
	control  syscall.RawConn       // nil where raw is no socket
	step     func(fd uintptr) bool // see send

	used  bool      // it has carried a request already
	since time.Time // when it became idle
	left  int       // bytes that may still be read of an answer's header

	// Of the request under way. They stand here so that step is made once.
	out     []byte
	written bool  // some of it may have left
	err     error // of writing it
}

var (
	// errStale is of a kept connection on which something has come since its last answer, be it its end: it was not written to.
	errStale         = errors.New("the connection had ended")
	errHeaderTooLong = errors.New("the answer's header is over 64 KiB")
)

func newConnection(conn, raw net.Conn) *connection {
	c := &connection{Conn: conn, raw: raw}
	c.reader = bufio.NewReader(c)
	if socket, ok := raw.(syscall.Conn); ok {
		if control, err := socket.SyscallConn(); err == nil {
			c.control, c.step = control, c.sendStep
		}
	}
	return c
}

// Read reads some of an answer.
func (c *connection) Read(p []byte) (n int, err error) {
	if c.left <= 0 {
		return 0, errHeaderTooLong
	}
	n, err = c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// exchange sends the request and reads its answer. Only after one that was read to its end, with nothing behind it, is the
// connection reusable.
func (c *connection) exchange() (e ending, reusable bool) {
	c.written, c.err = false, nil
	err := c.send()
	c.used = true
	var resp *http.Response
	if err == nil {
		resp, err = c.response()
	}
	if err != nil {
		return ending{err: err, written: c.written}, false
	}
	// The body is not closed: that would read the rest of one that has no end.
	e, whole := answered(resp)
	return e, whole && !resp.Close && c.reader.Buffered() == 0
}

// send writes the request, and waits until something comes. Nothing is read while it writes: who refuses a request that does not
// fit into the buffers on the way, without reading it, is heard when the time is up.
func (c *connection) send() error {
	if c.control == nil {
		c.written = true
		_, err := c.Write(c.out)
		return err
	}
	// RawConn's Read calls step, waits for what comes from then on, and calls it again. To look, to write and to wait in one go
	// spares a read that finds nothing: what comes for a request never is there when it has just been written.
	if err := c.control.Read(c.step); err != nil {
		return err
	}
	return c.err
}

// sendStep says that there is nothing to wait for, or no more. A new connection is read at once: who refuses it may have done so
// already, and to wait would be to wait for more than that.
func (c *connection) sendStep(fd uintptr) bool {
	if c.written {
		return true
	}
	if c.used && !silent(fd) {
		c.err = errStale
		return true
	}
	c.written = true
	_, c.err = c.Write(c.out)
	return c.err != nil || !c.used
}

// silent says that there is nothing to read from the socket, nor has it ended.
func silent(fd uintptr) bool {
	var room [1]byte
	_, _, err := syscall.Recvfrom(int(fd), room[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}

// response reads an answer up to its body. A 1xx that comes before it is passed over, but for a 101, which is the answer. So is
// what is no status at all.
func (c *connection) response() (*http.Response, error) {
	c.left = maxHeader
	for {
		if _, err := c.reader.Peek(1); err != nil {
			return nil, err // io.EOF is not yet an answer that is cut off
		}
		resp, err := http.ReadResponse(c.reader, nil)
		switch {
		case err != nil && c.left == 0:
			return nil, errHeaderTooLong
		case err != nil:
			return nil, err
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			c.left = math.MaxInt
			return resp, nil
		}
	}
}

// again prepares a kept connection for another request, unless something has come that the socket does not show any more: whole
// TLS records that were read together with the last answer.
func (c *connection) again(deadline time.Time) bool {
	if _, secured := c.Conn.(*tls.Conn); secured {
		if c.SetReadDeadline(past) != nil {
			return false
		}
		if _, err := c.reader.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
	return c.SetDeadline(deadline) == nil
}

// past is a deadline that ends what is under way.
var past = time.Unix(1, 0)

// endWith ends the exchange when ctx ends. undisturbed is called after it, and says that this has not happened.
func (c *connection) endWith(ctx context.Context) (undisturbed func() bool) {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
}

// abandon closes it without a word, which never waits.
func (c *connection) abandon() { _ = c.raw.Close() }
