//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"

	"paylinks/clink/simulator"
)

// The record of a large job, whose table is aligned piece by piece, is shown whole and in order.
func TestShowOfManyAttempts(t *testing.T) {
	t.Parallel()
	const rows = 2*alignedRows + 1
	d := newWorstDay(t, simulator.Config{}, rows, asUsual)
	d.must(exitOK, "run", d.input)
	cmd, out, errs := paylinksCommand(t, nil, "show", "1", "--attempts", "--ledger", d.ledger, "--env", "simulator")
	d.start(cmd)
	d.end(cmd, errs, exitOK)
	_, table, _ := strings.Cut(out.String(), "\nROW ")
	lines := strings.Split(strings.TrimSpace(table), "\n")[1:]
	if len(lines) != rows {
		t.Fatalf("%d attempts, want %d", len(lines), rows)
	}
	for i, line := range lines {
		if cells := strings.Fields(line); cells[0] != fmt.Sprint(i+2) || cells[1] != fmt.Sprintf("A-%d", i+1) {
			t.Fatalf("the attempt after row %d is %q", i+1, line)
		}
	}
}
