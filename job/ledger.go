package job

import (
	"context"
	"time"
)

// Ledger is what a [Runner] asks of a ledger. What its methods record is durable when they return, and for End when it calls back:
// they take no context, since a record must not be cut short. Any error means that nothing was recorded and that the run must
// stop. All methods may be called by several goroutines at once; what one goroutine asks for first is durable first.
type Ledger interface {
	// Open returns up to n items of the job that are pending or unknown, in the file's order, with ids above after. Those that
	// have suspect ends are left out: Suspects returns them, likewise.
	Open(ctx context.Context, jobID, after int64, n int) ([]Item, error)
	Suspects(ctx context.Context, jobID, after int64, n int) ([]Item, error)

	// Recover makes unknown what senders that are gone have left sending in the job, as far as nothing of it can be on its way any
	// more, and returns those items. wait is how long until more can be recovered; 0: nothing is left.
	Recover(jobID int64) (items []Item, wait time.Duration, err error)

	// KnownSession is the session that was made last at the job's address, as far as the ledger knows; "" where there is none.
	KnownSession(ctx context.Context, jobID int64) (string, error)

	// Begin resolves the item's invoice against other jobs' items (see Resolve) and records what follows. For Send and TakeOver
	// that is the intent: the item is sending, and the attempt with the returned number is on record. For Reuse the item is
	// duplicate, for Refuse failed, for GiveWay superseded; for Wait it stays as it is, with the reason. For Ask and Later nothing
	// changes.
	// The item's state and attempts must be those on record, else the error is ErrMoved; where other senders may change them, the action
	// is Overtaken instead, and the item is as it is on record. stopped, which may be nil, is asked when
	// everything asked for before is on record or has failed: when it says yes, nothing changes, and the error is ErrStopped.
	Begin(item *Item, at time.Time, stopped func() bool) (Resolution, int, error)

	// End records the end of the item's attempt with this number. It does not wait, but calls recorded with the decision
	// that is on record: a session that another item has published already, which only a liar between us and Clink
	// can answer, is a mismatch. recorded must return at once.
	End(item *Item, number int, end End, recorded func(Decision, error))

	// Refuse makes an open item failed, with a word and a text on why.
	Refuse(item *Item, code, text string) error

	// Links returns up to n items with a link that the query is about, in the file's order, with ids above after.
	Links(ctx context.Context, q LinkQuery, after int64, n int) ([]Item, error)

	// LastChecked is the job's item whose link Clink has spoken of last, or 0.
	LastChecked(ctx context.Context, jobID int64) (int64, error)

	// Checked records what Clink says of the link of a created or duplicate item: with it and with all that share it. One that is
	// known to be paid stays so, but for a refund, and one that is refunded stays so.
	Checked(itemID int64, status LinkStatus, at time.Time) error

	// Replace records that the link of a created item has expired unpaid, and puts the item back to pending. Its
	// session stays on record with the attempt that made it. Duplicates that share it get the link that the item gets next. The links
	// files that have the old link are no longer written.
	Replace(item *Item, at time.Time) error

	// Note leaves an open or created item as it is, with a word and a text on why. Of a created one they go when Clink says how far its
	// link is.
	Note(item *Item, code, text string) error
}

// End is how an attempt ended, with the session's data where there is one.
type End struct {
	Decision
	At        time.Time
	Status    int // HTTP status; 0 when there was no answer
	SessionID string
	URL       string // only a created item's is published
	Customer  string // the customer id that Clink answered with
	ExpiresAt time.Time
}
