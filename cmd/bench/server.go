package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"paylinks/clink/simulator"
)

// record is what the server has seen between two moments.
type record struct {
	Requests, Sessions int           // a request that was refused made no session
	First              time.Duration // from the first moment to the first request
	Span               time.Duration // from the first request to the last
	InSecond           int           // the most requests in any span of one second
	Gap                time.Duration // the longest without a request
}

// perSecond is requests a second between the first and the last, when the first so many are not counted.
func (r record) perSecond(first int) float64 { return float64(r.Requests-first) / r.Span.Seconds() }

// recordOf takes the times at which requests came, in their order.
func recordOf(arrivals []time.Duration) record {
	r := record{Requests: len(arrivals)}
	begin := 0 // of the second that ends with the request
	for end, at := range arrivals {
		for at-arrivals[begin] >= time.Second {
			begin++
		}
		r.InSecond = max(r.InSecond, end-begin+1)
		r.Gap = max(r.Gap, at-arrivals[max(0, end-1)])
		r.First, r.Span = arrivals[0], at-arrivals[0]
	}
	return r
}

// refuseFor is how long a recorder refuses: about as long as requests are in flight when the first is refused.
const refuseFor = 200 * time.Millisecond

// recorder notes when each request comes and passes it to a simulator, unless it is to be refused.
type recorder struct {
	simulator *simulator.Server

	mu          sync.Mutex
	begun       time.Time
	arrivals    []time.Duration // since begun
	sessions    int             // made before begun
	refuseAfter int             // requests; 0 is never
	refuseUntil time.Duration   // since begun; 0 is not yet
}

// record answers with what came since it was asked last, and begins anew.
func (rec *recorder) record(w http.ResponseWriter, r *http.Request) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	got, sessions := recordOf(rec.arrivals), rec.simulator.Summary().Sessions
	got.Sessions = sessions - rec.sessions
	_ = json.NewEncoder(w).Encode(got) // bench notices an answer that is missing
	rec.refuseAfter, _ = strconv.Atoi(r.FormValue("refuse-after"))
	rec.begun, rec.sessions, rec.arrivals, rec.refuseUntil = time.Now(), sessions, nil, 0
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/_bench":
		rec.record(w, r)
	case rec.refuses():
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	default:
		rec.simulator.ServeHTTP(w, r)
	}
}

// refuses notes a request that comes now, and says whether it is to be refused.
func (rec *recorder) refuses() bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	now := time.Since(rec.begun)
	rec.arrivals = append(rec.arrivals, now)
	if rec.refuseAfter > 0 && rec.refuseUntil == 0 && len(rec.arrivals) > rec.refuseAfter {
		rec.refuseUntil = now + refuseFor
	}
	return now < rec.refuseUntil
}

func newRecorder(latency time.Duration) *recorder {
	rest := func(d time.Duration) { // in the kernel, which wakes a thread sooner than Go's timers do on an idle machine
		if timeout := unix.NsecToTimeval(int64(d)); d > 0 {
			_, _ = unix.Select(0, nil, nil, nil, &timeout) // a signal ends it a little early
		}
	}
	return &recorder{simulator: simulator.New(simulator.Config{AllowNoKey: true, KeepNoRecord: true, Latency: latency, Rest: rest})}
}

// serve is the server's process. It says its address and serves until its standard input ends, at the latest when bench does.
func serve(latency string, stdin io.Reader, stdout io.Writer) {
	server := &http.Server{Handler: newRecorder(must1(time.ParseDuration(latency))), ReadHeaderTimeout: 10 * time.Second}
	listener := must1(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Fprintln(stdout, "http://"+listener.Addr().String())
	go func() { _ = server.Serve(listener) }() // it ends by Close
	_, _ = io.Copy(io.Discard, stdin)
	_ = server.Close()
}

// server is a simulator with a recorder, in a process of its own.
type server struct{ url string }

// serve starts a server on a free port that takes so long for each answer, in the place of the one before.
func (b *bench) serve(latency time.Duration) server {
	b.stop()
	cmd := b.process(b.self, []string{"serve", latency.String()})
	stdin, stdout := must1(cmd.StdinPipe()), must1(cmd.StdoutPipe())
	must(cmd.Start())
	b.stop = func() {
		_ = stdin.Close()
		_ = cmd.Wait() // how it ends does not matter any more
	}
	var s server
	if _, err := fmt.Fscan(stdout, &s.url); err != nil {
		must(fmt.Errorf("the server does not say its address: %w", err))
	}
	return s
}

// record is what the server has seen since it was called last. From now on it refuses after so many requests; 0 is never.
func (s server) record(refuseAfter int) (r record) {
	answer := must1(http.Get(fmt.Sprintf("%s/_bench?refuse-after=%d", s.url, refuseAfter)))
	defer answer.Body.Close()
	must(json.NewDecoder(answer.Body).Decode(&r))
	return r
}
