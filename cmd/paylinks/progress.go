package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"paylinks/job"
)

// console is standard error, shared by the progress bar and everything else that is said: what is written goes
// above the bar.
type console struct {
	mu  sync.Mutex
	to  io.Writer
	bar *progressbar.ProgressBar // nil without one
}

func newConsole(to io.Writer) *console { return &console{to: to} }

// Write prints whole lines.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Clear() // a terminal that is gone must not stop a run
	}
	n, err := c.to.Write(p)
	if c.bar != nil {
		_ = c.bar.RenderBlank()
	}
	return n, err
}

func (c *console) setBar(bar *progressbar.ProgressBar) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = bar
}

// plainEvery is how often a run without a terminal says how far it is.
const plainEvery = 10 * time.Second

// progress shows how far a job is. Its observe is called by the runner; a ticker of its own keeps times current.
type progress struct {
	console *console
	mode    string // bar, plain or none
	job     job.Job
	total   int
	unit    string // what total counts

	mu      sync.Mutex
	counts  map[job.State]int
	unasked int // links that this run has still to ask Clink about
	begun   int // rows that were done before this run
	started time.Time
	halt    string    // why nothing flows, or ""
	until   time.Time // of the halt
	bar     *progressbar.ProgressBar
	quit    chan struct{}
	ended   sync.WaitGroup
}

// newProgress starts to show the job's progress, as the options say. total counts rows that are in the states of before,
// or links; of it so many are still unasked.
func (e *engine) newProgress(j job.Job, before map[job.State]int, total int, unit string, unasked int) *progress {
	p := &progress{
		console: e.console, mode: e.options.progress, job: j, total: total, unit: unit, unasked: unasked, counts: map[job.State]int{},
		started: time.Now(), quit: make(chan struct{}),
	}
	for state, n := range before {
		p.counts[state] = n
	}
	p.begun = p.done()
	switch {
	case e.options.quiet:
		p.mode = "none"
	case p.mode == "auto" && isTerminal(e.s.err):
		p.mode = "bar"
	case p.mode == "auto":
		p.mode = "plain"
	}
	every := plainEvery
	switch p.mode {
	case "none":
		return p
	case "bar":
		every = 200 * time.Millisecond
		p.bar = progressbar.NewOptions(p.total,
			progressbar.OptionSetWriter(e.s.err),
			progressbar.OptionSetDescription(p.words()),
			progressbar.OptionSetWidth(20),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(unit),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionUseANSICodes(false),
			progressbar.OptionClearOnFinish(),
		)
		p.console.setBar(p.bar)
	}
	p.ended.Add(1)
	go p.tick(every)
	return p
}

func (p *progress) tick(every time.Duration) {
	defer p.ended.Done()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.show()
		case <-p.quit:
			return
		}
	}
}

func (p *progress) show() {
	p.mu.Lock()
	words, done := p.words(), p.done()
	p.mu.Unlock()
	if p.mode == "plain" {
		fmt.Fprintf(p.console, "paylinks: job %d: %d of %d %s%s\n", p.job.ID, done, p.total, p.unit, prefixed(", ", words))
		return
	}
	p.console.mu.Lock()
	defer p.console.mu.Unlock()
	p.bar.Describe(words)
	_ = p.bar.Set(done)
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// done is how many rows are where this run can leave them.
func (p *progress) done() int {
	return p.total - p.counts[job.Pending] - p.counts[job.Sending] - p.counts[job.Unknown] - p.unasked
}

// words say what is out of the ordinary.
func (p *progress) words() string {
	var words []string
	for _, state := range []job.State{job.Failed, job.Unknown} {
		if n := p.counts[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
		}
	}
	if p.halt != "" {
		words = append(words, fmt.Sprintf("%s for %s", p.halt, max(0, time.Until(p.until)).Round(time.Second)))
	}
	return strings.Join(words, ", ")
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
		p.halt, p.until = "throttled", event.Until
	case job.Unanswered:
		p.halt, p.until = "Clink does not answer, next probe", event.Next
	case job.Flowing:
		p.halt = ""
	}
}

// close shows no more, and leaves nothing of a bar behind.
func (p *progress) close() {
	if p.mode == "none" {
		return
	}
	close(p.quit)
	p.ended.Wait()
	if p.bar != nil {
		p.console.setBar(nil)
		_ = p.bar.Clear()
	}
}
