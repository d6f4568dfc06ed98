package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is a program to run to its end, in the work folder.
type command struct {
	program string
	args    []string
	status  int // that it must exit with

	// beside is called once the process runs, and its error ends it. Its context ends with the process.
	beside func(context.Context, *os.Process) error
}

// ended is what a process said, and what it cost.
type ended struct {
	stdout string
	begun  time.Time
	wall   time.Duration // from just before the start to the exit
	cpu    time.Duration // user and system, with the processes it has waited for
	peak   int64         // bytes resident at most
}

// execute runs the command, alone in its process group, which is killed when ctx ends. Data that earlier runs wrote is
// synced first. Any other end than the status expected is an error with what the process said.
func (b *bench) execute(ctx context.Context, c command) (ended, error) {
	b.note(c)
	unix.Sync()
	var stdout, stderr bytes.Buffer
	cmd := b.process(ctx, c.program, c.args)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return ended{}, fmt.Errorf("%s: %w", b.shown(c), err)
	}
	finish := c.accompany(ctx, cmd)
	err := cmd.Wait()
	wall := time.Since(begun)
	beside := finish()
	if ctx.Err() != nil {
		return ended{}, ctx.Err()
	}
	if beside != nil && !errors.Is(beside, context.Canceled) { // else the process ended too early, and its status says why
		return ended{}, fmt.Errorf("%s: %w", b.shown(c), beside)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return ended{}, fmt.Errorf("%s: %w", b.shown(c), err)
	}
	if status := cmd.ProcessState.ExitCode(); status != c.status {
		return ended{}, fmt.Errorf("%s: %v, expected %d: %s", b.shown(c), cmd.ProcessState, c.status, lastWords(stderr.String()))
	}
	return ended{
		stdout: stdout.String(), begun: begun, wall: wall,
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peakOf(cmd.ProcessState),
	}, nil
}

// accompany runs what goes on beside the process; finish ends it and returns its error.
func (c command) accompany(ctx context.Context, cmd *exec.Cmd) (finish func() error) {
	if c.beside == nil {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() {
		err := c.beside(ctx, cmd.Process)
		if err != nil {
			_ = cmd.Cancel()
		}
		result <- err
	}()
	return func() error {
		cancel()
		return <-result
	}
}

// process is a command that is not started yet.
func (b *bench) process(ctx context.Context, program string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = b.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.folder, "TMPDIR=" + b.folder, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// peakOf is in bytes, which is not what every kernel counts in.
func peakOf(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// fileOfRows is a file that is named by how many rows are in it.
var fileOfRows = regexp.MustCompile(`\b[0-9]+((?:\.links)?\.(?:csv|db))\b`)

// note keeps the command line for the table; those that differ only in the size of the file are one.
func (b *bench) note(c command) {
	if line := fileOfRows.ReplaceAllString(b.shown(c), "N$1"); !slices.Contains(b.commands, line) {
		b.commands = append(b.commands, line)
	}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// shown is the command line as a reader can understand it: without this run's folder and ports.
func (b *bench) shown(c command) string {
	words := []string{c.program}
	switch c.program {
	case b.paylinks:
		words[0] = "paylinks"
	case b.self:
		words[0] = "bench"
	}
	for _, word := range c.args {
		word = strings.ReplaceAll(word, b.folder+string(filepath.Separator), "")
		word = address.ReplaceAllString(word, "URL")
		if strings.ContainsAny(word, " '\"{}") {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// lastWords is the end of what a process said.
func lastWords(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}

// installed finds a peer's program; without it, skipped says so.
func installed(programs ...string) (skipped string) {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return "skipped: " + program + " is not installed"
		}
	}
	return ""
}
