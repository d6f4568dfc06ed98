package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paylinks/job"
)

// TestMasked guards that no customer's email address is in a log in full.
func TestMasked(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "row 7: no answer after 30s", "row 7: no answer after 30s"},
		{"alone", "anna@example.com", "a***@example.com"},
		{"in words", "customer anna.b+c@mail.example.com, or o'neil@example.org: not found", "customer a***@mail.example.com, or o***@example.org: not found"},
		{"between marks", `{"email":"anna@example.com"}<bob@example.com>`, `{"email":"a***@example.com"}<b***@example.com>`},
		{"quoted", `"anna b"@example.com`, `"***@example.com`},
		{"in a URL", "https://example.com/c?email=anna%40example.com&x=1", "https://example.com/c?email=a***%40example.com&x=1"},
		{"other letters", "émile@exämple.com", "é***@exämple.com"},
		{"a single letter", "a@b", "a***@b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := masked(tt.text); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			for _, format := range []string{"text", "json"} {
				var out strings.Builder
				log := newLog(&out, &sendOptions{logFormat: format})
				log.Warn(tt.text, "text", tt.text, "error", errors.New(tt.text), "code", job.Outcome(tt.text))
				if secret := "anna"; strings.Contains(tt.text, "@") && strings.Contains(out.String(), secret) {
					t.Errorf("%s log: %s", format, out.String())
				}
			}
		})
	}
}

// TestLogEvents guards what is logged: each attempt at debug, each row that needs a person at warn and no other.
func TestLogEvents(t *testing.T) {
	moved := func(state job.State, attempt, unknownEnds int, code string) job.Moved {
		return job.Moved{
			Item:    &job.Item{Row: 7, InvoiceID: "A-1", UnknownEnds: unknownEnds},
			Attempt: attempt, Verdict: job.Verdict{Outcome: "some", State: state, Code: code, Reason: "some reason"},
			Status: 200, Took: 1500 * time.Millisecond,
		}
	}
	for _, tt := range []struct {
		name   string
		policy job.Policy
		event  job.Event
		want   string // the levels of the records
	}{
		{"created", job.Retry, moved(job.Created, 1, 0, ""), "DEBUG"},
		{"failed", job.Retry, moved(job.Failed, 1, 0, "422"), "DEBUG WARN"},
		{"failed without an attempt", job.Retry, moved(job.Failed, 0, 0, job.CodeConflict), "WARN"},
		{"unknown, and sent again", job.Retry, moved(job.Unknown, 1, 1, ""), "DEBUG"},
		{"unknown, attempts used up", job.Retry, moved(job.Unknown, 5, 5, ""), "DEBUG WARN"},
		{"unknown, held", job.Hold, moved(job.Unknown, 1, 1, ""), "DEBUG WARN"},
		{"throttled", job.Retry, moved(job.Pending, 1, 0, "429"), "DEBUG"},
		{"waits for another job", job.Retry, moved(job.Pending, 0, 0, job.CodeHeld), "WARN"},
		{"duplicate", job.Retry, moved(job.Duplicate, 0, 0, ""), ""},
		{"waits for an earlier job's link", job.Retry, moved(job.Pending, 0, 0, job.CodeUnsettled), "WARN"},
		{"an outage begins", job.Retry, job.Unanswered{Begun: true}, "WARN"},
		{"an outage goes on", job.Retry, job.Unanswered{}, "INFO"},
		{"a pause", job.Retry, job.Paused{}, "INFO"},
		{"flowing", job.Retry, job.Flowing{}, "INFO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			o := &sendOptions{verbose: true, maxAttempts: 5}
			e := &engine{options: o, log: newLog(&out, o)}
			e.logEvent(job.Job{ID: 3, OnUnknown: tt.policy}, tt.event)
			var levels []string
			for line := range strings.Lines(out.String()) {
				_, rest, _ := strings.Cut(line, "level=")
				levels = append(levels, strings.Fields(rest)[0])
				facts := " job=3 row=7 invoice_id=A-1 attempt="
				if _, row := tt.event.(job.Moved); row && (!strings.Contains(line, facts) || !strings.Contains(line, " ms=1500 ")) {
					t.Errorf("the record lacks a fact: %s", line)
				}
			}
			if got := strings.Join(levels, " "); got != tt.want {
				t.Errorf("levels %q, want %q: %s", got, tt.want, out.String())
			}
		})
	}
}
