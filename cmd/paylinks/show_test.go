//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/report"
)

// The record of a large job is shown whole and in order, and its table piece by piece: a wide row at its end must not be
// waited for by the first.
func TestShowOfManyAttempts(t *testing.T) {
	t.Parallel()
	const rows = 2*report.AlignedRows + 1
	d := newWorstDay(t, simulator.Config{}, rows-1, asUsual)
	wide := strings.Repeat("wide-", 20)
	file, err := os.OpenFile(d.input, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(wide + ",a@example.com,1.00,USD\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	d.must(exit.OK, "run", d.input)
	cmd, out, errs := paylinksCommand(t, nil, "show", "1", "--attempts", "--ledger", d.ledger, "--env", "simulator")
	d.start(cmd)
	d.end(cmd, errs, exit.OK)
	_, table, _ := strings.Cut(out.String(), "\nROW ")
	lines := strings.Split(strings.TrimSpace(table), "\n")[1:]
	if len(lines) != rows {
		t.Fatalf("%d attempts, want %d", len(lines), rows)
	}
	if strings.Contains(lines[0], strings.Repeat(" ", len(wide)/2)) || !strings.Contains(lines[rows-1], wide) {
		t.Errorf("the first attempt is %q, the last %q", lines[0], lines[rows-1])
	}
	for i, line := range lines[:rows-1] {
		if cells := strings.Fields(line); cells[0] != fmt.Sprint(i+2) || cells[1] != fmt.Sprintf("A-%d", i+1) {
			t.Fatalf("the attempt after row %d is %q", i+1, line)
		}
	}
}
