package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"paylinks/cmd/paylinks/exit"
)

// untilSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends; the second quits at once. A write to
// a closed pipe is an error of that write, and does not end the program in the middle of its work. Under nohup, which
// has SIGHUP ignored, it stays ignored.
func untilSignal() (context.Context, func()) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exit.Interrupted)
	}()
	return ctx, cancel
}
