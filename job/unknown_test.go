package job_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

func TestUnknownUnderRetryIsSentAgainUntilItsAttemptsAreUsedUp(t *testing.T) {
	s := scene{
		rows:      1,
		settings:  job.Settings{Rate: 10, MaxAttempts: 4},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.Lost: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Unknown: 1})
		times := r.postTimes()
		if len(times) != 4 {
			t.Fatalf("%d requests, want 4", len(times))
		}
		for i, most := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if gap := times[i+1] - times[i]; gap > most || gap < most*3/4 {
				t.Errorf("request %d left %s after the one before, want %s less up to a quarter", i+2, gap, most)
			}
		}
		if n := countEvents[job.Moved](r); n != 4 {
			t.Errorf("%d events, want 4", n)
		}
		if last := r.events[3].(job.Moved); last.Retried || last.Attempt != 4 || last.Decision.State != job.Unknown || last.From != job.Unknown {
			t.Errorf("the last event is %+v", last)
		}

		r.run(job.Finished)
		if len(r.posts()) != 4 {
			t.Error("sent again by the next run: ends are counted over the job's life")
		}
	})
}

func TestUnknownEndsAreCountedOverRuns(t *testing.T) {
	s := scene{
		rows:      1,
		settings:  job.Settings{MaxAttempts: 5},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.Lost: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.runner.MaxAttempts = 2
		r.run(job.Finished)
		r.runner.MaxAttempts = 3
		r.run(job.Finished)
		if len(r.posts()) != 3 {
			t.Errorf("%d requests, want 3", len(r.posts()))
		}
	})
}

// Promise 3: under hold nothing is sent again without a person's word.
func TestUnknownUnderHoldIsNeverSentAgain(t *testing.T) {
	s := scene{
		rows:      8,
		policy:    job.Hold,
		settings:  job.Settings{Rate: 10, Concurrency: 4},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.Slow: 1}}, // longer than the client's 30 s
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Unknown: 8})
		r.run(job.Finished)
		if len(r.posts()) != 8 || len(r.references()) != 8 {
			t.Errorf("%d requests for %d rows", len(r.posts()), len(r.references()))
		}

		n, err := r.store.Retry(r.job.ID, true, time.Now())
		if err != nil || n != 8 {
			t.Fatalf("put %d rows back, %v", n, err)
		}
		r.run(job.Finished)
		if len(r.posts()) != 16 {
			t.Errorf("%d requests after a person's word, want 16", len(r.posts()))
		}
	})
}

// Promise 3: a retry of a failed row whose answer was lost before forgets no doubt: under hold, switched on since, nothing is sent.
func TestRetryOfAFailedRowKeepsItsDoubt(t *testing.T) {
	s := scene{rows: 1, settings: job.Settings{MaxAttempts: 5}}
	s.instead = func(q request) http.HandlerFunc {
		return map[int]http.HandlerFunc{1: text(503, ""), 2: envelope(400, 400, "no", nil)}[q.number]
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Failed: 1})
		if n, err := r.store.Retry(r.job.ID, false, time.Now()); err != nil || n != 1 {
			t.Fatalf("put %d rows back, %v", n, err)
		}
		r.check(map[job.State]int{job.Unknown: 1})
		r.job.OnUnknown = job.Hold
		if err := r.store.Remember(r.job); err != nil {
			t.Fatal(err)
		}
		r.run(job.Finished)
		if len(r.posts()) != 2 {
			t.Errorf("%d requests, want 2", len(r.posts()))
		}
		if n, err := r.store.Retry(r.job.ID, true, time.Now()); err != nil || n != 1 {
			t.Fatalf("put %d rows back after a person's word, %v", n, err)
		}
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 1})
	})
}

// An answer that names no reference, in a run whose answers do, may be a stray one: its row is in doubt, and sent again.
func TestAStrayAnswerPublishesNoLink(t *testing.T) {
	stray := envelope(200, 200, "success", map[string]string{"sessionId": "sess_stray", "url": "https://checkout.example/pay/stray"})
	s := scene{rows: 2, settings: job.Settings{Rate: 10, Concurrency: 1, MaxAttempts: 3}, instead: only(stray, 2)}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 2})
		var outcomes []job.Outcome
		for a := range r.attempts(r.job.ID) {
			outcomes = append(outcomes, a.Outcome)
		}
		if want := []job.Outcome{job.OutcomeCreated, job.OutcomeUnknown, job.OutcomeCreated}; !slices.Equal(outcomes, want) {
			t.Errorf("the attempts ended %v, want %v", outcomes, want)
		}
		if got := r.results()[1]; got.SessionID == "sess_stray" || got.Attempts != 2 {
			t.Errorf("the row is %+v", got)
		}
	})
}
