package job_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

const ms = time.Millisecond

func TestEveryRowGetsOneSessionAtTheRate(t *testing.T) {
	const rows = 1100 // more than are read ahead at once
	s := scene{
		rows:      rows,
		settings:  job.Settings{Rate: 100, Concurrency: 16},
		simulator: simulator.Config{Latency: 50 * ms},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: rows})
		for i, at := range r.postTimes() {
			if slot := time.Duration(i) * 10 * ms; (at - slot).Abs() > time.Microsecond {
				t.Fatalf("request %d arrived at %s, its slot is %s", i, at, slot)
			}
		}
		if len(r.references()) != rows || len(r.posts()) != rows {
			t.Errorf("%d requests for %d rows", len(r.posts()), len(r.references()))
		}
		moved := 0
		for _, e := range r.events {
			if m, ok := e.(job.Moved); ok && m.From == job.Pending && m.Decision.State == job.Created && m.Took == 50*ms && !m.Retried {
				moved++
			}
		}
		if moved != rows || len(r.events) != rows {
			t.Errorf("%d events, %d of them a row that got its link", len(r.events), moved)
		}

		r.run(job.Finished)
		if len(r.posts()) != rows {
			t.Error("a second run of the finished job sent something")
		}
	})
}

func TestConcurrencyIsNeverExceeded(t *testing.T) {
	s := scene{
		rows:      20,
		settings:  job.Settings{Concurrency: 4},
		simulator: simulator.Config{Latency: time.Second},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 20})
		if r.mostFlying != 4 || r.elapsed() != 5*time.Second {
			t.Errorf("%d at a time in %s, want 4 in 5s", r.mostFlying, r.elapsed())
		}
	})
}

// Promise 2: an attempt is on record before its request leaves.
func TestTheIntentIsOnRecordWhenTheRequestArrives(t *testing.T) {
	var r *rehearsal
	s := scene{
		rows:      20,
		settings:  job.Settings{Concurrency: 4},
		simulator: simulator.Config{Latency: time.Second, Faults: map[simulator.Fault]float64{simulator.Lost: 0.2}},
		instead: func(p request) http.HandlerFunc {
			for a := range r.attempts(r.job.ID) {
				if a.Reference == p.reference && a.Outcome == "" {
					return nil
				}
			}
			r.Errorf("%s arrived without an intent on record", p.reference)
			return nil
		},
	}
	rehearse(t, s, func(it *rehearsal) {
		r = it
		r.run(job.Finished)
		r.check(map[job.State]int{job.Created: 20})
		if len(r.posts()) == 20 {
			t.Error("no request was sent again: the seed meets no fault")
		}
	})
}

func TestLimitCountsItemsThatWereSent(t *testing.T) {
	t.Run("an item that is sent again counts once", func(t *testing.T) {
		s := scene{
			rows:     10,
			settings: job.Settings{Limit: 3, Concurrency: 4},
			instead:  only(envelope(500, 500, "broken", nil), 1, 2, 4),
		}
		rehearse(t, s, func(r *rehearsal) {
			r.run(job.LimitReached)
			r.check(map[job.State]int{job.Created: 3, job.Pending: 7})
			if got := r.references(); len(got) != 3 || len(r.posts()) != 6 {
				t.Errorf("sent %v, want three items with six requests", got)
			}
		})
	})
	t.Run("as many as there are rows", func(t *testing.T) {
		rehearse(t, scene{rows: 5, settings: job.Settings{Limit: 5, Concurrency: 4}}, func(r *rehearsal) {
			r.run(job.Finished)
			r.check(map[job.State]int{job.Created: 5})
		})
	})
	t.Run("each run has its own", func(t *testing.T) {
		rehearse(t, scene{rows: 5, settings: job.Settings{Limit: 2, Concurrency: 4}}, func(r *rehearsal) {
			r.run(job.LimitReached)
			r.run(job.LimitReached)
			r.check(map[job.State]int{job.Created: 4, job.Pending: 1})
			r.run(job.Finished)
		})
	})
}

func TestMaxFailuresStopsTheRun(t *testing.T) {
	s := scene{
		rows:      10,
		settings:  job.Settings{MaxFailures: 3},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.Refuse: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.TooManyFailures)
		r.check(map[job.State]int{job.Failed: 3, job.Pending: 7})
		if got := r.results()[0]; got.ErrorCode != "422" || got.Error != "CUSTOMER_IDENTIFIER_NOT_MATCHED" {
			t.Errorf("row 2 says %q, %q", got.ErrorCode, got.Error)
		}
	})
}

// What is wrong with ten sessions in a row is wrong with all: the rest must not become extra sessions, too.
func TestAnswersThatAreAllWrongStopTheRun(t *testing.T) {
	s := scene{
		rows:      100,
		settings:  job.Settings{Concurrency: 4},
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.WrongAmount: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		report := r.run(job.TooManyFailures)
		if !strings.Contains(report.Reason, "10 sessions in a row are not what was asked for") {
			t.Errorf("the reason is %q", report.Reason)
		}
		if sessions := len(r.Simulator.Sessions()); sessions < 10 || sessions > 13 {
			t.Errorf("%d sessions were made", sessions)
		}
	})
}

func TestAMismatchIsNeverPublished(t *testing.T) {
	s := scene{
		rows:      1,
		simulator: simulator.Config{Faults: map[simulator.Fault]float64{simulator.WrongAmount: 1}},
	}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.check(map[job.State]int{job.Failed: 1})
		if got := r.results()[0]; got.URL != "" || got.SessionID == "" || got.ErrorCode != "mismatch" {
			t.Errorf("the row's result is %+v", got)
		}
	})
}

func TestInterruptedRunsSaveWhatIsInFlight(t *testing.T) {
	s := scene{
		rows:      40,
		settings:  job.Settings{Concurrency: 4},
		simulator: simulator.Config{Latency: time.Second},
	}
	rehearse(t, s, func(r *rehearsal) {
		interrupt := time.AfterFunc(1500*ms, r.cancel)
		defer interrupt.Stop()
		r.run(job.Interrupted)
		r.check(map[job.State]int{job.Created: 8, job.Pending: 32})
		if r.elapsed() != 2*time.Second {
			t.Errorf("ended after %s, want 2s: with the answers in flight", r.elapsed())
		}
		if len(r.posts()) != 8 {
			t.Errorf("%d requests, want 8", len(r.posts()))
		}
		if n := countEvents[job.Moved](r); n != 8 {
			t.Errorf("%d events, want 8", n)
		}
	})
}

func TestARunThatIsInterruptedAtItsBeginIsNotFinished(t *testing.T) {
	rehearse(t, scene{rows: 3}, func(r *rehearsal) {
		r.cancel()
		for range 20 { // the end of the context and the end of the rows race
			r.run(job.Interrupted)
		}
		r.check(map[job.State]int{job.Pending: 3})
	})
}

// ledger is the real one, with something happening in between.
type ledger struct {
	job.Ledger
	afterBegin func(*job.Item)
	end        func(*job.Item) error
	open       func() error
}

func (l ledger) Begin(item *job.Item, at time.Time, stopped func() bool) (job.Resolution, int, error) {
	resolution, number, err := l.Ledger.Begin(item, at, stopped)
	if l.afterBegin != nil {
		l.afterBegin(item)
	}
	return resolution, number, err
}

func (l ledger) End(item *job.Item, number int, end job.End, recorded func(job.Decision, error)) {
	if l.end != nil {
		if err := l.end(item); err != nil {
			recorded(job.Decision{}, err)
			return
		}
	}
	l.Ledger.End(item, number, end, recorded)
}

func (l ledger) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	if l.open != nil {
		if err := l.open(); err != nil {
			return nil, err
		}
	}
	return l.Ledger.Open(ctx, jobID, after, n)
}

func TestAnIntentIsWithdrawnWhereTheRunIsInterrupted(t *testing.T) {
	rehearse(t, scene{rows: 5}, func(r *rehearsal) {
		r.runner.Ledger = ledger{Ledger: r.store, afterBegin: func(item *job.Item) {
			if item.Row == 4 {
				r.cancel()
			}
		}}
		r.run(job.Interrupted)
		r.check(map[job.State]int{job.Created: 2, job.Pending: 3})
		if len(r.posts()) != 2 {
			t.Errorf("%d requests, want 2", len(r.posts()))
		}
		if got := r.outcomes(4); len(got) != 1 || got[0] != job.OutcomeNotSent {
			t.Errorf("row 4's attempts ended %v, want one not_sent", got)
		}
	})
}

// lateLedger cannot record an end, and says so only when the next intent is about to be recorded.
type lateLedger struct {
	job.Ledger
	owed func(job.Decision, error)
}

func (l *lateLedger) End(item *job.Item, _ int, end job.End, recorded func(job.Decision, error)) {
	if l.owed = recorded; end.State != job.Created { // which is waited for
		recorded(job.Decision{}, errors.New("the disk is full"))
	}
}

func (l *lateLedger) Begin(item *job.Item, at time.Time, stopped func() bool) (job.Resolution, int, error) {
	if l.owed != nil {
		l.owed(job.Decision{}, errors.New("the disk is full"))
		l.owed = nil
	}
	return l.Ledger.Begin(item, at, stopped)
}

// A worker has one item in doubt at most: where its answer cannot be recorded, its next intent is not either.
func TestNoIntentFollowsAnEndThatFailed(t *testing.T) {
	rehearse(t, scene{rows: 3, settings: job.Settings{Concurrency: 1}}, func(r *rehearsal) {
		r.runner.Ledger = &lateLedger{Ledger: r.store}
		report := r.runner.Run(r.ctx, r.job)
		if report.Stop != job.LedgerFailed || report.Sent != 1 || len(r.posts()) != 1 {
			t.Errorf("%+v, and %d requests, want one", report, len(r.posts()))
		}
		r.check(map[job.State]int{job.Sending: 1, job.Pending: 2})
	})
}

func TestAnIntentIsWithdrawnWhereTheRunStops(t *testing.T) {
	s := scene{rows: 5, settings: job.Settings{Concurrency: 2, MaxFailures: 1}, instead: only(envelope(422, 422, "no", nil), 1)}
	rehearse(t, s, func(r *rehearsal) {
		r.runner.Ledger = ledger{Ledger: r.store, afterBegin: func(item *job.Item) {
			if item.Row == 3 {
				<-time.After(time.Second)
			}
		}}
		r.run(job.TooManyFailures)
		r.check(map[job.State]int{job.Failed: 1, job.Pending: 4})
	})
}

// What concerns all workers must hold at once, not only when the ledger has it.
func TestNothingLeavesWhileAnAnswerThatForbidsItIsBeingRecorded(t *testing.T) {
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		answers int // so many requests in a row get this answer
		want    job.Stop
		next    time.Duration // when the next request may arrive; 0 is never
	}{
		{"401", envelope(401, 401, "no", nil), 3, job.KeyRefused, 0},
		{"redirect", redirect(302), 3, job.WrongAddress, 0},
		{"429", throttled("5"), 1, job.Finished, 6 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scene{
				rows: 20, settings: job.Settings{Rate: 10, Concurrency: 4},
				instead: when(tt.answer, func(q request) bool { return q.number <= tt.answers }),
			}
			rehearse(t, s, func(r *rehearsal) {
				r.runner.Ledger = ledger{Ledger: r.store, end: func(item *job.Item) error {
					if item.Row == tt.answers+1 && item.Attempts == 0 {
						<-time.After(time.Second)
					}
					return nil
				}}
				r.run(tt.want)
				times := r.postTimes()
				if tt.next == 0 && len(times) > tt.answers {
					t.Errorf("requests at %v, want the first %d alone", times, tt.answers)
				}
				if tt.next > 0 && times[tt.answers] != tt.next {
					t.Errorf("the next request arrived at %s, want %s", times[tt.answers], tt.next)
				}
			})
		})
	}
}

func TestALedgerThatFailsStopsTheRun(t *testing.T) {
	full := errors.New("disk full")
	t.Run("at the record of an answer", func(t *testing.T) {
		s := scene{rows: 20, settings: job.Settings{Concurrency: 4}, simulator: simulator.Config{Latency: time.Second}}
		rehearse(t, s, func(r *rehearsal) {
			var ended atomic.Int64
			r.runner.Ledger = ledger{Ledger: r.store, end: func(*job.Item) error {
				if ended.Add(1) > 4 {
					return full
				}
				return nil
			}}
			report := r.runner.Run(r.ctx, r.job)
			if report.Stop != job.LedgerFailed || !errors.Is(report.Err, full) || report.Reason == "" {
				t.Errorf("got %+v", report)
			}
			if len(r.posts()) != 8 {
				t.Errorf("%d requests, want 8: four on record, four in flight", len(r.posts()))
			}
			r.check(map[job.State]int{job.Created: 4, job.Sending: 4, job.Pending: 12}) // the next sender makes four unknown
		})
	})
	t.Run("while the observer keeps the dispatcher", func(t *testing.T) {
		rehearse(t, scene{rows: 3, settings: job.Settings{Concurrency: 3}}, func(r *rehearsal) {
			r.runner.Ledger = ledger{
				Ledger: r.store,
				afterBegin: func(item *job.Item) { // row 2 at 0 s, row 3 at 1 s, row 4 at 2 s
					<-time.After(time.Duration(item.Row-2) * time.Second)
				},
				end: func(item *job.Item) error {
					if item.Row == 3 {
						return full
					}
					return nil
				},
			}
			r.runner.Observe = func(job.Event) { <-time.After(3 * time.Second) }
			if report := r.runner.Run(r.ctx, r.job); report.Stop != job.LedgerFailed {
				t.Errorf("got %+v", report)
			}
			if len(r.posts()) != 2 {
				t.Errorf("%d requests, want 2: nothing leaves once the ledger has failed", len(r.posts()))
			}
		})
	})
	t.Run("at the reading of rows", func(t *testing.T) {
		rehearse(t, scene{rows: 5}, func(r *rehearsal) {
			reads := 0
			r.runner.Ledger = ledger{Ledger: r.store, open: func() error {
				if reads++; reads > 1 {
					return full
				}
				return nil
			}}
			if report := r.run(job.LedgerFailed); !errors.Is(report.Err, full) || report.Reason != full.Error() {
				t.Errorf("got %+v", report)
			}
			r.check(map[job.State]int{job.Created: 5})
		})
	})
	t.Run("where somebody else changed it", func(t *testing.T) {
		rehearse(t, scene{rows: 5}, func(r *rehearsal) {
			r.runner.Ledger = stale{r.store}
			if report := r.run(job.LedgerFailed); !errors.Is(report.Err, job.ErrMoved) {
				t.Errorf("got %+v", report)
			}
			if len(r.posts()) != 0 {
				t.Error("sent all the same")
			}
		})
	})
}

// stale reads rows as they were an attempt ago.
type stale struct{ job.Ledger }

func (l stale) Open(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	items, err := l.Ledger.Open(ctx, jobID, after, n)
	for i := range items {
		items[i].Attempts--
	}
	return items, err
}

// only answers the POSTs with these numbers, and leaves the others to the simulator.
func only(answer http.HandlerFunc, numbers ...int) func(request) http.HandlerFunc {
	return when(answer, func(p request) bool {
		for _, n := range numbers {
			if p.number == n {
				return true
			}
		}
		return false
	})
}

// when answers the POSTs that match, and leaves the others to the simulator.
func when(answer http.HandlerFunc, match func(request) bool) func(request) http.HandlerFunc {
	return func(p request) http.HandlerFunc {
		if p.method == http.MethodPost && match(p) {
			return answer
		}
		return nil
	}
}

// later answers after a while, unless the client has gone.
func later(after time.Duration, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(after):
			answer(w, r)
		case <-r.Context().Done():
		}
	}
}

func TestAnAnswerThatConcernsTheWholeRunStopsIt(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   job.Stop
	}{
		{"401", envelope(401, 401, "the key was revoked", nil), job.KeyRefused},
		{"403 under 200", envelope(200, 403, "the key may not", nil), job.KeyRefused},
		{"redirect", redirect(302), job.WrongAddress},
		{"a stranger's 404", text(404, "404 page not found"), job.WrongAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scene{
				rows:      100,
				settings:  job.Settings{Rate: 10, Concurrency: 16},
				simulator: simulator.Config{Latency: 350 * ms},
				instead: func(q request) http.HandlerFunc {
					if q.method == http.MethodPost && q.number < 5 {
						return nil
					}
					return later(350*ms, tt.answer)
				},
			}
			rehearse(t, s, func(r *rehearsal) {
				report := r.run(tt.want)
				if report.Reason == "" {
					t.Error("no reason")
				}
				// The fifth leaves at 0.4 s and the seventh is answered at 0.95 s; those from 0.7 s to 0.9 s are in flight then,
				// and the control leaves when they have ended.
				if len(r.posts()) != 10 || len(r.gets()) != 1 || r.elapsed() != 1600*ms {
					t.Errorf("%d requests and %d controls in %s, want 10 and 1 in 1.6s", len(r.posts()), len(r.gets()), r.elapsed())
				}
				r.check(map[job.State]int{job.Created: 4, job.Pending: 96})
				if strays := r.Simulator.Summary().Strays; strays > 0 {
					t.Errorf("%d requests went elsewhere", strays)
				}
			})
		})
	}
}
