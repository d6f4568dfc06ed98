package job

import (
	"time"

	"paylinks/clink"
)

// Item is an invoice inside a job, as far as sending it needs.
type Item struct {
	ID          int64
	JobID       int64
	Row         int // physical line in the input where the record starts; the header is line 1
	State       State
	InvoiceID   string // empty when the row has none
	Reference   string // merchantReferenceId at Clink; empty where it is not known: of an adopted row without an invoice id
	Currency    string
	Amount      int64 // in 1/10,000 of the major unit
	Request     clink.Request
	Attempts    int    // on record so far
	UnknownEnds int    // attempts that ended unknown since import, or since a person put the item back
	SuspectEnds int    // attempts that ended with an outcome that is suspect (see Outcome.Suspect) since the last that Clink answered
	Hold        bool   // its job's policy is Hold: it may be another's than the one that is being run
	Repeat      bool   // it has no invoice id, and identical rows are meant: no other job's row is the same invoice
	SessionID   string // not empty: Clink is asked about this link, and nothing is sent
	Replace     bool   // where that link has expired unpaid, the item is sent anew

	// Heard is what Clink said in this run of links of other jobs' items, by session, when it was asked for this item.
	Heard map[string]LinkStatus
}

// refreshed says whether Clink is only asked how far the item's link is: nothing comes of it where Clink does not say.
func (i *Item) refreshed() bool { return i.SessionID != "" && !i.Replace }

// Result is what the ledger knows of an item besides its request: what the links file and show report. A further row of an invoice has
// its own Row and Cells, and the rest of its item.
type Result struct {
	ItemID    int64
	Further   bool
	Row       int
	State     State
	InvoiceID string
	Reference string
	Cells     []string // the user's own cells, aligned with the job's columns
	SessionID string
	URL       string
	ExpiresAt time.Time  // UTC; zero when Clink gave none
	CreatedAt time.Time  // UTC; zero while there is no session
	Link      LinkStatus // empty while Clink has not said
	CheckedAt time.Time  // UTC; when Clink said so
	Attempts  int
	ErrorCode string // Clink's number, else the outcome's word
	Error     string // Clink's words as they came, or a note of ours
}

// Attempt is one POST for an item, as it stands on record.
type Attempt struct {
	Row       int
	Reference string
	Number    int // 1, 2, … for its item
	SentAt    time.Time
	EndedAt   time.Time // zero while it is on its way
	Outcome   Outcome   // empty while it is on its way
	Status    int       // HTTP status; 0 when there was no answer
	Code      string    // Clink's number, else the outcome's word
	Message   string
	SessionID string
	Replaced  time.Time // when its link, expired unpaid, was given up for a new one; else zero
}

// NewItem is a row on its way into the ledger: a good one with its request, or, under --skip-invalid, a bad
// one with its problems. Of an invoice with several rows the first is the item; a further one follows it as no item of its own.
type NewItem struct {
	Row       int
	Further   bool // a further row of an invoice: of what is below it has Cells and Item alone
	Item      int  // of which it is: its place among the rows before it that are items, from 0 on
	Cells     []string
	InvoiceID string
	Invoice   [16]byte // see Identity.InvoiceKey
	Reference string
	Currency  string
	Amount    int64 // in 1/10,000 of the major unit
	Request   clink.SessionRequest
	New       bool   // looked up just now: no job in the ledger has this invoice
	Disputed  string // not empty: another file of the run asks for something else for the same invoice, in these words
	Problem   string // not empty: the row is bad, and has none of the above but Row and Cells
}

// Facts are the item's, for [Resolve], before it is in the ledger.
func (n *NewItem) Facts(hold, allowRepeats bool) Facts {
	return Facts{
		State: Pending, Hold: hold, NoID: n.InvoiceID == "", Repeat: n.InvoiceID == "" && allowRepeats,
		Currency: n.Currency, Amount: n.Amount,
		Customer:  Customer{n.Request.CustomerID, n.Request.CustomerEmail, n.Request.ReferenceCustomerID},
		Reference: n.Reference,
		Importing: true,
	}
}
