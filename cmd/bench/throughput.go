package main

import "context"

var throughputFigure = figure{
	name:  "throughput",
	title: "durable throughput",
	what:  "rows a second of a whole run, beside a loop that keeps nothing",
	note: `A whole paylinks run (check, import, send, export) of 40,000 rows, without a pace and with 64 requests in
flight, against a simulator that answers at once and keeps no record. The bare loop is a process of its own: it reads
the same file with encoding/csv, encodes each row with encoding/json to the same bytes as paylinks (a test compares
them), sends them with net/http over kept-alive connections from 64 goroutines with the same headers and timeout,
reads each answer to its end, wants status 200, and keeps nothing. Five pairs; the medians are compared.`,
	measure: measureThroughput,
}

// measureDurable runs paylinks and the bare loop in turns.
func (b *bench) measureDurable(ctx context.Context) (duel, error) {
	return b.duelOf(ctx, b.sizes.pairs, b.sizes.throughput, "--keep-no-record")
}

// duelOf runs paylinks and the bare loop in turns against one simulator.
func (b *bench) duelOf(ctx context.Context, turns, rows int, flags ...string) (duel, error) {
	in, err := b.input(rows)
	if err != nil {
		return duel{}, err
	}
	at, err := b.serve(ctx, flags...)
	if err != nil {
		return duel{}, err
	}
	defer at.stop()
	return b.inTurns(turns, rows,
		func() (ended, error) { return b.wholeRun(ctx, in, at, fullSpeed...) },
		func() (ended, error) { return b.bareRun(ctx, in, at) })
}

func measureThroughput(_ context.Context, b *bench) ([]row, error) {
	d, err := b.durable()
	if err != nil {
		return nil, err
	}
	return []row{{
		title:    "durable throughput",
		measured: english.Sprintf("**%.2f** of the bare loop: %s, CPU %.0f µs a row", d.ratio(), d.ours.rate(), d.ours.cpuEach()),
		peer:     english.Sprintf("bare Go loop: %s, CPU %.0f µs a row", d.peer.rate(), d.peer.cpuEach()),
		reach:    "≥ 0.60 of the bare loop",
		met:      judge(d.ratio() >= 0.60),
	}}, nil
}
