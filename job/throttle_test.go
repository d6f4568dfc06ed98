package job_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// throttled answers 429 with this Retry-After; empty is none.
func throttled(retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		envelope(429, 429, "slow down", nil)(w, r)
	}
}

// paused are the pauses that the observer was told of.
func (r *rehearsal) paused() []job.Paused {
	var all []job.Paused
	for _, e := range r.events {
		if p, ok := e.(job.Paused); ok {
			all = append(all, p)
		}
	}
	return all
}

func TestAPauseThatClinkAsksFor(t *testing.T) {
	s := scene{
		rows:      400,
		settings:  job.Settings{Rate: 10, Concurrency: 8, GiveUpAfter: 10 * time.Minute},
		simulator: simulator.Config{Latency: 500 * ms},
		instead:   when(later(450*ms, throttled("7")), func(p request) bool { return p.number >= 21 && p.number <= 25 }),
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 400})

		// The 21st leaves at 2.0 s and is answered at 2.45 s, the 25th at 2.85 s.
		times := r.postTimes()
		first, last := 2450*ms, 2850*ms
		resumed := slices.IndexFunc(times, func(at time.Duration) bool { return at > first })
		if resumed != 25 || times[25] < last+7*time.Second || times[25] > last+7*time.Second+time.Microsecond {
			t.Fatalf("the pause ended with request %d at %s, want the 26th at 9.85s", resumed+1, times[resumed])
		}
		gap := func(i int) time.Duration { return times[i+1] - times[i] }
		if gap(25) < 199*ms || gap(25) > 200*ms+time.Microsecond {
			t.Errorf("after the pause a request left every %s, want 200ms: one burst halves the rate once", gap(25))
		}
		for i := 25; i+2 < len(times); i++ {
			if gap(i+1) > gap(i)+time.Microsecond {
				t.Fatalf("gap %d is %s, the one before %s: the rate recovers steadily", i+1, gap(i+1), gap(i))
			}
		}
		recovered := slices.IndexFunc(times, func(at time.Duration) bool { return at > last+37*time.Second })
		if got := gap(recovered); (got - 100*ms).Abs() > time.Microsecond {
			t.Errorf("30s after the pause a request left every %s, want 100ms", got)
		}
		if got := gap(recovered - 20); got < 102*ms {
			t.Errorf("two seconds before, a request left every %s already", got)
		}

		paused := r.paused()
		if len(paused) != 5 || paused[4].PerSecond != 5 || !paused[4].Until.Equal(r.began.Add(last+7*time.Second)) {
			t.Errorf("told of pauses %v", paused)
		}
		if flowing := countEvents[job.Flowing](r); flowing != 1 {
			t.Errorf("told %d times that requests flow again, want once", flowing)
		}
	})
}

func countEvents[E job.Event](r *rehearsal) int {
	n := 0
	for _, e := range r.events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

func TestAPauseWithoutARateOnlyPauses(t *testing.T) {
	s := scene{rows: 50, settings: job.Settings{Concurrency: 4}, instead: only(throttled("7"), 1)}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 50})
		if r.elapsed() != 7*time.Second {
			t.Errorf("took %s, want 7s", r.elapsed())
		}
	})
}

func TestPausesDoubleWhereClinkNamesNoTime(t *testing.T) {
	s := scene{
		rows:     2,
		settings: job.Settings{Rate: 10, GiveUpAfter: 10 * time.Minute},
		instead:  only(throttled(""), 1, 2, 3, 4, 5, 6, 7, 8),
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 2})
		var want []time.Duration
		for _, s := range []int{0, 1, 3, 7, 15, 31, 63, 123, 183} {
			want = append(want, time.Duration(s)*time.Second)
		}
		if got := r.postTimes()[:9]; !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
		if got := r.results()[0].Attempts; got != 9 {
			t.Errorf("%d attempts: throttled ones spend nothing", got)
		}
	})
}

func TestAPauseThatIsTooLongEndsTheRun(t *testing.T) {
	for header, want := range map[string]job.Stop{"3600": job.GaveUp, "600": job.GaveUp, "599": job.Finished} {
		t.Run(header, func(t *testing.T) {
			s := scene{rows: 5, settings: job.Settings{GiveUpAfter: 10 * time.Minute}, instead: only(throttled(header), 1)}
			rehearse(t, s, func(r *rehearsal) {
				report := r.run(want)
				if want == job.Finished {
					return
				}
				pause, _ := time.ParseDuration(header + "s")
				if !report.ComeBack.Equal(r.began.Add(pause)) || r.elapsed() != 0 || report.Reason == "" {
					t.Errorf("after %s: %+v", r.elapsed(), report)
				}
				r.check(map[job.State]int{job.Pending: 5})
				if len(r.posts()) != 1 {
					t.Errorf("%d requests, want 1", len(r.posts()))
				}
			})
		})
	}
}

func TestThrottledForTooLongEndsTheRun(t *testing.T) {
	s := scene{
		rows:      5,
		settings:  job.Settings{Rate: 10, Concurrency: 4, GiveUpAfter: 10 * time.Minute},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.Throttle429: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.GaveUp)
		r.check(map[job.State]int{job.Pending: 5})
		if r.elapsed() != 10*time.Minute {
			t.Errorf("gave up after %s, want 10m", r.elapsed())
		}
	})
}

// A worker that holds an intent when another's 429 arrives must not send: nothing leaves in a pause.
func TestAnIntentIsWithdrawnWhereAPauseBegins(t *testing.T) {
	var second chan struct{}
	s := scene{
		rows:     2,
		settings: job.Settings{Concurrency: 2},
		instead: only(func(w http.ResponseWriter, r *http.Request) {
			<-second
			throttled("5")(w, r)
		}, 1),
	}
	rehearse(t, s, func(r *rehearsal) {
		second = make(chan struct{})
		r.runner.Ledger = ledger{Ledger: r.store, afterBegin: func(item *job.Item) {
			if item.Row == 3 && item.Attempts == 0 {
				close(second)
				<-time.After(time.Second)
			}
		}}
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 2})
		if got, want := r.postTimes(), []time.Duration{0, 5 * time.Second, 5 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
		if got := r.outcomes(3); !slices.Equal(got, []job.Outcome{job.OutcomeNotSent, job.OutcomeCreated}) {
			t.Errorf("row 3's attempts ended %v", got)
		}
	})
}

func TestARetryAfterOfLessThanASecondHoldsNobodyLonger(t *testing.T) {
	s := scene{rows: 2, instead: only(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(time.Second).UTC().Format(http.TimeFormat))
		throttled("")(w, r)
	}, 1)}
	rehearse(t, s, func(r *rehearsal) {
		<-time.After(600 * ms) // the header has whole seconds: 400 ms are left
		r.run(job.Finished)
		if got, want := r.postTimes(), []time.Duration{600 * ms, time.Second, time.Second}; !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
	})
}
