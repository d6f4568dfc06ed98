package job

import (
	"context"
	"fmt"
	"time"
)

// Sender is a process that sends from a ledger, as it is on record there. A ledger that several hosts share has one of them for each
// process: it may send as long as it renews its lease, and another one takes its jobs over when the lease is over.
type Sender struct {
	ID         int64 // the fencing token: each attempt that it begins has it on record
	Doing      string
	Host       string
	Process    int
	Since      time.Time
	LeaseUntil time.Time // by the ledger's clock
	Over       bool      // the lease is over, or another sender has ended it: its jobs are free
	Jobs       []int64   // that it may send now

	Lease   time.Duration // how long it may send after each renewal
	Timeout time.Duration // the longest that one of its requests takes
}

func (s Sender) String() string {
	at := ""
	if s.Host != "" {
		at = " on " + s.Host
	}
	return fmt.Sprintf("paylinks %s (process %d%s, since %s)", s.Doing, s.Process, at, s.Since.UTC().Format(time.RFC3339))
}

// recoveryGrace is added to a sender's timeout: what it had handed to its kernel may still arrive.
const recoveryGrace = 10 * time.Second

// RecoverAfter is how long after it was fenced nothing of what a sender had begun is on its way any more.
func (s Sender) RecoverAfter() time.Duration { return s.Timeout + recoveryGrace }

// Budget is the pace of all senders at one address, of sessions and questions alike. Its methods may be called by several goroutines.
type Budget interface {
	// SetRate sets the requests a second for all senders where it is explicit, or where nobody has set them yet, and returns what
	// holds. 0 is no limit.
	SetRate(ctx context.Context, perSecond float64, explicit bool) (float64, error)

	// Take reserves the next n sends, or fewer where the rest is beyond a pause. It does not wait for their time. With 0 it reserves
	// none, and only tells of the rate and of a pause.
	Take(ctx context.Context, n int) (Block, error)

	// Throttled records for all senders that Clink throttled a request that had left so long ago, and asked for a pause; 0: it named
	// none. It returns until when nobody sends.
	Throttled(ctx context.Context, sentAgo, retryAfter time.Duration) (pausedUntil time.Time, err error)
}

// Block is a part of a [Budget]: N requests, of which the first may leave at Start and each other one Every later. Times are this
// process's. Where there is no limit, Every is 0 and any number may leave from Start until End.
type Block struct {
	Start     time.Time
	End       time.Time // what has not left by then stays: it belongs to no block
	N         int
	Every     time.Duration
	PerSecond float64   // the rate now; 0 is no limit
	Paused    time.Time // nobody sends until then; zero: there is no pause
}
