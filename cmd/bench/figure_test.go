package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
)

// at is a moment so many milliseconds after another.
func at(milliseconds ...int) []time.Time {
	var times []time.Time
	for _, ms := range milliseconds {
		times = append(times, time.UnixMilli(1_700_000_000_000+int64(ms)))
	}
	return times
}

func TestMostInSecond(t *testing.T) {
	for _, tt := range []struct {
		name  string
		times []time.Time
		want  int
	}{
		{"one", at(0), 1},
		{"a second apart is not in one second", at(0, 1000, 2000), 1},
		{"just under a second apart is", at(0, 999, 2000), 2},
		{"a burst across two full seconds", at(0, 900, 950, 1000, 1050, 1899, 2500), 5},
		{"a burst at the end", at(0, 5000, 5001, 5002), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mostInSecond(tt.times); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestMeanRate(t *testing.T) {
	if got := meanRate(at(0, 10, 20, 30, 40)); got != 100 {
		t.Errorf("got %v", got)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   sample
		want float64
		text string
	}{
		{"one", sample{1234.4}, 1234.4, "1,234 rows/s"},
		{"odd", sample{3000, 1000, 2000}, 2000, "2,000 rows/s (1,000–3,000)"},
		{"even", sample{4, 1, 3, 2}, 2.5, "2 rows/s (1–4)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.of.median(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got := tt.of.text("%.0f", " rows/s"); got != tt.text {
				t.Errorf("got %q, want %q", got, tt.text)
			}
		})
	}
}

// TestVerdicts guards that only what was measured and judged is answered with yes or no.
func TestVerdicts(t *testing.T) {
	rows := table{rows: []row{
		{title: "a", measured: "1", peer: "p", reach: "≥ 1", met: judge(true)},
		{title: "b", measured: "0", peer: "p", reach: "≥ 1", met: judge(false)},
		{title: "c", measured: "not measured: a | b", reach: "≥ 1"},
	}}
	text := rows.markdown(machine{}, &bench{})
	for _, want := range []string{"| a | 1 | p | ≥ 1 | yes |\n", "| b | 0 | p | ≥ 1 | no |\n", `| c | not measured: a \| b | – | ≥ 1 | – |` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %q in:\n%s", want, text)
		}
	}
}

// TestFront guards that every request is noted, and that refusals begin after so many and then end.
func TestFront(t *testing.T) {
	behind := httptest.NewServer(simulator.New(simulator.Config{AllowNoKey: true}))
	defer behind.Close()
	s := &server{own: behind.URL}
	f := &front{refuseAfter: 2, refuseFor: 50 * time.Millisecond}
	if err := s.behind("127.0.0.1:0", f); err != nil {
		t.Fatal(err)
	}
	defer f.stop()
	var statuses []int
	for len(statuses) < 3 || statuses[len(statuses)-1] != http.StatusOK {
		answer, err := http.Get(s.url + "/_simulator/summary")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
		if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After: %q", answer.Header.Get("Retry-After"))
		}
	}
	if statuses[0] != http.StatusOK || statuses[1] != http.StatusOK || statuses[2] != http.StatusTooManyRequests {
		t.Errorf("statuses %v", statuses)
	}
	if err := f.await(t.Context(), len(statuses)); err != nil {
		t.Error(err)
	}
	if arrivals, refused := f.seen(); len(arrivals) != len(statuses) || refused != len(statuses)-3 {
		t.Errorf("%d requests noted, %d of them refused, and sent were %d", len(arrivals), refused, len(statuses))
	}
}
