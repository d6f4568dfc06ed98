package job_test

import (
	"encoding/json"
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
		for i, note := range []string{"job 1, paid", "Clink says it is processing"} {
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
		code   string
	}{
		{"no answer", text(503, ""), 3, job.CodeUnclear},
		{"an answer that cannot be read", text(200, "<html>"), 3, job.CodeUnclear},
		{"another session", envelope(200, 200, "success", map[string]string{"sessionId": "sess_2", "status": "expired", "paymentStatus": "unpaid"}), 3, job.CodeUnclear},
		{"trouble that Clink tells of, again and again", envelope(200, 500, "no such session", nil), 3, job.CodeUnsettled},
		{"a refusal that is of this link alone", envelope(403, 403, "not yours", nil), 3, job.CodeUnsettled}, // the last is the control
		{"not known there", envelope(404, 404, "session not found", nil), 1, job.CodeUnsettled},
		{"another reference", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "merchantReferenceId": reference(2)}), 1, job.CodeUnsettled},
		{"another currency", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "originalCurrency": "EUR"}), 1, job.CodeUnsettled},
		{"a word that is new to us", envelope(200, 200, "success", map[string]string{"status": "archived", "paymentStatus": "unpaid"}), 1, job.CodeUnsettled},
		{"expired, but whether it was paid is left out", envelope(200, 200, "success", map[string]string{"status": "expired"}), 1, job.CodeUnsettled},
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
				got := r.results()[0]
				if got.ErrorCode != tt.code || !strings.Contains(got.Error, paid) || got.Attempts != 0 {
					t.Errorf("the row is %+v", got)
				}
				if len(r.gets()) != tt.gets+1 || r.references()[reference(1)] != 1 {
					t.Errorf("%d questions, want %d; %d requests for it, want that of the first job", len(r.gets()), tt.gets+1, r.references()[reference(1)])
				}
			})
		})
	}
}

// A list of orders that is a whole account's tells nothing of one link, today as tomorrow: a person must.
func TestTooManyOrdersWaitForAPerson(t *testing.T) {
	s := scene{rows: 1, simulator: anHour, settings: job.Settings{Rate: 10, MaxAttempts: 3}}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == "ORDERS" {
			return text(200, `{"code":200,"total":1001,"rows":[]}`)
		}
		return nil
	}
	rehearse(t, s, func(r *rehearsal) {
		r.anotherJob(func() {}, amount)
		r.run(job.Finished)
		r.check(map[job.State]int{job.Pending: 1})
		if got := r.results()[0]; got.ErrorCode != job.CodeUnsettled || !strings.Contains(got.Error, "more than 1000") {
			t.Errorf("the row is %+v", got)
		}
		if n, err := r.store.Retry(r.job.ID, true, time.Now()); err != nil || n != 1 {
			t.Fatalf("%d rows put back, %v", n, err)
		}
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 1})
	})
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
		gets   int
	}{
		{"401", envelope(401, 401, "no", nil), job.KeyRefused, 4}, // one for each row, and the control
		{"redirect", redirect(302), job.WrongAddress, 4},
		{"a long pause", throttled("3600"), job.GaveUp, 1},
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
				if len(r.gets()) != tt.gets || len(r.posts()) != 3 {
					t.Errorf("%d questions and %d requests, want %d and the first job's 3", len(r.gets()), len(r.posts()), tt.gets)
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

// A row without an invoice id has another reference in each file: whether the link of an earlier one was paid is found by its own.
func TestOrdersAreAskedForByTheReferenceOfTheLink(t *testing.T) {
	orders := func(w http.ResponseWriter, q *http.Request) {
		rows := []map[string]any{}
		if q.URL.Query().Get("merchantReferenceId") == reference(1) {
			rows = append(rows, map[string]any{"type": "onetime", "status": "success", "merchantReferenceId": reference(1)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 200, "msg": "success", "total": len(rows), "rows": rows})
	}
	s := scene{rows: 1, simulator: anHour}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == "ORDERS" {
			return orders
		}
		return nil
	}
	for _, purged := range []bool{false, true} {
		rehearse(t, s, func(r *rehearsal) {
			r.run(job.Finished)
			<-time.After(90 * time.Minute)
			if purged {
				if err := r.store.Purge(r.job, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			again := row(1, amount)
			again.InvoiceID, again.Reference, again.Request.MerchantReferenceID = "", "paylinks-2-2", "paylinks-2-2"
			j := r.job
			j.FileDigest[0]++
			var err error
			if r.job, err = r.store.Import(j, func(yield func(job.NewItem, error) bool) { yield(again, nil) }, false, time.Now()); err != nil {
				t.Fatal(err)
			}
			r.run(job.Finished)
			r.check(map[job.State]int{job.Failed: 1})
			if got := r.results()[0]; got.ErrorCode != job.CodeConflict || len(r.posts()) != 1 {
				t.Errorf("purged %t: the row is %+v, after %d requests", purged, got, len(r.posts()))
			}
		})
	}
}
