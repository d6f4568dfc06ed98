package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// helpCommands are the commands of the scripts that type what the program says one can type.
//
//	examples        each line of the examples in the help, in bash, ends as it should: with 0, or as a canary does
//	suggested TEXT  the command that TEXT finds on standard error, in bash, ends with 0
var helpCommands = map[string]func(*testscript.TestScript, bool, []string){
	"examples":  scriptExamples,
	"suggested": scriptSuggested,
}

func scriptExamples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: examples")
	}
	pasted := 0
	for _, cmd := range commands() {
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(line)
			if cmd.Name() == "man" || strings.HasPrefix(line, "paylinks simulator") {
				continue // one needs the program man; the other does not end, and the script has one
			}
			if strings.Contains(line, "db.example.com") {
				continue // a server of its own, which the stories of a shared ledger have
			}
			line = strings.ReplaceAll(line, "127.0.0.1:8181", ts.Getenv("SIMADDR"))
			pasted++
			if err := ts.Exec("bash", "-c", line); err != nil && !strings.Contains(line, "--limit") {
				ts.Fatalf("%s: %v", line, err)
			}
			if said := ts.ReadFile("stderr"); strings.Contains(said, "paylinks: error:") {
				ts.Fatalf("%s: %s", line, said)
			}
		}
	}
	if pasted < 20 {
		ts.Fatalf("there are only %d examples", pasted)
	}
}

func scriptSuggested(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: suggested TEXT")
	}
	found := regexp.MustCompile(fmt.Sprintf("(?m)%s", args[0])).FindStringSubmatch(ts.ReadFile("stderr"))
	if len(found) != 2 {
		ts.Fatalf("standard error does not suggest a command")
	}
	ts.Logf("pasted: %s", found[1])
	ts.Check(ts.Exec("bash", "-c", found[1]))
}
