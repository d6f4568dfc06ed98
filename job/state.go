package job

// State is an item's state. A ledger's constraints know the same words.
type State string

const (
	// Pending: not sent, or known not to have reached Clink. The runner moves it next; a crash leaves it.
	Pending State = "pending"
	// Sending: an attempt is on record and may have reached Clink. The runner moves it, with the answer; after
	// a crash the next sender to open the ledger marks it unknown.
	Sending State = "sending"
	// Unknown: Clink may or may not have made a session. The runner moves it under [Retry], a person under
	// [Hold] or when its attempts are used up; a crash leaves it. Attempts that reach nothing leave it, too.
	Unknown State = "unknown"
	// Created: has its link.
	Created State = "created"
	// Duplicate: this invoice has a live or paid link from another job, and that link is reported. Final.
	Duplicate State = "duplicate"
	// Failed: Clink refused it for a reason that trying again will not change, or answered something else than
	// asked. A person moves it.
	Failed State = "failed"
	// Invalid: the row itself is wrong. A person moves it, in the file.
	Invalid State = "invalid"
	// Superseded: a later job took this invoice over before it had a link. Final.
	Superseded State = "superseded"
)

// States are all the states, in the order in which they are shown.
var States = []State{Created, Duplicate, Failed, Invalid, Unknown, Sending, Pending, Superseded}
