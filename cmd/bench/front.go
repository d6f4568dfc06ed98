package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// front is a server before a simulator, in this process. It notes when each request comes, on the clock that timed the
// start of the client, can refuse some for a moment, and can hold one back.
type front struct {
	listener net.Listener
	server   *http.Server

	refuseAfter int           // requests; 0 is never
	refuseFor   time.Duration // from the first request after those
	hold        int           // which request is not answered before release, so that its client goes on; 0 is none

	held     chan struct{} // closed when that one has come
	released chan struct{} // closed by release

	mu       sync.Mutex
	arrivals []time.Time
	until    time.Time // of the refusing
	refused  int
}

// behind puts the front before the server, at the address (port 0 is any), and points the server's url to it.
func (s *server) behind(address string, f *front) error {
	own, err := url.Parse(s.own)
	if err != nil {
		return err
	}
	if f.listener, err = net.Listen("tcp", address); err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(own) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	f.held, f.released = make(chan struct{}), make(chan struct{})
	f.server = &http.Server{Handler: f.handler(proxy), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(f.listener) }()
	s.url = "http://" + f.listener.Addr().String()
	return nil
}

func (f *front) stop() { _ = f.server.Close() }

func (f *front) handler(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, refused := f.comes()
		if number == f.hold {
			close(f.held)
			select {
			case <-f.released:
			case <-r.Context().Done():
			}
		}
		if refused {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"code":429,"msg":"too many requests","data":null}`)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// comes books a request that comes now, and says which it is, from 1 on, and whether it is refused.
func (f *front) comes() (number int, refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.arrivals = append(f.arrivals, now)
	if f.refuseAfter > 0 && f.until.IsZero() && len(f.arrivals) > f.refuseAfter {
		f.until = now.Add(f.refuseFor)
	}
	if refused = now.Before(f.until); refused {
		f.refused++
	}
	return len(f.arrivals), refused
}

// await returns when the request that is held back has come.
func (f *front) await(ctx context.Context) error {
	select {
	case <-f.held:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release has the request answered that was held back.
func (f *front) release() { close(f.released) }

// seen is when each request came, in their order, and how many of them were refused.
func (f *front) seen() (arrivals []time.Time, refused int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.arrivals), f.refused
}

// hostOf is the host and port of a server's URL.
func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }
