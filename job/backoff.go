package job

import "time"

const (
	backoffFirst = time.Second
	backoffMost  = time.Minute
)

// Backoff is how long an item waits after its n-th end without an answer (n ≥ 1): 1 s, doubling to 60 s, less
// up to a quarter by jitter in [0,1), so that items that failed together do not come back together.
func Backoff(n int, jitter float64) time.Duration {
	wait := doubled(backoffFirst, n-1, backoffMost)
	return wait - time.Duration(jitter*float64(wait)/4)
}

// doubled is first·2ⁿ, at most most.
func doubled(first time.Duration, n int, most time.Duration) time.Duration {
	wait := first
	for range n {
		if wait >= most {
			return most
		}
		wait *= 2
	}
	return min(wait, most)
}
