package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/store/postgres/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"paylinks": main})
}

type tests struct{ *testing.M }

func (t tests) Run() int {
	if signal.Ignored(syscall.SIGHUP) { // by nohup; what the tests start would ignore it as well
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	defer func() { _ = os.RemoveAll(builtIn) }()
	return pgtest.Main(t.M)
}

var builtIn string // the folder of builtProgram, once it is asked for

// builtProgram is the program as its users have it. The test binary, which is the program too, may have the race detector in it,
// which makes every start slow.
func builtProgram(t testing.TB) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var build = sync.OnceValues(func() (program string, err error) {
	if builtIn, err = os.MkdirTemp("", "paylinks-built-"); err != nil {
		return "", err
	}
	program = filepath.Join(builtIn, "paylinks")
	said, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, said)
	}
	return program, err
})

// raced are the stories in which much goes on at once. They run the test binary, which has the race detector where the tests
// have it; it makes a process three times as slow, so that the others run the program as its users have it.
var raced = []string{
	"interrupt", "lost-to-all", "one-sender", "outage", "refresh", "reissue", "second-signal", "several-files", "throttled",
}

// TestScript runs the stories in testdata/script. In each, paylinks is the real program in a process of its own, the
// ledger a real file, and Clink a simulator in another process. Nothing of the machine's own settings is read.
func TestScript(t *testing.T) { runStories(t, "script", func(*testscript.Env) error { return nil }) }

// runStories runs the stories in a folder of testdata, each with what setup adds.
func runStories(t *testing.T, folder string, setup func(*testscript.Env) error) {
	t.Helper()
	built := builtProgram(t)
	samples, err := filepath.Abs(filepath.Join("..", "..", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	maps.Copy(commands, processCommands)
	maps.Copy(commands, simulatorCommands)
	maps.Copy(commands, gatewayCommands)
	maps.Copy(commands, fileCommands)
	maps.Copy(commands, helpCommands)
	maps.Copy(commands, databaseCommands)
	maps.Copy(commands, workbookCommands)
	maps.Copy(commands, serverCommands)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", folder),
		Cmds:                commands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under -race a program otherwise takes a second to exit
			env.Setenv("SAMPLES", samples)
			env.Values[processes{}] = map[string]*process{}
			env.Values[gatewayKey{}] = map[gatewayKey]*gateway{}
			env.Values[program{}] = "paylinks" // the test binary
			if !slices.Contains(raced, strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")) {
				env.Values[program{}] = built
				env.Setenv("PATH", filepath.Dir(built)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			}
			return cmp.Or(os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700), setup(env))
		},
	})
}
