package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/clink/simulator"
)

// simulatorCommands are the commands of the scripts that have to do with the simulator.
//
//	simulator FLAG…          start one as the process "simulator", set $SIM to its address, and point the script's paylinks
//	                         at it, by its variables: PAYLINKS_ENV, PAYLINKS_BASE_URL, and PAYLINKS_RATE=0 for haste;
//	                         --addr $SIMADDR takes the place of one that has ended
//	sim [-wait] NAME=N…      its summary says so, at once or, with -wait, before long; dots go deeper: faults.lost>=1
//	session REFERENCE WORD   its session for the reference becomes paid, processing, expired or refunded
//	made REFERENCE NAME=VALUE…  its session for the reference has these fields; without a value, not that field
//	faults [POST] [GET]      from now on it has these faults, and no others
var simulatorCommands = map[string]func(*testscript.TestScript, bool, []string){
	"simulator": scriptSimulator,
	"sim":       scriptSim,
	"session":   scriptSession,
	"made":      scriptMade,
	"faults":    scriptFaults,
}

var simulatorAddress = regexp.MustCompile(`simulator at (http://127\.0\.0\.1:\d+)\n`)

func scriptSimulator(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: simulator FLAG…")
	}
	kept, release, err := keptAddress()
	ts.Check(err)
	ts.Defer(release)
	start(ts, "simulator", "paylinks", append([]string{"simulator", "--addr", kept}, args...)...)
	var address string
	eventually(ts, func() error {
		if match := simulatorAddress.FindStringSubmatch(ts.ReadFile("simulator.out")); match != nil {
			address = match[1]
			return nil
		}
		return errors.New("the simulator has not said its address: " + ts.ReadFile("simulator.err"))
	})
	ts.Setenv("SIM", address)
	ts.Setenv("SIMADDR", strings.TrimPrefix(address, "http://"))
	ts.Setenv("PAYLINKS_ENV", "simulator")
	ts.Setenv("PAYLINKS_BASE_URL", address)
	ts.Setenv("PAYLINKS_RATE", "0")
}

func scriptSim(ts *testscript.TestScript, neg bool, args []string) {
	wait := len(args) > 0 && args[0] == "-wait"
	if wait {
		args = args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sim [-wait] NAME=N…")
	}
	check := func() error {
		var summary map[string]any
		if err := json.Unmarshal(ask(ts, http.MethodGet, "/_simulator/summary", ""), &summary); err != nil {
			return err
		}
		for _, word := range args {
			e := parseExpectation(ts, word)
			if err := e.compare(dig(summary, e.name)); err != nil {
				return err
			}
		}
		return nil
	}
	if wait {
		eventually(ts, check)
	} else {
		ts.Check(check())
	}
}

// dig follows the dots; what is not there is 0, since the simulator leaves out what it has not seen.
func dig(value any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok || object[name] == nil {
			return "0"
		}
		value = object[name]
	}
	return fmt.Sprint(value)
}

func scriptSession(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: session REFERENCE WORD")
	}
	changed := 0
	for _, s := range sessions(ts) {
		if s.Reference == args[0] {
			ask(ts, http.MethodPost, "/_simulator/sessions/"+s.ID, fmt.Sprintf(`{"status": %q}`, args[1]))
			changed++
		}
	}
	if changed != 1 {
		ts.Fatalf("the simulator has %d sessions for %s, want 1", changed, args[0])
	}
}

func scriptMade(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: made REFERENCE NAME=VALUE…")
	}
	found := 0
	for _, s := range sessions(ts) {
		if s.Reference != args[0] {
			continue
		}
		found++
		text, err := json.Marshal(s)
		ts.Check(err)
		var fields map[string]any
		ts.Check(json.Unmarshal(text, &fields))
		for _, word := range args[1:] {
			name, want, _ := strings.Cut(word, "=")
			got, has := fields[name]
			if has && fmt.Sprint(got) != want || !has && want != "" {
				ts.Fatalf("the session for %s has %s %v, want %q", args[0], name, got, want)
			}
		}
	}
	if found != 1 {
		ts.Fatalf("the simulator has %d sessions for %s, want 1", found, args[0])
	}
}

func scriptFaults(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 2 {
		ts.Fatalf("usage: faults [POST] [GET]")
	}
	args = append(args, "", "")
	ask(ts, http.MethodPost, "/_simulator/faults", fmt.Sprintf(`{"faults": %q, "getFaults": %q}`, args[0], args[1]))
}

// sessions are all that the simulator has made.
func sessions(ts *testscript.TestScript) map[string]simulator.Session {
	lines := json.NewDecoder(bytes.NewReader(ask(ts, http.MethodGet, "/_simulator/sessions", "")))
	all := map[string]simulator.Session{}
	for {
		var s simulator.Session
		err := lines.Decode(&s)
		if err == io.EOF {
			return all
		}
		ts.Check(err)
		all[s.ID] = s
	}
}

// ask sends a request to the simulator and returns the body of its answer.
func ask(ts *testscript.TestScript, method, path, body string) []byte {
	request, err := http.NewRequest(method, ts.Getenv("SIM")+path, strings.NewReader(body))
	ts.Check(err)
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	return answer
}
