package main

import (
	"context"
	"slices"
)

// memoryBound is what a run of any size may take at most, in bytes; flat is by how much the longest may be above the shortest.
const (
	memoryBound = 96 * mebibyte
	flat        = 1.25
)

var memoryFigure = figure{
	name:  "memory",
	title: "memory",
	what:  "peak memory of whole runs of 30,000, 300,000 and 1,000,000 rows",
	note: `Peak resident memory of a whole paylinks run without a pace and with 64 requests in flight. The long one is
the long job: a run of 1,000,000 rows with --limit 990000, then resume for the rest; its figure is the largest of
these. Linux never charges a process less than what bench itself took when it started it, some 20 MiB: a figure as
small as that may be smaller in truth. Flat is meant as: the largest of the three is at most 1.25 times the smallest.`,
	measure: measureMemory,
}

func measureMemory(ctx context.Context, b *bench) ([]row, error) {
	var ours, bare sample
	for _, rows := range b.sizes.memory {
		d, err := b.duelOf(ctx, 1, rows, "--keep-no-record")
		if err != nil {
			return nil, err
		}
		ours, bare = append(ours, d.ours.peak.median()), append(bare, d.peer.peak.median())
	}
	j, err := b.finished()
	if err != nil {
		return nil, err
	}
	long := j.first.peak
	for _, e := range j.resumes {
		long = max(long, e.peak)
	}
	ours, bare = append(ours, float64(long)), append(bare, float64(j.bare.peak))
	return []row{{
		title:    english.Sprintf("memory at %d, %d and %d rows", b.sizes.memory[0], b.sizes.memory[1], j.rows),
		measured: english.Sprintf("**%.0f, %.0f, %.0f MiB**", ours[0]/mebibyte, ours[1]/mebibyte, ours[2]/mebibyte),
		peer:     english.Sprintf("bare Go loop: %.0f, %.0f, %.0f MiB", bare[0]/mebibyte, bare[1]/mebibyte, bare[2]/mebibyte),
		reach:    "≤ 96 MiB",
		met:      judge(slices.Max(ours) <= memoryBound),
	}, {
		title:    "memory, how flat",
		measured: english.Sprintf("**%.2f** from the least to the most, %.0f bytes a row more", grown(ours), each(ours, j.rows-b.sizes.memory[0])),
		peer:     english.Sprintf("bare Go loop: %.2f", grown(bare)),
		reach:    english.Sprintf("flat: ≤ %.2f", flat),
		met:      judge(grown(ours) <= flat),
	}}, nil
}

func grown(s sample) float64 { return slices.Max(s) / slices.Min(s) }

// each is the difference between the last and the first, shared out among the rows between them.
func each(s sample, rows int) float64 { return (s[len(s)-1] - s[0]) / float64(rows) }
