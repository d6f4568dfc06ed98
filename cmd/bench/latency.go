package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// latency is a real API's, and idealRate the most sessions a second that 64 workers can make at it.
const (
	latency   = 50 * time.Millisecond
	idealRate = bareWorkers * float64(time.Second/latency)
)

var latencyFigure = figure{
	name:  "latency",
	title: "at a real API's latency",
	what:  "sessions a second while it sends, when each answer takes 50 ms",
	note: `The same over 38,400 rows, when the simulator takes 50 ms for each answer: two runs of paylinks, and one of
the loop between them. 64 requests in flight can make 1,280 sessions a second at best, or all in 30 s. The rate while
sending is by the times at which the simulator made the sessions: all but the first 64, over the time from the first
to the last. The simulator's answers are some tenths of a millisecond late, by how promptly the machine wakes a thread:
that is in both figures. (The first 64 are sent at once; with them a perfect client would come to more than the ideal.) The
whole run has check, import and export in it.`,
	measure: measureLatency,
}

func measureLatency(ctx context.Context, b *bench) ([]row, error) {
	in, err := b.input(b.sizes.latency)
	if err != nil {
		return nil, err
	}
	at, err := b.serve(ctx, "--latency", fmt.Sprint(latency))
	if err != nil {
		return nil, err
	}
	defer at.stop()
	var ours, peer sample // sessions a second while sending
	seen := func(rates *sample, send func() (ended, error)) func() (ended, error) {
		return func() (ended, error) {
			e, err := send()
			if err != nil {
				return ended{}, err
			}
			made, err := at.lastMade(ctx, in.rows)
			if err != nil {
				return ended{}, err
			}
			*rates = append(*rates, rateWhileSending(made))
			return e, nil
		}
	}
	run := seen(&ours, func() (ended, error) { return b.wholeRun(ctx, in, at, fullSpeed...) })
	d, err := b.inTurns(1, in.rows, run, seen(&peer, func() (ended, error) { return b.bareRun(ctx, in, at) }))
	if err != nil {
		return nil, err
	}
	again, err := b.inTurns(b.sizes.repeats-1, in.rows, run, nil)
	if err != nil {
		return nil, err
	}
	d.ours.join(again.ours)
	share := ours.median() / idealRate
	return []row{{
		title: "at a real API's latency (50 ms)",
		measured: english.Sprintf("**%.1f%%** of ideal while sending: %s; whole run %.0f rows/s",
			100*share, ours.text("%.0f", "/s"), d.ours.perSecond().median()),
		peer: english.Sprintf("bare Go loop: %.1f%%, %s; whole run %.0f rows/s; ideal: %.0f/s",
			100*peer.median()/idealRate, peer.text("%.0f", "/s"), d.peer.perSecond().median(), idealRate),
		reach: "≥ 97% of ideal",
		met:   judge(share >= 0.97),
	}}, nil
}

// rateWhileSending is sessions a second between the first and the last. The first of each worker begins the time and is
// not counted, so that nobody is faster than idealRate.
func rateWhileSending(made []time.Time) float64 {
	span := slices.MaxFunc(made, time.Time.Compare).Sub(slices.MinFunc(made, time.Time.Compare))
	return float64(len(made)-bareWorkers) / span.Seconds()
}
