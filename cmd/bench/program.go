package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// summary is what run and resume say with --json, as far as it is looked at.
type summary struct {
	Rows    int `json:"rows"`
	Created int `json:"created"`
	Pending int `json:"pending"`
}

// statusUnfinished is paylinks' exit status when a limit is reached and rows are left.
const statusUnfinished = 75

// ledger is where a job of so many rows is on record.
func (b *bench) ledger(rows int) string { return filepath.Join(b.folder, fmt.Sprintf("%d.db", rows)) }

// links is where a job's links file goes.
func (b *bench) links(rows int) string {
	return filepath.Join(b.folder, fmt.Sprintf("%d.links.csv", rows))
}

// fullSpeed are the flags of a run that is to be as fast as it can.
var fullSpeed = []string{"--rate", "0", "--concurrency", "64"}

// wholeRun runs the file in a new ledger, which it removes afterwards.
func (b *bench) wholeRun(ctx context.Context, in input, at *server, flags ...string) (ended, error) {
	defer b.removeLedger(in.rows)
	return b.startJob(ctx, in, at, 0, nil, flags...)
}

// startJob runs the file in a new ledger and checks what came of it; all but left rows are sent.
func (b *bench) startJob(
	ctx context.Context, in input, at *server, left int, beside func(context.Context, *os.Process) error, flags ...string,
) (ended, error) {
	b.removeLedger(in.rows)
	args := append([]string{"run", in.path, "--env", "simulator", "--base-url", at.url}, flags...)
	c := command{program: b.paylinks, args: args, beside: beside}
	if left > 0 {
		c.args = append(c.args, "--limit", strconv.Itoa(in.rows-left))
	}
	return b.send(ctx, c, in, at, in.rows-left, left)
}

// send runs a command that sends so many rows of the file's job and leaves the others pending. It is an error if the
// server has not made a session for each, or the summary or the links file tells another story.
func (b *bench) send(ctx context.Context, c command, in input, at *server, sends, left int) (ended, error) {
	before, err := at.sessions(ctx)
	if err != nil {
		return ended{}, err
	}
	c.args = append(c.args, "--ledger", b.ledger(in.rows), "--json")
	if c.args[0] == "run" {
		c.args = append(c.args, "--output", b.links(in.rows))
	}
	if left > 0 {
		c.status = statusUnfinished
	}
	e, err := b.execute(ctx, c)
	if err != nil {
		return ended{}, err
	}
	after, err := at.sessions(ctx)
	if err != nil {
		return ended{}, err
	}
	if after-before != sends {
		return ended{}, fmt.Errorf("%s: the server made %d sessions, expected %d", b.shown(c), after-before, sends)
	}
	var got summary
	if err := json.Unmarshal([]byte(e.stdout), &got); err != nil {
		return ended{}, fmt.Errorf("%s: the summary: %w", b.shown(c), err)
	}
	if got.Rows != in.rows || got.Created != in.rows-left || got.Pending != left {
		return ended{}, fmt.Errorf("%s: the summary is %+v, expected %d created and %d pending", b.shown(c), got, in.rows-left, left)
	}
	return e, checkLinks(b.links(in.rows), in.rows)
}

// checkLinks counts the rows of a links file: no cell of the generated files has a line break.
func checkLinks(path string, rows int) error {
	lines, err := countLines(path)
	if err != nil {
		return err
	}
	if lines != rows+1 {
		return fmt.Errorf("the links file has %d lines, expected a header and %d", lines, rows)
	}
	return nil
}

func (b *bench) removeLedger(rows int) {
	removeDatabase(b.ledger(rows))
	_ = os.Remove(b.links(rows))
}

// removeDatabase removes the file and what lies beside it; what cannot be removed goes with the folder.
func removeDatabase(path string) {
	for _, part := range []string{"", "-wal", "-shm", ".lock"} {
		_ = os.Remove(path + part)
	}
}

// size is 0 of a file that is not there.
func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
