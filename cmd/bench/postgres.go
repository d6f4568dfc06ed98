package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"paylinks/store/postgres/pgtest"
)

// postgresLines measure a ledger on a PostgreSQL server beside it, on the same cores, with the server's settings as it comes.
func (b *bench) postgresLines() []line {
	const name = "a ledger on PostgreSQL"
	server, stop, err := pgtest.Serve("max_wal_size=4GB")
	if errors.Is(err, pgtest.ErrNotInstalled) {
		return []line{{name: name, peerName: "skipped: PostgreSQL is not installed"}}
	}
	must(err)
	defer stop()
	at, schemas := b.serve(0), 0
	next := func() string {
		schemas++
		return server.URL("postgres") + fmt.Sprint("&schema=bench", schemas)
	}
	on := func(ledger string) func(*command) {
		return func(c *command) {
			c.args = slices.Clone(c.args)
			c.args[slices.Index(c.args, "--ledger")+1] = ledger
		}
	}
	var million []string // by program, the ledger that stays
	in := b.input(b.full(1_000_000, 600))
	imported := b.inTurns(1, func(program int) ended {
		check := b.check(program, in)
		ledger := next()
		million = append(million, ledger)
		e := b.run(program, in, at, in.rows-1, fullSpeed, on(ledger))
		e.rows, e.wall = in.rows, e.record.First-check.wall
		return e
	}, nil)
	few := b.input(b.full(40_000, 400))
	whole := b.inTurns(b.full(3, 1), func(program int) ended { return b.run(program, few, at, 0, fullSpeed, on(next())) }, nil)
	look := func(words string) contest {
		return b.inTurns(b.full(5, 1), func(program int) ended {
			args := append(strings.Fields(words), "--env", "simulator", "--ledger", million[program])
			return b.execute(command{program: b.programs[program], args: args})
		}, nil)
	}
	slowest := func(name string, c contest) line {
		return c.summed(name, "%.0f", "ms, the slowest", func(r runs) sample { return sample{slices.Max(r.of(milliseconds))} }, "", bar{atMost: 200})
	}
	most := func(r runs) sample { return sample{slices.Max(r.of(peakMiB))} }
	return []line{
		imported.line(english.Sprintf("PostgreSQL, importing %d rows", in.rows), "%.0f", "rows/s", rowsPerSecond, "", bar{atLeast: 80_000}),
		imported.summed(english.Sprintf("PostgreSQL, memory at %d rows", in.rows), "%.0f", "MiB", most, "", bar{atMost: 96}),
		whole.line(english.Sprintf("PostgreSQL, whole runs of %d rows", few.rows), "%.0f", "rows/s", rowsPerSecond, "", bar{atLeast: 6000}),
		whole.line(english.Sprintf("PostgreSQL, whole runs of %d rows, CPU of paylinks", few.rows), "%.0f", "µs a row", cpuMicroseconds, "", bar{}),
		slowest(english.Sprintf("PostgreSQL, `jobs` at %d rows", in.rows), look("jobs")),
		slowest(english.Sprintf("PostgreSQL, `show 1` at %d rows", in.rows), look("show 1")),
	}
}
