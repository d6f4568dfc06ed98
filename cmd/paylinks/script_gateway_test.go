package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// gatewayCommands are the commands of the scripts that have to do with a gateway between paylinks and the simulator.
//
//	gateway                        start one before the simulator, and point the script's paylinks at it
//	refuse STATUS KIND WHAT        it answers requests whose body has the text WHAT, or "all", or "from=N" on, with the status and a
//	                               "page" or Clink's "envelope" (or an "envelope" under 200 with CODE, for "200:CODE")
//	refuse none                    it lets all through again
//	refused OP N                   so many requests were refused since the last refuse; OP is = or <=
var gatewayCommands = map[string]func(*testscript.TestScript, bool, []string){
	"gateway": scriptGateway,
	"refuse":  scriptRefuse,
	"refused": scriptRefused,
}

// gatewayKey is the key of the script's gateway.
type gatewayKey struct{}

type gateway struct {
	mu       sync.Mutex
	refuses  func(body string, number int) bool
	answer   http.HandlerFunc
	requests int
	refused  int
}

func scriptGateway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: gateway")
	}
	to, err := url.Parse(ts.Getenv("SIM"))
	ts.Check(err)
	g := &gateway{refuses: func(string, int) bool { return false }}
	server := httptest.NewServer(g.before(httputil.NewSingleHostReverseProxy(to)))
	ts.Defer(server.Close)
	gateways(ts)[gatewayKey{}] = g
	ts.Setenv("PAYLINKS_BASE_URL", server.URL)
}

func gateways(ts *testscript.TestScript) map[gatewayKey]*gateway {
	return ts.Value(gatewayKey{}).(map[gatewayKey]*gateway)
}

func (g *gateway) before(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		g.mu.Lock()
		g.requests++
		answer := next.ServeHTTP
		if g.refuses(string(body), g.requests) {
			g.refused++
			answer = g.answer
		}
		g.mu.Unlock()
		answer(w, r)
	}
}

func scriptRefuse(ts *testscript.TestScript, neg bool, args []string) {
	g := gateways(ts)[gatewayKey{}]
	if neg || g == nil || len(args) != 3 && !(len(args) == 1 && args[0] == "none") {
		ts.Fatalf("usage: refuse STATUS KIND WHAT, or: refuse none, after: gateway")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests, g.refused = 0, 0
	if len(args) == 1 {
		g.refuses = func(string, int) bool { return false }
		return
	}
	first, second, _ := strings.Cut(args[0], ":")
	status, err := strconv.Atoi(first)
	ts.Check(err)
	code := cmp.Or(second, first)
	said := "<html><body>blocked by the firewall</body></html>"
	if args[1] == "envelope" {
		said = fmt.Sprintf(`{"code": %s, "msg": "this one is refused", "data": null}`, code)
	}
	g.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
	}
	from, isFrom := strings.CutPrefix(args[2], "from=")
	switch {
	case args[2] == "all":
		g.refuses = func(string, int) bool { return true }
	case isFrom:
		least, err := strconv.Atoi(from)
		ts.Check(err)
		g.refuses = func(_ string, number int) bool { return number >= least }
	default:
		g.refuses = func(body string, _ int) bool { return strings.Contains(body, args[2]) }
	}
}

func scriptRefused(ts *testscript.TestScript, neg bool, args []string) {
	g := gateways(ts)[gatewayKey{}]
	if neg || g == nil || len(args) != 2 {
		ts.Fatalf("usage: refused OP N, after: gateway")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused != n && !(args[0] == "<=" && g.refused < n) {
		ts.Fatalf("%d requests were refused, want %s %d", g.refused, args[0], n)
	}
}
