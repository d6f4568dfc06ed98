//go:build !linux

package postgres

import "time"

var started = time.Now()

// boottime goes on while the machine sleeps: it is the later of the clock that nobody sets, and of the wall clock.
func boottime() time.Duration {
	return max(time.Since(started), time.Now().Round(0).Sub(started.Round(0)))
}
