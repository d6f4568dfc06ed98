package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// longJob is the job of a million rows when its first run has ended and some rows are left.
type longJob struct {
	input
	address string // of the server, which the job keeps
	first   ended
	bare    ended // the bare loop over the same file
	wal     int64 // bytes at most
	few     duel  // whole runs of few rows, to compare with
}

// startLongJob begins the job. The runs of few rows are made before and after it, so that a machine that changes its
// speed meanwhile changes both.
func (b *bench) startLongJob(ctx context.Context) (longJob, error) {
	few, err := b.input(b.sizes.few)
	if err != nil {
		return longJob{}, err
	}
	in, err := b.input(b.sizes.long)
	if err != nil {
		return longJob{}, err
	}
	at, err := b.serve(ctx, "--keep-no-record")
	if err != nil {
		return longJob{}, err
	}
	defer at.stop()
	j := longJob{input: in, address: hostOf(at.url), few: duel{side{rows: few.rows}, side{rows: few.rows}}}
	runFew := func(turns int) error {
		d, err := b.inTurns(turns, few.rows,
			func() (ended, error) { return b.wholeRun(ctx, few, at, fullSpeed...) },
			func() (ended, error) { return b.bareRun(ctx, few, at) })
		j.few.ours.join(d.ours)
		j.few.peer.join(d.peer)
		return err
	}

	before := (b.sizes.pairs + 1) / 2
	if err := runFew(before); err != nil {
		return longJob{}, err
	}
	b.say("  the bare loop over %d rows", in.rows)
	if j.bare, err = b.bareRun(ctx, in, at); err != nil {
		return longJob{}, err
	}
	b.say("  a run of %d rows, but for %d", in.rows, b.sizes.left)
	seen := watchSize(b.ledger(in.rows) + "-wal")
	j.first, err = b.startJob(ctx, in, at, b.sizes.left, nil, fullSpeed...)
	j.wal = seen()
	if err != nil {
		return longJob{}, err
	}
	return j, runFew(b.sizes.pairs - before)
}

// watchSize looks at a file every few milliseconds until it is asked for its largest size.
func watchSize(path string) (largest func() int64) {
	var most int64
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			if now, err := size(path); err == nil {
				most = max(most, now)
			}
			select {
			case <-ticker.C:
			case <-stop:
				return
			}
		}
	})
	return func() int64 {
		close(stop)
		watching.Wait()
		return most
	}
}

// finishedJob is the job when every row has its link.
type finishedJob struct {
	longJob
	looks   map[string]sample // seconds, by what looked at the ledger before it was finished
	resumes []ended
	waits   sample // seconds from the start of each resume to its first request
	skipped string // why sqlite3 has not looked; empty when it has
}

const (
	lookJobs   = "jobs"
	lookShow   = "show 1"
	lookSQLite = "sqlite3"
)

// finishLongJob looks at the job and then resumes it, in as many steps as there are repeats. A front notes the first request
// of each; it stands where the first run's server stood, since a job keeps its address.
func (b *bench) finishLongJob(ctx context.Context) (finishedJob, error) {
	begun, err := b.started()
	if err != nil {
		return finishedJob{}, err
	}
	j := finishedJob{longJob: begun, looks: map[string]sample{}, skipped: installed("sqlite3")}
	if err := b.look(ctx, &j); err != nil {
		return finishedJob{}, err
	}
	at, err := b.serve(ctx, "--keep-no-record")
	if err != nil {
		return finishedJob{}, err
	}
	defer at.stop()
	left := b.sizes.left
	for turn := range b.sizes.repeats {
		step := left / (b.sizes.repeats - turn)
		left -= step
		b.say("  resume, %d rows left", left+step)
		if err := b.resume(ctx, &j, at, step, left); err != nil {
			return finishedJob{}, err
		}
	}
	return j, nil
}

// look times the commands that only look, and sqlite3 at the same question.
func (b *bench) look(ctx context.Context, j *finishedJob) error {
	ledger := b.ledger(j.rows)
	commands := map[string]command{
		lookJobs: {program: b.paylinks, args: []string{"jobs", "--env", "simulator", "--ledger", ledger}},
		lookShow: {program: b.paylinks, args: []string{"show", "1", "--env", "simulator", "--ledger", ledger}},
	}
	order := []string{lookJobs, lookShow}
	if j.skipped == "" {
		order = append(order, lookSQLite)
		commands[lookSQLite] = command{program: "sqlite3", args: []string{"-readonly", ledger, "SELECT state, count(*) FROM item GROUP BY state"}}
	}
	for range b.sizes.looks {
		for _, name := range order {
			e, err := b.execute(ctx, commands[name])
			if err != nil {
				return err
			}
			j.looks[name] = append(j.looks[name], e.wall.Seconds())
		}
	}
	return nil
}

// resume sends step rows and leaves so many.
func (b *bench) resume(ctx context.Context, j *finishedJob, at *server, step, left int) error {
	f := &front{}
	if err := at.behind(j.address, f); err != nil {
		return err
	}
	defer f.stop()
	c := command{program: b.paylinks, args: append([]string{"resume", "1"}, fullSpeed...)}
	if left > 0 {
		c.args = append(c.args, "--limit", strconv.Itoa(step))
	}
	e, err := b.send(ctx, c, j.input, at, step, left)
	if err != nil {
		return err
	}
	times, _ := f.seen()
	if len(times) != step {
		return fmt.Errorf("%d requests came, expected %d", len(times), step)
	}
	j.resumes = append(j.resumes, e)
	j.waits = append(j.waits, times[0].Sub(e.begun).Seconds())
	return nil
}
