package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// fileCommands are the commands of the scripts that look at what a run has written.
//
//	links FILE NAME=N…         the links file has so many rows in each state, none in a state that is not named, and mode
//	                           0600; every link stands once. With a simulator, each row is held against its record, and
//	                           $SURPLUS becomes the number of sessions that exist without being published here
//	summary FILE LINE NAME=V…  this line of FILE, counted from 1, is a summary with the design's keys in its order, and
//	                           says so; totals.USD goes deeper
//	private FILE…              the files have mode 0600
//	rows FILE N                FILE becomes an input of N invoices
//	nowhere TEXT               TEXT is in no file of the script, not in what the last command said, and not in the
//	                           arguments of a running process
var fileCommands = map[string]func(*testscript.TestScript, bool, []string){
	"links":   scriptLinks,
	"summary": scriptSummary,
	"private": scriptPrivate,
	"nowhere": scriptNowhere,
	"rows":    scriptRows,
}

func scriptLinks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: links FILE NAME=N…")
	}
	checkPrivate(ts, args[0])
	rows := readLinks(ts, args[0])
	var record map[string]simulator.Session
	if ts.Getenv("SIM") != "" {
		record = sessions(ts)
	}
	found := map[string]int{"rows": len(rows)}
	published := map[string]bool{}
	for _, row := range rows {
		found[row["status"]]++
		refusals := []string{"400", "422", job.CodeConflict}
		if gateways(ts)[gatewayKey{}] != nil { // which may refuse one row for good
			refusals = append(refusals, "403", string(job.OutcomeUnauthorized), string(job.OutcomeMisdirected))
		}
		if err := checkRow(row, record, refusals); err != nil {
			ts.Fatalf("%s: row %s: %v: %v", args[0], row["row"], err, row)
		}
		if url, id := row["url"], row["session_id"]; url != "" {
			if published[url] || published[id] {
				ts.Fatalf("%s: row %s: its link or session stands twice: %v", args[0], row["row"], row)
			}
			published[url], published[id] = true, true
		}
	}
	ts.Setenv("SURPLUS", strconv.Itoa(len(record)-len(published)/2))
	var named []string
	for _, word := range args[1:] {
		e := parseExpectation(ts, word)
		named = append(named, e.name)
		if err := e.compare(strconv.Itoa(found[e.name])); err != nil {
			ts.Fatalf("%s: %v (found %v)", args[0], err, found)
		}
	}
	for state, n := range found {
		if state != "rows" && !slices.Contains(named, state) {
			ts.Fatalf("%s: %d rows are %q, want none", args[0], n, state)
		}
	}
}

// readLinks returns the rows by column.
func readLinks(ts *testscript.TestScript, file string) []map[string]string {
	text := ts.ReadFile(file)
	reader := csv.NewReader(strings.NewReader(text))
	header, _, _ := strings.Cut(text, "\n")
	for _, delimiter := range ",;\t" {
		if strings.ContainsRune(header, delimiter) {
			reader.Comma = delimiter
			break
		}
	}
	records, err := reader.ReadAll()
	ts.Check(err)
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// checkRow holds a line of the links file against the design's rules and, where there is one, the simulator's record. refusals are the
// error codes with which a row may fail.
func checkRow(row map[string]string, record map[string]simulator.Session, refusals []string) error {
	state, id, url := job.State(row["status"]), row["session_id"], row["url"]
	if linked := state == job.Created || state == job.Duplicate; linked != (url != "") {
		return fmt.Errorf("it is %s, and its link is %q", state, url)
	}
	if open := state == job.Pending || state == job.Unknown; open && id != "" {
		return fmt.Errorf("it is %s with a session", state)
	}
	if state == job.Sending || !slices.Contains(job.States, state) {
		return fmt.Errorf("there is no status %q", state)
	}
	if state == job.Failed && id == "" && !slices.Contains(refusals, row["error_code"]) {
		return fmt.Errorf("it failed with %s", row["error_code"])
	}
	if id == "" || record == nil {
		return nil
	}
	s, exists := record[id]
	switch {
	case !exists:
		return fmt.Errorf("the simulator has no session %s", id)
	case !s.Delivered:
		return fmt.Errorf("the answer that named session %s was never delivered", id)
	case state == job.Failed:
		spoilt := []simulator.Fault{simulator.WrongAmount, simulator.WrongCurrency, simulator.WrongReference, simulator.NoURL, simulator.BadURL}
		if !slices.Contains(spoilt, s.Fault) {
			return fmt.Errorf("it failed, though its session is good (%s)", s.Fault)
		}
		return nil
	case s.Fault != "" && s.Fault != simulator.NoExpiry:
		return fmt.Errorf("its session's answer was spoilt (%s)", s.Fault)
	case s.URL != url:
		return fmt.Errorf("its session's link is %s", s.URL)
	}
	expiry := ""
	if s.Fault != simulator.NoExpiry {
		expiry = s.Expires.Format(time.RFC3339)
	}
	if row["expires_at"] != expiry {
		return fmt.Errorf("its session expires at %s", expiry)
	}
	if reference := row["invoice_id"]; reference != "" && reference != s.Reference {
		return fmt.Errorf("its session is for %s", s.Reference)
	}
	if currency := row["currency"]; currency != "" && currency != s.Currency {
		return fmt.Errorf("its session is in %s", s.Currency)
	}
	asked, ok := new(big.Rat).SetString(row["amount"])
	if amount := row["amount"]; amount != "" && !ok {
		return fmt.Errorf("amount %q cannot be compared", amount)
	}
	if got, _ := new(big.Rat).SetString(s.Amount); ok && asked.Cmp(got) != 0 {
		return fmt.Errorf("its session is over %s", s.Amount)
	}
	return nil
}

// summaryKeys are the keys of --json, as the design fixes them.
var summaryKeys = []string{
	"job", "file", "environment", "rows", "lines", "created", "duplicate", "failed", "invalid", "unknown", "pending", "superseded",
	"attempts", "possible_orphans", "totals", "output", "rejected_output", "seconds",
}

func scriptSummary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: summary FILE LINE NAME=V…")
	}
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	number, err := strconv.Atoi(args[1])
	ts.Check(err)
	if number < 1 || number > len(lines) {
		ts.Fatalf("%s has %d lines", args[0], len(lines))
	}
	line := lines[number-1]
	keys, err := keysOf(line)
	ts.Check(err)
	if !slices.Equal(keys, summaryKeys) {
		ts.Fatalf("the keys are %v, want %v", keys, summaryKeys)
	}
	var summary map[string]any
	ts.Check(json.Unmarshal([]byte(line), &summary))
	for _, word := range args[2:] {
		e := parseExpectation(ts, word)
		if err := e.compare(dig(summary, e.name)); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
	}
}

// keysOf are the keys of a JSON object, in their order.
func keysOf(object string) ([]string, error) {
	decoder := json.NewDecoder(strings.NewReader(object))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, fmt.Errorf("%q is not an object (%w)", object, err)
	}
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, fmt.Sprint(key))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = fmt.Errorf("%q is more than an object", object)
		}
	}
	return keys, err
}

func scriptPrivate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: private FILE…")
	}
	for _, file := range args {
		checkPrivate(ts, file)
	}
}

func checkPrivate(ts *testscript.TestScript, file string) {
	info, err := os.Stat(ts.MkAbs(file))
	ts.Check(err)
	if info.Mode() != 0o600 {
		ts.Fatalf("%s has mode %v, want -rw-------", file, info.Mode())
	}
}

func scriptNowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nowhere TEXT")
	}
	text := args[0]
	for _, said := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(said), text) {
			ts.Fatalf("%s is on %s", text, said)
		}
	}
	for name, p := range running(ts) {
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
		ts.Check(err)
		if bytes.Contains(arguments, []byte(text)) {
			ts.Fatalf("%s is in the arguments of %s", text, name)
		}
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(text)) {
			ts.Fatalf("%s is in %s", text, path)
		}
		return err
	}))
	ts.Logf("looked into %d files", files)
}

func scriptRows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rows FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := []byte("invoice_id,customer_email,amount,currency\n")
	for row := range n {
		text = fmt.Appendf(text, "R-%d,customer%[1]d@example.com,%d.50,USD\n", row+1, row%900+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}
