package job_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// account is a budget as a ledger keeps one: all its senders reserve sends on one line of time.
type account struct {
	mu          sync.Mutex
	perSecond   float64
	next        time.Time // the first that is not reserved
	reduced     float64   // the rate at the end of the last pause
	pausedFrom  time.Time
	pausedUntil time.Time
	halved      int
	takes       time.Duration // how long an answer takes
	err         error
}

func (a *account) rate(now time.Time) float64 {
	if a.pausedUntil.IsZero() {
		return a.perSecond
	}
	return min(a.perSecond, a.reduced+a.perSecond*max(0, now.Sub(a.pausedUntil)).Seconds()/60)
}

func (a *account) SetRate(_ context.Context, perSecond float64, explicit bool) (float64, error) {
	if explicit {
		a.perSecond = perSecond
	}
	return a.perSecond, nil
}

func (a *account) Take(_ context.Context, n int) (job.Block, error) {
	<-time.After(a.takes)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	start := slices.MaxFunc([]time.Time{now, a.next, a.pausedUntil}, time.Time.Compare)
	b := job.Block{Start: start, N: n, PerSecond: a.rate(start)}
	if a.pausedUntil.After(now) {
		b.Paused = a.pausedUntil
	}
	if b.PerSecond == 0 {
		b.End = start.Add(100 * ms)
		return b, a.err
	}
	b.Every = time.Duration(float64(time.Second) / b.PerSecond)
	b.End = start.Add(time.Duration(n) * b.Every)
	if n > 0 {
		a.next = b.End
	}
	return b, a.err
}

func (a *account) Throttled(_ context.Context, sentAgo, retryAfter time.Duration) (time.Time, error) {
	<-time.After(a.takes)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.pausedFrom.IsZero() || now.Add(-sentAgo).After(a.pausedFrom) {
		a.reduced, a.pausedFrom = a.rate(now)/2, now
		a.halved++
	}
	if until := now.Add(max(retryAfter, time.Second)); until.After(a.pausedUntil) {
		a.pausedUntil = until
	}
	return a.pausedUntil, a.err
}

// sharing runs the jobs at once, each by a runner of its own, on the account, and returns how they ended and what their observers were told.
func (r *rehearsal) sharing(a *account, runners, rows int) (reports []job.Report, events [][]job.Event) {
	r.Helper()
	jobs := []job.Job{r.job}
	for n := 1; n < runners; n++ {
		jobs = append(jobs, r.importedFrom(n, rows))
	}
	reports, events = make([]job.Report, runners), make([][]job.Event, runners)
	var all sync.WaitGroup
	for n, j := range jobs {
		all.Go(func() {
			runner := r.runner
			runner.Budget, runner.Rate = a, a.perSecond
			runner.Observe = func(e job.Event) { events[n] = append(events[n], e) }
			reports[n] = runner.Run(r.ctx, j)
		})
	}
	all.Wait()
	return reports, events
}

// importedFrom makes a job with the invoices that the n-th job has alone.
func (r *rehearsal) importedFrom(n, rows int) job.Job {
	r.Helper()
	j := r.job
	j.ID, j.FileDigest = 0, sha256.Sum256(fmt.Append(nil, "job", n))
	j, err := r.store.Import(j, func(yield func(job.NewItem, error) bool) {
		for i := range rows {
			if !yield(row(n*rows+i+1, amount), nil) {
				return
			}
		}
	}, false, time.Now())
	if err != nil {
		r.Fatal(err)
	}
	return j
}

// most is how many of the times there are in the fullest second.
func most(times []time.Duration) int {
	n := 0
	for from, to := 0, 0; to < len(times); to++ {
		for times[to]-times[from] >= time.Second {
			from++
		}
		n = max(n, to-from+1)
	}
	return n
}

func countBefore(times []time.Duration, end time.Duration) int {
	return len(slices.DeleteFunc(slices.Clone(times), func(at time.Duration) bool { return at >= end }))
}

func TestSendersShareOneRate(t *testing.T) {
	for _, rate := range []int{3, 40, 100} {
		for _, runners := range []int{1, 2, 3} {
			if rate == 100 && runners < 3 {
				continue
			}
			t.Run(fmt.Sprintf("%d runners at %d a second", runners, rate), func(t *testing.T) {
				span := 20 * time.Second
				if rate < 10 { // else one request is more than 1%
					span = time.Minute
				}
				rows := int(span.Seconds()+1)*rate/runners + rate
				s := scene{
					rows: rows, settings: job.Settings{Concurrency: 64},
					simulator: simulator.Config{Latency: 150 * ms},
				}
				rehearse(t, s, func(r *rehearsal) {
					reports, _ := r.sharing(&account{perSecond: float64(rate), takes: 5 * ms}, runners, rows)
					for n, report := range reports {
						if report.Stop != job.Finished {
							t.Errorf("run %d ended with %+v", n, report)
						}
					}
					times := r.postTimes()
					slices.Sort(times)
					want := int(span.Seconds()) * rate
					if sent := countBefore(times, span); sent < want-want/100-1 || sent > want+want/100+1 {
						t.Errorf("%d requests in %s, want %d", sent, span, want)
					}
					if most := most(times); most > rate+5 {
						t.Errorf("%d requests in a second at %d", most, rate)
					}
				})
			})
		}
	}
}

// A run that has no worker free for its slots leaves them to the others.
func TestABusySenderLeavesTheRateToOthers(t *testing.T) {
	s := scene{rows: 1000, settings: job.Settings{Concurrency: 64}, simulator: simulator.Config{Latency: 500 * ms}}
	rehearse(t, s, func(r *rehearsal) {
		a := &account{perSecond: 50, takes: 2 * ms}
		slow := r.importedFrom(1, 1000)
		ctx, stop := context.WithCancel(r.ctx)
		var all sync.WaitGroup
		all.Go(func() {
			runner := r.runner // two requests in flight: four a second
			runner.Budget, runner.Rate, runner.Concurrency = a, 50, 2
			runner.Observe = func(job.Event) {}
			runner.Run(ctx, slow)
		})
		runner := r.runner
		runner.Budget, runner.Rate = a, 50
		runner.Run(ctx, r.job)
		if took := r.elapsed(); took > 25*time.Second {
			t.Errorf("1000 rows took %s beside a sender of four a second, at 50 a second", took)
		}
		stop()
		all.Wait()
	})
}

func TestAThrottledAnswerPausesAllSenders(t *testing.T) {
	for _, rate := range []int{2, 50} {
		t.Run(fmt.Sprint(rate, " a second"), func(t *testing.T) {
			rows := 12 * rate
			s := scene{
				rows: rows, settings: job.Settings{Concurrency: 32, GiveUpAfter: 10 * time.Minute},
				instead: when(later(50*ms, throttled("5")), func(q request) bool {
					return q.number == 4*rate || rate == 50 && q.number == 4*rate+1 // which had left before the first was answered
				}),
			}
			rehearse(t, s, func(r *rehearsal) {
				a := &account{perSecond: float64(rate), takes: 5 * ms}
				_, events := r.sharing(a, 3, rows)
				times := r.postTimes()
				told := times[4*rate-1] + 50*ms
				until := told + 5*time.Second
				for _, at := range times {
					if at > told+100*ms && at < until {
						t.Errorf("a request left at %s, in the pause from %s to %s", at, told, until)
					}
				}
				if a.halved != 1 {
					t.Errorf("halved %d times, want once", a.halved)
				}
				if rate == 50 {
					after := slices.DeleteFunc(slices.Clone(times), func(at time.Duration) bool { return at < until || at >= until+4*time.Second })
					if n := len(after); n < 90 || n > 125 { // 25 a second, climbing
						t.Errorf("%d requests in the four seconds after the pause, want about 107", n)
					}
					for n := range events {
						if !slices.ContainsFunc(events[n], func(e job.Event) bool { _, ok := e.(job.Paused); return ok }) {
							t.Errorf("the observer of run %d was told of no pause", n)
						}
						if !slices.ContainsFunc(events[n], func(e job.Event) bool { _, ok := e.(job.Flowing); return ok }) {
							t.Errorf("the observer of run %d was not told of the end of the pause", n)
						}
					}
				}
			})
		})
	}
}

// Questions about links come out of the same budget.
func TestQuestionsCountAgainstTheBudget(t *testing.T) {
	s := scene{rows: 30, settings: job.Settings{Concurrency: 16}, simulator: simulator.Config{Lifetime: time.Hour}}
	rehearse(t, s, func(r *rehearsal) {
		a := &account{perSecond: 10}
		r.sharing(a, 1, 0)
		began := time.Now()
		runner := r.runner
		runner.Budget, runner.Rate = a, 10
		if report := runner.Refresh(r.ctx, job.LinkQuery{JobID: r.job.ID, At: began}); report.Stop != job.Finished {
			t.Errorf("ended with %+v", report)
		}
		if took := time.Since(began); took < 2900*ms || took > 3100*ms {
			t.Errorf("30 questions took %s at 10 a second", took)
		}
	})
}

func TestABudgetWithoutALimit(t *testing.T) {
	s := scene{rows: 400, settings: job.Settings{Concurrency: 4}, simulator: simulator.Config{Latency: 100 * ms}}
	rehearse(t, s, func(r *rehearsal) {
		reports, _ := r.sharing(&account{}, 1, 0)
		if reports[0].Stop != job.Finished || r.elapsed() > 11*time.Second {
			t.Errorf("ended after %s with %+v", r.elapsed(), reports[0])
		}
	})
}

// An error of the budget ends the run as one of the ledger, and one of a sender that was fenced as taken over.
func TestABudgetThatFails(t *testing.T) {
	broken := errors.New("the connection is gone")
	for want, err := range map[job.Stop]error{job.LedgerFailed: broken, job.TakenOver: fmt.Errorf("take a block: %w", job.ErrFenced)} {
		rehearse(t, scene{rows: 20, settings: job.Settings{Concurrency: 4}}, func(r *rehearsal) {
			reports, _ := r.sharing(&account{perSecond: 10, err: err}, 1, 0)
			if reports[0].Stop != want || !errors.Is(reports[0].Err, err) || len(r.posts()) > 0 {
				t.Errorf("ended with %+v after %d requests, want %s", reports[0], len(r.posts()), want)
			}
		})
	}
}

// A run that begins in another one's long pause ends at once, and says when to come back.
func TestALongPauseOfTheAccountEndsTheRun(t *testing.T) {
	rehearse(t, scene{rows: 5, settings: job.Settings{Concurrency: 4, GiveUpAfter: 10 * time.Minute}}, func(r *rehearsal) {
		until := time.Now().Add(time.Hour)
		reports, _ := r.sharing(&account{perSecond: 10, reduced: 5, pausedUntil: until}, 1, 0)
		if reports[0].Stop != job.GaveUp || !reports[0].ComeBack.Equal(until) || r.elapsed() != 0 {
			t.Errorf("ended after %s with %+v", r.elapsed(), reports[0])
		}
	})
}
