package transfer

import (
	"errors"

	"paylinks/job"
)

// State says whether a ledger may be sent from, and how far its transfer is.
type State string

const (
	Open       State = "open"        // it may be sent from
	FailedOver State = "failed_over" // its database went back: a person says how to go on
	Moving     State = "moving"      // it is the source of a transfer; a person may still take that back
	Moved      State = "moved"       // for good: the target is the ledger now
	Filling    State = "filling"     // it is the target of a transfer, and has nothing of it yet
	Filled     State = "filled"      // it has all that the source has, and waits for the source to be marked moved
)

// Mark is what a ledger has on record of itself and its transfers.
type Mark struct {
	ID       string // tells it from every other ledger
	State    State
	Other    string // the name of the ledger that it goes to, or is filled from; without a password
	OtherID  string
	Number   string // of that transfer: each has another one
	Origin   string // the number of the transfer that it was filled by, once it has been opened
	OriginID string // the ledger that it was filled from then
	Empty    bool   // it has no job
	Replaced bool   // its database is not on the server that it was on: what that had acknowledged may be lost
}

// Refusal is the reason why the ledger may neither be sent from nor be transferred, or nil.
func (m Mark) Refusal() error {
	switch m.State {
	case Moving, Moved:
		return &job.TransferError{State: job.Transfer(m.State), Other: m.Other}
	case Filling, Filled:
		return &job.TransferError{State: job.TransferFilling, Other: m.Other}
	case FailedOver:
		return job.ErrFailedOver
	}
	if m.Replaced {
		return job.ErrFailedOver
	}
	return nil
}

// ForReader says to who only reads the ledger that it is being moved or was; nil: it is not. What is being filled cannot be read.
func (m Mark) ForReader() (*job.TransferError, error) {
	transfer, _ := errors.AsType[*job.TransferError](m.Refusal())
	if transfer != nil && transfer.State == job.TransferFilling {
		return nil, transfer
	}
	return transfer, nil
}

// New is the mark of a ledger that is made to be filled from the source at that name: nobody ever sends from it before it is opened.
func New(source Mark, name string) *Mark {
	return &Mark{State: Filling, Other: name, OtherID: source.ID}
}

// Change is a step of a transfer at one ledger: what its mark becomes, or ErrChanged where it is not, any more, one that the step begins
// at. A step that was made already changes nothing.
type Change func(Mark) (Mark, error)

// begin marks the source: nobody sends from it any more.
func begin(target Mark, name, number string) Change {
	return func(source Mark) (Mark, error) {
		switch {
		case source.State == Moving && source.Number == number:
			return source, nil
		case source.State != Open || source.Replaced:
			return source, ErrChanged
		}
		source.State, source.Other, source.OtherID, source.Number = Moving, name, target.ID, number
		return source, nil
	}
}

// prepare marks the target, which is empty or was left by an earlier try from the same source: nobody else uses it. It must be as it was
// read: an older process of a transfer that was taken back must not undo what a newer one has done.
func prepare(source, read Mark, name string) Change {
	return func(target Mark) (Mark, error) {
		switch {
		case target.State == Filling && target.Number == source.Number:
			return target, nil
		case target.State != read.State || target.Number != read.Number || canBeFilled(source, target) != nil:
			return target, ErrChanged
		}
		target.State, target.Other, target.OtherID, target.Number = Filling, name, source.ID, source.Number
		return target, nil
	}
}

// fill is made in the transaction that fills the target and compares it. A target that went back since it was read may have been opened
// meanwhile.
func fill(source, read Mark) Change {
	return func(target Mark) (Mark, error) {
		if target.State != Filling || target.Number != source.Number || target.Replaced != read.Replaced {
			return target, ErrChanged
		}
		target.State, target.Replaced = Filled, false // what it has, it has from now on
		return target, nil
	}
}

// leave marks the source for good: from here on the target is the ledger. A source that went back may have been taken back and sent from
// meanwhile: it is only marked where the target was opened.
func leave(number string, opened bool) Change {
	return func(source Mark) (Mark, error) {
		if source.Number != number || source.State != Moving && source.State != Moved || source.Replaced && !opened {
			return source, ErrChanged
		}
		source.State = Moved
		return source, nil
	}
}

// open lets the target be sent from. Where its database went back meanwhile, a person has to say so first.
func open(number string) Change {
	return func(target Mark) (Mark, error) {
		switch {
		case target.Origin == number:
			return target, nil
		case target.State != Filled || target.Number != number:
			return target, ErrChanged
		}
		target.State, target.Origin, target.OriginID = Open, number, target.OtherID
		if target.Replaced {
			target.State = FailedOver
		}
		target.Other, target.OtherID, target.Number = "", "", ""
		return target, nil
	}
}

// takeBack lets the source be sent from again.
func takeBack(number string) Change {
	return func(source Mark) (Mark, error) {
		if source.State != Moving || source.Number != number {
			return source, ErrChanged
		}
		source.State, source.Other, source.OtherID, source.Number = Open, "", "", ""
		if source.Replaced {
			source.State = FailedOver
		}
		return source, nil
	}
}
