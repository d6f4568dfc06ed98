package job

import (
	"fmt"
	"math/big"
	"time"
)

// Facts are what a ledger knows of an item that may matter to another item of the same invoice. A ledger supplies them as they are
// on record; [Resolve] alone says what they mean.
type Facts struct {
	ItemID int64
	JobID  int64 // 0: of a file that is not imported yet, whose job will be later than all others
	State  State
	Hold   bool // its job's policy is Hold
	NoID   bool // its row has no invoice id: it is told apart by its content
	Repeat bool // NoID, and its job says that identical rows are meant

	Currency string
	Amount   int64 // in 1/10,000 of the major unit
	Customer Customer

	Purged    bool // its job was purged: Customer, Reference and URL are gone
	Reference string
	SessionID string
	URL       string
	ExpiresAt time.Time // zero when Clink gave none
	CreatedAt time.Time
	Link      LinkStatus // what Clink last said of its link; empty while it has not
}

// Customer are the identifiers of a customer that were sent, empty where there was none.
type Customer struct {
	ID, Email, Reference string
}

// Action is what becomes of an item when other jobs have its invoice, too.
type Action int

const (
	Send     Action = iota // no other item counts
	TakeOver               // Resolution.TakenOver, none of which has a session, become superseded; then it is sent
	Reuse                  // it becomes duplicate, with Other's link
	Ask                    // Other's link has expired: Clink is asked whether it was paid
	Wait                   // Other may have a session, and waits for a person's word: so does this
	Refuse                 // see Resolution.Conflict
	GiveWay                // Other's job is later and has no live link: this becomes superseded
)

// Conflict is why an item is refused.
type Conflict string

const (
	IdenticalRow Conflict = "identical_row" // Other is a row with the same content, open or with a live link
	OtherMoney   Conflict = "other_money"   // Other has a live link for another amount or currency
	OtherDoubt   Conflict = "other_doubt"   // Other may have a session for another amount or currency
)

// Resolution is what [Resolve] decided, and the item that decided it.
type Resolution struct {
	Action    Action
	Other     Facts
	Conflict  Conflict // of Refuse
	TakenOver []Facts  // of TakeOver
}

// Resolve decides what becomes of an item, given the facts of all items of other jobs with the same invoice. A link counts before a
// doubt, and a doubt before an open row: what can be paid, or may be payable, must not get a second link. Among open rows the job
// that was imported last has the invoice.
func Resolve(this Facts, others []Facts, now time.Time) Resolution {
	if this.Repeat {
		return Resolution{Action: Send}
	}
	var counted []Facts
	for _, other := range others {
		if other.counts(this) {
			counted = append(counted, other)
		}
	}
	if this.NoID && this.JobID == 0 {
		return resolveIdentical(counted, now)
	}
	for _, rule := range []struct {
		action   Action
		conflict Conflict
		fits     func(Facts) bool
	}{
		{Reuse, "", func(other Facts) bool { return other.live(now) && other.sameMoney(this) }},
		{Refuse, OtherMoney, func(other Facts) bool { return other.live(now) }},
		{GiveWay, "", func(other Facts) bool { return other.laterThan(this) }},
		{Refuse, OtherDoubt, func(other Facts) bool { return other.inDoubt() && !other.sameMoney(this) }},
		{Wait, "", func(other Facts) bool {
			return other.State == Sending || other.State == Unknown && (other.Hold || this.Hold)
		}},
		{Ask, "", func(other Facts) bool { return other.State == Created }},
	} {
		for _, other := range counted {
			if rule.fits(other) {
				return Resolution{Action: rule.action, Other: other, Conflict: rule.conflict}
			}
		}
	}
	if len(counted) > 0 {
		return Resolution{Action: TakeOver, Other: counted[0], TakenOver: counted}
	}
	return Resolution{Action: Send}
}

// resolveIdentical decides at import for a row without an invoice id: nothing can tell it from an identical row of another job, so
// one that is open or has a live link refuses it.
func resolveIdentical(others []Facts, now time.Time) Resolution {
	for _, other := range others {
		if other.State != Created || other.live(now) {
			return Resolution{Action: Refuse, Other: other, Conflict: IdenticalRow}
		}
	}
	return Resolution{Action: Send}
}

// counts says whether the item matters to this one at all: it is open or has a link that may have been paid; one of a later job also
// when it has failed or its link has ended.
func (f Facts) counts(this Facts) bool {
	if f.Repeat && !(this.NoID && this.JobID == 0) {
		return false
	}
	switch f.State {
	case Pending, Sending, Unknown:
		return true
	case Created:
		return f.Link != LinkExpired || f.laterThan(this)
	case Failed:
		return f.laterThan(this)
	}
	return false
}

func (f Facts) laterThan(this Facts) bool { return this.JobID != 0 && f.JobID > this.JobID }

func (f Facts) inDoubt() bool { return f.State == Sending || f.State == Unknown }

// live says whether its link can still be paid, as far as is known: without an expiry it is taken as live.
func (f Facts) live(now time.Time) bool {
	return f.State == Created && (f.ExpiresAt.IsZero() || f.ExpiresAt.After(now))
}

func (f Facts) sameMoney(this Facts) bool {
	return f.Currency == this.Currency && f.Amount == this.Amount
}

func (f Facts) money() string {
	return f.Currency + " " + FormatAmount(big.NewInt(f.Amount), f.Currency)
}

// Blocked says whether an open item still waits for a person: its code is [CodeHeld] or [CodeUnsettled], and another item of its
// invoice is still as that code found it.
func Blocked(code string, this Facts, others []Facts) bool {
	for _, other := range others {
		switch {
		case !other.counts(this):
		case code == CodeHeld && other.inDoubt(), code == CodeUnsettled && other.State == Created && other.Link != LinkExpired:
			return true
		}
	}
	return false
}

// Words for error_code where no attempt ended, but the item is not sent.
const (
	CodeConflict  = "conflict"  // see Conflict
	CodeHeld      = "held"      // another job's item may have a session, and waits for a person's word
	CodeUnclear   = "unclear"   // Clink has not said what became of another job's expired link
	CodeUnsettled = "unsettled" // what Clink said of another job's expired link does not say what became of it
)

// Code is the word for error_code that goes with the resolution, or "".
func (r Resolution) Code() string {
	switch r.Action {
	case Refuse:
		return CodeConflict
	case Wait:
		return CodeHeld
	}
	return ""
}

// Reason says in a user's words what the resolution means for the item of these facts; "" where it is sent.
func (r Resolution) Reason(this Facts) string {
	switch r.Action {
	case Reuse:
		note := fmt.Sprintf("link of job %d", r.Other.JobID)
		if r.Other.Link == LinkPaid {
			note += ", paid"
		}
		if !r.Other.Purged && r.Other.Customer != this.Customer {
			note += ", made for another customer; to have one for this customer, use a new invoice id"
		}
		return note
	case GiveWay:
		return fmt.Sprintf("taken over by job %d", r.Other.JobID)
	case Wait:
		return fmt.Sprintf("this invoice may have a session from job %d, which waits for a person's word: look it up at Clink", r.Other.JobID)
	case Refuse:
		return r.What() + "; " + r.Advice()
	}
	return ""
}

// What says why the item is refused.
func (r Resolution) What() string {
	job := r.Other.JobID
	switch r.Conflict {
	case IdenticalRow:
		switch {
		case r.Other.State == Created:
			return fmt.Sprintf("an identical row has a live link in job %d", job)
		case r.Other.inDoubt():
			return fmt.Sprintf("an identical row is in doubt in job %d", job)
		}
		return fmt.Sprintf("an identical row is open in job %d", job)
	case OtherMoney:
		return fmt.Sprintf("this invoice has a link for %s from job %d", r.Other.money(), job)
	case OtherDoubt:
		return fmt.Sprintf("this invoice may have a link for %s from job %d", r.Other.money(), job)
	}
	return ""
}

// Advice says what can be done about a refusal in the file, or by waiting.
func (r Resolution) Advice() string {
	switch {
	case r.Conflict == IdenticalRow:
		return "give each row an invoice id"
	case r.Conflict == OtherDoubt:
		return "settle that first, or use a new invoice id"
	case r.Other.ExpiresAt.IsZero():
		return "use a new invoice id for the new amount; that link has no known expiry"
	}
	return "use a new invoice id for the new amount, or wait until that link expires at " + r.Other.ExpiresAt.UTC().Format(time.RFC3339)
}
