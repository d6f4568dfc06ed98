package intake

import (
	"fmt"

	"paylinks/job/invoice"
)

// Kind says why a file is refused.
type Kind int

const (
	NoFile             Kind = iota // there is nothing at Path
	Folder                         // Path is a folder
	NotRegular                     // a device, or a pipe that was not kept aside: a file is read more than once
	Unreadable                     // the operating system does not let it be read: Err
	SameFile                       // Other has the same bytes
	Unusable                       // the file as a whole is wrong; its problems were reported, and are Err
	CutOff                         // its rest cannot be read, from a place on that was reported, and is Err
	Changed                        // the file changed while it was read
	BadRows                        // Rows of them; the rejected file has been written
	BadLinks                       // Rows of a links file that cannot be adopted
	WrongTotals                    // see Differences
	OutputIsInput                  // Output, the links file, would overwrite the input Other
	OutputIsRejected               // Output would take the place of the file's own rejected file
	OutputIsOther                  // Output is the links file of the input Other, too
	OutputIsLedger                 // Output is a file of the ledger
	RejectedUnwritable             // the rejected file cannot be written, and its rows would be let through: Err
	NoLinksFile                    // it is to be adopted, and its last columns are not those of a links file
	NotImported                    // between its check and its import the file or the ledger changed: Err
)

// Refusal is why a file is not taken. The facts that it has depend on its kind.
type Refusal struct {
	Kind        Kind
	Path        string // the file, as the user gave it
	Other       string // another file
	Output      string
	Rows        int
	Differences []Difference
	Err         error
}

// Difference is a figure of a file that is not the one expected.
type Difference struct {
	Currency        string // "" is the number of rows
	Found, Expected string // plain decimals
}

func (r *Refusal) Error() string {
	switch r.Kind {
	case NoFile:
		return "there is no file " + r.Path
	case Folder:
		return r.Path + " is a folder"
	case NotRegular:
		return r.Path + " is not a regular file"
	case SameFile:
		return fmt.Sprintf("%s and %s are the same to the byte", r.Other, r.Path)
	case Unusable:
		return r.Path + " cannot be used"
	case CutOff:
		return r.Path + " cannot be read to its end"
	case Changed:
		return r.Path + ": the file changed while it was read"
	case BadRows:
		return fmt.Sprintf("%s has rows that cannot be sent: %d", r.Path, r.Rows)
	case BadLinks:
		return fmt.Sprintf("%s has rows that cannot be adopted: %d", r.Path, r.Rows)
	case WrongTotals:
		return r.Path + " is not the file that was expected"
	case OutputIsInput:
		return fmt.Sprintf("the links file of %s would overwrite the input %s", r.Path, r.Other)
	case OutputIsRejected:
		return fmt.Sprintf("the links file of %s would take the place of its rejected file", r.Path)
	case OutputIsOther:
		return fmt.Sprintf("%s and %s would both write %s", r.Other, r.Path, r.Output)
	case NoLinksFile:
		return r.Path + " is no links file: its last columns are not those that paylinks adds"
	case OutputIsLedger:
		return r.Output + " is the ledger, or belongs to it"
	}
	return r.Err.Error() // Unreadable, RejectedUnwritable, NotImported
}

func (r *Refusal) Unwrap() error { return r.Err }

// Kinds of problems of a row beside others.
const (
	IDRepeated   invoice.Kind = "id-repeated"   // the invoice_id stands on another line, too
	RowRepeated  invoice.Kind = "row-repeated"  // no invoice_id, and the same to send as for an earlier line
	LinkConflict invoice.Kind = "link-conflict" // with the ledger, or with another file of the same run
)
