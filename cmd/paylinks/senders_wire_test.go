//go:build linux

package main

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// sendersWire is the network between one process and the database. It can go dark, or break, at a moment that the traffic itself gives.
type sendersWire struct {
	listener net.Listener
	server   string
	delay    time.Duration // of each message
	carriers sync.WaitGroup

	mu    sync.Mutex
	dark  chan struct{} // not nil: what was sent waits until it is closed, and arrives then
	links map[*wireLink]bool
	trap  *wireTrap
}

// wireLink is one connection.
type wireLink struct{ client, server *net.TCPConn }

func (l *wireLink) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

// wireTrap waits for a message: of the process to the database, or an answer.
type wireTrap struct {
	answer bool
	fits   func(message []byte) bool // nil: any does
	after  int                       // so many others that fit
	// spring handles the message; pass hands it on.
	spring func(l *wireLink, pass func())
}

// begun says whether the answer is that of a transaction that goes on, and committed whether it is that of one that is at its end: with
// what came before in answers of their own, as the writer's has it.
func begun(answer []byte) bool     { return hasTag(answer, "BEGIN") && !hasTag(answer, "COMMIT") }
func committed(answer []byte) bool { return hasTag(answer, "COMMIT") && !hasTag(answer, "BEGIN") }

func hasTag(answer []byte, command string) bool {
	return bytes.Contains(answer, []byte(command+"\x00"))
}

func newSendersWire(t *testing.T, server string, delay time.Duration) (*sendersWire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &sendersWire{listener: listener, server: server, delay: delay, links: map[*wireLink]bool{}}
	t.Cleanup(w.close)
	w.carriers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.carriers.Go(func() { w.carry(conn.(*net.TCPConn)) })
		}
	})
	return w, nil
}

// close ends it, when its process has ended.
func (w *sendersWire) close() {
	_ = w.listener.Close()
	w.light()
	w.cut()
	w.carriers.Wait()
}

func (w *sendersWire) carry(client *net.TCPConn) {
	conn, err := net.Dial("tcp", w.server)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &wireLink{client, conn.(*net.TCPConn)}
	w.mu.Lock()
	w.links[l] = true
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() {
		w.pump(l, l.client, l.server, false)
		_ = l.server.CloseWrite() // what was sent arrives, also where its sender has gone
	})
	both.Go(func() {
		w.pump(l, l.server, l.client, true)
		l.close()
	})
	both.Wait()
	l.close()
	w.mu.Lock()
	delete(w.links, l)
	w.mu.Unlock()
}

func (w *sendersWire) pump(l *wireLink, from, to *net.TCPConn, answer bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		dark := w.dark
		var trap *wireTrap
		if w.trap != nil && w.trap.answer == answer && (w.trap.fits == nil || w.trap.fits(buffer[:n])) {
			if w.trap.after--; w.trap.after < 0 {
				trap, w.trap = w.trap, nil
			}
		}
		w.mu.Unlock()
		if dark != nil {
			<-dark
		}
		if w.delay > 0 {
			<-time.After(w.delay)
		}
		pass := func() { _, err = to.Write(buffer[:n]) }
		if trap != nil {
			trap.spring(l, pass)
		} else {
			pass()
		}
		if err != nil {
			return
		}
	}
}

// set sets a trap, in place of one that has not sprung.
func (w *sendersWire) set(trap *wireTrap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trap = trap
}

// darken keeps back what is sent from now on, in both directions.
func (w *sendersWire) darken() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dark == nil {
		w.dark = make(chan struct{})
	}
}

func (w *sendersWire) light() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dark != nil {
		close(w.dark)
		w.dark = nil
	}
}

// cut breaks all connections.
func (w *sendersWire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.links {
		l.close()
	}
}

// cutUnheard breaks the connection before the message arrives.
func cutUnheard(l *wireLink, _ func()) { l.close() }

// cutHeard breaks the connection when the message has arrived, so that its sender never gets the answer.
func cutHeard(l *wireLink, pass func()) {
	_ = l.client.Close()
	pass()
	_ = l.server.CloseWrite()            // the server reads what it was sent before it notices the end
	_, _ = io.Copy(io.Discard, l.server) // until it has done it
}
