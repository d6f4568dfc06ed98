package job

import (
	"fmt"
	"math/big"
	"time"
)

// Claim is another job's hold on an invoice: an item of it that is open or has a session. One that has failed, or whose
// session Clink said to have expired unpaid, is a claim against earlier jobs only.
type Claim struct {
	ItemID    int64
	JobID     int64
	State     State // Pending, Sending, Unknown, Created or Failed
	Hold      bool  // its job's policy is Hold
	Currency  string
	Amount    int64  // in 1/10,000 of the major unit
	Reference string // empty where its job was purged, and then so is URL
	SessionID string
	URL       string
	ExpiresAt time.Time
	CreatedAt time.Time
}

// live says whether its link can still be paid, as far as is known: without an expiry it is taken as live.
func (c Claim) live(now time.Time) bool {
	return c.State == Created && (c.ExpiresAt.IsZero() || c.ExpiresAt.After(now))
}

// Action is what becomes of an invoice when other jobs have it too.
type Action int

const (
	Send     Action = iota // nobody else holds it
	TakeOver               // all claims, none of them with a session, become superseded; then it is sent
	Reuse                  // it becomes duplicate, with Other's link
	Ask                    // Other's link has expired: Clink is asked whether it was paid
	Wait                   // Other may have a session, and waits for a person's word: so does this
	Refuse                 // Other has, or may have, a link for another amount
	GiveWay                // Other's job is later and has no live link: this becomes superseded
)

// Meeting is the action, and the claim that it is about.
type Meeting struct {
	Action Action
	Other  Claim
}

// Mine is what meets the claims.
type Mine struct {
	JobID    int64 // 0: of a job that is not in the ledger yet, which is later than all that are
	Currency string
	Amount   int64
	Hold     bool
}

// Meet decides for an invoice that the claims of other jobs are about. A link counts before a doubt, and a doubt
// before an open row: what can be paid, or may be payable, must not get a second link. What is still to be sent is sent
// as the latest job has it.
func Meet(mine Mine, claims []Claim, now time.Time) Meeting {
	same := func(c Claim) bool { return c.same(mine.Currency, mine.Amount) }
	later := func(c Claim) bool { return mine.JobID != 0 && c.JobID > mine.JobID }
	first := func(match func(Claim) bool) (Claim, bool) {
		for _, c := range claims {
			if match(c) {
				return c, true
			}
		}
		return Claim{}, false
	}
	for _, rule := range []struct {
		action Action
		match  func(Claim) bool
	}{
		{Reuse, func(c Claim) bool { return c.live(now) && same(c) }},
		{Refuse, func(c Claim) bool { return c.live(now) }},
		{GiveWay, later},
		{Refuse, func(c Claim) bool { return (c.State == Sending || c.State == Unknown) && !same(c) }},
		{Wait, func(c Claim) bool { return c.State == Sending || c.State == Unknown && (c.Hold || mine.Hold) }},
		{Ask, func(c Claim) bool { return c.State == Created }},
		{TakeOver, func(c Claim) bool { return true }},
	} {
		if other, found := first(rule.match); found {
			return Meeting{Action: rule.action, Other: other}
		}
	}
	return Meeting{Action: Send}
}

// MeetAlike decides at import for a row without an invoice id that is alike in everything with rows of other
// jobs: one that is open or live refuses it, since nothing can tell the two apart.
func MeetAlike(claims []Claim, now time.Time) Meeting {
	for _, c := range claims {
		if c.State != Created || c.live(now) {
			return Meeting{Action: Refuse, Other: c}
		}
	}
	return Meeting{Action: Send}
}

// Words for error_code where no attempt ended, but the item is not sent.
const (
	CodeConflict  = "conflict"  // another job has, or may have, a link for another amount
	CodeHeld      = "held"      // another job's item may have a session, and waits for a person's word
	CodeUnclear   = "unclear"   // Clink has not said what became of another job's expired link
	CodeUnsettled = "unsettled" // what Clink said of another job's expired link does not say what became of it
)

// Held says whose doubt an item of job mine waits for. With a person's word there, Other gives way to it.
func (m Meeting) Held(mine int64) string {
	return fmt.Sprintf("this invoice may have a session from job %d, which waits for a person's word: look it up at Clink; to send it again: paylinks retry %[1]d --unknown, and then paylinks resume %[2]d",
		m.Other.JobID, mine)
}

// Conflict says in a user's words why the meeting refuses the row, and what can be done.
func (m Meeting) Conflict(alike bool) (what, hint string) {
	switch {
	case alike:
		return fmt.Sprintf("a row that is alike in everything is %s in job %d", m.Other.holds(), m.Other.JobID),
			"give each row an invoice id, or say --allow-repeats if a second link is meant"
	case m.Other.State == Created:
		expiry := "it has no known expiry"
		if !m.Other.ExpiresAt.IsZero() {
			expiry = "wait until it expires at " + m.Other.ExpiresAt.UTC().Format(time.RFC3339)
		}
		return fmt.Sprintf("this invoice has a link for %s from job %d", m.Other.money(), m.Other.JobID),
			"use a new invoice id for the new amount, or " + expiry
	default:
		return fmt.Sprintf("this invoice may have a link for %s from job %d", m.Other.money(), m.Other.JobID),
			fmt.Sprintf("settle that first: paylinks show %d says how; or use a new invoice id", m.Other.JobID)
	}
}

func (c Claim) money() string {
	return c.Currency + " " + FormatAmount(big.NewInt(c.Amount), c.Currency)
}

func (c Claim) same(currency string, amount int64) bool {
	return c.Currency == currency && c.Amount == amount
}

func (c Claim) holds() string {
	switch c.State {
	case Created:
		return "live"
	case Unknown, Sending:
		return "in doubt"
	default:
		return "open"
	}
}
