package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// figure is one thing to measure. Its rows stand under one note in the table.
type figure struct {
	name    string // for --only
	title   string
	what    string // in a line, for --help
	note    string // exactly how it is measured
	measure func(context.Context, *bench) ([]row, error)
}

// row is a line of the table.
type row struct {
	title    string
	measured string
	peer     string // what it is, and its figure
	reach    string
	met      verdict
}

// verdict says whether what is to be reached is; the zero value is that there is nothing to be judged.
type verdict string

const (
	unjudged verdict = ""
	reached  verdict = "yes"
	missed   verdict = "no"
)

func judge(ok bool) verdict {
	if ok {
		return reached
	}
	return missed
}

// figures are in the order of the table. The long job, which memory begins, serves those below it.
var figures = []figure{
	throughputFigure, latencyFigure, paceFigure, parallelFigure, readingFigure, importingFigure,
	memoryFigure, growthFigure, resumingFigure, ledgerFigure, exportingFigure,
}

// bench is one run of the program.
type bench struct {
	paylinks string // path of the program that is measured
	self     string // path of this program, for its hidden subcommands
	folder   string
	sizes    sizes
	quick    bool
	words    io.Writer
	commands []string // every command line, once, in the order of their first run

	// What several figures share.
	durable  func() (duel, error)
	started  func() (longJob, error)
	finished func() (finishedJob, error)
}

// sizes are how much is measured.
type sizes struct {
	pairs      int // of the durable throughput, and of what growth compares with
	turns      int // of what takes seconds
	repeats    int // of what takes longer and varies little
	looks      int // at jobs and show
	throughput int // rows
	latency    int // rows
	parallel   int // rows
	memory     [2]int
	few        int // what growth compares with
	long       int // rows of the long job
	left       int // of them are not sent by its first run
	pace       paceSizes
	fsyncs     int
}

var fullSizes = sizes{
	pairs: 5, turns: 3, repeats: 2, looks: 5, throughput: 40_000, latency: 38_400, parallel: 1_000,
	memory: [2]int{30_000, 300_000}, few: 10_000, long: 1_000_000, left: 10_000, fsyncs: 200,
	pace: paceSizes{steady: 1_001, stopAfter: 500, stopFor: 2 * time.Second, stopped: 1_000, refuseAfter: 300, refused: 3_000},
}

var quickSizes = sizes{
	pairs: 1, turns: 1, repeats: 1, looks: 1, throughput: 400, latency: 256, parallel: 20,
	memory: [2]int{30, 300}, few: 100, long: 600, left: 60, fsyncs: 5,
	pace: paceSizes{steady: 51, stopAfter: 20, stopFor: 300 * time.Millisecond, stopped: 40, refuseAfter: 20, refused: 40},
}

func newBench(ctx context.Context, paylinks, self, folder string, quick bool, words io.Writer) *bench {
	b := &bench{
		paylinks: paylinks, self: self, folder: folder, sizes: fullSizes, quick: quick, words: words,
	}
	if quick {
		b.sizes = quickSizes
	}
	b.durable = sync.OnceValues(func() (duel, error) { return b.measureDurable(ctx) })
	b.started = sync.OnceValues(func() (longJob, error) { return b.startLongJob(ctx) })
	b.finished = sync.OnceValues(func() (finishedJob, error) { return b.finishLongJob(ctx) })
	return b
}

// say tells what is under way.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.words, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// measure measures one figure after the other; one that fails does not keep the others from it.
func (b *bench) measure(ctx context.Context, chosen []figure) table {
	var t table
	for _, f := range chosen {
		b.say("%s", f.title)
		rows, err := f.measure(ctx, b)
		if ctx.Err() != nil {
			return t
		}
		if err != nil {
			b.say("%s: %v", f.title, err)
			t.missing = true
			rows = []row{{title: f.title, measured: fmt.Sprintf("not measured: %v", err)}}
		}
		t.rows = append(t.rows, rows...)
		t.figures = append(t.figures, f)
	}
	return t
}
