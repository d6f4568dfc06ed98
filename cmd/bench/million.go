package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func (b *bench) checkLines() []line {
	in := b.input(b.full(1_000_000, 600))
	c := b.inTurns(b.full(3, 1), func(program int) ended { return b.check(program, in) }, func() ended {
		return b.counted(command{program: b.self, args: []string{"scan", in.path}, rows: in.rows})
	})
	name := english.Sprintf("`check`, %d rows", in.rows)
	return []line{c.line(name, "%.0f", "rows/s", rowsPerSecond, "encoding/csv alone", bar{atLeast: 300_000})}
}

// check checks the file where there is no ledger.
func (b *bench) check(program int, in input) ended {
	return b.execute(command{program: b.programs[program], rows: in.rows, args: []string{
		"check", in.path, "--env", "simulator", "--ledger", filepath.Join(b.folder, "none.db"), "--expect-rows", strconv.Itoa(in.rows),
	}})
}

// counted runs a peer whose last word must be the number of its rows.
func (b *bench) counted(c command) ended {
	e := b.execute(c)
	if words := strings.Fields(e.stdout); len(words) == 0 || words[len(words)-1] != strconv.Itoa(c.rows) {
		must(fmt.Errorf("%s: it said %q, expected %d rows", b.shown(c), e.stdout, c.rows))
	}
	return e
}

// sqliteImport puts a file into one table of a new database by sqlite3's shell.
func (b *bench) sqliteImport(database, file string, rows int) ended {
	_ = os.Remove(filepath.Join(b.folder, database)) // most often it is not there
	settings, load := "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", ".import --csv "+file+" invoice"
	return b.counted(command{program: "sqlite3", rows: rows, args: []string{database, settings, load, "SELECT count(*) FROM invoice"}})
}

func (b *bench) importLines() []line {
	in, at := b.input(b.full(1_000_000, 600)), b.serve(0)
	peer, run := whenInstalled("sqlite3", "sqlite3 `.import`", func() ended { return b.sqliteImport("plain.db", in.path, in.rows) })
	c := b.inTurns(b.full(3, 1), func(program int) ended {
		check := b.check(program, in)
		e := b.run(program, in, at, in.rows-1, fullSpeed, nil)
		e.rows, e.wall = in.rows, e.record.First-check.wall
		return e
	}, run)
	name := english.Sprintf("importing %d rows", in.rows)
	return []line{c.line(name, "%.0f", "rows/s", rowsPerSecond, peer, bar{atLeast: 120_000})}
}

// million is what was measured of the job of a million rows. Its ledgers stay for those who measure more.
type million struct {
	input
	few        contest // whole runs of few rows, before and after it
	first      contest // its first run, and the bare loop over all of the file
	jobs, show contest // with rows left
	resume     contest // sends what the first has left
	wal        []atomic.Int64
}

func (b *bench) few() int  { return b.full(10_000, 100) } // rows of the short runs
func (b *bench) left() int { return b.full(10_000, 60) }  // rows that the first run does not send

func (b *bench) measureMillion() million {
	at := b.serve(0)
	m := million{input: b.input(b.full(1_000_000, 600)), wal: make([]atomic.Int64, len(b.programs))}
	m.few = b.againstBare(b.full(3, 1), b.few(), at) // and again later, since the speed of a machine changes
	b.say("  %d rows, all but %d", m.rows, b.left())
	m.first = b.inTurns(1, func(program int) ended {
		return b.run(program, m.input, at, b.left(), fullSpeed, func(c *command) {
			c.beside = func(process *os.Process) { // until it has ended
				for ; process.Signal(syscall.Signal(0)) == nil; time.Sleep(5 * time.Millisecond) {
					m.wal[program].Store(max(m.wal[program].Load(), size(b.ledger(program, m.rows)+"-wal")))
				}
			}
		})
	}, func() ended { return b.bare(m.input, at) })
	m.few = m.few.and(b.againstBare(b.full(2, 1), b.few(), at))
	look := func(words string) contest {
		return b.inTurns(b.full(5, 1), func(program int) ended {
			args := append(strings.Fields(words), "--env", "simulator", "--ledger", b.ledger(program, m.rows))
			return b.execute(command{program: b.programs[program], args: args})
		}, nil)
	}
	m.jobs, m.show = look("jobs"), look("show 1")
	m.resume = b.inTurns(1, func(program int) ended {
		return b.send(program, m.input, at, b.left(), 0, append([]string{"resume", "1"}, fullSpeed...), nil)
	}, nil)
	return m
}

// memoryLines judge the peak of runs of three sizes, and how much it grows with the rows.
func (b *bench) memoryLines() (lines []line) {
	most := func(r runs) sample { return sample{slices.Max(r.of(peakMiB))} }
	of := func(rows int, c contest) {
		lines = append(lines, c.summed(english.Sprintf("memory at %d rows", rows), "%.0f", "MiB", most, bareLoop, bar{atMost: 96}))
	}
	for _, rows := range []int{b.full(30_000, 30), b.full(300_000, 300)} {
		of(rows, b.againstBare(1, rows, b.serve(0)))
	}
	m := b.million()
	of(m.rows, m.first.and(m.resume))
	flat := line{name: "memory, the most by the least of these", verb: "%.2f", unit: "times", bar: bar{atMost: 1.25}}
	for program := range b.programs {
		var peaks sample
		for _, l := range lines {
			peaks = append(peaks, l.ours[program].median())
		}
		flat.ours = append(flat.ours, sample{slices.Max(peaks) / slices.Min(peaks)})
	}
	return append(lines, flat)
}

func (b *bench) growthLines() []line {
	m := b.million()
	name, unit := english.Sprintf("growth, a row of %d", m.rows), english.Sprintf("times a row of %d", b.few())
	grown := func(what string, figure func(ended) float64, bar bar) line {
		l, few := m.first.line(name+", "+what, "%.2f", unit, figure, bareLoop, bar), m.few.line("", "", "", figure, "", bar)
		for program := range l.ours {
			l.ours[program] = sample{l.ours[program].median() / few.ours[program].median()}
		}
		l.peer = sample{l.peer.median() / few.peer.median()}
		return l
	}
	return []line{
		grown("time", secondsOfRow, bar{atMost: 1.15}),
		grown("CPU", cpuMicroseconds, bar{}),
		m.first.line(english.Sprintf("run of %d rows", m.rows), "%.0f", "rows/s", rowsPerSecond, bareLoop, bar{}),
	}
}

func (b *bench) readingLines() []line {
	m := b.million()
	slowest := func(name string, c contest, figure func(ended) float64, atMost float64) line {
		return c.summed(name, "%.0f", "ms, the slowest", func(r runs) sample { return sample{slices.Max(r.of(figure))} }, "", bar{atMost: atMost})
	}
	first := func(e ended) float64 { return e.record.First.Seconds() * 1e3 }
	return []line{
		slowest(english.Sprintf("resuming %d of %d rows, to the first request", b.left(), m.rows), m.resume, first, 1000),
		slowest("`jobs`", m.jobs, milliseconds, 200),
		slowest("`show 1`", m.show, milliseconds, 200),
	}
}

func (b *bench) ledgerLines() []line {
	m := b.million()
	ofFile := func(path string) sample { return sample{float64(size(path)) / float64(m.rows)} }
	l := line{name: english.Sprintf("ledger of %d rows", m.rows), verb: "%.0f", unit: "bytes a row", peer: ofFile(m.path), peerName: "the invoice file"}
	wal := line{name: "largest WAL", verb: "%.1f", unit: "MiB"}
	for program := range b.programs {
		l.ours = append(l.ours, ofFile(b.ledger(program, m.rows)))
		wal.ours = append(wal.ours, sample{float64(m.wal[program].Load()) / (1 << 20)})
	}
	return []line{l, wal}
}

// exportLines compare export with sqlite3's shell, which writes the same cells from a plain table.
func (b *bench) exportLines() []line {
	m := b.million()
	exported := func(program string, output string, args ...string) ended {
		e := b.execute(command{program: program, rows: m.rows, args: args})
		checkRows(filepath.Join(b.folder, output), m.rows)
		return e
	}
	peer, run := whenInstalled("sqlite3", "sqlite3 `SELECT`", func() ended {
		return exported("sqlite3", "plain.csv", "-readonly", "links.db", ".headers on", ".mode csv", ".output plain.csv", "SELECT * FROM invoice")
	})
	if run != nil {
		b.sqliteImport("links.db", linksOf(b.ledger(0, m.rows)), m.rows)
	}
	c := b.inTurns(b.full(3, 1), func(program int) ended {
		return exported(b.programs[program], "export.csv",
			"export", "1", "--env", "simulator", "--ledger", b.ledger(program, m.rows), "--output", "export.csv")
	}, run)
	return []line{c.line(english.Sprintf("exporting %d links", m.rows), "%.0f", "rows/s", rowsPerSecond, peer, bar{atLeast: 200_000})}
}
