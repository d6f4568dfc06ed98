package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

var parallelFigure = figure{
	name:  "parallel",
	title: "what people use today",
	what:  "GNU parallel with curl, by how much it is slower",
	note: `GNU parallel with 8 jobs and a joblog starts a curl for each of 1,000 requests; their bodies are prepared
beforehand, which is not counted. Every line of the joblog must end with 0. It is compared with the durable throughput
of paylinks, which the same kind of simulator served. Two runs.`,
	measure: measureParallel,
}

func measureParallel(ctx context.Context, b *bench) ([]row, error) {
	title, reach := "what people use today", "≥ 50 times as fast"
	if skipped := parallelInstalled(ctx); skipped != "" {
		return []row{{title: title, peer: skipped, reach: reach}}, nil
	}
	d, err := b.durable()
	if err != nil {
		return nil, err
	}
	in, err := b.input(b.sizes.parallel)
	if err != nil {
		return nil, err
	}
	bodies := filepath.Join(b.folder, "bodies.jsonl")
	if err := writeBodies(in, bodies); err != nil {
		return nil, err
	}
	at, err := b.serve(ctx, "--keep-no-record")
	if err != nil {
		return nil, err
	}
	defer at.stop()
	post := fmt.Sprintf("curl -sSf -o /dev/null -H 'Content-Type: application/json' -H 'X-Timestamp: %d' --data-raw {} %s/checkout/session",
		time.Now().UnixMilli(), at.url)
	alone, err := b.inTurns(b.sizes.repeats, in.rows, func() (ended, error) { return b.runParallel(ctx, bodies, post, at, in.rows) }, nil)
	if err != nil {
		return nil, err
	}
	theirs := alone.ours
	factor := d.ours.perSecond().median() / theirs.perSecond().median()
	return []row{{
		title:    title,
		measured: english.Sprintf("**%.0f times** as fast: %s", factor, d.ours.rate()),
		peer:     "GNU parallel, 8 jobs, and curl: " + theirs.rate(),
		reach:    reach,
		met:      judge(factor >= 50),
	}}, nil
}

// parallelInstalled says what is missing. Another program that is called parallel does something else.
func parallelInstalled(ctx context.Context) (skipped string) {
	version, err := exec.CommandContext(ctx, "parallel", "--version").Output()
	if err != nil || !strings.HasPrefix(string(version), "GNU parallel") {
		return "skipped: GNU parallel is not installed"
	}
	return installed("curl")
}

// writeBodies writes a request body a line.
func writeBodies(in input, path string) error {
	from, err := os.Open(in.path)
	if err != nil {
		return err
	}
	defer from.Close()
	records, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return err
	}
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	lines := bufio.NewWriter(to)
	for _, record := range records[1:] {
		body, err := bodyOf(record)
		if err != nil {
			return errors.Join(err, to.Close())
		}
		_, _ = lines.Write(append(body, '\n')) // Flush reports what went wrong
	}
	return errors.Join(lines.Flush(), to.Close())
}

func (b *bench) runParallel(ctx context.Context, bodies, post string, at *server, rows int) (ended, error) {
	joblog := filepath.Join(b.folder, "joblog.tsv")
	e, err := b.counted(ctx, command{program: "parallel", args: []string{"-j8", "--joblog", joblog, "-a", bodies, post}}, at, rows)
	if err != nil {
		return ended{}, err
	}
	return e, checkJoblog(joblog, rows)
}

// checkJoblog wants exit value 0 of so many jobs. The columns are Seq, Host, Starttime, JobRuntime, Send, Receive,
// Exitval, Signal, Command.
func checkJoblog(path string, jobs int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	good := 0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		if fields := strings.Split(line, "\t"); len(fields) >= 9 && fields[6] == "0" && fields[7] == "0" {
			good++
		}
	}
	if good != jobs {
		return fmt.Errorf("parallel's joblog has %d good jobs, expected %d", good, jobs)
	}
	return nil
}
