package postgres

import (
	"time"

	"golang.org/x/sys/unix"
)

// boottime is a clock that goes on while the machine sleeps, and that nobody sets.
func boottime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic(err) // Linux has this clock since 2.6.39
	}
	return time.Duration(now.Nano())
}
