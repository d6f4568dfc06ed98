package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"
)

// measurement is what --only names: it gives one line of the table or several.
type measurement struct {
	name  string
	lines func(*bench) []line
}

// measurements are in the order of the table. memory, growth, reading, ledger and export share the job of a million rows.
var measurements = []measurement{
	{"durable", (*bench).durableLines}, {"workers", (*bench).workersLines}, {"rate", (*bench).rateLines},
	{"stopped", (*bench).stoppedLines}, {"throttled", (*bench).throttledLines}, {"parallel", (*bench).parallelLines},
	{"check", (*bench).checkLines}, {"import", (*bench).importLines}, {"memory", (*bench).memoryLines},
	{"growth", (*bench).growthLines}, {"reading", (*bench).readingLines}, {"ledger", (*bench).ledgerLines},
	{"export", (*bench).exportLines}, {"postgres", (*bench).postgresLines},
}

// bench is one run of the program.
type bench struct {
	ctx      context.Context
	programs []string // the one that is judged, and the one that it is compared with, if any
	self     string   // path of this program
	folder   string
	quick    bool
	words    io.Writer      // for what is under way
	stop     func()         // ends the server that runs
	durable  func() contest // this and the next are shared, made by the first measurement that asks for them
	million  func() million
}

// full is how many rows, or runs, a measurement takes: the second under --quick.
func (b *bench) full(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// failure is the error at which a measurement ends: must panics with it, and attempt returns it.
type failure struct{ error }

func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func must1[T any](value T, err error) T {
	must(err)
	return value
}

func attempt(do func()) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			failed, is := recovered.(failure)
			if !is {
				panic(recovered)
			}
			err = failed.error
		}
	}()
	do()
	return nil
}

// say tells what is under way.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.words, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

// measure makes one measurement after the other; one that fails does not keep the others from being made.
func (b *bench) measure(chosen []measurement) (lines []line) {
	for _, m := range chosen {
		b.say("%s", m.name)
		err := attempt(func() { lines = append(lines, m.lines(b)...) })
		if b.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			b.say("%s: %v", m.name, err)
			lines = append(lines, line{name: m.name, err: err})
		}
	}
	return lines
}

// runs are several of the same command.
type runs []ended

func (r runs) of(figure func(ended) float64) sample {
	var s sample
	for _, e := range r {
		s = append(s, figure(e))
	}
	return s
}

// contest is the runs that took turns, of each program and of a peer, if there is one.
type contest struct {
	ours []runs
	peer runs
}

// inTurns runs each program, then the peer, so many times, one after the other. A peer that is nil is left out.
func (b *bench) inTurns(turns int, ours func(program int) ended, peer func() ended) contest {
	c := contest{ours: make([]runs, len(b.programs))}
	for turn := range turns {
		b.say("  turn %d of %d", turn+1, turns)
		for program := range b.programs {
			c.ours[program] = append(c.ours[program], ours(program))
		}
		if peer != nil {
			c.peer = append(c.peer, peer())
		}
	}
	return c
}

// and is all runs of two contests.
func (c contest) and(other contest) contest {
	joined := contest{peer: slices.Concat(c.peer, other.peer)}
	for program := range c.ours {
		joined.ours = append(joined.ours, slices.Concat(c.ours[program], other.ours[program]))
	}
	return joined
}

// line shows a figure of each run, from the least to the most. Of a peer that did not run only the name is shown.
func (c contest) line(name, verb, unit string, figure func(ended) float64, peer string, bar bar) line {
	return c.summed(name, verb, unit, func(r runs) sample { return r.of(figure) }, peer, bar)
}

// summed shows one figure of all runs.
func (c contest) summed(name, verb, unit string, figure func(runs) sample, peer string, bar bar) line {
	l := line{name: name, verb: verb, unit: unit, peerName: peer, bar: bar}
	if len(c.peer) > 0 {
		l.peer = figure(c.peer)
	}
	for _, r := range c.ours {
		l.ours = append(l.ours, figure(r))
	}
	return l
}

// whenInstalled is the peer's name and run, or why there is none.
func whenInstalled(program, name string, run func() ended) (string, func() ended) {
	if _, err := exec.LookPath(program); err != nil {
		return "skipped: " + program + " is not installed", nil
	}
	return name, run
}
