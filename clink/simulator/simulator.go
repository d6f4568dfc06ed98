// Package simulator is a stand-in Clink server for tests, demos and rehearsals: no money moves.
//
// It serves three of Clink's calls, with or without Clink's "/api" before them:
//
//	POST /checkout/session       create a session
//	GET  /checkout/session/{id}  read one back
//	GET  /order                  list the orders, of which a session has one once somebody has tried to pay it
//
// and for people and tests
//
//	GET  /                           a page that says what this is
//	GET  /pay/{id}                   the session's page; POST with action=pay or action=expire
//	GET  /_simulator/summary         what was seen so far, as JSON
//	GET  /_simulator/sessions        every session, a JSON object a line
//	GET  /_simulator/requests        every request of Clink's calls, in order, likewise
//	POST /_simulator/sessions/{id}   {"status": "paid" | "processing" | "expired" | "failed" | "refunded" | "partial_refunded"}
//	POST /_simulator/faults          {"faults": "lost=10%", "getFaults": "404=100%", "revokeAfter": 3}: from now on these and no
//	                                 others, and the key is refused once so many more sessions are made
//	POST /_simulator/lifetime        {"lifetime": "1h"}, of the sessions that are made from now on
//
// Any other path answers 404 without Clink's envelope, as a gateway would.
//
// A request is read strictly: exact field names, no unknown or repeated field, no null, money as exact
// decimals. The package shares no type with the client, so that a field name that the client gets wrong
// cannot cancel out. Where Clink's reference is silent the simulator refuses.
//
// It can misbehave on purpose, see [Fault].
package simulator

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Config says how a simulator behaves. The zero value asks for any key and never misbehaves.
type Config struct {
	// Seed makes faults repeatable: the same seed and the same order of requests give the same faults.
	Seed uint64

	// Key is the only X-API-KEY accepted; when it is empty, any key is, and none at all under AllowNoKey.
	Key        string
	AllowNoKey bool

	// Latency is how long each answer takes; Jitter adds up to that share of it at random (0.5: up to half more).
	// A session is created before the wait, so a client that does not wait long enough leaves an orphan.
	Latency time.Duration
	Jitter  float64

	// Rest sleeps out the last millisecond of a wait: Go's timers are up to so much late where nothing else goes on. nil leaves
	// all of it to a timer.
	Rest func(time.Duration)

	// RatePerSecond is how many requests a second are served before the rest get 429, with bursts of up
	// to one second's worth; 0 is no limit. RetryAfter is what those 429 say, in whole seconds; 0 is 1 s.
	RatePerSecond float64
	RetryAfter    time.Duration

	// Lifetime is how long a session can be paid; 0 is 24 h.
	Lifetime time.Duration

	// Faults is the share, 0 to 1, of POSTs that meet each fault; GetFaults the same for GETs, for which there are
	// only some of them. The shares of faults that strike chosen rows are apart from the others.
	Faults    map[Fault]float64
	GetFaults map[Fault]float64

	// SlowBy is how long the fault Slow holds an answer back; 0 is 40 s.
	SlowBy time.Duration

	// CodesUnder200 sends every refusal as HTTP 200 with the code in the envelope alone.
	CodesUnder200 bool

	// PublicURL is what session URLs begin with; "" is https://checkout.simulator.invalid.
	PublicURL string

	// KeepNoRecord forgets each session and request once it is answered: memory stays constant, but reading a session
	// back is 404 and the summary knows no references.
	KeepNoRecord bool
}

// Validate reports shares outside 0 to 1, shares that add up to more than 1, and faults that
// do not exist for the method.
func (c Config) Validate() error {
	if err := checkShares(c.Faults, http.MethodPost); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	if err := checkShares(c.GetFaults, http.MethodGet); err != nil {
		return fmt.Errorf("faults of GET: %w", err)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.RetryAfter <= 0 {
		c.RetryAfter = time.Second
	}
	if c.Lifetime == 0 {
		c.Lifetime = 24 * time.Hour
	}
	if c.SlowBy == 0 {
		c.SlowBy = 40 * time.Second
	}
	if c.PublicURL == "" {
		c.PublicURL = nowhere
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return c
}

// never is more sessions than are ever made.
const never = math.MaxInt64

// Server is the stand-in Clink: an http.Handler, safe for concurrent use. It must be served by an
// http.Server, since faults close connections.
type Server struct {
	config     Config
	mux        *http.ServeMux
	limiter    *rate.Limiter // nil is no limit
	faults     atomic.Pointer[faults]
	revokeAt   atomic.Int64 // the number of sessions from which on the key is refused
	record     *record
	tally      tally
	retryAfter string
}

// New returns a simulator without sessions. It panics when config does not pass [Config.Validate].
func New(config Config) *Server {
	if err := config.Validate(); err != nil {
		panic("simulator: " + err.Error())
	}
	config = config.withDefaults()
	s := &Server{
		config:     config,
		mux:        http.NewServeMux(),
		record:     &record{lifetime: config.Lifetime, keepNone: config.KeepNoRecord},
		retryAfter: fmt.Sprint(int64(math.Ceil(config.RetryAfter.Seconds()))),
	}
	s.faults.Store(newFaults(config.Seed, config.Faults, config.GetFaults))
	s.revokeAt.Store(never)
	if config.RatePerSecond > 0 {
		burst := max(1, int(math.Ceil(config.RatePerSecond)))
		s.limiter = rate.NewLimiter(rate.Limit(config.RatePerSecond), burst)
	}
	for _, prefix := range []string{"", "/api"} {
		s.mux.HandleFunc(prefix+"/checkout/session", s.serveCreate)
		s.mux.HandleFunc(prefix+"/checkout/session/{id}", s.serveRead)
		s.mux.HandleFunc(prefix+"/order", s.serveOrders)
	}
	s.mux.HandleFunc("GET /_simulator/requests", s.serveRequests)
	s.mux.HandleFunc("POST /_simulator/faults", s.serveSetFaults)
	s.mux.HandleFunc("POST /_simulator/lifetime", s.serveSetLifetime)
	s.mux.HandleFunc("GET /{$}", s.serveIndex)
	s.mux.HandleFunc("GET /pay/{id}", s.servePayPage)
	s.mux.HandleFunc("POST /pay/{id}", s.servePayAction)
	s.mux.HandleFunc("GET /_simulator/summary", s.serveSummary)
	s.mux.HandleFunc("GET /_simulator/sessions", s.serveSessions)
	s.mux.HandleFunc("POST /_simulator/sessions/{id}", s.serveSetStatus)
	s.mux.HandleFunc("/", s.serveStray)
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

func (s *Server) serveStray(w http.ResponseWriter, r *http.Request) {
	s.tally.strays.Add(1)
	http.NotFound(w, r)
}
