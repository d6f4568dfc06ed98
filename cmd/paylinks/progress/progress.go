// Package progress shows on a terminal or in a log how far a job is.
package progress

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// Mode is how progress is shown.
type Mode string

const (
	Bar   Mode = "bar"   // a line that is drawn again and again, on a terminal
	Plain Mode = "plain" // a line every 10 s
	None  Mode = "none"
)

// plainEvery is how often a run without a terminal says how far it is; barEvery keeps the seconds of a pause current.
const (
	plainEvery = 10 * time.Second
	barEvery   = 200 * time.Millisecond
)

// speedOver is over how long the rate is taken: long enough not to jump, short enough to tell of a change.
const speedOver = 30 * time.Second

// Progress shows how far a job is. Its Observe is called by the runner; a ticker of its own keeps times current.
type Progress struct {
	console *Console
	mode    Mode
	job     job.Job
	total   int
	unit    string // what total counts
	toMove  int    // of these this run may still move so many: all that are open, or --limit

	mu        sync.Mutex
	counts    map[job.State]int
	unchecked int // links that this run has still to ask Clink about
	begun     int // rows that were done before this run
	marks     []mark
	pause     pauseKind
	until     time.Time // of the pause
	stopping  bool
	quit      chan struct{}
	ended     sync.WaitGroup
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

// New starts to show the progress of a job that starts so, until Close. After ctx has ended it
// says that the run is stopping.
func New(ctx context.Context, c *Console, mode Mode, start engine.Start) *Progress {
	p := &Progress{
		console: c, mode: mode, job: start.Job, total: start.Total, unit: "rows", unchecked: start.Unchecked,
		counts: maps.Clone(start.States), quit: make(chan struct{}),
	}
	if start.States == nil {
		p.unit, p.counts = "links", map[job.State]int{}
	}
	p.begun = p.done()
	p.toMove = p.total - p.begun
	if start.Left >= 0 {
		p.toMove = min(p.toMove, start.Left)
	}
	if p.mode == None {
		return p
	}
	p.marks = []mark{{time.Now(), p.begun}}
	p.ended.Add(1)
	go p.show(ctx.Done())
	return p
}

func (p *Progress) show(interrupted <-chan struct{}) {
	defer p.ended.Done()
	every := plainEvery
	if p.mode == Bar {
		every = barEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	if p.mode == Bar {
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

func (p *Progress) print() {
	p.mu.Lock()
	s := p.status(time.Now())
	p.mu.Unlock()
	if p.mode == Bar {
		p.console.draw(s.bar)
		return
	}
	fmt.Fprintf(p.console, "paylinks: job %d: %s\n", p.job.ID, s.plain())
}

// done is how many rows are where this run can leave them.
func (p *Progress) done() int {
	return p.total - p.counts[job.Pending] - p.counts[job.Sending] - p.counts[job.Unknown] - p.unchecked
}

func (p *Progress) status(now time.Time) status {
	s := status{
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
func (p *Progress) halt(now time.Time) halt {
	wait := p.until.Sub(now)
	seconds := words.Roughly(wait + time.Second/2 - time.Millisecond) // as long as there is any wait, 1 s is left
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

// Observe takes note of an event.
func (p *Progress) Observe(event job.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case job.Moved:
		p.counts[event.From]--
		p.counts[event.Decision.State]++
		checked := event.From == job.Created || event.From == job.Duplicate // these are only asked about
		if checked && (event.Link != "" || !event.Retried) {
			p.unchecked--
		}
	case job.Paused:
		p.pause, p.until = throttled, event.Until
	case job.Unanswered:
		p.pause, p.until = unanswered, event.Next
	case job.Flowing:
		p.pause = flowing
	}
}

// Close shows no more, and leaves nothing of a bar behind.
func (p *Progress) Close() {
	if p.mode == None {
		return
	}
	close(p.quit)
	p.ended.Wait()
	if p.mode == Bar {
		p.console.draw(func(int) string { return "" })
	}
}
