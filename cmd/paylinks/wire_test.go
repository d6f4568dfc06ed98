package main

import (
	"bytes"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/store"
)

// These guard promises 3 and 4 over a real network that fails: what becomes of a row whose answer is lost, that nothing
// is sent behind the ledger's back, and that every session nobody has seen the link of is counted.

const testKey = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"

// ended is how a run of the program ended.
type ended struct {
	status   int
	out, err string
}

// paylinksProcess runs the program in a process of its own, with these variables alone.
func paylinksProcess(t *testing.T, env map[string]string, args ...string) ended {
	t.Helper()
	cmd, out, errs := paylinksCommand(t, env, args...)
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func paylinksCommand(t *testing.T, env map[string]string, args ...string) (cmd *exec.Cmd, out, errs *bytes.Buffer) {
	t.Helper()
	cmd = exec.Command("paylinks", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, errs = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, errs
	return cmd, out, errs
}

// paylinksHere runs the program in this process, with these variables alone.
func paylinksHere(t testing.TB, env map[string]string, args ...string) ended {
	t.Helper()
	var out, errs bytes.Buffer
	status := execute(t.Context(), args, options.Streams{
		In: strings.NewReader(""), Out: &out, Err: &errs,
		Env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	})
	return ended{status, out.String(), errs.String()}
}

// invoices writes an invoice file of n rows, A-1 over 1.50 USD and so on, into a folder of its own.
func invoices(t testing.TB, n int) (path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("invoice_id,customer_email,amount,currency\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "A-%d,a%d@example.com,%d.50,USD\n", i, i, i)
	}
	path = filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// beside is a file in the same folder.
func beside(path, name string) string { return filepath.Join(filepath.Dir(path), name) }

// publishedLinks reads the links file of an invoice file: a row by the names of its columns.
func publishedLinks(t *testing.T, input string) []map[string]string {
	t.Helper()
	file, err := os.Open(beside(input, "a.links.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// onRecord is job 1 in the ledger, once the run is over.
func onRecord(t *testing.T, ledger string) (job.Tally, []job.Result, []job.Attempt) {
	t.Helper()
	opened, err := store.OpenToRead(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	tally, err := opened.Tally(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var results []job.Result
	for r, err := range opened.Results(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	var attempts []job.Attempt
	for a, err := range opened.Attempts(t.Context(), 1, false) {
		if err != nil {
			t.Fatal(err)
		}
		attempts = append(attempts, a)
	}
	return tally, results, attempts
}

// wire is a simulator behind a fault proxy.
type wire struct {
	simulator *simulator.Server
	upstream  string
	proxy     *toxiproxy.Proxy
	env       map[string]string
	posts     atomic.Int64 // that reached the simulator
	failed    atomic.Pointer[error]
}

// newWire lets strike, if there is one, put its toxic in while the first POST is at the simulator.
func newWire(t *testing.T, secure bool, strike string) *wire {
	t.Helper()
	w := &wire{simulator: simulator.New(simulator.Config{Key: testKey})}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.posts.Add(1) == 1 && strike != "" {
			if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(strike)); err != nil {
				w.failed.Store(&err)
			}
		}
		w.simulator.ServeHTTP(rw, r)
	}))
	server.EnableHTTP2 = secure
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	scheme := "http://"
	w.env = map[string]string{"CLINK_SECRET_KEY": testKey}
	if secure {
		scheme = "https://"
		server.StartTLS()
		authority := filepath.Join(t.TempDir(), "ca.pem")
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(authority, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
		w.env["SSL_CERT_FILE"] = authority
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections() // one that the proxy has forgotten would otherwise hold Close up
		server.Close()
	})
	w.upstream = server.Listener.Addr().String()
	address, release, err := keptAddress()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	w.connect(t, address)
	w.env["CLINK_BASE_URL"] = scheme + w.proxy.Listen
	return w
}

func (w *wire) toxic(t *testing.T, toxic string) {
	t.Helper()
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

// connect puts a fault proxy without toxics at listen, in place of the one before: taking a toxic out of a connection
// that has something to deliver to nobody takes seconds.
func (w *wire) connect(t *testing.T, listen string) {
	t.Helper()
	if w.proxy != nil {
		w.proxy.Stop()
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.proxy = toxiproxy.NewProxy(server, t.Name(), listen, w.upstream)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for tries := 0; ; tries++ { // for a moment the port may be that of somebody's connection
		err := w.proxy.Start()
		if err == nil {
			break
		}
		if tries == 250 {
			t.Fatal(err)
		}
		<-tick.C
	}
	t.Cleanup(w.proxy.Stop)
}

// agrees holds the ledger of a run that is over against what the simulator saw. exact: no connection ended under a
// request, so that every one that left did reach it, and every answer that was lost was that of a session.
func (w *wire) agrees(t *testing.T, ledger string, exact bool) (unknown, extra int) {
	t.Helper()
	if err := w.failed.Load(); err != nil {
		t.Fatal(*err)
	}
	tally, results, attempts := onRecord(t, ledger)
	last := map[int]job.Outcome{}
	left, notSent := 0, 0
	for _, a := range attempts {
		last[a.Row] = a.Outcome
		switch a.Outcome {
		case job.OutcomeNotSent:
			notSent++
			continue
		case job.OutcomeUnknown:
			unknown++
		case job.OutcomeCreated:
		default:
			t.Errorf("row %d attempt %d ended %q", a.Row, a.Number, a.Outcome)
		}
		left++
	}
	t.Logf("%d attempts not sent, %d sent, %d of them unknown; %d posts", notSent, left, unknown, w.posts.Load())
	if posts := int(w.posts.Load()); posts > left || exact && posts != left {
		t.Errorf("the simulator saw %d posts, on record are %d that may have left", posts, left)
	}
	states := map[job.Outcome]job.State{
		"": job.Pending, job.OutcomeNotSent: job.Pending, job.OutcomeUnknown: job.Unknown, job.OutcomeCreated: job.Created,
	}
	created := 0
	for _, r := range results {
		if wanted := states[last[r.Row]]; r.State != wanted {
			t.Errorf("row %d is %s after an attempt that ended %q, want %s", r.Row, r.State, last[r.Row], wanted)
		}
		if (r.URL != "") != (r.State == job.Created) {
			t.Errorf("row %d is %s with URL %q", r.Row, r.State, r.URL)
		}
		if r.State == job.Created {
			created++
		}
	}
	extra = w.simulator.Summary().Sessions - created
	if tally.PossibleOrphans() != unknown || extra > unknown || exact && extra != unknown {
		t.Errorf("%d sessions without a published link, %d lost answers, possible_orphans is %d", extra, unknown, tally.PossibleOrphans())
	}
	return unknown, extra
}

// slowBytes is a toxic that lets some 64 bytes through at a time.
func slowBytes(every time.Duration) string {
	return fmt.Sprintf(`{"type": "slicer", "attributes": {"average_size": 64, "size_variation": 2, "delay": %d}}`, every.Microseconds())
}

func TestLostAnswersOverTheWire(t *testing.T) {
	tests := []struct {
		name   string
		strike string // comes while the first POST is at the simulator, and stays
		lost   bool   // the answer to the first POST is
	}{
		{"no answer in time", `{"type": "timeout"}`, true},
		{"reset", `{"type": "reset_peer"}`, true},
		{"closed", `{"type": "limit_data"}`, true},
		{"cut off in the answer", `{"type": "limit_data", "attributes": {"bytes": 40}}`, true},
		{"slow bytes", slowBytes(200 * time.Millisecond), true},
		{"cut off in the request", `{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 120}}`, false},
		{"reset in the request", `{"type": "reset_peer", "stream": "upstream"}`, false},
	}
	for _, tt := range tests {
		for over, secure := range map[string]bool{"plain HTTP": false, "TLS": true} {
			t.Run(tt.name+" over "+over, func(t *testing.T) {
				t.Parallel()
				w := newWire(t, secure, tt.strike)
				input := invoices(t, 6)
				ledger := beside(input, "ledger.db")
				flags := []string{"--ledger", ledger, "--rate", "0", "--concurrency", "3"}
				hasty := slices.Concat(flags, []string{"--give-up-after", "500ms", "--timeout", "1s", "--max-attempts", "1"})
				got := paylinksProcess(t, w.env, slices.Concat(hasty, []string{"run", input})...)
				for tries := 0; w.posts.Load() == 0 && tries < 20; tries++ { // a busy machine may need longer to connect
					got = paylinksProcess(t, w.env, slices.Concat(hasty, []string{"resume", "1"})...)
				}
				if w.posts.Load() == 0 {
					t.Fatal("no request has arrived")
				}
				if got.status != exit.Attention && got.status != exit.Unfinished {
					t.Errorf("status %d: %s", got.status, got.err)
				}
				// Which of the others arrived is not certain: a timeout, too, ends the connection under its request.
				w.agrees(t, ledger, false)

				w.connect(t, w.proxy.Listen)
				if got := paylinksProcess(t, w.env, slices.Concat(flags, []string{"retry", "1", "--unknown"})...); got.status != exit.OK {
					t.Errorf("status %d: %s", got.status, got.err)
				}
				if _, extra := w.agrees(t, ledger, false); tt.lost && extra == 0 {
					t.Error("no answer was lost")
				}
				w.publishes(t, input, 6)
			})
		}
	}
}

// publishes wants n links, each of a session of its own, for the invoice that the simulator made it for.
func (w *wire) publishes(t *testing.T, input string, n int) {
	t.Helper()
	answer := httptest.NewRecorder()
	w.simulator.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/_simulator/sessions", nil))
	seen := map[string]bool{}
	for _, row := range publishedLinks(t, input) {
		made := fmt.Sprintf(`"sessionId":%q,"merchantReferenceId":%q`, row["session_id"], row["invoice_id"])
		if row["status"] != "created" || row["url"] == "" || seen[row["url"]] || !strings.Contains(answer.Body.String(), made) {
			t.Errorf("published: %v", row)
		}
		seen[row["url"]] = true
	}
	if len(seen) != n {
		t.Errorf("%d links, want %d", len(seen), n)
	}
}

// A kept connection that is dropped just when the next request is on it: what a transport likes to send again.
func TestStaleKeptConnections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, stream string
		bytes        int // enough for the first exchange of a connection, and not for its second
		reaches      bool
	}{
		{"closed before the answer", "downstream", 900, true},
		{"closed before the request", "upstream", 700, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, false, "")
			w.toxic(t, fmt.Sprintf(`{"type": "limit_data", "stream": %q, "attributes": {"bytes": %d}}`, tt.stream, tt.bytes))
			input := invoices(t, 6)
			ledger := beside(input, "ledger.db")
			got := paylinksProcess(t, w.env, "run", input, "--ledger", ledger, "--rate", "0", "--concurrency", "1", "--max-attempts", "1")
			if got.status != exit.Attention {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			if unknown, _ := w.agrees(t, ledger, tt.reaches); unknown != 3 {
				t.Errorf("%d answers were lost, want every second one of 6", unknown)
			}
		})
	}
}

// Through a proxy that the environment names, which sees no more than the host.
func TestThroughAProxy(t *testing.T) {
	t.Parallel()
	w := newWire(t, true, "")
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodConnect || r.Host != "example.com:443" || strings.Contains(fmt.Sprint(r.Header), testKey) {
			t.Errorf("asked for %s %s %v", r.Method, r.Host, r.Header)
		}
		client, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		server, err := net.Dial("tcp", w.upstream)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(server, client) }()
		_, _ = io.Copy(client, server)
	}))
	defer proxy.Close()
	w.env["HTTPS_PROXY"], w.env["CLINK_BASE_URL"] = proxy.URL, "https://example.com"
	const rows = 20
	input := invoices(t, rows)
	ledger := beside(input, "ledger.db")
	if got := paylinksProcess(t, w.env, "run", input, "--ledger", ledger, "--rate", "0", "--concurrency", "2"); got.status != exit.OK {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	w.agrees(t, ledger, true)
	w.publishes(t, input, rows)
	// net/http dials where a kept connection comes back a moment later, so that there may be some more than workers.
	if n := asked.Load(); n == 0 || n > rows/2 {
		t.Errorf("%d connections through the proxy for %d requests by 2 workers", n, rows)
	}
}

// A slow answer that comes in time is an answer.
func TestSlowBytesInTime(t *testing.T) {
	t.Parallel()
	w := newWire(t, true, "")
	w.toxic(t, slowBytes(10*time.Millisecond))
	input := invoices(t, 3)
	ledger := beside(input, "ledger.db")
	if got := paylinksProcess(t, w.env, "run", input, "--ledger", ledger, "--rate", "0"); got.status != exit.OK {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	if unknown, _ := w.agrees(t, ledger, true); unknown > 0 {
		t.Errorf("%d unknown", unknown)
	}
	w.publishes(t, input, 3)
}
