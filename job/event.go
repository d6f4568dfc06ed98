package job

import "time"

// Event is something that an observer of a run may want to show: [Moved], [Paused], [Unanswered] or [Flowing].
type Event interface{ event() }

// Moved: the runner has done what it could for an item for now, and it is on record. The item is the runner's: read it before
// Observe returns.
type Moved struct {
	Item     *Item
	From     State // before
	Attempt  int   // its number; 0 when no request for a new session was sent
	Decision Decision
	Status   int           // HTTP status; 0 when there was no answer
	Took     time.Duration // from the request to the answer
	Retried  bool          // it comes back in this run
	Link     LinkStatus    // what Clink said of the item's own link, where it was asked
}

// Paused: Clink throttles, and nothing is sent until then.
type Paused struct {
	Until     time.Time
	PerSecond float64 // the rate after the pause; 0 is no limit
}

// Unanswered: Clink does not answer. Nothing is sent but one probe at a time, the next one then.
type Unanswered struct {
	Next   time.Time
	Reason string // how the last attempt ended
	Begun  bool   // the outage has just begun: no probe has been sent yet
}

// Flowing: a pause or an outage is over.
type Flowing struct{}

func (Moved) event()      {}
func (Paused) event()     {}
func (Unanswered) event() {}
func (Flowing) event()    {}
