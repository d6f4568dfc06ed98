package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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

// TestRateWhileSending guards that a perfect client, 64 requests every 50 ms, comes to the ideal and not above it.
func TestRateWhileSending(t *testing.T) {
	var made []time.Time
	for wave := range 10 {
		for range 64 {
			made = append(made, at(50*wave)...)
		}
	}
	for _, tt := range []struct {
		name string
		made []time.Time
		want float64
	}{
		{"perfect", made, 1280},
		{"reported out of order", append(slices.Clone(made[320:]), made[:320]...), 1280},
		{"half as fast", append(slices.Clone(made), at(900)...), 577.0 / 0.9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := rateWhileSending(tt.made); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestLastMade guards that the times are those of the latest sessions, and that none are made up.
func TestLastMade(t *testing.T) {
	handler := simulator.New(simulator.Config{AllowNoKey: true})
	behind := httptest.NewServer(handler)
	defer behind.Close()
	sessions := handler.Sessions
	for len(sessions()) < 2 || sessions()[0].Created.Equal(sessions()[len(sessions())-1].Created) {
		record := []string{"INV-" + strconv.Itoa(len(sessions())), "10.00", "USD", "a@example.com", "an order"}
		if err := post(t.Context(), http.DefaultClient, behind.URL+"/checkout/session", record); err != nil {
			t.Fatal(err)
		}
	}
	all := sessions()
	s := &server{own: behind.URL}
	got, err := s.lastMade(t.Context(), 1)
	if err != nil || len(got) != 1 || !got[0].Equal(all[len(all)-1].Created) {
		t.Errorf("got %v, %v, want the last of %v", got, err, all)
	}
	if _, err := s.lastMade(t.Context(), len(all)+1); err == nil {
		t.Error("more times than there are sessions")
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
	if arrivals, refused := f.seen(); len(arrivals) != len(statuses) || refused != len(statuses)-3 {
		t.Errorf("%d requests noted, %d of them refused, and sent were %d", len(arrivals), refused, len(statuses))
	}
}

// TestFrontHolds guards that a request that is held back reaches the simulator only when it is released.
func TestFrontHolds(t *testing.T) {
	var passed atomic.Int64
	behind := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed.Add(1) }))
	defer behind.Close()
	s := &server{own: behind.URL}
	f := &front{hold: 2}
	if err := s.behind("127.0.0.1:0", f); err != nil {
		t.Fatal(err)
	}
	defer f.stop()
	get := func() error {
		answer, err := http.Get(s.url)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- get() }()
	if err := f.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 10 { // others go by
		if err := get(); err != nil {
			t.Fatal(err)
		}
	}
	if got := passed.Load(); got != 11 {
		t.Errorf("%d requests have passed, and of 12 one is held back", got)
	}
	f.release()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if got := passed.Load(); got != 12 {
		t.Errorf("%d requests have passed, sent were 12", got)
	}
}
