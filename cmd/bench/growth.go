package main

import "context"

var growthFigure = figure{
	name:  "growth",
	title: "growth",
	what:  "what a row costs in a run of 1,000,000 against one of 10,000",
	note: `Time and CPU time of a row in the first run of the long job, over those of a row in a whole run of 10,000
rows. The long one checks, imports and exports 1,000,000 rows and sends 990,000 (--limit), by which its time is
divided. The five runs of 10,000 rows (median) are made before and after it. The bare loop over as many rows shows
what of the difference is the machine's and the simulator's, and what starting a process costs.`,
	measure: measureGrowth,
}

func measureGrowth(_ context.Context, b *bench) ([]row, error) {
	j, err := b.started()
	if err != nil {
		return nil, err
	}
	long := side{rows: j.rows - b.sizes.left}
	long.add(j.first)
	bare := side{rows: j.rows}
	bare.add(j.bare)
	wall := growth(long, j.few.ours)
	return []row{{
		title: english.Sprintf("growth, a row of %d against one of %d", j.rows, b.sizes.few),
		measured: english.Sprintf("**%.2f** in time (%s against %s), %.2f in CPU (%.0f against %.0f µs)", wall,
			long.rate(), j.few.ours.rate(), long.cpuEach()/j.few.ours.cpuEach(), long.cpuEach(), j.few.ours.cpuEach()),
		peer: english.Sprintf("bare Go loop: %.2f in time (%s against %s), %.2f in CPU", growth(bare, j.few.peer),
			bare.rate(), j.few.peer.rate(), bare.cpuEach()/j.few.peer.cpuEach()),
		reach: "≤ 1.15 in time",
		met:   judge(wall <= 1.15),
	}}, nil
}

// growth is what a row takes in the long run for each unit of time that it takes in the short one.
func growth(long, short side) float64 { return short.perSecond().median() / long.perSecond().median() }
