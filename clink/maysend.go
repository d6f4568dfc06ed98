package clink

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// permission asks [Config.MaySend] for one request, at the moment when the first byte of that leaves.
type permission struct {
	ask     func() error
	refused atomic.Pointer[error] // why nothing was written; nil: it was not refused
}

// reason is why the request was refused, or nil. Without a permission nothing ever is.
func (p *permission) reason() error {
	if p == nil {
		return nil
	}
	if err := p.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// guardedConn is a connection as it was dialled, below TLS: what passes its Write is in the kernel's hands. A process that is stopped
// anywhere before that is asked for its permission after it goes on.
type guardedConn struct {
	net.Conn
	next atomic.Pointer[permission] // of the request whose first byte the next Write has; nil: it has none
}

// Write asks for permission before the first byte of a request. Handshakes and a proxy's CONNECT come before any request, and pass.
func (c *guardedConn) Write(p []byte) (int, error) {
	if request := c.next.Swap(nil); request != nil {
		if err := request.ask(); err != nil {
			request.refused.Store(&err)
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// guard has the connection ask for the request's permission. conn is what the transport writes to: TLS, once or, through a proxy that is
// spoken to in TLS, twice, over what was dialled.
func (p *permission) guard(conn net.Conn) {
	for {
		switch c := conn.(type) {
		case *guardedConn:
			c.next.Store(p)
			return
		case *tls.Conn:
			conn = c.NetConn()
		default:
			return
		}
	}
}
