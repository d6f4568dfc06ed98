package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"paylinks/job"
)

// plainEvery is how often a run without a terminal says how far it is; barEvery keeps the seconds of a pause current.
const (
	plainEvery = 10 * time.Second
	barEvery   = 200 * time.Millisecond
)

// speedOver is over how long the rate is taken: long enough not to jump, short enough to tell of a change.
const speedOver = 30 * time.Second

// progress shows how far a job is. Its observe is called by the runner; a ticker of its own keeps times current.
type progress struct {
	console *console
	mode    string // bar, plain or none
	job     job.Job
	total   int
	unit    string // what total counts
	toMove  int    // of these this run may still move so many: all that are open, or --limit

	mu       sync.Mutex
	counts   map[job.State]int
	unasked  int // links that this run has still to ask Clink about
	begun    int // rows that were done before this run
	marks    []mark
	pause    pauseKind
	until    time.Time // of the pause
	stopping bool
	quit     chan struct{}
	ended    sync.WaitGroup
}

// mark is how many rows were done at a moment.
type mark struct {
	at   time.Time
	done int
}

type pauseKind int

const (
	flowing pauseKind = iota
	throttled
	unanswered
)

// newProgress starts to show the job's progress, as the options say, until close. total counts rows that are in the
// states of before, or links; of it so many are still unasked. After ctx has ended it says that the run is stopping.
func (e *engine) newProgress(
	ctx context.Context, j job.Job, before map[job.State]int, total int, unit string, unasked int,
) *progress {
	p := &progress{
		console: e.console, mode: e.progressMode(), job: j, total: total, unit: unit, unasked: unasked,
		counts: map[job.State]int{}, quit: make(chan struct{}),
	}
	for state, n := range before {
		p.counts[state] = n
	}
	p.begun = p.done()
	p.toMove = p.total - p.begun
	if e.options.limit > 0 {
		p.toMove = min(p.toMove, max(0, e.options.limit-e.options.sent))
	}
	if p.mode == "none" {
		return p
	}
	p.marks = []mark{{time.Now(), p.begun}}
	p.ended.Add(1)
	go p.show(ctx.Done())
	return p
}

// progressMode decides what auto means here: a bar needs a terminal that can take a line back.
func (e *engine) progressMode() string {
	o := e.options
	switch {
	case o.quiet:
		return "none"
	case o.progress != "auto":
		return o.progress
	case isTerminal(e.s.err) && e.s.getenv("TERM") != "dumb":
		return "bar"
	}
	return "plain"
}

func (p *progress) show(interrupted <-chan struct{}) {
	defer p.ended.Done()
	every := plainEvery
	if p.mode == "bar" {
		every = barEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	if p.mode == "bar" {
		p.print()
	}
	for {
		select {
		case <-ticker.C:
		case <-interrupted:
			interrupted = nil
			p.mu.Lock()
			p.stopping = true
			p.mu.Unlock()
		case <-p.quit:
			return
		}
		p.print()
	}
}

func (p *progress) print() {
	p.mu.Lock()
	s := p.standing(time.Now())
	p.mu.Unlock()
	if p.mode == "bar" {
		p.console.draw(s.bar)
		return
	}
	fmt.Fprintf(p.console, "paylinks: job %d: %s\n", p.job.ID, s.plain())
}

// done is how many rows are where this run can leave them.
func (p *progress) done() int {
	return p.total - p.counts[job.Pending] - p.counts[job.Sending] - p.counts[job.Unknown] - p.unasked
}

func (p *progress) standing(now time.Time) standing {
	s := standing{
		done: p.done(), total: p.total, unit: p.unit, failed: p.counts[job.Failed], unknown: p.counts[job.Unknown], halt: p.halt(now),
	}
	for len(p.marks) > 1 && now.Sub(p.marks[0].at) > speedOver {
		p.marks = p.marks[1:]
	}
	first := p.marks[0]
	p.marks = append(p.marks, mark{now, s.done})
	if took := now.Sub(first.at); took >= time.Second && s.done > first.done {
		s.perSecond = float64(s.done-first.done) / took.Seconds()
		s.left = time.Duration(float64(max(0, p.toMove-(s.done-p.begun))) / s.perSecond * float64(time.Second))
	}
	return s
}

// halt says why nothing flows, if nothing does.
func (p *progress) halt(now time.Time) halt {
	wait := p.until.Sub(now)
	seconds := roughly(wait + time.Second/2 - time.Millisecond) // as long as there is any wait, 1 s is left
	switch {
	case p.stopping:
		return halt{"stopping, waiting for answers; Ctrl-C again quits at once", "stopping; Ctrl-C again quits"}
	case p.pause == throttled && wait > 0:
		return halt{"throttled for " + seconds, "throttled for " + seconds}
	case p.pause == unanswered && wait > 0:
		return halt{"Clink is not answering, next probe in " + seconds, "no answer, probe in " + seconds}
	case p.pause == unanswered:
		return halt{"Clink is not answering, probing", "no answer, probing"}
	}
	return halt{}
}

// observe takes note of an event.
func (p *progress) observe(event job.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case job.Moved:
		p.counts[event.From]--
		p.counts[event.Verdict.State]++
		asked := event.From == job.Created || event.From == job.Duplicate // these have no other turns
		if asked && (event.Link != "" || !event.Again) {
			p.unasked--
		}
	case job.Paused:
		p.pause, p.until = throttled, event.Until
	case job.Unanswered:
		p.pause, p.until = unanswered, event.Next
	case job.Flowing:
		p.pause = flowing
	}
}

// close shows no more, and leaves nothing of a bar behind.
func (p *progress) close() {
	if p.mode == "none" {
		return
	}
	close(p.quit)
	p.ended.Wait()
	if p.mode == "bar" {
		p.console.draw(func(int) string { return "" })
	}
}
