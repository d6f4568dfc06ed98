package progress

import (
	"io"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/job/engine"
)

// TestStandingLines guards what a line of progress says, and that it fits: a line as wide as the terminal would break.
func TestStandingLines(t *testing.T) {
	fast := status{done: 4500, total: 10000, unit: "rows", perSecond: 9.84, left: 12 * time.Minute}
	failing := fast
	failing.failed, failing.unknown = 1234, 1
	paused := failing
	paused.halt = halt{"throttled for 12 s", "throttled for 12 s"}
	silent := failing
	silent.halt = halt{"Clink is not answering, next probe in 4 s", "no answer, probe in 4 s"}
	for _, tt := range []struct {
		name  string
		s     status
		width int
		want  string
	}{
		{"at the start", status{total: 64}, 80, "  0% [                              ]  0/64"},
		{"at 80 columns", fast, 80, " 45% [=============                 ]  4,500/10,000  9.8/s  12 min left"},
		{"problems", failing, 80, " 45% [=====        ]  4,500/10,000  9.8/s  12 min left  1,234 failed, 1 unknown"},
		{"a pause instead of the rate", paused, 80, " 45% [=====        ]  4,500/10,000  throttled for 12 s  1,234 failed, 1 unknown"},
		{"an outage", silent, 120, " 45% [=============                 ]  4,500/10,000  Clink is not answering, next probe in 4 s  1,234 failed, 1 unknown"},
		{"an outage at 80 columns", silent, 80, "4,500/10,000  no answer, probe in 4 s  1,234 failed, 1 unknown"},
		{"at 40 columns", fast, 40, "4,500/10,000  9.8/s  12 min left"},
		{"problems at 40 columns", failing, 40, "4,500/10,000  1,234 failed, 1 unknown"},
		{"a pause at 40 columns", paused, 40, "4,500/10,000  throttled for 12 s  1,234"},
		{"an outage at 40 columns", silent, 40, "4,500/10,000  no answer, probe in 4 s  "},
		{"at 10 columns", fast, 10, "4,500/10,"},
		{"done", status{done: 64, total: 64}, 80, "100% [==============================]  64/64"},
		{"nothing to do", status{}, 80, "  0% [                              ]  0/0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.s.bar(tt.width)
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if len(got) >= tt.width {
				t.Errorf("%d columns do not fit into %d", len(got), tt.width)
			}
		})
	}
	plain := "4,500 of 10,000 rows, 1,234 failed, 1 unknown, Clink is not answering, next probe in 4 s"
	if got := silent.plain(); got != plain {
		t.Errorf("without a terminal: %q, want %q", got, plain)
	}
}

// TestHalts guards that a line of progress says why nothing flows, and for how long.
func TestHalts(t *testing.T) {
	now := time.Now()
	after := func(d time.Duration) time.Time { return now.Add(d) }
	for _, tt := range []struct {
		name   string
		events []job.Event
		stop   bool
		want   string
	}{
		{"nothing", nil, false, ""},
		{"throttled", []job.Event{job.Paused{Until: after(12 * time.Second)}}, false, "throttled for 12 s"},
		{"throttled for minutes", []job.Event{job.Paused{Until: after(5 * time.Minute)}}, false, "throttled for 5 min"},
		{"hardly any longer", []job.Event{job.Paused{Until: after(time.Millisecond)}}, false, "throttled for 1 s"},
		{"no longer", []job.Event{job.Paused{Until: after(0)}}, false, ""},
		{"flowing again", []job.Event{job.Paused{Until: after(time.Minute)}, job.Flowing{}}, false, ""},
		{"an outage", []job.Event{job.Unanswered{Next: after(4 * time.Second)}}, false, "Clink is not answering, next probe in 4 s"},
		{"probing", []job.Event{job.Unanswered{Next: after(-time.Second)}}, false, "Clink is not answering, probing"},
		{"over", []job.Event{job.Unanswered{Next: after(-time.Second)}, job.Flowing{}}, false, ""},
		{"interrupted", []job.Event{job.Unanswered{Next: after(time.Second)}}, true, "stopping, waiting for answers; Ctrl-C again quits at once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &Progress{stopping: tt.stop}
			for _, event := range tt.events {
				p.Observe(event)
			}
			if got := p.halt(now).long; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestSpeed guards that the rate is that of the last half minute, and the time left what this run may still send.
func TestSpeed(t *testing.T) {
	began := time.Now()
	p := &Progress{total: 1000, toMove: 600, begun: 400, marks: []mark{{began, 400}}, counts: map[job.State]int{job.Pending: 600}}
	var s status
	for second := 1; second <= 60; second++ { // 2 rows a second, and then 4
		rows := 2
		if second > 30 {
			rows = 4
		}
		p.counts[job.Pending] -= rows
		s = p.status(began.Add(time.Duration(second) * time.Second))
	}
	if s.perSecond < 3.9 || s.perSecond > 4.1 {
		t.Errorf("%.2f rows a second, want 4", s.perSecond)
	}
	if left := s.left.Round(time.Second); left < 103*time.Second || left > 108*time.Second {
		t.Errorf("%s left for 420 rows, want 1m45s", left)
	}
	start := engine.Start{States: map[job.State]int{job.Pending: 600}, Total: 1000, Left: 180}
	p.toMove = New(t.Context(), NewConsole(io.Discard), None, start).toMove // as many as the run has moved
	if s := p.status(began.Add(61 * time.Second)); s.left != 0 {
		t.Errorf("%s left where the limit leaves no row", s.left)
	}
}

// TestConsole guards that what is said goes above the line of progress, and that nothing of the line is left at the end.
func TestConsole(t *testing.T) {
	var screen strings.Builder
	c := NewConsole(&screen)
	line := func(text string) func(int) string { return func(int) string { return text } }
	c.draw(line("1/2"))
	c.draw(line("1/2")) // nothing new, nothing drawn
	if _, err := c.Write([]byte("a warning\n")); err != nil {
		t.Fatal(err)
	}
	c.draw(line(strings.Repeat("2", 100))) // as after a terminal of 101 columns has become one of 80
	c.draw(line(""))
	want := "1/2" + "\r\x1b[J" + "a warning\n" + "1/2" + "\r\x1b[J" + strings.Repeat("2", 100) + "\x1b[1A" + "\r\x1b[J"
	if got := screen.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A text of a line fits the terminal, and is taken away again.
func TestLine(t *testing.T) {
	var to strings.Builder
	c := NewConsole(&to)
	c.Line(strings.Repeat("x", 200))
	if got := to.String(); got != strings.Repeat("x", 79) {
		t.Errorf("%d columns of 80: %q", len(got), got)
	}
	c.Line("")
	if got := to.String(); !strings.HasSuffix(got, "\r\x1b[J") {
		t.Errorf("it stays: %q", got)
	}
}
