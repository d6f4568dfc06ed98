package job

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// paths walks through all that can happen, by running it again and again: choose answers with each of n choices in turn.
type paths struct {
	taken, of []int
	at        int
}

func (p *paths) choose(n int) int {
	if n == 1 {
		return 0
	}
	if p.at == len(p.taken) {
		p.taken, p.of = append(p.taken, 0), append(p.of, n)
	}
	p.at++
	return p.taken[p.at-1]
}

// next goes on to the next path, and says whether there is one.
func (p *paths) next() bool {
	p.at = 0
	for last := len(p.taken) - 1; last >= 0; last-- {
		if p.taken[last]++; p.taken[last] < p.of[last] {
			return true
		}
		p.taken, p.of = p.taken[:last], p.of[:last]
	}
	return false
}

// world is what the rows of a small job meet: which of them a gateway refuses, and when the key stops to be good.
type world struct {
	bad     []bool // by row
	workers int
	known   bool // a session of an earlier job is in the ledger
	revoked int  // from this request on, in the first run, the key is refused; less than 0 is never
	silent  int  // so many controls of a run may get no answer
	runs    int
}

// history is one way in which the runs of the job may go, with the real dispatcher and workers that it plays.
type history struct {
	world
	*paths
	items    []*Item
	requests int
	silences int
	refused  int // POSTs in this run
	stop     Stop
}

func (h *history) refusedNow(run int) bool {
	return run == 0 && h.revoked >= 0 && h.requests > h.revoked
}

// run plays one run.
func (h *history) run(run int) {
	h.requests, h.silences, h.refused = 0, 0, 0
	d := newDispatcher(Settings{Concurrency: h.workers, MaxAttempts: 3, GiveUpAfter: time.Hour}, Job{OnUnknown: Retry}, func(Event) {})
	var fresh []*Item
	for _, suspect := range []bool{false, true} {
		for _, item := range h.items {
			if item.State == Pending && (item.SuspectEnds > 0) == suspect {
				fresh = append(fresh, item)
			}
		}
	}
	now := time.Now()
	var flying []result
	for steps := 0; ; steps++ {
		if steps > 10_000 {
			panic("the run does not end")
		}
		for len(fresh) > 0 && d.next == nil {
			d.take(&task{item: fresh[0]})
			fresh = fresh[1:]
		}
		d.fed = d.fed || len(fresh) == 0
		t, wait := d.choose(now)
		if d.report.Stop == "" {
			d.over(h.context(), now, t)
		}
		may := 0
		if d.report.Stop == "" && t != nil && wait <= 0 && wait > -1 && len(flying) < h.workers {
			may = 1
		}
		switch {
		case may+len(flying) > 0:
		case d.report.Stop != "":
			h.stop = d.report.Stop
			return
		case wait > 0:
			now = now.Add(wait)
			continue
		default:
			panic(fmt.Sprintf("nothing moves: %+v", d.suspects))
		}
		if i := h.choose(may + len(flying)); i < may {
			t.probe = d.pace.outage()
			d.handedOut(t, now)
			flying = append(flying, h.send(d, t, run))
		} else {
			i -= may
			r := flying[i]
			flying = append(flying[:i:i], flying[i+1:]...)
			if r.kind == resultAttempted || r.kind == resultControlled {
				var err error
				if r.decision.Outcome != OutcomeCreated && r.decision.Outcome != "" {
					err = fmt.Errorf("refused")
				}
				r.noteResponse(err, &d.gate)
			}
			if r.kind == resultAttempted {
				r.number = r.item.Attempts + 1
				r.recorded(r.decision)
			}
			d.done(r)
		}
	}
}

// send is what a worker makes of a task; the result is what it will tell.
func (h *history) send(d *dispatcher, t *task, run int) result {
	r := result{task: t, from: t.item.State}
	if !d.gate.open(time.Now(), t) {
		r.kind = resultWithdrawn
		return r
	}
	if t.control == nil {
		h.requests++
		r.kind = resultAttempted
		r.decision = Decision{Outcome: OutcomeCreated, State: Created}
		if h.bad[t.item.ID] || h.refusedNow(run) {
			h.refused++
			r.decision = Decision{Outcome: OutcomeUnauthorized, State: t.item.State}
		}
		return r
	}
	if !h.hasSession() {
		r.kind = resultNoControl
		return r
	}
	h.requests++
	r.kind = resultControlled
	switch {
	case h.silences < h.silent && h.choose(2) == 1:
		h.silences++
		r.decision = Decision{Outcome: OutcomeUnknown}
	case h.refusedNow(run):
		r.decision = Decision{Outcome: OutcomeUnauthorized}
	case t.control.giveUp:
		t.item.State = Failed
	}
	return r
}

func (h *history) hasSession() bool {
	for _, item := range h.items {
		if item.State == Created {
			return true
		}
	}
	return h.known
}

func (h *history) context() context.Context { return context.Background() }

// TestOneRowOrAll explores all that can happen to a few rows: which of them are refused, when the key is, in which order their answers
// come, and whether controls are answered.
func TestOneRowOrAll(t *testing.T) {
	histories, most := 0, 0
	for workers := 1; workers <= 3; workers++ {
		for rows := 1; rows <= 6-workers; rows++ {
			for bad := range 1 << rows {
				for _, known := range []bool{true, false} {
					for revoked := -1; revoked <= rows; revoked++ {
						for silent := range 2 {
							w := world{workers: workers, known: known, revoked: revoked, silent: silent, runs: 3}
							for i := range rows {
								w.bad = append(w.bad, bad>>i&1 == 1)
							}
							way := &paths{}
							for {
								h := &history{world: w, paths: way}
								h.play(t)
								histories++
								most = max(most, h.refused)
								if t.Failed() || !way.next() {
									break
								}
							}
							if t.Failed() {
								t.Fatalf("%+v, by the path %v", w, way.taken)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d histories, at most %d refused requests in a run", histories, most)
}

func (h *history) play(t *testing.T) {
	for i := range h.bad {
		h.items = append(h.items, &Item{ID: int64(i), State: Pending, Row: i + 2})
	}
	anyBad := false
	for run := range h.runs {
		failed := h.count(Failed)
		h.run(run)
		for i, item := range h.items {
			if item.State == Failed && !h.bad[i] {
				t.Errorf("run %d: row %d is failed, and was never to blame", run, i)
			}
			anyBad = anyBad || h.bad[i]
		}
		all := run == 0 && h.revoked == 0
		if all && h.count(Failed) > failed {
			t.Errorf("run %d: a row is failed, and the key was refused from the begin", run)
		}
		if most := (controlAfter + h.workers - 1) * (1 + h.silent); all && h.refused > most {
			t.Errorf("run %d: %d requests with a key that is refused, at most %d are needed", run, h.refused, most)
		}
	}
	if h.count(Created) == 0 && !h.known { // nothing tells a row from the key
		return
	}
	for i, item := range h.items {
		if !h.bad[i] && item.State != Created {
			t.Errorf("row %d got no link in %d runs", i, h.runs)
		}
		if h.bad[i] && h.silent == 0 && item.State != Failed {
			t.Errorf("row %d is %s after %d runs", i, item.State, h.runs)
		}
	}
}

func (h *history) count(s State) (n int) {
	for _, item := range h.items {
		if item.State == s {
			n++
		}
	}
	return n
}
