package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	folder := filepath.Dir(self)
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", folder, "paylinks/cmd/bench", "paylinks/cmd/paylinks").CombinedOutput()
	if err != nil {
		_, _ = os.Stderr.Write(out)
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

// quickly runs bench with tiny sizes and returns its table, by title.
func quickly(t *testing.T, paylinks string, env []string, flags ...string) (status int, rows map[string][]string, said string) {
	t.Helper()
	program, _ := built(t)
	work, output := t.TempDir(), filepath.Join(t.TempDir(), "bench.md")
	args := append([]string{"--quick", "--paylinks", paylinks, "--work", work, "--output", output}, flags...)
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its status is looked at
	written, err := os.ReadFile(output)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if string(written) != stdout.String() {
		t.Error("the file is not what went to standard output")
	}
	for _, path := range []string{work, filepath.Dir(paylinks), filepath.Dir(program)} {
		if strings.Contains(stdout.String(), path) {
			t.Errorf("the table names a path of this machine, %s", path)
		}
	}
	if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
		t.Errorf("left in the work folder: %v %v", left, err)
	}
	rows = map[string][]string{}
	for line := range strings.Lines(stdout.String()) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); strings.HasPrefix(line, "| ") && len(cells) == 5 {
			rows[cells[0]] = cells[1:]
		}
	}
	delete(rows, "figure")
	delete(rows, "---")
	if status = cmd.ProcessState.ExitCode(); status != exitOK {
		t.Logf("status %d: %s", status, stderr.String())
	}
	return status, rows, stdout.String()
}

// TestTable guards that every figure can be measured here, and stands in the table beside its peer.
func TestTable(t *testing.T) {
	t.Parallel()
	_, paylinks := built(t)
	status, rows, said := quickly(t, paylinks, []string{"PAYLINKS_RATE=1", "CLINK_BASE_URL=http://127.0.0.1:1", "PAYLINKS_LIMIT=1"})
	if status != exitOK {
		t.Errorf("status %d", status)
	}
	const none = `^–$`
	want := []struct{ title, measured, peer string }{
		{"durable throughput", `^\*\*\d+\.\d\d\*\* of the bare loop: [\d,]+ rows/s, CPU \d+ µs a row$`, `^bare Go loop: [\d,]+ rows/s, CPU \d+ µs a row$`},
		{"at a real API's latency (50 ms)", `^\*\*\d+\.\d%\*\* of ideal while sending: [\d,]+/s; whole run [\d,]+ rows/s$`, `^bare Go loop: \d+\.\d%, [\d,]+/s; whole run [\d,]+ rows/s; ideal: 1,280/s$`},
		{"pace (`--rate 100`)", `^mean \*\*\d+\.\d\d\*\*/s over 0\.5 s, most in a second \*\*\d+\*\*; longest gap \d+ ms$`, `^ideal: 100/s$`},
		{"pace, stopped for a moment and continued", `^most in a second \*\*\d+\*\*$`, `^ideal: 100$`},
		{"pace, after 429s", `^most in a second \*\*\d+\*\* \([1-9]\d* refused\)$`, `^ideal: 100$`},
		{"what people use today", `^(\*\*\d+ times\*\* as fast: [\d,]+ rows/s|–)$`, `^(GNU parallel, 8 jobs, and curl: [\d,]+ rows/s|skipped: .*)$`},
		{"reading (`check`), 600 rows", `^\*\*[\d,]+ rows/s\*\*$`, `^encoding/csv alone: [\d,]+ rows/s$`},
		{"importing 600 rows", `^\*\*[\d,]+ rows/s\*\*$`, "^(sqlite3 `.import`: [\\d,]+ rows/s|skipped: .*)$"},
		{"memory at 30, 300 and 600 rows", `^\*\*\d+, \d+, \d+ MiB\*\*$`, `^bare Go loop: \d+, \d+, \d+ MiB$`},
		{"memory, how flat", `^\*\*\d\.\d\d\*\* from the least to the most, -?[\d,]+ bytes a row more$`, `^bare Go loop: \d\.\d\d$`},
		{"growth, a row of 600 against one of 100", `^\*\*\d+\.\d\d\*\* in time \(.*\), \d+\.\d\d in CPU \(.*\)$`, `^bare Go loop: \d+\.\d\d in time \(.*\), \d+\.\d\d in CPU$`},
		{"resuming 60 of 600 rows, to the first request", `^\*\*[\d,]+ ms\*\*$`, none},
		{"`jobs`", `^\*\*[\d,]+ ms\*\*$`, `^(sqlite3, counting rows by state: [\d,]+ ms|skipped: .*)$`},
		{"`show 1`", `^\*\*[\d,]+ ms\*\*$`, `^(sqlite3, counting rows by state: [\d,]+ ms|skipped: .*)$`},
		{"ledger of 600 rows", `^\*\*[\d,]+ bytes\*\* a row \(\d+ MiB\)$`, `^the invoice file: \d+ bytes a row$`},
		{"largest WAL", `^\*\*\d+\.\d MiB\*\*$`, none},
		{"exporting 600 links", `^\*\*[\d,]+ rows/s\*\*$`, "^(sqlite3 `SELECT`: [\\d,]+ rows/s|skipped: .*)$"},
	}
	for _, w := range want {
		t.Run(w.title, func(t *testing.T) {
			cells, found := rows[w.title]
			if !found {
				t.Fatal("no such row")
			}
			for i, pattern := range []string{w.measured, w.peer} {
				if !regexp.MustCompile(pattern).MatchString(cells[i]) {
					t.Errorf("%q does not match %s", cells[i], pattern)
				}
			}
			if cells[3] != "–" {
				t.Errorf("judged %q, with tiny sizes", cells[3])
			}
		})
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d:\n%s", len(rows), len(want), said)
	}
	for _, line := range []string{
		"paylinks run N.csv --env simulator --base-url URL --rate 0 --concurrency 64 --ledger N.db --json --output N.links.csv\n",
		"bench bare N.csv URL\n",
	} {
		if strings.Count(said, line) != 1 {
			t.Errorf("not once: command line %q", line)
		}
	}
	if lines := strings.Count(said, "\n"); lines > 70 {
		t.Errorf("%d lines are too many for a README", lines)
	}
}

// TestMissingPeers guards that a peer that is not installed is named, and that a figure that does not need it is measured.
func TestMissingPeers(t *testing.T) {
	t.Parallel()
	_, paylinks := built(t)
	status, rows, _ := quickly(t, paylinks, []string{"PATH="}, "--only", "exporting,parallel,importing,resuming")
	if status != exitOK {
		t.Errorf("status %d", status)
	}
	const noSQLite = "skipped: sqlite3 is not installed"
	for title, peer := range map[string]string{
		"what people use today": "skipped: GNU parallel is not installed",
		"importing 600 rows":    noSQLite,
		"exporting 600 links":   noSQLite,
		"`jobs`":                noSQLite,
		"`show 1`":              noSQLite,
	} {
		if cells := rows[title]; len(cells) != 4 || cells[1] != peer || (cells[0] == "–") != (title == "what people use today") {
			t.Errorf("%s: %q", title, cells)
		}
	}
}

// TestBrokenPaylinks guards that a run that did not do its work is no figure.
func TestBrokenPaylinks(t *testing.T) {
	t.Parallel()
	_, paylinks := built(t)
	for _, tt := range []struct{ name, run, want string }{
		{"fails", `echo "disk on fire" >&2; exit 65`, "exit status 65, expected 0: disk on fire"},
		{"sends nothing and says it did", `echo '{"rows":400,"created":400,"pending":0}'`, "the server made 0 sessions, expected 400"},
		{"says that rows are left", paylinks + ` "$@" | sed 's/"created":400/"created":399/'`, "expected 400 created and 0 pending"},
		{"says nothing", paylinks + ` "$@" > /dev/null`, "the summary: "},
		{"cuts the links file", paylinks + ` "$@" && sed '$d' 400.links.csv > cut && mv cut 400.links.csv`, "the links file has 400 lines, expected a header and 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broken := filepath.Join(t.TempDir(), "paylinks")
			script := "#!/bin/sh\nif [ \"$1\" != run ]; then exec " + paylinks + " \"$@\"; fi\n" + tt.run + "\n"
			if err := os.WriteFile(broken, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			status, rows, _ := quickly(t, broken, nil, "--only", "throughput,reading")
			if status != exitUnmeasured {
				t.Errorf("status %d", status)
			}
			cells := rows["durable throughput"]
			if len(cells) != 4 || !strings.HasPrefix(cells[0], "not measured: ") || !strings.Contains(cells[0], tt.want) || cells[3] != "–" {
				t.Errorf("got %q, want %s", cells, tt.want)
			}
			if cells := rows["reading (`check`), 600 rows"]; len(cells) != 4 || !strings.Contains(cells[0], "rows/s") {
				t.Errorf("the next figure: %q", cells)
			}
		})
	}
}

// TestInterrupted guards that nothing is left of a bench that is interrupted: no process, not even one that its own
// processes have started, no file, no table.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	program, paylinks := built(t)
	folder, work := t.TempDir(), t.TempDir()
	slow, alive, output := filepath.Join(folder, "paylinks"), filepath.Join(folder, "alive"), filepath.Join(folder, "bench.md")
	// Each process says that it runs, and keeps the pipe open for as long as it lives.
	script := `#!/bin/sh
case $1 in
run) exec 3> ` + alive + `; echo run >&3; sleep 600 & wait;;
simulator) exec 3> ` + alive + `; echo simulator >&3;;
esac
exec ` + paylinks + ` "$@"
`
	if err := os.WriteFile(slow, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(alive, 0o600); err != nil {
		t.Fatal(err)
	}
	ours, err := os.OpenFile(alive, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := os.Open(alive)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	cmd := exec.Command(program, "--quick", "--paylinks", slow, "--work", work, "--output", output, "--only", "throughput")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its status is looked at
		_ = ours.Close()
		close(ended)
	}()
	said := bufio.NewReader(pipe)
	for _, want := range []string{"simulator\n", "run\n"} {
		if line, err := said.ReadString('\n'); err != nil || line != want {
			t.Fatalf("%q, %v; want %q", line, err, want)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if status := cmd.ProcessState.ExitCode(); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
	if err := pipe.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := said.ReadByte(); err != io.EOF {
		t.Errorf("a process lives on: %v", err)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
		t.Errorf("left in the work folder: %v %v", left, err)
	}
	if _, err := os.Stat(output); !os.IsNotExist(err) {
		t.Errorf("the table: %v", err)
	}
}

// TestUsage guards that a mistake in the command line is told before anything is measured.
func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown figure", []string{"--only", "speed"}, `there is no figure "speed"`},
		{"no paylinks", []string{"--paylinks", "nowhere/paylinks"}, "nowhere/paylinks: no such file"},
		{"unknown flag", []string{"--fast"}, "unknown flag: --fast"},
		{"no folder for the table", []string{"--paylinks", os.Args[0], "--output", "nowhere/bench.md"}, "there is no folder nowhere"},
		{"an argument", []string{"throughput"}, `nothing but flags, and was given "throughput"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, words strings.Builder
			if status := run(t.Context(), tt.args, &out, &words); status != exitUsage || !strings.Contains(words.String(), tt.want) {
				t.Errorf("status %d: %s", status, words.String())
			}
		})
	}
}

// TestBareSendsTheSame guards the comparison: the bare loop sends what paylinks sends, byte for byte and header for header.
func TestBareSendsTheSame(t *testing.T) {
	t.Parallel()
	program, paylinks := built(t)
	const rows = 300
	b := &bench{folder: t.TempDir()}
	in, err := b.input(rows)
	if err != nil {
		t.Fatal(err)
	}
	ours := recorded(t, func(url string) *exec.Cmd {
		return exec.Command(paylinks, "run", in.path, "--env", "simulator", "--base-url", url, "--rate", "0", "--ledger", filepath.Join(b.folder, "ledger.db"), "-q")
	})
	bare := recorded(t, func(url string) *exec.Cmd { return exec.Command(program, "bare", in.path, url) })
	if len(ours) != rows {
		t.Errorf("%d requests, want %d", len(ours), rows)
	}
	if diff := cmp.Diff(ours, bare); diff != "" {
		t.Errorf("paylinks (-) and the bare loop (+):\n%s", diff)
	}
}

// recorded runs the command against a recording simulator, and returns the requests in a certain order.
func recorded(t *testing.T, command func(url string) *exec.Cmd) []string {
	t.Helper()
	var mu sync.Mutex
	var requests []string
	handler := simulator.New(simulator.Config{AllowNoKey: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		mu.Lock()
		requests = append(requests, r.Method+" "+r.URL.Path+" "+strings.Join(names, " ")+"\n"+string(body))
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
