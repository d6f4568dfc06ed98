package main

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"paylinks/cmd/paylinks/exit"
)

// BenchmarkRun is a whole run in this process against a simulator in another one, for profiles:
//
//	go test ./cmd/paylinks -run '^$' -bench '^BenchmarkRun$' -benchtime 1x -cpuprofile cpu.prof
//
// How fast the program is as a process, beside what else there is, make bench tells.
func BenchmarkRun(b *testing.B) {
	boundMemory()
	const rows = 40_000
	simulator := exec.CommandContext(b.Context(), builtProgram(b), "simulator", "--addr", "127.0.0.1:0", "--keep-no-record")
	out, err := simulator.StdoutPipe()
	if err == nil {
		err = simulator.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = simulator.Process.Kill()
		_ = simulator.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(line), " at ")
	if err != nil || !found {
		b.Fatalf("the simulator said %q, %v", line, err)
	}
	input := invoices(b, rows)
	b.ReportAllocs()
	for b.Loop() {
		got := paylinksHere(b, nil, "run", input, "--env", "simulator", "--base-url", address, "--rate", "0",
			"--concurrency", "64", "--ledger", filepath.Join(b.TempDir(), "ledger.db"))
		if got.status != exit.OK {
			b.Fatalf("status %d: %s", got.status, got.err)
		}
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
}
