package main

import (
	"slices"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// english writes figures as people read them: 1,234,567.
var english = message.NewPrinter(language.English)

// sample is one quantity, measured several times.
type sample []float64

// median is 0 of nothing.
func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// text is the median, and least and most where there are several; verb is how one of them is written, and unit what
// follows the median.
func (s sample) text(verb, unit string) string {
	if len(s) < 2 {
		return english.Sprintf(verb+"%s", s.median(), unit)
	}
	return english.Sprintf(verb+"%s ("+verb+"–"+verb+")", s.median(), unit, slices.Min(s), slices.Max(s))
}

// of is the sample with each value changed.
func (s sample) of(change func(float64) float64) sample {
	changed := make(sample, len(s))
	for i, value := range s {
		changed[i] = change(value)
	}
	return changed
}

// side is what one of two contestants took for the same rows, run by run.
type side struct {
	rows int
	wall sample // seconds
	cpu  sample // seconds
	peak sample // bytes
}

func (s *side) add(e ended) {
	s.wall = append(s.wall, e.wall.Seconds())
	s.cpu = append(s.cpu, e.cpu.Seconds())
	s.peak = append(s.peak, float64(e.peak))
}

// join adds the other's runs, of as many rows.
func (s *side) join(other side) {
	s.wall = append(s.wall, other.wall...)
	s.cpu = append(s.cpu, other.cpu...)
	s.peak = append(s.peak, other.peak...)
}

func (s side) perSecond() sample {
	return s.wall.of(func(seconds float64) float64 { return float64(s.rows) / seconds })
}

// cpuEach is the CPU time of a row in microseconds.
func (s side) cpuEach() float64 { return s.cpu.median() / float64(s.rows) * 1e6 }

func (s side) rate() string { return s.perSecond().text("%.0f", " rows/s") }

// duel is two contestants that took turns.
type duel struct{ ours, peer side }

// ratio is how many times as fast ours is, by the medians.
func (d duel) ratio() float64 { return d.ours.perSecond().median() / d.peer.perSecond().median() }

// inTurns runs both contestants so many times, one after the other; a peer that is nil is left out.
func (b *bench) inTurns(turns, rows int, ours, peer func() (ended, error)) (duel, error) {
	d := duel{side{rows: rows}, side{rows: rows}}
	for turn := range turns {
		b.say("  turn %d of %d", turn+1, turns)
		for _, contestant := range []struct {
			side *side
			run  func() (ended, error)
		}{{&d.ours, ours}, {&d.peer, peer}} {
			if contestant.run == nil {
				continue
			}
			e, err := contestant.run()
			if err != nil {
				return duel{}, err
			}
			contestant.side.add(e)
		}
	}
	return d, nil
}

const mebibyte = 1 << 20
