package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paylinks/clink/simulator"
)

// programs builds bench and paylinks once, beside the test program, whose folder go test removes.
var programs = sync.OnceValues(func() (string, error) {
	folder := filepath.Dir(must1(os.Executable()))
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", folder, "paylinks/cmd/bench", "paylinks/cmd/paylinks").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return folder, err
})

func built(t *testing.T) (bench, paylinks string) {
	t.Helper()
	folder, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "bench"), filepath.Join(folder, "paylinks")
}

// quickly runs bench with tiny sizes and returns the cells of its table, by the first of the line.
func quickly(t *testing.T, paylinks string, env []string, flags ...string) (status int, rows map[string][]string) {
	t.Helper()
	program, _ := built(t)
	work, output := t.TempDir(), filepath.Join(t.TempDir(), "bench.md")
	cmd := exec.Command(program, append([]string{"--quick", "--paylinks", paylinks, "--work", work, "--output", output}, flags...)...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its status is looked at
	if written, err := os.ReadFile(output); err != nil || string(written) != stdout.String() {
		t.Fatalf("the file is not what went to standard output: %v\n%s", err, stderr.String())
	}
	for _, path := range []string{work, filepath.Dir(paylinks), filepath.Dir(program)} {
		if strings.Contains(stdout.String(), path) {
			t.Errorf("the table names a path of this machine, %s", path)
		}
	}
	rows = map[string][]string{}
	for line := range strings.Lines(stdout.String()) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); strings.HasPrefix(line, "| ") {
			rows[cells[0]] = cells[1:]
		}
	}
	delete(rows, "figure")
	delete(rows, "---")
	return cmd.ProcessState.ExitCode(), rows
}

// TestTable guards that the measurements can be made, of two programs in one run, whatever the environment says: all but those that
// disturb a run at a moment of the clock.
func TestTable(t *testing.T) {
	t.Parallel()
	_, paylinks := built(t)
	status, rows := quickly(t, paylinks, []string{"PAYLINKS_RATE=1", "CLINK_BASE_URL=http://127.0.0.1:1", "PAYLINKS_LIMIT=1"},
		"--before", paylinks, "--only", "durable,workers,rate,check,import,memory,growth,reading,ledger,export")
	if status != exitOK {
		t.Errorf("status %d", status)
	}
	for title, cells := range rows {
		skipped := strings.HasPrefix(cells[2], "skipped: ")
		if len(cells) != 6 || !skipped && (cells[0] == "–" || cells[1] == "–") || cells[5] != "–" {
			t.Errorf("%s: %q", title, cells)
		}
	}
	for _, title := range []string{"durable throughput", "`--rate 1000` at 50 ms, mean", "memory at 600 rows", "`show 1`", "exporting 600 links"} {
		if rows[title] == nil {
			t.Errorf("no line %s", title)
		}
	}
}

// TestBrokenPaylinks guards that a run that did not do its work gives no figure, and that the others are still measured.
func TestBrokenPaylinks(t *testing.T) {
	t.Parallel()
	_, paylinks := built(t)
	for _, tt := range []struct{ name, run, want string }{
		{"fails", `echo "disk on fire" >&2; exit 65`, "exit status 65, expected status 0: disk on fire"},
		{"sends nothing and says it did", `echo '{"rows":400,"created":400,"pending":0}'`, "the server made 0 sessions, expected 400"},
		{"says that rows are left", paylinks + ` "$@" | sed 's/"created":400/"created":399/'`, "expected 400 created and 0 pending"},
		{"says nothing", paylinks + ` "$@" > /dev/null`, "the summary is {Rows:0 "},
		{"cuts the links file", paylinks + ` "$@" && sed '$d' 400-0.links.csv > cut && mv cut 400-0.links.csv`, "has 400 lines, expected a header and 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broken := filepath.Join(t.TempDir(), "paylinks")
			script := "#!/bin/sh\nif [ \"$1\" != run ]; then exec " + paylinks + " \"$@\"; fi\n" + tt.run + "\n"
			if err := os.WriteFile(broken, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			status, rows := quickly(t, broken, nil, "--only", "durable,check")
			cells := rows["durable"]
			if status != exitMissed || cells == nil || !strings.Contains(cells[0], tt.want) || cells[4] != unmeasured {
				t.Errorf("status %d, got %q, want %s", status, cells, tt.want)
			}
			if rows["`check`, 600 rows"] == nil {
				t.Errorf("the next measurement: %q", rows)
			}
		})
	}
}

// TestVerdicts guards that a bar is judged by the median of the program measured, and that a missed one makes the status 1.
func TestVerdicts(t *testing.T) {
	for want, l := range map[string]line{
		"| l | 0.30 | – | ≥ 0.30 | u | ok |":                            {ours: []sample{{0.30}}, bar: bar{atLeast: 0.30}},
		"| l | 0.30 | – | ≥ 0.30 | u | missed |":                        {ours: []sample{{0.2999}, {0.5}}, bar: bar{atLeast: 0.30}},
		"| l | 105.01 | – | ≤ 105.00 | u | missed |":                    {ours: []sample{{105.01}}, bar: bar{atMost: 105}},
		"| l | 98.90 (2.00–1,234.00) | – | 99.00–101.00 | u | missed |": {ours: []sample{{2, 1234, 98.9}}, bar: bar{99, 101}},
		"| l | 1.50 (1.00–2.00) | p: 2.00 | – | u | – |":                {ours: []sample{{1, 2}}, peer: sample{2}, peerName: "p"},
		`| l | a \| b | – | – | u | not measured |`:                     {err: errors.New("a | b")},
		"| l | – | skipped | ≥ 50.00 | u | – |":                         {peerName: "skipped", bar: bar{atLeast: 50}},
	} {
		l.name, l.verb, l.unit = "l", "%.2f", "u"
		if text := markdown("m", []line{l}, false, false); !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s in:\n%s", want, text)
		}
		if err := verdictOf([]line{l}, false); (err != nil) != (strings.Contains(want, missed) || strings.Contains(want, unmeasured)) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// TestInterrupted guards that nothing is left of a bench that is interrupted: no process, not even one that its own
// processes have started, no file, no table.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	program, paylinks := built(t)
	folder, work := t.TempDir(), t.TempDir()
	slow, output := filepath.Join(folder, "paylinks"), filepath.Join(work, "bench.md")
	// The run says that it is there, and the pipe stays open for as long as it or its child lives.
	pipe := filepath.Join(folder, "alive")
	script := "#!/bin/sh\nif [ \"$1\" != run ]; then exec " + paylinks + " \"$@\"; fi\nexec 3> " + pipe + "\necho run >&3\nsleep 600 & wait\n"
	if err := errors.Join(os.WriteFile(slow, []byte(script), 0o700), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--quick", "--paylinks", slow, "--work", work, "--output", output, "--only", "durable")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	alive, err := os.Open(pipe) // waits for the run
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	said := bufio.NewReader(alive)
	if line, err := said.ReadString('\n'); err != nil || line != "run\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status is looked at
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
	if err := alive.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := said.ReadByte(); err != io.EOF {
		t.Errorf("a process lives on: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(work, "*")); err != nil || len(left) > 0 { // the table would be there, too
		t.Errorf("left in the work folder: %v %v", left, err)
	}
}

// TestUsage guards that a mistake in the command line is reported before anything is measured.
func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		`there is no measurement "speed"`:           {"--only", "durable,speed"},
		"nowhere/paylinks: no such file":            {"--paylinks", "nowhere/paylinks"},
		"not defined: -fast":                        {"--fast"},
		"there is no folder nowhere":                {"--paylinks", os.Args[0], "--output", "nowhere/bench.md"},
		`takes only flags, and was given "durable"`: {"durable"},
	} {
		var stdout, stderr strings.Builder
		if status := run(t.Context(), args, &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%q: status %d: %s", args, status, stderr.String())
		}
	}
}

// TestBareSendsTheSame guards the comparison: the bare loop sends what paylinks sends, byte for byte and header for header.
func TestBareSendsTheSame(t *testing.T) {
	t.Parallel()
	program, paylinks := built(t)
	b := &bench{folder: t.TempDir()}
	in := b.input(300)
	ours := requests(t, func(url string) *exec.Cmd {
		return exec.Command(paylinks, "run", in.path, "--env", "simulator", "--base-url", url, "--rate", "0", "--ledger", filepath.Join(b.folder, "ledger.db"), "-q")
	})
	bare := requests(t, func(url string) *exec.Cmd { return exec.Command(program, "bare", in.path, url) })
	if diff := cmp.Diff(ours, bare); diff != "" || len(ours) != in.rows {
		t.Errorf("%d requests of paylinks (-) and the bare loop's (+):\n%s", len(ours), diff)
	}
}

// requests runs the command against a simulator, and returns the requests in a certain order.
func requests(t *testing.T, command func(url string) *exec.Cmd) (requests []string) {
	t.Helper()
	var mu sync.Mutex
	handler := simulator.New(simulator.Config{AllowNoKey: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		requests = append(requests, fmt.Sprintln(r.Method, r.URL.Path, slices.Sorted(maps.Keys(r.Header)), string(body)))
		mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	if out, err := command(server.URL).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	slices.Sort(requests)
	return requests
}

// at is moments so many milliseconds after another.
func at(milliseconds ...int) (times []time.Duration) {
	for _, ms := range milliseconds {
		times = append(times, time.Duration(ms)*time.Millisecond)
	}
	return times
}

func TestRecordOf(t *testing.T) {
	for _, tt := range []struct {
		name     string
		arrivals []time.Duration
		want     record
	}{
		{"a second apart is not in one second", at(5, 1005, 2005), record{Requests: 3, First: 5e6, Span: 2e9, InSecond: 1, Gap: 1e9}},
		{"just under a second apart is", at(0, 999, 2000), record{Requests: 3, Span: 2e9, InSecond: 2, Gap: 1001e6}},
		{"a burst across two full seconds", at(0, 900, 950, 1000, 1050, 1899, 2500), record{Requests: 7, Span: 2500e6, InSecond: 5, Gap: 900e6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, recordOf(tt.arrivals)); diff != "" {
				t.Error(diff)
			}
		})
	}
	var perfect []time.Duration // 64 requests every 50 ms come to what is possible, and not above it
	for request := range 10 * workers {
		perfect = append(perfect, at(50*(request/workers))...)
	}
	if got := recordOf(perfect).perSecond(workers); got != 1280 {
		t.Errorf("got %v, want 1280", got)
	}
}

// TestRecorder guards that every request is noted, that refusals begin after so many and then end, and that each record is of
// its own time.
func TestRecorder(t *testing.T) {
	behind := httptest.NewServer(newRecorder(0))
	defer behind.Close()
	s := server{url: behind.URL}
	s.record(2)
	row := bodyOf([]string{"INV-1", "10.00", "USD", "a@example.com", "an order"})
	sent, made := 0, 0
	for made < 3 { // two before the refusals, and one after
		sent++
		if err := post(http.DefaultClient, s.url+"/checkout/session", row); err == nil {
			made++
		} else if err.Error() != "429 Too Many Requests" || made != 2 {
			t.Fatalf("request %d: %v", sent, err)
		}
	}
	if got := s.record(0); got.Requests != sent || got.Sessions != made || got.Span < refuseFor {
		t.Errorf("%+v, and %d were sent and %d made", got, sent, made)
	}
	if got := s.record(0); got != (record{}) {
		t.Errorf("after the end: %+v", got)
	}
}
