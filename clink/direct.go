package clink

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// direct has connections of its own to Clink. A request is written, and its answer waited for and read, by the goroutine that
// wants it. net/http's transport has two more for each connection; their hand-overs took nearly half of what carrying a request
// took.
type direct struct {
	dial     dialFunc
	address  string      // host and port
	settings *tls.Config // nil is plain HTTP
	path     string      // the base URL's
	header   string      // of every request, but for its time and its length
	most     int         // connections that are kept

	mu   sync.Mutex
	idle []*connection // the one that was used last is the last
}

func newDirect(cfg Config, base *url.URL, dial dialFunc, settings *tls.Config) *direct {
	d := &direct{dial: dial, path: base.EscapedPath(), most: cfg.Connections}
	port := base.Port()
	if base.Scheme == "https" {
		d.settings = settings
		d.settings.ServerName = base.Hostname()
		port = cmp.Or(port, "443")
	}
	d.address = net.JoinHostPort(base.Hostname(), cmp.Or(port, "80"))
	var header strings.Builder
	header.WriteString("Host: " + base.Host + "\r\n")
	_ = cfg.header().Write(&header) // into memory
	d.header = header.String()
	return d
}

// carry implements carrier.
func (d *direct) carry(ctx context.Context, o outgoing, deadline time.Time) ending {
	for {
		c, err := d.connection(ctx, deadline)
		if err != nil {
			return ending{err: err}
		}
		undisturbed := c.endWith(ctx)
		c.out = d.append(c.out[:0], o)
		e, reusable := c.exchange()
		if undisturbed() && reusable {
			d.keep(c)
		} else {
			c.abandon()
		}
		if errors.Is(e.err, errStale) {
			continue // nothing was written, and a new connection is never stale
		}
		if errors.Is(e.err, os.ErrDeadlineExceeded) {
			e.err = cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
		return e
	}
}

// append writes the request as it is sent, now.
func (d *direct) append(to []byte, o outgoing) []byte {
	to = append(to, o.method...)
	to = append(to, ' ')
	to = append(to, d.path...)
	to = append(to, o.path...)
	to = append(to, " HTTP/1.1\r\n"...)
	to = append(to, d.header...)
	to = append(to, "X-Timestamp: "...)
	to = strconv.AppendInt(to, time.Now().UnixMilli(), 10)
	if o.body != "" {
		to = append(to, "\r\nContent-Length: "...)
		to = strconv.AppendInt(to, int64(len(o.body)), 10)
	}
	to = append(to, "\r\n\r\n"...)
	return append(to, o.body...)
}

// connection is one that is kept, or a new one.
func (d *direct) connection(ctx context.Context, deadline time.Time) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for c := d.kept(); c != nil; c = d.kept() {
		if c.again(deadline) {
			return c, nil
		}
		c.abandon()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	raw, err := d.dial(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	secured := raw
	if d.settings != nil {
		client := tls.Client(raw, d.settings)
		if err := client.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		secured = client
	}
	if err := secured.SetDeadline(deadline); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return newConnection(secured, raw), nil
}

// kept takes the connection that was used last from those that are idle; it is nil when there is none.
func (d *direct) kept() *connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closeOlder(now().Add(-idleTimeout))
	last := len(d.idle) - 1
	if last < 0 {
		return nil
	}
	c := d.idle[last]
	d.idle[last] = nil
	d.idle = d.idle[:last]
	return c
}

// outMost is the memory, in bytes, that a kept connection holds for its next request: far more than a usual one takes.
const outMost = 64 << 10

// now is the wall clock's time: the other stands still while a machine sleeps, and gateways do not.
func now() time.Time { return time.Now().Round(0) }

// keep leaves the connection to a later request.
func (d *direct) keep(c *connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.idle) == d.most {
		c.abandon()
		return
	}
	if cap(c.out) > outMost {
		c.out = nil
	}
	c.since = now()
	d.idle = append(d.idle, c)
}

// closeIdle implements carrier.
func (d *direct) closeIdle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closeOlder(now())
}

// closeOlder closes the connections that have been idle since then, or longer. The caller holds mu.
func (d *direct) closeOlder(then time.Time) {
	old := 0
	for old < len(d.idle) && !d.idle[old].since.After(then) {
		d.idle[old].abandon()
		old++
	}
	d.idle = slices.Delete(d.idle, 0, old)
}
