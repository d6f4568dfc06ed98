package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	bareLoop = "bare Go loop"
	latency  = 50 * time.Millisecond // of an answer
)

// againstBare runs paylinks without a pace and the bare loop in turns.
func (b *bench) againstBare(turns, rows int, at server) contest {
	in := b.input(rows)
	return b.inTurns(turns, func(program int) ended { return b.run(program, in, at, 0, fullSpeed, nil) }, func() ended { return b.bare(in, at) })
}

func (b *bench) bare(in input, at server) ended {
	return b.execute(command{program: b.self, args: []string{"bare", in.path, at.url}, rows: in.rows, at: at})
}

func (b *bench) measureDurable() contest {
	return b.againstBare(b.full(5, 2), b.full(40_000, 400), b.serve(0))
}

func (b *bench) durableLines() []line {
	c := b.durable()
	bare := c.peer.of(rowsPerSecond).median()
	share := func(r runs) sample { return sample{r.of(rowsPerSecond).median() / bare} }
	return []line{
		contest{ours: c.ours}.summed("durable throughput", "%.2f", "of the bare loop", share, "", bar{atLeast: 0.30}),
		c.line("durable throughput, rows", "%.0f", "rows/s", rowsPerSecond, bareLoop, bar{}),
		c.line("durable throughput, CPU", "%.0f", "µs a row", cpuMicroseconds, bareLoop, bar{}),
	}
}

func (b *bench) workersLines() []line {
	at := b.serve(latency)
	before := b.timeCommit()
	c := b.againstBare(b.full(2, 1), b.full(19_200, 256), at)
	commit := sample{before, b.timeCommit()}
	// The first request of each worker begins the time and is not counted, so that nobody is faster than workers ÷ latency.
	sending := func(e ended) float64 { return e.record.perSecond(workers) }
	possible := workers / (latency.Seconds() + commit.median())
	share := func(e ended) float64 { return 100 * sending(e) / possible }
	unit := english.Sprintf("%% of 64 ÷ (50 ms + %.2f ms of one commit)", commit.median()*1e3)
	return []line{
		c.line("64 workers at 50 ms an answer", "%.1f", unit, share, bareLoop, bar{atLeast: 97}),
		c.line("64 workers at 50 ms, while sending", "%.0f", "rows/s", sending, bareLoop, bar{}),
		c.line("64 workers at 50 ms, whole run", "%.0f", "rows/s", rowsPerSecond, bareLoop, bar{}),
	}
}

func (b *bench) rateLines() (lines []line) {
	for _, perSecond := range []int{10, 100, 1000} {
		c := b.paced(perSecond, perSecond*b.full(10, 1)+1, latency, nil, nil)
		name, rate := fmt.Sprintf("`--rate %d` at 50 ms", perSecond), float64(perSecond)
		mean := func(e ended) float64 { return e.record.perSecond(1) }
		cpu := func(e ended) float64 { return cpuMicroseconds(e) / 1e3 } // the same in seconds of 1,000 rows
		lines = append(lines,
			c.line(name+", mean", "%.2f", "rows/s", mean, "", bar{0.99 * rate, 1.01 * rate}),
			c.inSecond(name, perSecond),
			c.line(name+", CPU", "%.2f", "s for 1,000 rows", cpu, "", bar{}))
	}
	return lines
}

// paced runs so many rows at a rate, with 64 workers. If the run is to be disturbed, the record must show that it was.
func (b *bench) paced(perSecond, rows int, latency time.Duration, change func(*command), disturbed func(record) bool) contest {
	in, at := b.input(rows), b.serve(latency)
	flags := []string{"--rate", strconv.Itoa(perSecond), "--concurrency", strconv.Itoa(workers)}
	return b.inTurns(1, func(program int) ended {
		e := b.run(program, in, at, 0, flags, change)
		if disturbed != nil && !disturbed(e.record) {
			must(fmt.Errorf("the run was not disturbed: %+v", e.record))
		}
		return e
	}, nil)
}

// inSecond judges the most requests in any span of one second: the rate and 5% of it, or 5 where that is more.
func (c contest) inSecond(name string, perSecond int) line {
	most := func(e ended) float64 { return float64(e.record.InSecond) }
	return c.line(name+", most in a second", "%.0f", "requests", most, "", bar{atMost: float64(perSecond + max(5, perSecond/20))})
}

func (b *bench) stoppedLines() []line {
	const stop = 2 * time.Second
	half := time.Duration(b.full(5000, 500)) * time.Millisecond // of the run's time
	change := func(c *command) {
		c.beside = func(process *os.Process) {
			time.Sleep(half)
			_ = process.Signal(syscall.SIGSTOP) // the record shows whether it stopped
			time.Sleep(stop)
			_ = process.Signal(syscall.SIGCONT)
		}
	}
	c := b.paced(100, 100*b.full(10, 1), 0, change, func(r record) bool { return r.Gap >= stop-100*time.Millisecond })
	return []line{c.inSecond("`--rate 100`, stopped for a moment and continued", 100)}
}

func (b *bench) throttledLines() []line {
	rows := b.full(3_000, 150)
	c := b.paced(100, rows, 0, func(c *command) { c.refuseAfter = rows / 10 }, func(r record) bool { return r.Requests > r.Sessions })
	return []line{c.inSecond("`--rate 100`, after 429s", 100)}
}

func (b *bench) parallelLines() []line {
	const name = "faster than GNU parallel, 8 jobs, with curl"
	_, noCurl := exec.LookPath("curl")
	if version, _ := b.process("parallel", []string{"--version"}).Output(); noCurl != nil || !strings.HasPrefix(string(version), "GNU parallel") {
		return []line{{name: name, peerName: "skipped: GNU parallel or curl is not installed"}}
	}
	c, in, at := b.durable(), b.input(b.full(1_000, 20)), b.serve(0)
	var bodies []byte
	for record := range records(in.path, true) {
		bodies = append(append(bodies, bodyOf(record)...), '\n')
	}
	must(os.WriteFile(filepath.Join(b.folder, "bodies.jsonl"), bodies, 0o600))
	post := fmt.Sprintf("curl -sSf -o /dev/null -H 'Content-Type: application/json' -H 'X-Timestamp: %d' --data-raw {} %s/checkout/session",
		time.Now().UnixMilli(), at.url)
	args := []string{"-j8", "--joblog", "joblog.tsv", "-a", "bodies.jsonl", post}
	theirs := rowsPerSecond(b.execute(command{program: "parallel", args: args, rows: in.rows, at: at})) // its status is how many jobs failed
	times := func(r runs) sample { return sample{r.of(rowsPerSecond).median() / theirs} }
	return []line{contest{ours: c.ours}.summed(name, "%.0f", "times", times, "", bar{atLeast: 50})}
}

// timeCommit is the time of one commit, in seconds: the mean time to append 40 KB to a file, which is about what the ledger
// writes for 64 rows, and to sync it.
func (b *bench) timeCommit() float64 {
	file := must1(os.Create(filepath.Join(b.folder, "commit")))
	defer os.Remove(file.Name())
	defer file.Close()
	commits := b.full(200, 5)
	block, begun := make([]byte, 40_000), time.Now()
	for range commits {
		must1(file.Write(block))
		must(file.Sync())
	}
	return time.Since(begun).Seconds() / float64(commits)
}
