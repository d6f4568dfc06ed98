package eventlog

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
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
				log := New(&out, slog.LevelWarn, format == "json")
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
			Attempt: attempt, Decision: job.Decision{Outcome: "some", State: state, Code: code, Reason: "some reason"},
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
			log := For(New(&out, slog.LevelDebug, false), job.Job{ID: 3, OnUnknown: tt.policy}, 5)
			log.Observe(tt.event)
			log.Close()
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

// TestRowsThatEndAlikeAreOneRecord guards that a night's log stays short: rows that end alike are one record with their count and the
// first of them, a second after the first one or at the end.
func TestRowsThatEndAlikeAreOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := For(New(&out, slog.LevelWarn, false), job.Job{ID: 3, OnUnknown: job.Retry}, 5)
		failed := func(row int, reason string) {
			log.Observe(job.Moved{
				Item: &job.Item{Row: row}, Attempt: 1, Status: 422,
				Decision: job.Decision{Outcome: job.OutcomeRejected, State: job.Failed, Code: "422", Reason: reason},
			})
		}
		for row := 2; row < 66; row++ {
			failed(row, "no such customer")
		}
		failed(66, "another reason")
		<-time.After(2 * logWait)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "rows=64 first_rows=\"[2 3 4 5 6]\"") || !strings.Contains(lines[1], "row=66") {
			t.Errorf("%d records:\n%s", len(lines), out.String())
		}
		out.Reset()
		failed(67, "no such customer")
		log.Close()
		if !strings.Contains(out.String(), "row=67") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("at the end: %s", out.String())
		}
	})
}
