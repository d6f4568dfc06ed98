package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is a program to run to its end, in the work folder.
type command struct {
	program     string
	args        []string
	status      int               // that it must exit with
	rows        int               // that it works on
	at          server            // that it sends all its rows to, which must have made as many sessions; the zero value is none
	refuseAfter int               // requests, after which the server refuses some for a moment; 0 is never
	beside      func(*os.Process) // runs beside the process, from its start; nil is nothing
}

// ended is what a process said, and what it cost.
type ended struct {
	stdout string
	rows   int
	wall   time.Duration // from just before the start to the exit
	cpu    time.Duration // user and system, with the processes that it has waited for
	peak   int64         // bytes resident at most
	record record        // what the server saw of it
}

// Figures of an ended process.
func rowsPerSecond(e ended) float64   { return float64(e.rows) / e.wall.Seconds() }
func secondsOfRow(e ended) float64    { return e.wall.Seconds() / float64(e.rows) }
func cpuMicroseconds(e ended) float64 { return e.cpu.Seconds() / float64(e.rows) * 1e6 } // of a row
func milliseconds(e ended) float64    { return e.wall.Seconds() * 1e3 }
func peakMiB(e ended) float64         { return float64(e.peak) / (1 << 20) }

// execute runs the command in a process group of its own, which is killed when the bench is interrupted. Data that earlier
// runs wrote is synced first. Any other end than the status expected fails with what the process said.
func (b *bench) execute(c command) ended {
	unix.Sync()
	var stdout, stderr bytes.Buffer
	cmd := b.process(c.program, c.args)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if c.at.url != "" {
		c.at.record(c.refuseAfter)
	}
	begun := time.Now()
	must(cmd.Start())
	if c.beside != nil {
		go c.beside(cmd.Process)
	}
	e := ended{rows: c.rows}
	_ = cmd.Wait() // its status is looked at
	e.wall = time.Since(begun)
	must(b.ctx.Err())
	state := cmd.ProcessState
	if state.ExitCode() != c.status {
		said := strings.TrimSpace(stderr.String())
		must(fmt.Errorf("%s: %v, expected status %d: %s", b.shown(c), state, c.status, said[max(0, len(said)-300):]))
	}
	e.stdout, e.cpu, e.peak = stdout.String(), state.UserTime()+state.SystemTime(), state.SysUsage().(*syscall.Rusage).Maxrss<<10
	if c.at.url != "" {
		if e.record = c.at.record(0); e.record.Sessions != c.rows {
			must(fmt.Errorf("%s: the server made %d sessions, expected %d", b.shown(c), e.record.Sessions, c.rows))
		}
	}
	return e
}

// process is a command that is not started yet. It inherits no settings from the environment.
func (b *bench) process(program string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, program, args...)
	cmd.Dir = b.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.folder, "TMPDIR=" + b.folder, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// shown is the command line without the folders.
func (b *bench) shown(c command) string {
	return strings.ReplaceAll(filepath.Base(c.program)+" "+strings.Join(c.args, " "), b.folder+"/", "")
}

// fullSpeed are the flags of a run that is to be as fast as it can.
var fullSpeed = []string{"--rate", "0", "--concurrency", strconv.Itoa(workers)}

// ledger is where a program keeps its job of so many rows. It stays until that program runs as many rows again.
func (b *bench) ledger(program, rows int) string {
	return filepath.Join(b.folder, fmt.Sprintf("%d-%d.db", rows, program))
}

func linksOf(ledger string) string { return strings.TrimSuffix(ledger, ".db") + ".links.csv" }

// run runs the file in a new ledger; all but left rows are sent. change, unless it is nil, may change the command.
func (b *bench) run(program int, in input, at server, left int, flags []string, change func(*command)) ended {
	ledger := b.ledger(program, in.rows)
	for _, path := range []string{ledger, ledger + "-wal", ledger + "-shm", ledger + ".lock", linksOf(ledger)} {
		_ = os.Remove(path) // most are not there; one that stays fails the run
	}
	args := append([]string{"run", in.path, "--env", "simulator", "--base-url", at.url, "--output", linksOf(ledger)}, flags...)
	return b.send(program, in, at, in.rows-left, left, args, change)
}

// send runs a command that sends so many rows of the file's job and leaves others pending. It fails if the server has not
// made a session for each, or the summary or the links file do not agree.
func (b *bench) send(program int, in input, at server, sends, left int, args []string, change func(*command)) ended {
	ledger := b.ledger(program, in.rows)
	c := command{program: b.programs[program], args: append(args, "--ledger", ledger, "--json"), rows: sends, at: at}
	if left > 0 {
		c.args, c.status = append(c.args, "--limit", strconv.Itoa(sends)), 75 // unfinished
	}
	if change != nil {
		change(&c)
	}
	e := b.execute(c)
	var got struct{ Rows, Created, Pending int }
	err := json.Unmarshal([]byte(e.stdout), &got)
	if err != nil || got.Rows != in.rows || got.Created != in.rows-left || got.Pending != left {
		must(fmt.Errorf("%s: the summary is %+v, expected %d created and %d pending", b.shown(c), got, in.rows-left, left))
	}
	checkRows(linksOf(ledger), in.rows)
	return e
}

// input is a generated invoice file.
type input struct {
	path string
	rows int
}

// input makes the file with so many rows, the same every time, unless it is there.
func (b *bench) input(rows int) input {
	in := input{path: filepath.Join(b.folder, fmt.Sprintf("%d.csv", rows)), rows: rows}
	if size(in.path) > 0 {
		return in
	}
	currencies := []string{"USD", "EUR", "GBP", "CHF"}
	services := []string{"Hosting & support, one month", "Workshop \"Glaze basics\", group A", "Café catering for the opening"}
	file := must1(os.Create(in.path))
	lines := csv.NewWriter(file)
	must(lines.Write([]string{"invoice_id", "amount", "currency", "customer_email", "description"}))
	for n := 1; n <= rows; n++ {
		mixed := uint64(n) * 0x9e3779b97f4a7c15 >> 32
		must(lines.Write([]string{
			fmt.Sprintf("INV-2026-%07d", n),
			fmt.Sprintf("%d.%02d", 1+mixed%5_000, mixed/5_000%100),
			currencies[mixed%uint64(len(currencies))],
			fmt.Sprintf("accounts@customer-%06d.example.com", mixed%400_000),
			services[n%len(services)] + ", order " + strconv.Itoa(100_000+n),
		}))
	}
	lines.Flush()
	must(lines.Error())
	must(file.Close())
	return in
}

// checkRows fails unless the file has so many rows below its header: no cell of the generated files has a line break.
func checkRows(path string, rows int) {
	file := must1(os.Open(path))
	defer file.Close()
	lines := 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); lines++ {
	}
	if lines != rows+1 {
		must(fmt.Errorf("%s has %d lines, expected a header and %d", filepath.Base(path), lines, rows))
	}
}

// size is 0 for a file that is missing.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
