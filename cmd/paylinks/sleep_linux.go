package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep sleeps for so long, if it is more than nothing: some 0.1 ms more where the machine wakes threads promptly. time.Sleep
// may take a millisecond more. It keeps a thread to itself meanwhile.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
