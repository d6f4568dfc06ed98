package main

import (
	"context"
	"slices"
	"time"
)

var resumingFigure = figure{
	name:  "resuming",
	title: "resuming",
	what:  "time to the first request of a resumed job, and of the commands that look at it",
	note: `The long job, 990,000 of its 1,000,000 rows done. A recorder before the simulator, in bench's own process,
times the first request: from just before the start of paylinks resume to the request's arrival; twice, each
sending half of the rest. jobs and show are whole processes, five of each, as is sqlite3, which counts the items by
state. Judged is the slowest of each. All of it is read from the page cache: a ledger that must come from the disk
takes longer.`,
	measure: measureResuming,
}

func measureResuming(_ context.Context, b *bench) ([]row, error) {
	j, err := b.finished()
	if err != nil {
		return nil, err
	}
	peer := j.skipped
	if peer == "" {
		peer = "sqlite3, counting rows by state: " + inMilliseconds(j.looks[lookSQLite])
	}
	looking := func(what string) row {
		return row{
			title:    "`" + what + "`",
			measured: "**" + inMilliseconds(j.looks[what]) + "**",
			peer:     peer,
			reach:    "< 0.2 s",
			met:      judge(slices.Max(j.looks[what]) < (200 * time.Millisecond).Seconds()),
		}
	}
	return []row{{
		title:    english.Sprintf("resuming %d of %d rows, to the first request", b.sizes.left, j.rows),
		measured: "**" + inMilliseconds(j.waits) + "**",
		reach:    "< 1 s",
		met:      judge(slices.Max(j.waits) < time.Second.Seconds()),
	}, looking(lookJobs), looking(lookShow)}, nil
}

func inMilliseconds(seconds sample) string {
	return seconds.of(func(s float64) float64 { return s * 1e3 }).text("%.0f", " ms")
}
