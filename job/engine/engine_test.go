package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paylinks/job"
	"paylinks/job/links"
)

// tally counts so many items in each state.
func tally(items map[job.State]int) job.Tally {
	t := job.NewTally()
	for state, n := range items {
		t.Add(state, "USD", n, big.NewInt(1))
	}
	return t
}

// TestEnding guards how a run is said to have left a job: what stopped it, what is left, whether its links file was written.
func TestEnding(t *testing.T) {
	unwritable := &links.Error{Path: "/none/a.csv", Err: fs.ErrNotExist}
	created, some := map[job.State]int{job.Created: 2}, map[job.State]int{job.Created: 1, job.Pending: 1}
	for _, tt := range []struct {
		name  string
		stop  job.Stop
		items map[job.State]int
		left  int // rows that running again would send
		err   error
		want  Ending
	}{
		{"all have links", job.Finished, created, 0, nil, Complete},
		{"duplicates are links", job.Finished, map[job.State]int{job.Created: 1, job.Duplicate: 1}, 0, nil, Complete},
		{"a row failed", job.Finished, map[job.State]int{job.Created: 1, job.Failed: 1}, 0, nil, Attention},
		{"a row waits for a person", job.Finished, map[job.State]int{job.Created: 1, job.Unknown: 1}, 0, nil, Attention},
		{"rows are left", job.Finished, some, 1, nil, Unfinished},
		{"the limit is reached", job.LimitReached, some, 1, nil, Unfinished},
		{"interrupted", job.Interrupted, some, 1, nil, Interrupted},
		{"interrupted too late", job.Interrupted, created, 0, nil, Complete},
		{"gave up", job.GaveUp, some, 1, nil, Unfinished},
		{"too many failures", job.TooManyFailures, map[job.State]int{job.Failed: 2}, 0, nil, TooManyFailures},
		{"all rejected", job.AllRejected, map[job.State]int{job.Failed: 2}, 0, nil, TooManyFailures},
		{"key refused", job.KeyRefused, some, 1, nil, KeyRefused},
		{"wrong address", job.WrongAddress, some, 1, nil, WrongAddress},
		{"the ledger failed", job.LedgerFailed, some, 1, nil, LedgerFailed},
		{"the links file cannot be written", job.Finished, created, 0, unwritable, OutputFailed},
		{"nor could the ledger", job.LedgerFailed, some, 1, unwritable, LedgerFailed},
		{"the ledger cannot be read for it", job.Finished, created, 0, errors.New("disk I/O error"), LedgerFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Outcome{Report: job.Report{Stop: tt.stop}, Tally: tally(tt.items), Left: Left{Left: job.Left{Sendable: tt.left}}, OutputErr: tt.err}
			stopped := tt.want != Complete && tt.want != Attention && !(tt.want == Unfinished && tt.stop == job.Finished)
			if got := o.Ending(); got != tt.want || o.Stopped() != stopped {
				t.Errorf("%s, stopped %t; want %s, %t", got, o.Stopped(), tt.want, stopped)
			}
		})
	}
	t.Run("what later jobs have made needs nobody", func(t *testing.T) {
		o := Outcome{Report: job.Report{Stop: job.Finished}, Tally: tally(map[job.State]int{job.Created: 1, job.Failed: 2}), Left: Left{Made: 1}}
		if o.Ending() != Attention {
			t.Error(o.Ending())
		}
		if o.Left.Made = 2; o.Ending() != Complete {
			t.Error(o.Ending())
		}
	})
	t.Run("links that have expired", func(t *testing.T) {
		o := Outcome{Report: job.Report{Stop: job.Finished}, Tally: tally(created), Left: Left{Expired: 1}}
		if o.Ending() != Attention {
			t.Error(o.Ending())
		}
	})
	t.Run("links that reissue has still to ask about", func(t *testing.T) {
		o := Outcome{Report: job.Report{Stop: job.Finished}, Tally: tally(created), Unchecked: 1}
		if o.Ending() != Unfinished {
			t.Error(o.Ending())
		}
	})
	t.Run("a refresh that was not told of all links keeps no other job waiting", func(t *testing.T) {
		o := LinkOutcome{Report: job.Report{Stop: job.Finished}, Unchecked: 1}
		if o.Ending() != Unfinished || o.Stopped() {
			t.Errorf("%s, stopped %t", o.Ending(), o.Stopped())
		}
	})
}

// TestEach guards which jobs are worked on after one has stopped, and what the whole is said to have come to.
func TestEach(t *testing.T) {
	for _, tt := range []struct {
		name    string
		endings []Ending // of the jobs; those at odd places are at another target
		onward  bool
		worked  int
		want    Ending
	}{
		{"none", nil, false, 0, Complete},
		{"all well", []Ending{Complete, Complete}, false, 2, Complete},
		{"one needs attention", []Ending{Attention, Complete, Complete}, false, 3, Attention},
		{"a stop ends the whole", []Ending{Complete, Unfinished, Complete}, false, 2, Unfinished},
		{"an outage ends the whole, onward or not", []Ending{Attention, Unfinished, Complete}, true, 2, Unfinished},
		{"an interruption does, too", []Ending{Interrupted, Complete}, true, 1, Interrupted},
		{"so does a ledger that failed", []Ending{LedgerFailed, Complete}, true, 1, LedgerFailed},
		{"failures end the whole", []Ending{TooManyFailures, Complete}, false, 1, TooManyFailures},
		{"but not where it goes onward", []Ending{TooManyFailures, Complete, Attention}, true, 3, TooManyFailures},
		{"nor does an output", []Ending{OutputFailed, TooManyFailures, Complete}, true, 3, OutputFailed},
		{"a refused key closes its own target", []Ending{KeyRefused, Complete, Complete, Complete}, false, 3, KeyRefused},
		{"but not where it goes onward", []Ending{KeyRefused, Complete, Complete}, true, 3, KeyRefused},
		{"nor does another's address", []Ending{WrongAddress, KeyRefused, Attention}, true, 3, WrongAddress},
		{"the first stop counts", []Ending{WrongAddress, KeyRefused, Complete, Complete}, false, 2, WrongAddress},
		{"a later outage does not hide it", []Ending{KeyRefused, Unfinished}, false, 2, KeyRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			places := make([]int, len(tt.endings))
			for i := range places {
				places[i] = i
			}
			worked := 0
			target := func(i int) Target { return Target{BaseURL: fmt.Sprint(i % 2)} }
			got, err := Each(places, target, tt.onward, func(i int) (Ending, bool, error) {
				worked++
				return tt.endings[i], tt.endings[i] != Complete && tt.endings[i] != Attention, nil
			})
			if err != nil || got != tt.want || worked != tt.worked {
				t.Errorf("%s after %d jobs, %v; want %s after %d", got, worked, err, tt.want, tt.worked)
			}
		})
	}
	t.Run("what is left open stops nobody", func(t *testing.T) {
		got, err := Each([]Ending{Unfinished, Attention, Complete}, func(Ending) Target { return Target{} }, false,
			func(e Ending) (Ending, bool, error) { return e, false, nil })
		if err != nil || got != Unfinished {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// TestNext guards what a person is told to do next.
func TestNext(t *testing.T) {
	j := job.Job{Identity: job.Identity{Environment: job.Sandbox, BaseURL: ClinkURL[job.Sandbox]}}
	elsewhere := job.Job{Identity: job.Identity{Environment: job.Sandbox, BaseURL: "https://proxy.test"}}
	unwritten := j
	unwritten.Output = "/a.links.csv"
	for _, tt := range []struct {
		name  string
		job   job.Job
		stop  job.Stop
		items map[job.State]int
		left  Left
		want  []Step
	}{
		{"nothing", j, job.Finished, map[job.State]int{job.Created: 3}, Left{}, nil},
		{"rows left", j, job.GaveUp, map[job.State]int{job.Pending: 3, job.Failed: 1}, Left{Left: job.Left{Sendable: 3}}, []Step{{Kind: StepResume, N: 3}}},
		{"rows left after failures", j, job.TooManyFailures, map[job.State]int{job.Pending: 3}, Left{Left: job.Left{Sendable: 3}}, []Step{{Kind: StepMendResume, N: 3}}},
		{"rows left at a wrong address", elsewhere, job.WrongAddress, map[job.State]int{job.Pending: 3}, Left{Left: job.Left{Sendable: 3}}, []Step{{Kind: StepRunElsewhere, N: 3}}},
		{"rows left at Clink's own address", j, job.WrongAddress, map[job.State]int{job.Pending: 3}, Left{Left: job.Left{Sendable: 3}}, []Step{{Kind: StepResume, N: 3}}},
		{"failed", j, job.Finished, map[job.State]int{job.Failed: 2}, Left{}, []Step{{Kind: StepRetryFailed, N: 2}}},
		{"failed and in doubt", j, job.Finished, map[job.State]int{job.Failed: 2, job.Unknown: 1}, Left{Left: job.Left{InDoubt: 1}}, []Step{{Kind: StepRetryFailed, N: 2}, {Kind: StepRetryDoubt, N: 1}}},
		{"in doubt", j, job.Finished, map[job.State]int{job.Unknown: 1}, Left{Left: job.Left{InDoubt: 1}}, []Step{{Kind: StepRetryDoubt, N: 1}}},
		{"behind another job", j, job.Finished, map[job.State]int{job.Pending: 1}, Left{Left: job.Left{Held: 1, HeldBy: []int64{7}}}, []Step{{Kind: StepSettleOther, N: 1, Jobs: []int64{7}}}},
		{"in doubt, and behind another job", j, job.Finished, map[job.State]int{job.Unknown: 2}, Left{Left: job.Left{InDoubt: 1, Held: 1, HeldBy: []int64{7}}}, []Step{{Kind: StepRetryDoubt, N: 1}, {Kind: StepSettleOther, N: 1, Jobs: []int64{7}}}},
		{"behind a link that is not settled", j, job.Finished, map[job.State]int{job.Pending: 1}, Left{Left: job.Left{Unsettled: 1}}, []Step{{Kind: StepRetryDoubt, N: 1}}},
		{"failed under hold after a doubt", j, job.Finished, map[job.State]int{job.Failed: 3}, Left{Left: job.Left{FailedInDoubt: 2}}, []Step{{Kind: StepRetryFailed, N: 1}, {Kind: StepRetryDoubt, N: 2}}},
		{"taken over", j, job.Finished, map[job.State]int{job.Superseded: 4}, Left{}, []Step{{Kind: StepSeeTakenOver, N: 4}}},
		{"failed, and made by a later job", j, job.Finished, map[job.State]int{job.Created: 1, job.Failed: 2}, Left{Made: 2}, nil},
		{"failed, and made in part", j, job.Finished, map[job.State]int{job.Failed: 3}, Left{Made: 2}, []Step{{Kind: StepRetryFailed, N: 1}}},
		{"expired", j, job.Finished, map[job.State]int{job.Created: 3}, Left{Expired: 2}, []Step{{Kind: StepReissue, N: 2}}},
		{"expired and failed", j, job.Finished, map[job.State]int{job.Created: 3, job.Failed: 1}, Left{Expired: 2}, []Step{{Kind: StepRetryFailed, N: 1}, {Kind: StepReissue, N: 2}}},
		{"not written", unwritten, job.Finished, map[job.State]int{job.Created: 3, job.Invalid: 1}, Left{}, []Step{{Kind: StepWriteFile, N: 4}, {Kind: StepCorrect, N: 1}}},
		{"not written, and rows left", unwritten, job.GaveUp, map[job.State]int{job.Pending: 3}, Left{Left: job.Left{Sendable: 3}}, []Step{{Kind: StepResume, N: 3}}},
		{"invalid and taken over", j, job.Finished, map[job.State]int{job.Superseded: 4, job.Invalid: 2}, Left{}, []Step{{Kind: StepCorrect, N: 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Next(tt.job, tt.stop, tally(tt.items), tt.left)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTargetGuardsRealMoney guards that no address of another environment is taken, and no simulator on another machine.
func TestTargetGuardsRealMoney(t *testing.T) {
	for _, tt := range []struct {
		environment job.Environment
		address     string
		want        string // the base URL; "" is refused
		owner       job.Environment
	}{
		{job.Simulator, "", job.InProcess, ""},
		{job.Simulator, "http://127.0.0.1:8181", "http://127.0.0.1:8181", ""},
		{job.Simulator, "https://clink.test/api", "", ""},
		{job.Sandbox, "", ClinkURL[job.Sandbox], ""},
		{job.Production, "", ClinkURL[job.Production], ""},
		{job.Sandbox, ClinkURL[job.Production] + "/", "", job.Production},
		{job.Production, "https://UAT-API.clinkbill.com/other", "", job.Sandbox},
		{job.Production, "https://proxy.test/api", "https://proxy.test/api", ""},
	} {
		target, err := NewTarget(tt.environment, tt.address)
		var wrong *WrongTarget
		switch {
		case tt.want != "" && (err != nil || target.BaseURL != tt.want):
			t.Errorf("%s at %q: %+v, %v", tt.environment, tt.address, target, err)
		case tt.want == "" && (!errors.As(err, &wrong) || wrong.Owner != tt.owner):
			t.Errorf("%s at %q: %+v, %v", tt.environment, tt.address, target, err)
		}
	}
}

// TestFailures guards that a percentage of rows is rounded up, and never to none.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		f          Failures
		rows, want int
	}{{Failures{}, 100, 0}, {Failures{N: 3}, 100, 3}, {Failures{5, true}, 100, 5}, {Failures{5, true}, 101, 6}, {Failures{1, true}, 3, 1}} {
		if got := tt.f.of(tt.rows); got != tt.want {
			t.Errorf("%+v of %d rows: %d, want %d", tt.f, tt.rows, got, tt.want)
		}
	}
}
