package job_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// toRows gives this answer to the POSTs for these invoices.
func toRows(answer http.HandlerFunc, numbers ...int) func(request) http.HandlerFunc {
	return when(answer, func(q request) bool {
		return slices.ContainsFunc(numbers, func(n int) bool { return q.reference == reference(n) })
	})
}

// A gateway's page about one row looks like one about all. The others get their links, and the row is failed with the words that came.
func TestOneRefusedRowStopsNoOther(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a firewall's page":   text(403, "<html>request blocked</html>"),
		"too large":           text(413, "<html>request blocked</html>"),
		"a page that is none": text(404, "<html>request blocked</html>"),
		"a redirect":          redirect(302),
		"Clink's own 403":     envelope(403, 403, "request blocked", nil),
		"its code alone":      envelope(200, 403, "request blocked", nil),
	} {
		for _, workers := range []int{1, 16} {
			t.Run(fmt.Sprint(name, ", ", workers), func(t *testing.T) {
				s := scene{rows: 100, settings: job.Settings{Concurrency: workers}, instead: toRows(answer, 1, 50)}
				rehearse(t, s, func(r *rehearsal) {
					r.run(job.Finished)
					r.check(map[job.State]int{job.Created: 98, job.Failed: 2})
					for _, n := range []int{1, 50} {
						if got := r.results()[n-1]; name != "a redirect" && !strings.Contains(got.Error, "request blocked") || got.Attempts != 2 {
							t.Errorf("row %d is %+v", n, got)
						}
					}
					if len(r.posts()) != 102 || len(r.gets()) != 2 {
						t.Errorf("%d requests and %d controls, want 102 and one for each row that is given up", len(r.posts()), len(r.gets()))
					}
					times := r.posts()
					if last := times[len(times)-1].reference; last != reference(1) && last != reference(50) {
						t.Errorf("the last request was for %s: a refused row goes behind all others", last)
					}
				})
			})
		}
	}
}

// Where no session is known there is nothing to ask about: a few rows end the run, and the next run begins with others.
func TestRefusedRowsOfANewLedger(t *testing.T) {
	page := text(403, "<html>request blocked</html>")
	s := scene{rows: 10, instead: toRows(page, 1, 2, 3)}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.KeyRefused)
		r.check(map[job.State]int{job.Pending: 10})
		if len(r.posts()) != 3 || len(r.gets()) != 0 {
			t.Errorf("%d requests, %d controls", len(r.posts()), len(r.gets()))
		}
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 7, job.Failed: 3})
		if got := r.posts()[3].reference; got != reference(4) {
			t.Errorf("the next run began with %s: a refused row goes behind all others, in later runs too", got)
		}
	})
	t.Run("one row alone", func(t *testing.T) {
		rehearse(t, scene{rows: 1, instead: toRows(page, 1)}, func(r *rehearsal) {
			r.run(job.KeyRefused)
			r.run(job.KeyRefused)
			r.check(map[job.State]int{job.Pending: 1})
			if len(r.posts()) != 3 { // the second end of a row is enough, whichever run the first was in
				t.Errorf("%d requests", len(r.posts()))
			}
		})
	})
}

// A key that may read and not create is answered by controls, and refused for every row.
func TestTenRefusedRowsInARowEndTheRun(t *testing.T) {
	s := scene{rows: 100, instead: when(envelope(403, 403, "not for this key", nil), func(q request) bool { return q.number > 20 })}
	rehearse(t, s, func(r *rehearsal) {
		report := r.run(job.KeyRefused)
		r.check(map[job.State]int{job.Created: 20, job.Pending: 80})
		if len(r.posts()) != 30 || !strings.Contains(report.Reason, "10 different rows in a row") {
			t.Errorf("%d requests; %s", len(r.posts()), report.Reason)
		}
	})
}

// A control without an answer decides nothing: the row waits.
func TestAnUnansweredControlFailsNoRow(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"503": text(503, "down"), "429": throttled(""), "a page under 200": text(200, "<html>"), "code 500": envelope(200, 500, "trouble", nil),
	} {
		t.Run(name, func(t *testing.T) {
			row := toRows(text(403, "<html>request blocked</html>"), 3)
			s := scene{rows: 5, settings: job.Settings{GiveUpAfter: time.Hour}, instead: func(q request) http.HandlerFunc {
				if q.method == http.MethodGet {
					return answer
				}
				return row(q)
			}}
			rehearse(t, s, func(r *rehearsal) {
				r.run(job.Finished)
				r.check(map[job.State]int{job.Created: 4, job.Pending: 1})
				if got := len(r.gets()); got != 5 {
					t.Errorf("%d controls, want as many as attempts", got)
				}
				if got := r.outcomes(4); len(got) != 6 {
					t.Errorf("the row's attempts ended %v", got)
				}
			})
		})
	}
}

// Clink's word that it does not know the session any more is an answer, too.
func TestAControlAboutAForgottenSession(t *testing.T) {
	row := toRows(text(403, "<html>request blocked</html>"), 3)
	s := scene{rows: 5, instead: func(q request) http.HandlerFunc {
		if q.method == http.MethodGet {
			return envelope(404, 404, "session not found", nil)
		}
		return row(q)
	}}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 4, job.Failed: 1})
	})
}

// Item 17: what is throttled, not sent or refused after a doubt is still in doubt, over runs too.
func TestADoubtOutlastsRunsThatReachNothing(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"throttled": throttled("3600"), "key refused": envelope(401, 401, "no", nil), "misdirected": text(404, "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			s := scene{rows: 1, settings: job.Settings{GiveUpAfter: 10 * time.Minute}, instead: func(q request) http.HandlerFunc {
				if q.number == 1 {
					return text(503, "down")
				}
				return answer
			}}
			rehearse(t, s, func(r *rehearsal) {
				for run := range 2 {
					r.runner.Run(r.ctx, r.job)
					r.check(map[job.State]int{job.Unknown: 1})
					tally, err := r.store.Tally(r.ctx, r.job.ID)
					if err != nil || tally.PossibleOrphans() != 1 {
						t.Errorf("run %d: %d possible extra sessions, %v", run, tally.PossibleOrphans(), err)
					}
					for _, read := range []func() ([]job.Item, error){
						func() ([]job.Item, error) { return r.store.Open(r.ctx, r.job.ID, 0, 9) },
						func() ([]job.Item, error) { return r.store.Suspects(r.ctx, r.job.ID, 0, 9) },
					} {
						items, err := read()
						if err != nil {
							t.Fatal(err)
						}
						for _, item := range items {
							if item.UnknownEnds != 1 || item.State != job.Unknown {
								t.Errorf("run %d: the row is %+v", run, item)
							}
						}
					}
				}
				if n := len(r.posts()); n < 3 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// Item 16: a few rows for which Clink itself tells of trouble are no outage; many different ones in a row are.
func TestTroubleThatClinkTellsOf(t *testing.T) {
	trouble := envelope(200, 500, "cannot make this one", nil)
	t.Run("of a few rows", func(t *testing.T) {
		var few []int
		for n := range 12 {
			few = append(few, n+1)
		}
		s := scene{rows: 100, settings: job.Settings{Rate: 10, Concurrency: 4, GiveUpAfter: 10 * time.Minute}, instead: toRows(trouble, few...)}
		rehearse(t, s, func(r *rehearsal) {
			r.run(job.Finished)
			r.check(map[job.State]int{job.Created: 88, job.Unknown: 12})
			if n := countEvents[job.Unanswered](r); n > 0 {
				t.Errorf("told %d times that Clink does not answer", n)
			}
			if r.elapsed() > 40*time.Second {
				t.Errorf("took %s", r.elapsed())
			}
		})
	})
	t.Run("of all rows", func(t *testing.T) {
		s := scene{rows: 100, settings: job.Settings{Rate: 10, Concurrency: 4, GiveUpAfter: 10 * time.Minute, MaxAttempts: 9}, instead: func(q request) http.HandlerFunc {
			if q.at < 4*time.Minute {
				return trouble
			}
			return nil
		}}
		rehearse(t, s, func(r *rehearsal) {
			r.run(job.Finished)
			r.check(map[job.State]int{job.Created: 100})
			if n := countEvents[job.Unanswered](r); n == 0 {
				t.Error("not told that there is an outage")
			}
			early := 0
			for _, at := range r.postTimes() {
				if at < 4*time.Minute {
					early++
				}
			}
			if early > 60 {
				t.Errorf("%d requests in an outage of four minutes", early)
			}
		})
	})
}

// A file that is wrong in every row must not fail every row.
func TestRejectedRowsInARowEndTheRun(t *testing.T) {
	no := envelope(422, 422, "no", nil)
	all := func(request) bool { return true }
	t.Run("from the begin", func(t *testing.T) {
		rehearse(t, scene{rows: 100, settings: job.Settings{MaxRejected: 20}, instead: when(no, all)}, func(r *rehearsal) {
			report := r.run(job.AllRejected)
			r.check(map[job.State]int{job.Failed: 20, job.Pending: 80})
			if !strings.Contains(report.Reason, "20 rows in a row") {
				t.Error(report.Reason)
			}
			r.runner.MaxRejected, r.runner.Concurrency = 1, 16
			r.run(job.AllRejected)
			r.check(map[job.State]int{job.Failed: 21, job.Pending: 79})
		})
	})
	t.Run("not once a session was created", func(t *testing.T) {
		s := scene{rows: 100, settings: job.Settings{MaxRejected: 20}, instead: when(no, func(q request) bool { return q.number > 5 })}
		rehearse(t, s, func(r *rehearsal) {
			r.run(job.Finished)
			r.check(map[job.State]int{job.Created: 5, job.Failed: 95})
		})
	})
	t.Run("nor without a bound", func(t *testing.T) {
		rehearse(t, scene{rows: 30, instead: when(no, all)}, func(r *rehearsal) {
			r.run(job.Finished)
			r.check(map[job.State]int{job.Failed: 30})
		})
	})
}

// Rows that are refused here and there, with links made between, do not add up to a key that is refused; in a row at the end they do,
// and the next run goes on with those that are left.
func TestRefusedRowsHereAndThere(t *testing.T) {
	bad := []int{5, 13, 21, 29, 37, 45, 53, 61, 69, 77, 85, 93}
	s := scene{rows: 100, instead: toRows(text(403, "<html>request blocked</html>"), bad...)}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.KeyRefused)
		r.check(map[job.State]int{job.Created: 88, job.Failed: 9, job.Pending: 3})
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 88, job.Failed: 12})
	})
}

// Rows that were refused before are sent one at a time: with a key that is still refused, one is enough to find that out.
func TestSuspectRowsLeaveOneAtATime(t *testing.T) {
	good := false
	s := scene{
		rows: 40, settings: job.Settings{Concurrency: 1},
		simulator: simulator.Config{Latency: time.Second},
		instead: func(request) http.HandlerFunc {
			if good {
				return nil
			}
			return later(time.Second, envelope(401, 401, "no", nil))
		},
	}
	rehearse(t, s, func(r *rehearsal) {
		for range 13 { // three rows each
			r.run(job.KeyRefused)
		}
		r.run(job.KeyRefused) // the last row, and a second end
		before := len(r.posts())
		r.runner.Concurrency = 16
		r.run(job.KeyRefused)
		if n := len(r.posts()) - before; n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		good = true
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 40})
	})
}
