// Command paylinks turns an invoice file into payment links: one Clink checkout session per row.
package main

import (
	"os"
	"runtime/debug"
	"syscall"
)

// Go's share of the memory stays under memoryLimit for any file up to some two million rows; beyond, where what the program
// must remember is more, it is collected harder. Below it garbage may wait: collecting it early took a tenth of a run's time.
// SQLite's share is some 20 MiB.
const (
	memoryLimit    = 44 << 20
	garbagePercent = 400
)

func main() {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
	// A core dump would hold the key. Where there is no such limit there is nothing to set.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv,
	}))
}
