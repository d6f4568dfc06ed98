package job

import (
	"time"

	"paylinks/clink"
)

// AdoptedItem is a row of a links file on its way into a ledger. Its Reference is empty where the row has no invoice id: the file does
// not say which reference Clink was given.
type AdoptedItem struct {
	NewItem
	State     State // Created, of a row with a link, or Unknown
	SessionID string
	URL       string
	ExpiresAt time.Time
	CreatedAt time.Time
	Link      LinkStatus
	CheckedAt time.Time
	Reason    string // of one that is Unknown: why its answer was lost
}

// NewAdoptedItem makes an item of a good row of a links file; what the file says of its link is still to be filled in.
func (id Identity) NewAdoptedItem(row NewItem, state State) AdoptedItem {
	if row.InvoiceID == "" {
		row.Reference = ""
	}
	return AdoptedItem{NewItem: row, State: state}
}

// facts are the item's, with its link, for the comparison with other items.
func (a *AdoptedItem) facts() Facts {
	f := a.NewItem.Facts(true, false)
	f.State, f.SessionID, f.ExpiresAt, f.Link = a.State, a.SessionID, a.ExpiresAt, a.Link
	return f
}

// SessionRecord is what a ledger knows of a session: the facts of the item that has it, or had it. Of an item of another invoice only
// its number and its job's are known.
type SessionRecord struct {
	Facts
	SameInvoice bool
	Replaced    bool // its link expired unpaid, and was given up for a new one
	Unpublished bool // it was not what was asked for
}

// AdoptAction is what becomes of a row of a links file.
type AdoptAction int

const (
	LeaveKnown  AdoptAction = iota // the ledger knows all that counts
	TakeRow                        // it becomes an item of the adopted job
	TakePayment                    // the item with its session is paid or refunded, as the row says
)

// AdoptConflict is how a row of a links file contradicts the ledger.
type AdoptConflict string

const (
	SessionOfOtherInvoice  AdoptConflict = "session_of_other_invoice"
	SessionOfOtherMoney    AdoptConflict = "session_of_other_money"
	SessionOfOtherCustomer AdoptConflict = "session_of_other_customer"
	SessionUnpublished     AdoptConflict = "session_unpublished" // on record as one that was not what was asked for
	SessionReplaced        AdoptConflict = "session_replaced"    // on record as expired unpaid and given up for a new one, and the file says that it is paid
	SecondLink             AdoptConflict = "second_link"         // the invoice has another link, live or paid; the row is taken all the same
)

// Adoption is what was decided about a row of a links file, and the item that decided it.
type Adoption struct {
	Action   AdoptAction
	Conflict AdoptConflict // empty: none
	Other    Facts
}

// Adopt decides what a ledger takes of a row of a links file: known is the ledger's record of the row's session, nil where it has none,
// and others are the facts of all items of other jobs with the same invoice. Paid and refunded are final; nothing else that the ledger
// knows is changed. A doubt counts where its invoice has neither a link, live or paid, nor a doubt on record.
func (a *AdoptedItem) Adopt(known *SessionRecord, others []Facts, repeat bool, now time.Time) Adoption {
	if a.State == Unknown {
		for _, other := range others {
			if other.linked(now) || other.State == Unknown || other.State == Sending {
				return Adoption{Other: other}
			}
		}
		return Adoption{Action: TakeRow}
	}
	this := a.facts()
	if known == nil {
		return Adoption{Action: TakeRow}.against(this, others, repeat, now)
	}
	adoption := Adoption{Other: known.Facts}
	switch {
	case known.Unpublished:
		adoption.Conflict = SessionUnpublished
	case !known.SameInvoice:
		adoption.Conflict = SessionOfOtherInvoice
	case !known.sameMoney(this):
		adoption.Conflict = SessionOfOtherMoney
	case !known.sameCustomer(this):
		adoption.Conflict = SessionOfOtherCustomer
	case known.Replaced && a.Link.Settled():
		adoption.Conflict = SessionReplaced
	case known.Replaced:
	case a.Link == LinkRefunded && known.Link != LinkRefunded, a.Link == LinkPaid && !known.Link.Settled():
		adoption.Action = TakePayment
	}
	return adoption
}

// against finds another link of the invoice that a customer could pay, or has paid, beside this one.
func (a Adoption) against(this Facts, others []Facts, repeat bool, now time.Time) Adoption {
	if !this.linked(now) || repeat {
		return a
	}
	for _, other := range others {
		if other.linked(now) && !other.Repeat {
			a.Conflict, a.Other = SecondLink, other
			break
		}
	}
	return a
}

// RowAdoption is what was decided about the row on this line.
type RowAdoption struct {
	Line int
	Adoption
}

// Adopted is what came of a links file that a ledger was to take in.
type Adopted struct {
	Job       Job // its number is 0 where no row was taken
	Links     int // rows that were taken with their link
	Doubts    int // rows that were taken in doubt
	Known     int // rows whose session the ledger knew, or whose doubt
	Payments  int // of those that were known: links that are paid or refunded now
	Conflicts []RowAdoption
}

// UsableSession says whether we take this as a session's id.
func UsableSession(id string) bool { return isSessionID(id) }

// UsableLink says whether a customer can be sent to the URL of a session that was asked for so.
func UsableLink(link string, asked clink.SessionRequest) bool {
	return link == "" && asked.UIMode == "elements" || unusable(link) == ""
}
