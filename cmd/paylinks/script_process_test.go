package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// processCommands are the commands of the scripts that start and end processes.
//
//	status N PROGRAM ARG…    run it, and want exactly this exit status
//	start NAME PROGRAM ARG…  run it beside the script; what it says goes into NAME.out and NAME.err
//	end NAME N SIGNAL…       send it the signals (INT, TERM, HUP, KILL) if any is named, wait until it has ended, and want
//	                         exactly this exit status; N is "killed" for one that had no chance to exit
var processCommands = map[string]func(*testscript.TestScript, bool, []string){
	"status": scriptStatus,
	"start":  scriptStart,
	"end":    scriptEnd,
}

// processes is the key of a script's map from names to running processes.
type processes struct{}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd.Wait has returned
}

func running(ts *testscript.TestScript) map[string]*process {
	return ts.Value(processes{}).(map[string]*process)
}

// program is the key of the program that a script's paylinks is, as [exec.Command] finds it: it does not know the script's PATH.
type program struct{}

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := "0"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status = strconv.Itoa(exit.ExitCode())
	} else {
		ts.Check(err)
	}
	ts.Logf("[stdout]\n%s[stderr]\n%s", ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	if status != args[0] {
		ts.Fatalf("exit status %s, want %s", status, args[0])
	}
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARG…")
	}
	start(ts, args[0], args[1], args[2:]...)
}

func start(ts *testscript.TestScript, name, what string, args ...string) {
	if running(ts)[name] != nil {
		ts.Fatalf("there is a process %s already", name)
	}
	if what == "paylinks" {
		what = ts.Value(program{}).(string)
	}
	cmd := exec.Command(what, args...)
	cmd.Dir = ts.MkAbs(".")
	ts.Check(ts.Exec("env")) // the only way to the variables that the script has set
	cmd.Env = strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	ts.Check(ts.Exec("true")) // they are nothing that a later command should find on stdout
	stdout, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	defer stdout.Close()
	stderr, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ts.Check(cmd.Start())
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the status is in cmd.ProcessState
		close(p.ended)
	}()
	running(ts)[name] = p
	ts.Defer(func() {
		_ = cmd.Process.Kill() // most have ended long before
		<-p.ended
	})
}

func scriptEnd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: end NAME N SIGNAL…")
	}
	name := args[0]
	p := running(ts)[name]
	if p == nil {
		ts.Fatalf("there is no process %s", name)
	}
	for _, word := range args[2:] {
		signal, known := map[string]os.Signal{
			"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
		}[word]
		if !known {
			ts.Fatalf("signal %q is none of INT, TERM, HUP, KILL", word)
		}
		ts.Check(p.cmd.Process.Signal(signal))
	}
	eventually(ts, func() error {
		select {
		case <-p.ended:
			return nil
		default:
			return fmt.Errorf("process %s has not ended", name)
		}
	})
	delete(running(ts), name)
	ts.Logf("[%s.out]\n%s[%s.err]\n%s", name, ts.ReadFile(name+".out"), name, ts.ReadFile(name+".err"))
	status := strconv.Itoa(p.cmd.ProcessState.ExitCode())
	if status == "-1" {
		status = "killed"
	}
	if status != args[1] {
		ts.Fatalf("process %s: exit status %s, want %s", name, status, args[1])
	}
}

// eventually asks until the answer is no error; after a minute, far more than anything here takes, it fails with the last one.
func eventually(ts *testscript.TestScript, ask func() error) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			ts.Fatalf("waited for a minute: %v", err)
		}
	}
}

// expectation is a word of a script such as created=60, attempts>=64 or possible_orphans<=4.
type expectation struct {
	name, operator, value string
}

func parseExpectation(ts *testscript.TestScript, word string) expectation {
	at := strings.IndexAny(word, "<>=")
	if at <= 0 {
		ts.Fatalf("%q is not NAME=VALUE, NAME<=N or NAME>=N", word)
	}
	operator := "="
	if word[at] != '=' {
		operator = word[at:min(at+2, len(word))]
	}
	if operator != "=" && operator != "<=" && operator != ">=" {
		ts.Fatalf("%q is not NAME=VALUE, NAME<=N or NAME>=N", word)
	}
	return expectation{word[:at], operator, word[at+len(operator):]}
}

// compare returns an error unless what was found is what was expected.
func (e expectation) compare(found string) error {
	if e.operator == "=" {
		if found != e.value {
			return fmt.Errorf("%s is %s, want %s", e.name, found, e.value)
		}
		return nil
	}
	have, err := strconv.Atoi(found)
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	want, err := strconv.Atoi(e.value)
	if err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	if e.operator == "<=" && have > want || e.operator == ">=" && have < want {
		return fmt.Errorf("%s is %d, want %s %d", e.name, have, e.operator, want)
	}
	return nil
}

// TestExpectation guards the scripts' own yardstick.
func TestExpectation(t *testing.T) {
	for _, c := range []struct {
		operator, found, value string
		ok                     bool
	}{
		{"=", "4", "4", true}, {"=", "4", "5", false}, {"=", "USD", "USD", true}, {"=", "", "USD", false},
		{"<=", "4", "4", true}, {"<=", "5", "4", false}, {">=", "4", "4", true}, {">=", "3", "4", false},
		{">=", "none", "4", false},
	} {
		t.Run(c.found+c.operator+c.value, func(t *testing.T) {
			if err := (expectation{"n", c.operator, c.value}).compare(c.found); (err == nil) != c.ok {
				t.Errorf("compare: %v", err)
			}
		})
	}
}
