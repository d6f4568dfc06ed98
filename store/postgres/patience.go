package postgres

import (
	"context"
	"errors"
	"time"
)

const (
	// readPatience is how long a read that has told nothing yet is made again while the server restarts or cannot be reached.
	readPatience = 30 * time.Second
	// firstPause is the first pause between two tries; each later one is twice as long, up to longestPause.
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// again does what reads, and does it again as long as the connection is lost: it must begin anew each time. The error is told as a user
// can act on it.
func (r *Reader) again(ctx context.Context, read func() error) error {
	return r.explain(persist(ctx, readPatience, read))
}

// persist does it until it ends in anything but a lost connection or a server that takes no changes yet, at most for so long.
func persist(ctx context.Context, patience time.Duration, do func() error) error {
	deadline := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := do()
		if _, told := errors.AsType[toldAlready](err); told {
			return err
		}
		if !Lost(err) && !takesNoChanges(err) || ctx.Err() != nil || time.Now().Add(pause).After(deadline) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// toldAlready is the error of a read that has told something, and cannot begin anew.
type toldAlready struct{ error }

func (e toldAlready) Unwrap() error { return e.error }
