package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	const mib = 1 << 20
	for live, want := range map[int64]int64{
		0:          memoryFloor,
		5 * mib:    memoryFloor,
		30 * mib:   memoryFloor,
		33 * mib:   48 * mib,
		34 * mib:   48 * mib,
		60 * mib:   80 * mib,
		60*mib + 1: 88 * mib,
		300 * mib:  400 * mib,
	} {
		if got := memoryLimit(live); got != want {
			t.Errorf("with %d MiB in use the limit is %d MiB, want %d", live/mib, got/mib, want/mib)
		}
	}
}
