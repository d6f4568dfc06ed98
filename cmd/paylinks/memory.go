package main

import (
	"os"
	"runtime/debug"
	gometrics "runtime/metrics"
	"time"
)

// Go's share of the memory stays under memoryFloor, SQLite's being some 20 MiB, unless what is in use comes near it: of a
// file beyond some million rows so much must be remembered to find an invoice that stands in it twice. Below the limit
// garbage may wait: collecting it early took a tenth of a run's time.
const (
	memoryFloor    = 44 << 20
	garbagePercent = 400
	memoryEvery    = 100 * time.Millisecond
)

// boundMemory sets the limit for as long as the program runs; GOGC and GOMEMLIMIT have the last word.
func boundMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); set {
		return
	}
	debug.SetMemoryLimit(memoryFloor)
	go func() {
		live := []gometrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for limit := int64(memoryFloor); ; {
			<-time.After(memoryEvery)
			gometrics.Read(live)
			if next := memoryLimit(int64(live[0].Value.Uint64())); next != limit {
				limit = next
				debug.SetMemoryLimit(limit)
			}
		}
	}()
}

// memoryLimit leaves a third of what is in use for garbage, in steps of 8 MiB: with less the program would do little but
// collect it.
func memoryLimit(live int64) int64 {
	const step = 8 << 20
	return max(memoryFloor, (live*4/3+step-1)/step*step)
}
