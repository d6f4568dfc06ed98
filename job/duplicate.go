package job

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Facts are what a ledger knows of an item that may matter to another item of the same invoice. A ledger supplies them as they are
// on record; [Resolve] alone says what they mean.
type Facts struct {
	ItemID int64
	JobID  int64 // 0: of a file that is not imported yet
	Ran    int64 // the place of its job among all, by when the job's file was last run; of a job that is not imported it does not count
	State  State
	Hold   bool // its job's policy is Hold
	NoID   bool // its row has no invoice id: it is told apart by what is sent for it
	Repeat bool // NoID, and its job says that identical rows are meant

	Currency string
	Amount   int64 // in 1/10,000 of the major unit
	Customer Customer

	Purged    bool   // its job was purged: its URL is gone, and Customer and Reference are digests made with Salt
	Salt      string // see Seal
	Reference string
	SessionID string
	URL       string
	ExpiresAt time.Time // zero when Clink gave none
	CreatedAt time.Time
	Link      LinkStatus // what Clink last said of its link; empty while it has not
	CheckedAt time.Time  // when Clink said so
	GivenUp   bool       // a person has said to go on without its link, which has ended and of which Clink does not say whether it was paid

	Refused   bool       // because of another job, or of another file of a run: its code is CodeConflict
	Importing bool       // of this item alone: its file is being run
	Heard     LinkStatus // of another item: what Clink said of its link when it was asked for this item; empty: it was not asked
}

// Customer are the identifiers of a customer, empty where there is none: those that were sent, and in ID, where none was sent, the one
// that Clink answered with.
type Customer struct {
	ID, Email, Reference string
}

// The identifiers that [Seal] knows.
const (
	SealInvoiceID         = "invoice id"
	SealReference         = "reference"
	SealCustomerID        = "customer id"
	SealCustomerEmail     = "customer email"
	SealCustomerReference = "customer reference"
)

// Seal is what a purge leaves of an identifier of the kind: it recognises the identifier and does not tell it. An empty one stays
// empty.
func Seal(salt, kind, identifier string) string {
	if identifier == "" {
		return ""
	}
	sum := digest(salt, kind, normal(kind, identifier))
	return hex.EncodeToString(sum[:sha256.Size/2])
}

// normal is the identifier as it is compared: an email without regard to case, a reference however its accents are encoded.
func normal(kind, identifier string) string {
	switch kind {
	case SealCustomerEmail:
		return strings.ToLower(identifier)
	case SealReference:
		return norm.NFC.String(identifier)
	}
	return identifier
}

// Action is what becomes of an item when other jobs have its invoice, too.
type Action int

const (
	Send      Action = iota // no other item counts
	TakeOver                // Resolution.TakenOver, none of which has a session, become superseded; then it is sent
	Reuse                   // it becomes duplicate, with Other's link
	Ask                     // Other's link has ended, or may have: Clink is asked whether it was paid
	Later                   // Other is being sent: this is looked at again when that has ended
	Wait                    // Other may have a session, and waits for a person's word: so does this
	Refuse                  // see Resolution.Conflict
	Overtaken               // another sender has moved the item on meanwhile: nothing is left to do
	GiveWay                 // Other's job was run later, and has no live link: this becomes superseded
)

// Conflict is why an item is refused.
type Conflict string

const (
	IdenticalRow  Conflict = "identical_row"  // Other is a row for which the same was sent, open or with a link that is live or paid
	OtherMoney    Conflict = "other_money"    // Other has a link, live or paid, for another amount or currency
	OtherCustomer Conflict = "other_customer" // Other has a link, live or paid, for another customer
)

// Resolution is what [Resolve] decided, and the item that decided it.
type Resolution struct {
	Action    Action
	Other     Facts
	Conflict  Conflict // of Refuse
	TakenOver []Facts  // of TakeOver
}

// Resolve decides what becomes of an item, given the facts of all items of other jobs with the same invoice. The first rule that fits
// any of them decides. A link counts before a doubt, and a doubt before an open row: what can be paid, was paid, or may be payable
// must not get a second link. Among open rows the job whose file was run last has the invoice.
func Resolve(this Facts, others []Facts, now time.Time) Resolution {
	if this.Repeat {
		return Resolution{Action: Send}
	}
	if !this.Importing {
		// A row that is meant to be sent beside this one, since that was there first, leaves it alone. One that has made its link before
		// the file of this was run counts, as it did then.
		others = slices.DeleteFunc(slices.Clone(others), func(other Facts) bool {
			return other.Repeat && (other.State != Created || other.ranAfter(this))
		})
	}
	for _, rule := range []struct {
		action   Action
		conflict Conflict
		fits     func(Facts) bool
	}{
		{Refuse, IdenticalRow, func(other Facts) bool { return this.NoID && other.linked(now) }},
		{Refuse, OtherMoney, func(other Facts) bool { return other.linked(now) && !other.sameMoney(this) }},
		{Refuse, OtherCustomer, func(other Facts) bool { return other.linked(now) && !other.sameCustomer(this) }},
		{Reuse, "", func(other Facts) bool { return other.State == Created && other.Link.Settled() }}, // nobody is to pay another one
		{Reuse, "", func(other Facts) bool { return other.linked(now) }},
		{Ask, "", func(other Facts) bool { return other.State == Created && other.Heard != LinkExpired && !other.GivenUp }},
		{Refuse, IdenticalRow, func(other Facts) bool { return this.NoID && this.Importing && other.Open() }},
		{Later, "", func(other Facts) bool { return other.State == Sending }},
		{Wait, "", func(other Facts) bool { return other.State == Unknown && (other.Hold || this.Hold) }},
		{GiveWay, "", func(other Facts) bool { return other.Open() && other.ranAfter(this) }},
		{GiveWay, "", func(other Facts) bool { return other.State == Failed && !other.Purged && other.ranAfter(this) }},
	} {
		for _, other := range others {
			if rule.fits(other) {
				return Resolution{Action: rule.action, Other: other, Conflict: rule.conflict}
			}
		}
	}
	open := slices.DeleteFunc(others, func(other Facts) bool { return !other.Open() })
	if len(open) > 0 {
		return Resolution{Action: TakeOver, Other: open[0], TakenOver: open}
	}
	return Resolution{Action: Send}
}

// Open says whether a runner or a person still moves it towards a link.
func (f Facts) Open() bool { return f.State == Pending || f.State == Sending || f.State == Unknown }

// ranAfter says whether its job's file was run after that of this.
func (f Facts) ranAfter(this Facts) bool { return this.JobID != 0 && f.Ran > this.Ran }

// linked says whether it has a link that can be paid, as far as is known, or that was paid. Without an expiry a link is taken as live.
// What Clink said when it was just asked counts before the clock.
func (f Facts) linked(now time.Time) bool {
	if f.State != Created {
		return false
	}
	if f.Link.Settled() {
		return true
	}
	switch f.Heard {
	case LinkExpired:
		return false
	case "":
		return !f.ended(now)
	}
	return true
}

// ended says whether its link can no longer be paid, as far as is known, and was not.
func (f Facts) ended(now time.Time) bool {
	return !f.Link.Settled() && (f.Link == LinkExpired || !f.ExpiresAt.IsZero() && !f.ExpiresAt.After(now))
}

// Again says whether another job has decided about the item, so that running its file again looks at it again. So it is, too, with an
// item that was refused because of another job; that shows only in its code.
func (f Facts) Again(now time.Time) bool {
	return f.State == Superseded || f.State == Duplicate && f.ended(now)
}

func (f Facts) sameMoney(this Facts) bool {
	return f.Currency == this.Currency && f.Amount == this.Amount
}

// sameCustomer says whether an identifier of the customer is in both, and none that both have differs.
func (f Facts) sameCustomer(this Facts) bool {
	same := false
	for _, id := range []struct{ kind, of, this string }{
		{SealCustomerID, f.Customer.ID, this.Customer.ID},
		{SealCustomerEmail, f.Customer.Email, this.Customer.Email},
		{SealCustomerReference, f.Customer.Reference, this.Customer.Reference},
	} {
		switch {
		case id.of == "" || id.this == "":
		case !f.is(id.kind, id.of, id.this):
			return false
		default:
			same = true
		}
	}
	return same
}

// is says whether the identifier, as its job has it, is the one given in clear.
func (f Facts) is(kind, own, given string) bool {
	if f.Purged {
		return own == Seal(f.Salt, kind, given)
	}
	return normal(kind, own) == normal(kind, given)
}

func (f Facts) money() string {
	return f.Currency + " " + FormatAmount(big.NewInt(f.Amount), f.Currency)
}

// Blocked says whether an open item still waits for a person, and because of which job: its code is [CodeHeld] or [CodeUnsettled], and
// resolving it anew would come to the same.
func Blocked(code string, this Facts, others []Facts, now time.Time) (by int64, blocked bool) {
	r := Resolve(this, others, now)
	return r.Other.JobID, code == CodeHeld && r.Action == Wait || code == CodeUnsettled && r.Action == Ask
}

// Words for error_code where no attempt ended, but the item is not sent.
const (
	CodeConflict  = "conflict"  // see Conflict; or another file of the run asks for something else
	CodeHeld      = "held"      // another job's item may have a session, and waits for a person's word
	CodeUnclear   = "unclear"   // Clink has not said what became of another job's link
	CodeUnsettled = "unsettled" // what Clink said of another job's link does not say what became of it: a person must
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

// Reason says in a user's words what the resolution means for the item; "" where it is sent.
func (r Resolution) Reason() string {
	job := r.Other.JobID
	switch r.Action {
	case Reuse:
		reason := fmt.Sprintf("link of job %d", job)
		switch {
		case r.Other.Link.Settled():
			reason += ", " + string(r.Other.Link)
		case r.Other.Heard != "":
			reason += ", which is past its time, but Clink says it is " + string(r.Other.Heard)
		}
		if r.Other.Purged {
			reason += "; the link itself was purged"
		}
		return reason
	case GiveWay:
		return fmt.Sprintf("taken over by job %d", job)
	case Wait:
		return fmt.Sprintf("this invoice may have a session from job %d, which waits for a person's word: look it up at Clink", job)
	case Refuse:
		return r.What() + "; " + r.Advice()
	}
	return ""
}

// What says why the item is refused.
func (r Resolution) What() string {
	job, link := r.Other.JobID, "a live link"
	if r.Other.Link.Settled() {
		link = "a link, " + string(r.Other.Link) + ","
	}
	switch {
	case r.Conflict == IdenticalRow && r.Other.State == Created:
		return fmt.Sprintf("a row that asks for the same has %s in job %d", link, job)
	case r.Conflict == IdenticalRow && r.Other.State == Pending:
		return fmt.Sprintf("a row that asks for the same is open in job %d", job)
	case r.Conflict == IdenticalRow:
		return fmt.Sprintf("a row that asks for the same is in doubt in job %d", job)
	case r.Conflict == OtherMoney:
		return fmt.Sprintf("this invoice has %s for %s from job %d", link, r.Other.money(), job)
	case r.Conflict == OtherCustomer:
		return fmt.Sprintf("this invoice has %s for another customer from job %d", link, job)
	}
	return ""
}

// Advice says what can be done about a refusal in the file, or by waiting.
func (r Resolution) Advice() string {
	switch {
	case r.Conflict == IdenticalRow:
		return "give each row an invoice id"
	case r.Other.Link.Settled():
		return "use a new invoice id"
	case r.Other.ExpiresAt.IsZero():
		return "use a new invoice id; that link has no known expiry"
	}
	return "use a new invoice id, or wait until that link expires at " + r.Other.ExpiresAt.UTC().Format(time.RFC3339)
}
