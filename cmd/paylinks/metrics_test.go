package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/store"
)

// metricsIn reads a metrics file: each value by its name and labels, as in the file. It must be readable for others, and
// whole: what Prometheus's own linter says against it is an error.
func metricsIn(t *testing.T, path string) map[string]float64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("the metrics file has mode %v, and node_exporter must read it", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, "} "); ok && line[0] != '#' {
			if values[name+"}"], err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return values
}

// wantMetrics wants the values, each by its name and labels; -1 is none, and 0.5 any time of this test or duration.
func wantMetrics(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		have, ok := got[name]
		switch {
		case value == -1:
			if ok {
				t.Errorf("%s is %v, want none", name, have)
			}
		case strings.Contains(name, "_timestamp_seconds"):
			if age := float64(time.Now().Unix()) - have; age < -1 || age > 60 {
				t.Errorf("%s is %v, want now", name, have)
			}
		case !ok || have != value:
			t.Errorf("%s is %v (%v), want %v", name, have, ok, value)
		}
	}
}

// metricsNow runs the program in this process against a simulator with a ledger and a metrics file in folder.
func metricsNow(t *testing.T, folder string, config simulator.Config, command string, args ...string) (int, *simulator.Server) {
	t.Helper()
	clink := simulator.New(config)
	server := httptest.NewServer(clink)
	defer server.Close()
	got := paylinksHere(t, map[string]string{
		"PAYLINKS_ENV": "simulator", "PAYLINKS_BASE_URL": server.URL, "PAYLINKS_RATE": "0", "PAYLINKS_QUIET": "true",
		"PAYLINKS_LEDGER": filepath.Join(folder, "ledger.db"), "PAYLINKS_METRICS_FILE": filepath.Join(folder, "p.prom"),
	}, append([]string{command}, args...)...)
	t.Log(got.err)
	return got.status, clink
}

// TestMetricsFile guards that the metrics file is written however a run ends, and says how.
func TestMetricsFile(t *testing.T) {
	of := func(name, more string) string {
		return "paylinks_" + name + `{environment="simulator",file="a.csv",job_id="1"` + more + `}`
	}
	healthy := simulator.Config{AllowNoKey: true}
	with := func(fault simulator.Fault) simulator.Config {
		return simulator.Config{AllowNoKey: true, Faults: map[simulator.Fault]float64{fault: 1}}
	}
	for _, c := range []struct {
		status int
		config simulator.Config
		flags  []string
		want   map[string]float64
	}{
		{exit.OK, healthy, nil, map[string]float64{
			of("rows", `,state="created"`): 3, of("rows", `,state="pending"`): 0, of("attempts_total", `,outcome="created"`): 3,
			of("possible_orphans", ""): 0, of("job_last_run_timestamp_seconds", ""): 0.5,
			of("job_last_success_timestamp_seconds", ""): 0.5, `paylinks_last_success_timestamp_seconds{environment="simulator"}`: 0.5,
		}},
		{exit.Attention, with(simulator.Refuse), nil, map[string]float64{
			of("rows", `,state="failed"`): 3, of("attempts_total", `,outcome="rejected"`): 3, of("job_last_success_timestamp_seconds", ""): -1,
			of("job_last_run_timestamp_seconds", ""): 0.5,
		}},
		{exit.Attention, with(simulator.WrongAmount), nil, map[string]float64{of("possible_orphans", ""): 3}},
		{exit.Usage, healthy, []string{"--rate=-1"}, nil},
		{exit.Data, healthy, []string{"--expect-rows=4"}, nil},
		{exit.Failures, with(simulator.Refuse), []string{"--max-failures=1", "--concurrency=1"}, map[string]float64{
			of("rows", `,state="failed"`): 1, of("rows", `,state="pending"`): 2,
		}},
		{exit.Output, healthy, []string{"--output=/dev/null/a.csv"}, nil},
		{exit.Ledger, healthy, []string{"--ledger=/dev/null/ledger.db"}, nil},
		{exit.Unfinished, healthy, []string{"--limit=2"}, map[string]float64{of("rows", `,state="created"`): 2, of("rows", `,state="pending"`): 1}},
		{exit.Key, simulator.Config{}, nil, map[string]float64{of("rows", `,state="pending"`): 3}},
		{exit.Config, with(simulator.Redirect), nil, map[string]float64{of("rows", `,state="pending"`): 3}},
	} {
		t.Run(fmt.Sprint(c.status, c.flags), func(t *testing.T) {
			input := invoices(t, 3)
			status, _ := metricsNow(t, filepath.Dir(input), c.config, "run", append([]string{input}, c.flags...)...)
			if status != c.status {
				t.Fatalf("exit status %d, want %d", status, c.status)
			}
			got := metricsIn(t, beside(input, "p.prom"))
			if c.want == nil {
				c.want = map[string]float64{of("job_last_run_exit_status", ""): -1}
			} else {
				c.want[of("job_last_run_exit_status", "")] = float64(c.status)
				if got[of("job_last_run_duration_seconds", "")] <= 0 || got[of("job_last_run_attempts_per_second", "")] <= 0 {
					t.Error("the duration or the rate is missing")
				}
			}
			c.want[fmt.Sprintf(`paylinks_last_exit_timestamp_seconds{command="run",status="%d"}`, c.status)] = 0.5
			if c.status != exit.OK {
				c.want[`paylinks_last_success_timestamp_seconds{environment="simulator"}`] = -1
			}
			wantMetrics(t, got, c.want)
		})
	}
}

// TestMetricsOfInterrupted guards that the metrics file is written after Ctrl-C, too.
func TestMetricsOfInterrupted(t *testing.T) {
	input := invoices(t, 20)
	ctx, cancel := context.WithCancel(t.Context())
	clink := simulator.New(simulator.Config{AllowNoKey: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		clink.ServeHTTP(w, r)
	}))
	defer server.Close()
	var said strings.Builder
	status := execute(ctx, []string{"run", input, "--env=simulator", "--base-url=" + server.URL, "--concurrency=1",
		"--ledger=" + beside(input, "l.db"), "--metrics-file=" + beside(input, "p.prom")},
		options.Streams{In: strings.NewReader(""), Out: &said, Err: &said, Env: func(string) (string, bool) { return "", false }})
	if status != exit.Interrupted {
		t.Fatalf("exit status %d: %s", status, &said)
	}
	wantMetrics(t, metricsIn(t, beside(input, "p.prom")), map[string]float64{
		`paylinks_last_exit_timestamp_seconds{command="run",status="130"}`:                             0.5,
		`paylinks_rows{environment="simulator",file="a.csv",job_id="1",state="created"}`:               1,
		`paylinks_rows{environment="simulator",file="a.csv",job_id="1",state="pending"}`:               19,
		`paylinks_job_last_run_exit_status{environment="simulator",file="a.csv",job_id="1"}`:           130,
		`paylinks_attempts_total{environment="simulator",file="a.csv",job_id="1",outcome="created"}`:   1,
		`paylinks_job_last_success_timestamp_seconds{environment="simulator",file="a.csv",job_id="1"}`: -1,
	})
}

// TestMetricsAddUp guards that the file says what all of a night's commands found: a job's own commands replace its
// figures, and nothing that another one wrote is lost. The time of the last success outlives failing runs.
func TestMetricsAddUp(t *testing.T) {
	first, second := invoices(t, 3), invoices(t, 1)
	if err := os.WriteFile(second, []byte("invoice_id,customer_email,amount,currency\nB-1,b@example.com,1.50,USD\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(first)
	server := httptest.NewServer(simulator.New(simulator.Config{AllowNoKey: true}))
	defer server.Close()
	paylinks := func(want int, args ...string) map[string]float64 {
		t.Helper()
		got := paylinksHere(t, map[string]string{
			"PAYLINKS_ENV": "simulator", "PAYLINKS_BASE_URL": server.URL, "PAYLINKS_RATE": "0", "PAYLINKS_QUIET": "true",
			"PAYLINKS_LEDGER": filepath.Join(folder, "ledger.db"), "PAYLINKS_METRICS_FILE": filepath.Join(folder, "p.prom"),
		}, args...)
		if got.status != want {
			t.Fatalf("%v: exit status %d, want %d: %s", args, got.status, want, got.err)
		}
		return metricsIn(t, filepath.Join(folder, "p.prom"))
	}
	rows := func(id int, state string) string {
		return fmt.Sprintf(`paylinks_rows{environment="simulator",file="a.csv",job_id="%d",state="%s"}`, id, state)
	}
	const success = `paylinks_last_success_timestamp_seconds{environment="simulator"}`

	paylinks(exit.Unfinished, "run", first, "--limit=1")
	wantMetrics(t, paylinks(exit.OK, "run", second), map[string]float64{
		rows(1, "created"): 1, rows(1, "pending"): 2, rows(2, "created"): 1, success: 0.5,
	})
	after := paylinks(exit.Data, "run", filepath.Join(folder, "none.csv"))
	wantMetrics(t, after, map[string]float64{rows(1, "pending"): 2, rows(2, "created"): 1, success: 0.5})
	got := paylinks(exit.OK, "resume", "1")
	wantMetrics(t, got, map[string]float64{
		rows(1, "created"): 3, rows(1, "pending"): 0, rows(2, "created"): 1,
		`paylinks_last_exit_timestamp_seconds{command="run",status="65"}`:    0.5,
		`paylinks_last_exit_timestamp_seconds{command="run",status="75"}`:    0.5,
		`paylinks_last_exit_timestamp_seconds{command="run",status="0"}`:     0.5,
		`paylinks_last_exit_timestamp_seconds{command="resume",status="0"}`:  0.5,
		`paylinks_last_exit_timestamp_seconds{command="resume",status="75"}`: -1,
	})
	if got[success] <= after[success] {
		t.Error("the last success does not move on")
	}
}

// TestMetricsFileRefused guards that a metrics file that cannot be written is found out before the first send, and
// that nothing of somebody else's is replaced.
func TestMetricsFileRefused(t *testing.T) {
	for _, c := range []struct{ name, path, holds string }{
		{"a folder that is not there", "none/p.prom", ""},
		{"a device", "/dev/null", ""},
		{"an invoice file", "p.prom", "invoice_id,amount\nA-1,1.00\n"},
		{"another program's metrics", "p.prom", "node_load1 0.5\n"},
		{"a cut-off file", "p.prom", "paylinks_rows{job_id="},
	} {
		t.Run(c.name, func(t *testing.T) {
			input := invoices(t, 2)
			path := c.path
			if !filepath.IsAbs(path) {
				path = beside(input, path)
			}
			if c.holds != "" {
				if err := os.WriteFile(path, []byte(c.holds), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			status, clink := metricsNow(t, filepath.Dir(input), simulator.Config{AllowNoKey: true}, "run", input, "--metrics-file="+path)
			if status != exit.Output {
				t.Errorf("exit status %d, want %d", status, exit.Output)
			}
			if n := clink.Summary().Creates; n != 0 {
				t.Errorf("%d requests were sent", n)
			}
			if text, _ := os.ReadFile(path); string(text) != c.holds {
				t.Errorf("the file was replaced: %s", text)
			}
		})
	}
}

// TestMetricsFileBecomesAnother guards that a links file that goes to the same place is not lost, and that the status
// says that the metrics are missing; a run that failed keeps its own.
func TestMetricsFileBecomesAnother(t *testing.T) {
	for _, c := range []struct {
		config simulator.Config
		want   int
	}{
		{simulator.Config{AllowNoKey: true}, exit.Output},
		{simulator.Config{}, exit.Key},
	} {
		t.Run(fmt.Sprint(c.want), func(t *testing.T) {
			input := invoices(t, 2)
			status, _ := metricsNow(t, filepath.Dir(input), c.config, "run", input, "--output="+beside(input, "p.prom"))
			if status != c.want {
				t.Errorf("exit status %d, want %d", status, c.want)
			}
			if text, _ := os.ReadFile(beside(input, "p.prom")); !bytes.HasPrefix(text, []byte("invoice_id,")) {
				t.Errorf("the links file was replaced: %s", text)
			}
		})
	}
}

// TestMetricsOfAnyName guards that a file's name, whatever it holds, cannot break the metrics.
func TestMetricsOfAnyName(t *testing.T) {
	for _, c := range []struct{ name, label string }{
		{"\xff.csv", "\uFFFD.csv"},
		{"a\nb.csv", `a\nb.csv`},
		{`a"} 1 \.csv`, `a\"} 1 \\.csv`},
	} {
		t.Run(c.label, func(t *testing.T) {
			input := invoices(t, 1)
			named := beside(input, c.name)
			if err := os.Rename(input, named); err != nil {
				t.Fatal(err)
			}
			if status, _ := metricsNow(t, filepath.Dir(input), simulator.Config{AllowNoKey: true}, "run", named); status != exit.OK {
				t.Fatalf("exit status %d", status)
			}
			text, err := os.ReadFile(beside(input, "p.prom"))
			if err != nil {
				t.Fatal(err)
			}
			if want := `paylinks_possible_orphans{environment="simulator",file="` + c.label + `",job_id="1"} 0` + "\n"; !strings.Contains(string(text), want) {
				t.Errorf("%s is not in\n%s", want, text)
			}
			var parser expfmt.TextParser
			if _, err := parser.TextToMetricFamilies(bytes.NewReader(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMetricsOfHeldLedger guards that a run that another one keeps out says so, and touches no figures of jobs.
func TestMetricsOfHeldLedger(t *testing.T) {
	input := invoices(t, 1)
	if err := os.Chmod(filepath.Dir(input), 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := store.OpenToSend(t.Context(), beside(input, "ledger.db"), store.Opening{Doing: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	status, _ := metricsNow(t, filepath.Dir(input), simulator.Config{AllowNoKey: true}, "run", input)
	if status != exit.Unfinished {
		t.Fatalf("exit status %d", status)
	}
	got := metricsIn(t, beside(input, "p.prom"))
	if len(got) != 1 {
		t.Errorf("metrics %v, want one", got)
	}
	wantMetrics(t, got, map[string]float64{`paylinks_last_exit_timestamp_seconds{command="run",status="75"}`: 0.5})
}
