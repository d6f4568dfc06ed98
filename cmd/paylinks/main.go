// Command paylinks turns an invoice file into payment links: one Clink checkout session per row.
package main

import (
	"os"
	"syscall"

	"paylinks/cmd/paylinks/options"
)

func main() {
	boundMemory()
	// A core dump would hold the key. Where there is no such limit there is nothing to set.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], options.Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv,
	}))
}
