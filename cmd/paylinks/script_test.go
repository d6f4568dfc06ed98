package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"paylinks": main})
}

// TestScript runs the stories in testdata/script. In each, paylinks is the real program in a process of its own, the
// ledger a real file, and Clink a simulator in another process. Nothing of the machine's own settings is read.
func TestScript(t *testing.T) {
	samples, err := filepath.Abs(filepath.Join("..", "..", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	maps.Copy(commands, processCommands)
	maps.Copy(commands, simulatorCommands)
	maps.Copy(commands, fileCommands)
	maps.Copy(commands, helpCommands)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Cmds:                commands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under -race a program otherwise takes a second to exit
			env.Setenv("SAMPLES", samples)
			env.Values[processes{}] = map[string]*process{}
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
	})
}
