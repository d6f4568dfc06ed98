package main

import (
	"bytes"
	"crypto/tls"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"paylinks/clink/simulator"
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
	status := run(t.Context(), args, streams{
		in: strings.NewReader(""), out: &out, err: &errs,
		env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
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
		if wanted := map[bool]int{false: 1, true: 2}[secure]; r.ProtoMajor != wanted {
			t.Errorf("got %s", r.Proto)
		}
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
	w.connect(t, "127.0.0.1:0")
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
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
}

// agrees holds the ledger of a run that is over against what the simulator saw. exact: every request that may have
// left did reach it, and every answer that was lost was that of a session.
func (w *wire) agrees(t *testing.T, ledger string, exact bool) (unknown int) {
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
	extra := w.simulator.Summary().Sessions - created
	if tally.PossibleOrphans() != unknown || extra > unknown || exact && extra != unknown {
		t.Errorf("%d sessions without a published link, %d lost answers, possible_orphans is %d", extra, unknown, tally.PossibleOrphans())
	}
	return unknown
}

// slowBytes is a toxic that lets some 64 bytes through at a time.
func slowBytes(every time.Duration) string {
	return fmt.Sprintf(`{"type": "slicer", "attributes": {"average_size": 64, "size_variation": 2, "delay": %d}}`, every.Microseconds())
}

func TestLostAnswersOverTheWire(t *testing.T) {
	tests := []struct {
		name   string
		strike string  // comes while the first POST is at the simulator, and stays
		exact  [2]bool // over HTTP/1.1, HTTP/2: nothing can be lost on the way there
	}{
		{"no answer in time", `{"type": "timeout"}`, [2]bool{true, true}},
		{"reset", `{"type": "reset_peer"}`, [2]bool{true, false}},
		{"closed", `{"type": "limit_data"}`, [2]bool{true, false}},
		{"cut off in the answer", `{"type": "limit_data", "attributes": {"bytes": 40}}`, [2]bool{true, false}},
		{"slow bytes", slowBytes(50 * time.Millisecond), [2]bool{true, true}},
		{"cut off in the request", `{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 120}}`, [2]bool{}},
		{"reset in the request", `{"type": "reset_peer", "stream": "upstream"}`, [2]bool{}},
	}
	for _, tt := range tests {
		for i, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
			t.Run(tt.name+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				w := newWire(t, i == 1, tt.strike)
				input := invoices(t, 6)
				ledger := beside(input, "ledger.db")
				flags := []string{"--ledger", ledger, "--rate", "0", "--concurrency", "3", "--give-up-after", "500ms"}
				got := paylinksProcess(t, w.env, append(flags, "run", input, "--timeout", "200ms", "--max-attempts", "1")...)
				if got.status != exitAttention && got.status != exitUnfinished {
					t.Errorf("status %d: %s", got.status, got.err)
				}
				if unknown := w.agrees(t, ledger, tt.exact[i]); unknown == 0 && tt.exact[i] {
					t.Error("no answer was lost")
				}

				w.connect(t, w.proxy.Listen)
				if got := paylinksProcess(t, w.env, append(flags, "retry", "1", "--unknown")...); got.status != exitOK {
					t.Errorf("status %d: %s", got.status, got.err)
				}
				w.agrees(t, ledger, tt.exact[i])
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
			if got.status != exitAttention {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			if unknown := w.agrees(t, ledger, tt.reaches); unknown != 3 {
				t.Errorf("%d answers were lost, want every second one of 6", unknown)
			}
		})
	}
}

// A server that says over HTTP/2 that it has not taken a request invites a transport to send it again.
func TestRefusedStreamIsNotSentAgain(t *testing.T) {
	for name, refusal := range map[string][]byte{
		"stream refused":       {0, 0, 4, 3 /* RST_STREAM */, 0, 0, 0, 0, 1, 0, 0, 0, 7 /* REFUSED_STREAM */},
		"connection goes away": {0, 0, 8, 7 /* GOAWAY */, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own, authority := certificate(t, "127.0.0.1", time.Now().AddDate(0, 0, 2))
			listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			var posts atomic.Int64
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						if readWholeRequest(conn) == nil {
							posts.Add(1)
							_, _ = conn.Write(refusal)
							_, _ = io.Copy(io.Discard, conn)
						}
					}()
				}
			}()
			trusted := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(trusted, authority, 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": "https://" + listener.Addr().String(), "SSL_CERT_FILE": trusted}
			input := invoices(t, 1)
			ledger := beside(input, "ledger.db")
			got := paylinksProcess(t, env, "run", input, "--ledger", ledger, "--timeout", "1s", "--max-attempts", "1")
			if got.status != exitAttention || posts.Load() != 1 {
				t.Errorf("status %d, %d posts: %s", got.status, posts.Load(), got.err)
			}
			if tally, _, _ := onRecord(t, ledger); tally.Items[job.Unknown] != 1 || tally.PossibleOrphans() != 1 {
				t.Errorf("on record: %v", tally.Items)
			}
		})
	}
}

// readWholeRequest speaks just enough HTTP/2 to have the first request of a connection come in, its body included.
func readWholeRequest(conn io.ReadWriter) error {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0}
	if _, err := io.CopyN(io.Discard, conn, int64(len(preface))); err != nil {
		return err
	}
	if _, err := conn.Write(settings); err != nil {
		return err
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return err
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, conn, size); err != nil {
			return err
		}
		if isData, ends := head[3] == 0, head[4]&1 == 1; isData && ends {
			return nil
		}
	}
}

// A slow answer that comes in time is an answer.
func TestSlowBytesInTime(t *testing.T) {
	t.Parallel()
	w := newWire(t, true, "")
	w.toxic(t, slowBytes(10*time.Millisecond))
	input := invoices(t, 3)
	ledger := beside(input, "ledger.db")
	if got := paylinksProcess(t, w.env, "run", input, "--ledger", ledger, "--rate", "0"); got.status != exitOK {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	if unknown := w.agrees(t, ledger, true); unknown > 0 {
		t.Errorf("%d unknown", unknown)
	}
	w.publishes(t, input, 3)
}
