package job_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// anotherJob runs the first job, lets an hour and a half pass, in which its links expire, and goes on with another
// file that has the same invoices.
func (r *rehearsal) anotherJob(meanwhile func(), amount string) (first []job.Result) {
	r.Helper()
	rows := r.counts()[job.Pending]
	r.run(job.Finished)
	first = r.results()
	meanwhile()
	<-time.After(90 * time.Minute)
	r.job = r.imported(job.Retry, rows, amount)
	r.check(map[job.State]int{job.Pending: rows})
	r.events = nil
	return first
}

var anHour = simulator.Config{Lifetime: time.Hour}

func TestClinkIsAskedAboutAnExpiredLink(t *testing.T) {
	s := scene{rows: 4, simulator: anHour, settings: job.Settings{Rate: 10, Concurrency: 4}}
	rehearse(t, s, func(r *rehearsal) {
		first := r.anotherJob(func() {
			r.mark(reference(1), "paid")
			r.mark(reference(2), "processing")
			r.mark(reference(3), "expired")
		}, amount)
		r.run(job.Finished)
		r.check(map[job.State]int{job.Duplicate: 2, job.Created: 2})
		second := r.results()
		for i, note := range []string{"Clink says completed, paid", "Clink says open, processing"} {
			if got := second[i]; got.URL != first[i].URL || got.SessionID != first[i].SessionID || !strings.Contains(got.Error, note) || got.ErrorCode != "" {
				t.Errorf("row %d is %+v, want the first job's link and a note with %q", got.Row, got, note)
			}
		}
		for i := 2; i < 4; i++ {
			if got := second[i]; got.URL == first[i].URL || got.Error != "" {
				t.Errorf("row %d is %+v, want a link of its own", got.Row, got)
			}
		}
		if len(r.gets()) != 4 || len(r.posts()) != 6 {
			t.Errorf("%d questions and %d requests for a session, want 4 and 6", len(r.gets()), len(r.posts()))
		}
	})
}

func TestAPaidLinkForAnotherAmountRefusesTheRow(t *testing.T) {
	rehearse(t, scene{rows: 2, simulator: anHour}, func(r *rehearsal) {
		r.anotherJob(func() { r.mark(reference(1), "paid") }, "29.90")
		r.run(job.Finished)
		r.check(map[job.State]int{job.Failed: 1, job.Created: 1})
		if got := r.results()[0]; got.ErrorCode != job.CodeConflict || !strings.Contains(got.Error, "USD 19.90") || got.URL != "" {
			t.Errorf("the row is %+v", got)
		}
	})
}

func TestARowStaysPendingWhileClinkDoesNotSay(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		gets   int
	}{
		{"no answer", text(503, ""), 3},
		{"an answer that cannot be read", text(200, "<html>"), 3},
		{"another session", envelope(200, 200, "success", map[string]string{"sessionId": "sess_2", "status": "expired", "paymentStatus": "unpaid"}), 3},
		{"not known there", envelope(404, 404, "session not found", nil), 1},
		{"another reference", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "merchantReferenceId": reference(2)}), 1},
		{"another currency", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "originalCurrency": "EUR"}), 1},
		{"a word that is new to us", envelope(200, 200, "success", map[string]string{"status": "archived", "paymentStatus": "unpaid"}), 1},
		{"expired, but whether it was paid is left out", envelope(200, 200, "success", map[string]string{"status": "expired"}), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scene{
				rows:      2,
				simulator: anHour,
				settings:  job.Settings{Rate: 10, Concurrency: 4, MaxAttempts: 3, GiveUpAfter: 10 * time.Minute},
			}
			var paid string
			s.instead = func(q request) http.HandlerFunc {
				if q.method == http.MethodGet && q.session == paid {
					return tt.answer
				}
				return nil
			}
			rehearse(t, s, func(r *rehearsal) {
				first := r.anotherJob(func() {}, amount)
				paid = first[0].SessionID
				r.run(job.Finished)
				r.check(map[job.State]int{job.Pending: 1, job.Created: 1})
				got, code := r.results()[0], job.CodeUnclear
				if tt.gets == 1 { // an answer, and it stays what it is
					code = job.CodeUnsettled
				}
				if got.ErrorCode != code || !strings.Contains(got.Error, paid) || got.Attempts != 0 {
					t.Errorf("the row is %+v", got)
				}
				if len(r.gets()) != tt.gets+1 || r.references()[reference(1)] != 1 {
					t.Errorf("%d questions, want %d; %d requests for it, want that of the first job", len(r.gets()), tt.gets+1, r.references()[reference(1)])
				}
			})
		})
	}
}

// A row whose question has had no answer yet keeps its place: the row after it must not make one too many.
func TestLimitCountsARowThatIsAskedAbout(t *testing.T) {
	s := scene{rows: 3, simulator: anHour, settings: job.Settings{Rate: 10, Concurrency: 4}}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == http.MethodGet && q.number == 1 {
			return text(503, "")
		}
		return nil
	}
	rehearse(t, s, func(r *rehearsal) {
		r.anotherJob(func() {}, amount)
		r.runner.Limit = 1
		r.run(job.LimitReached)
		r.check(map[job.State]int{job.Created: 1, job.Pending: 2})
	})
}

func TestLimitDoesNotCountARowThatNeedsNoSession(t *testing.T) {
	rehearse(t, scene{rows: 3, simulator: anHour}, func(r *rehearsal) {
		r.anotherJob(func() { r.mark(reference(1), "paid") }, amount)
		r.runner.Limit = 1
		r.run(job.LimitReached)
		r.check(map[job.State]int{job.Duplicate: 1, job.Created: 1, job.Pending: 1})
	})
}

func TestAQuestionObeysTheSameAnswersAsARequest(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   job.Stop
	}{
		{"401", envelope(401, 401, "no", nil), job.KeyRefused},
		{"redirect", redirect(302), job.WrongAddress},
		{"a long pause", throttled("3600"), job.GaveUp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scene{rows: 3, simulator: anHour, settings: job.Settings{GiveUpAfter: 10 * time.Minute}}
			s.instead = func(q request) http.HandlerFunc {
				if q.method == http.MethodGet {
					return tt.answer
				}
				return nil
			}
			rehearse(t, s, func(r *rehearsal) {
				r.anotherJob(func() {}, amount)
				r.run(tt.want)
				r.check(map[job.State]int{job.Pending: 3})
				if len(r.gets()) != 1 || len(r.posts()) != 3 {
					t.Errorf("%d questions and %d requests, want 1 and the first job's 3", len(r.gets()), len(r.posts()))
				}
			})
		})
	}
}

func TestAQuestionIsWithdrawnWhereTheRunIsInterrupted(t *testing.T) {
	rehearse(t, scene{rows: 3, simulator: anHour}, func(r *rehearsal) {
		r.anotherJob(func() {}, amount)
		r.runner.Ledger = ledger{Ledger: r.store, afterBegin: func(*job.Item) { r.cancel() }}
		r.run(job.Interrupted)
		r.check(map[job.State]int{job.Pending: 3})
		if len(r.gets()) != 0 {
			t.Errorf("%d questions after the interruption", len(r.gets()))
		}
	})
}

func TestARowWaitsForAnotherJobsDoubt(t *testing.T) {
	s := scene{rows: 1, policy: job.Hold, instead: only(text(503, ""), 1)}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Unknown: 1})
		r.job = r.imported(job.Retry, 1, amount)
		r.run(job.Finished)
		r.check(map[job.State]int{job.Pending: 1})
		if got := r.results()[0]; got.ErrorCode != job.CodeHeld || !strings.Contains(got.Error, "job 1") {
			t.Errorf("the row is %+v", got)
		}
		if len(r.posts()) != 1 {
			t.Errorf("%d requests, want that of the first job", len(r.posts()))
		}
	})
}
