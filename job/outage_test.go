package job_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

func TestAnOutageIsProbedUntilItEnds(t *testing.T) {
	s := scene{
		rows:     200,
		settings: job.Settings{Rate: 10, Concurrency: 8, GiveUpAfter: 10 * time.Minute},
		instead: when(later(300*ms, envelope(503, 503, "down", nil)), func(p request) bool {
			return p.at < 12*time.Second
		}),
		simulator: simulator.Config{Latency: 300 * ms},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 200})

		// The tenth request leaves at 0.9 s and ends at 1.2 s; the 11th to the 12th are in flight then and end by 1.5 s.
		// Each probe takes 0.3 s; the one after 12 s is answered, and wakes the pool.
		times := r.postTimes()
		begin := slices.IndexFunc(times, func(at time.Duration) bool { return at > 1200*ms })
		want := []time.Duration{2200 * ms, 4500 * ms, 8800 * ms, 17100 * ms, 17400 * ms, 17500 * ms, 17600 * ms}
		if got := times[begin : begin+len(want)]; !slices.EqualFunc(got, want, near) {
			t.Errorf("after the outage began requests arrived at %v, want %v", got, want)
		}
		if begin > 13 {
			t.Errorf("%d requests before the outage was seen", begin)
		}
		if n := countEvents[job.Unanswered](r); n != 4 {
			t.Errorf("told %d times when the next probe leaves, want 4: once at the begin, once after each failed probe", n)
		}
		begun := 0
		for _, event := range r.events {
			if event, ok := event.(job.Unanswered); ok && event.Begun {
				begun++
			}
		}
		if begun != 1 {
			t.Errorf("told %d times that an outage has begun, want once", begun)
		}
		if n := countEvents[job.Flowing](r); n != 1 {
			t.Errorf("told %d times that requests flow again, want once", n)
		}
	})
}

func near(a, b time.Duration) bool { return (a - b).Abs() < time.Microsecond }

// Promise 4: an outage never fails a row.
func TestAnOutageThatLastsEndsTheRun(t *testing.T) {
	down := scene{
		rows:      1000,
		settings:  job.Settings{Rate: 10, Concurrency: 16, GiveUpAfter: 10 * time.Minute},
		simulator: simulator.Config{Latency: 300 * ms, Faults: map[simulator.Fault]float64{simulator.HTML502: 1}},
	}
	t.Run("it may have been reached", func(t *testing.T) {
		rehearse(t, down, func(r *rehearsal) {
			r.run(job.GaveUp)
			counts := r.counts()
			if counts[job.Unknown]+counts[job.Pending] != 1000 || counts[job.Unknown] == 0 {
				t.Errorf("rows are %v", counts)
			}
			if n := len(r.posts()); n < 20 || n > 36 {
				t.Errorf("%d requests in an outage of ten minutes", n)
			}
			if want := 300*ms + 10*time.Minute; r.elapsed() != want {
				t.Errorf("gave up after %s, want %s", r.elapsed(), want)
			}
		})
	})
	t.Run("under hold", func(t *testing.T) {
		held := down
		held.policy = job.Hold
		rehearse(t, held, func(r *rehearsal) {
			r.run(job.GaveUp)
			for reference, n := range r.references() {
				if n != 1 {
					t.Errorf("%s was sent %d times", reference, n)
				}
			}
			if n := len(r.posts()); n > 36 {
				t.Errorf("%d rows in doubt after an outage of ten minutes", n)
			}
		})
	})
	t.Run("nothing was reached", func(t *testing.T) {
		off := scene{
			rows:     1000,
			settings: down.settings,
			dial:     func(context.Context) error { return errors.New("no route to host") },
		}
		off.settings.MaxAttempts = 2
		rehearse(t, off, func(r *rehearsal) {
			r.run(job.GaveUp)
			r.check(map[job.State]int{job.Pending: 1000})
			attempts := 0
			for range r.attempts(r.job.ID) {
				attempts++
			}
			if attempts < 20 || attempts > 36 {
				t.Errorf("%d attempts in an outage of ten minutes", attempts)
			}
		})
	})
	t.Run("and the run after it goes on", func(t *testing.T) {
		recovers := down
		recovers.rows, recovers.simulator.Faults = 50, nil
		recovers.instead = when(text(502, "<html>"), func(p request) bool { return p.at < time.Hour })
		rehearse(t, recovers, func(r *rehearsal) {
			r.run(job.GaveUp)
			<-time.After(time.Hour)
			r.run(job.Finished)
			counts := r.counts()
			if counts[job.Created]+counts[job.Unknown] != 50 || counts[job.Created] < 40 {
				t.Errorf("rows are %v", counts)
			}
		})
	})
}

func TestWhatWasNotSentBacksOff(t *testing.T) {
	dials := 0
	s := scene{rows: 1, settings: job.Settings{MaxAttempts: 1}, dial: func(context.Context) error {
		if dials++; dials <= 3 {
			return errors.New("no route to host")
		}
		return nil
	}}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 1})
		if most := 7 * time.Second; r.elapsed() > most || r.elapsed() < most*3/4 {
			t.Errorf("sent after %s, want 1s, 2s and 4s, less up to a quarter", r.elapsed())
		}
	})
}

func TestTheNetworkComesBack(t *testing.T) {
	var began time.Time
	s := scene{
		rows:     30,
		settings: job.Settings{Rate: 10, Concurrency: 4, GiveUpAfter: 10 * time.Minute, MaxAttempts: 1},
		dial: func(context.Context) error {
			if time.Since(began) < 5*time.Minute {
				return errors.New("no route to host")
			}
			return nil
		},
	}
	rehearse(t, s, func(r *rehearsal) {
		began = time.Now()
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 30})
		if len(r.posts()) != 30 {
			t.Errorf("%d requests arrived, want 30: what was not sent spends nothing", len(r.posts()))
		}
	})
}
