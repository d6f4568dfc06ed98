package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"
)

// perSecond is the pace that is asked for, and slack what a second may have above it.
const (
	perSecond = 100
	slack     = 5
)

// paceSizes say how long each of the three runs is, in rows.
type paceSizes struct {
	steady      int
	stopAfter   int // requests
	stopFor     time.Duration
	stopped     int
	refuseAfter int // requests
	refused     int
}

// refuseFor is a short moment: what is on its way when the first request is refused.
const refuseFor = 200 * time.Millisecond

var paceFigure = figure{
	name:  "pace",
	title: "pace",
	what:  "how exactly --rate is kept, also after a pause and after refusals",
	note: `paylinks run --rate 100, seen from the server: a recorder before the simulator, in bench's own process,
notes when each request comes, refused ones included. The mean is over 1,001 requests, the 1,000 intervals of 10 s.
The most in a second is the most requests in any span of one second, wherever it begins. In the second run the process
is stopped (SIGSTOP) for 2 s after 500 of its 1,000 requests, and continued. In the third, after 300 requests, each is
answered with 429 and Retry-After: 1 for 200 ms; the rate then halves and climbs back within half a minute, and the
most in a second is looked for from the first refusal on, with some 4 s at full rate at the end. The mean is judged
in the undisturbed run alone.`,
	measure: measurePace,
}

func measurePace(ctx context.Context, b *bench) ([]row, error) {
	p := b.sizes.pace
	steady, _, err := b.paced(ctx, p.steady, &front{}, nil)
	if err != nil {
		return nil, err
	}
	mean, most := meanRate(steady), mostInSecond(steady)
	rows := []row{{
		title: "pace (`--rate 100`)",
		measured: english.Sprintf("mean **%.2f**/s over %.1f s, most in a second **%d**; longest gap %d ms", mean,
			float64(p.steady-1)/perSecond, most, longestGap(steady).Milliseconds()),
		peer:  "ideal: 100/s",
		reach: "mean within 1%, no second above 105",
		met:   judge(math.Abs(mean/perSecond-1) <= 0.01 && most <= perSecond+slack),
	}}

	paused := &front{hold: p.stopAfter} // it cannot end before it is stopped
	stopped, _, err := b.paced(ctx, p.stopped, paused, func(ctx context.Context, process *os.Process) error {
		if err := paused.await(ctx); err != nil {
			return err
		}
		defer paused.release()
		return pause(ctx, process, p.stopFor)
	})
	if err != nil {
		return nil, err
	}
	if longest := longestGap(stopped); longest < p.stopFor {
		return nil, fmt.Errorf("the stopped process sent on: no gap is over %v", longest)
	}
	most = mostInSecond(stopped)
	rows = append(rows, row{
		title:    "pace, stopped for a moment and continued",
		measured: english.Sprintf("most in a second **%d**", most),
		peer:     "ideal: 100",
		reach:    "no second above 105",
		met:      judge(most <= perSecond+slack),
	})

	throttled, refused, err := b.paced(ctx, p.refused, &front{refuseAfter: p.refuseAfter, refuseFor: refuseFor}, nil)
	if err != nil {
		return nil, err
	}
	if refused == 0 {
		return nil, errors.New("no request was refused")
	}
	most = mostInSecond(throttled[p.refuseAfter:])
	return append(rows, row{
		title:    "pace, after 429s",
		measured: english.Sprintf("most in a second **%d** (%d refused)", most, refused),
		peer:     "ideal: 100",
		reach:    "no second above 105",
		met:      judge(most <= perSecond+slack),
	}), nil
}

// paced runs so many rows at the pace, and returns when each request came, and how many were refused.
func (b *bench) paced(ctx context.Context, rows int, f *front, beside func(context.Context, *os.Process) error) (times []time.Time, refused int, err error) {
	b.say("  %d rows at %d a second", rows, perSecond)
	in, err := b.input(rows)
	if err != nil {
		return nil, 0, err
	}
	at, err := b.serve(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer at.stop()
	if err := at.behind("127.0.0.1:0", f); err != nil {
		return nil, 0, err
	}
	defer f.stop()
	defer b.removeLedger(rows)
	if _, err := b.startJob(ctx, in, at, 0, beside, "--rate", strconv.Itoa(perSecond)); err != nil {
		return nil, 0, err
	}
	times, refused = f.seen()
	if len(times) != rows+refused {
		return nil, 0, fmt.Errorf("%d requests came, expected %d", len(times), rows+refused)
	}
	return times, refused, nil
}

// pause stops the process for the time.
func pause(ctx context.Context, process *os.Process, span time.Duration) error {
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	select {
	case <-time.After(span):
	case <-ctx.Done():
	}
	return process.Signal(syscall.SIGCONT)
}

// meanRate is events a second between the first and the last.
func meanRate(times []time.Time) float64 {
	return float64(len(times)-1) / times[len(times)-1].Sub(times[0]).Seconds()
}

// mostInSecond is the most events in any span of one second, its end not included.
func mostInSecond(times []time.Time) int {
	most, first := 0, 0
	for last := range times {
		for times[last].Sub(times[first]) >= time.Second {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

func longestGap(times []time.Time) time.Duration {
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}
