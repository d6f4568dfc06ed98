package transfer

import (
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

// Step is what a transfer does next.
type Step string

const (
	Done     Step = "done"
	Begin    Step = "begin"     // mark the source moving
	Prepare  Step = "prepare"   // mark the target filling
	Fill     Step = "fill"      // copy, compare, and mark the target filled
	Leave    Step = "leave"     // mark the source moved
	OpenIt   Step = "open"      // mark the target open
	TakeBack Step = "take back" // mark the source open again
)

// WaitError means that what a sender that is gone had begun may still be on its way until then.
type WaitError struct {
	Until time.Time
}

func (e *WaitError) Error() string {
	return "what a process that is gone had begun to send may still arrive until " + e.Until.UTC().Format(time.RFC3339)
}

var (
	// ErrChanged: another transfer, or somebody who took this one back, was at work at the same time. What was done so far is on record.
	ErrChanged = errors.New("another process has changed the transfer meanwhile")
	// ErrNotEmpty: the target has jobs, and is not left from an earlier try.
	ErrNotEmpty = errors.New("the target has jobs of its own")
	// ErrSame: source and target are one ledger.
	ErrSame = errors.New("source and target are the same ledger")
	// ErrTargetLost: the source was moved, and the target does not have what was moved there.
	ErrTargetLost = errors.New("the source was moved, and the target does not have its contents: its database went back to an earlier time, or was made anew")
	// ErrOpened: the transfer cannot be taken back, since the target was opened.
	ErrOpened = errors.New("the target was opened, and may have been sent from")
	// ErrUsedElsewhere: the target takes part in a transfer of another ledger.
	ErrUsedElsewhere = errors.New("the target is part of the transfer of another ledger")
)

// Next is what a transfer does next, as the marks of both ledgers are. Read again after each step, they lead to Done, or to the error. The
// target's mark must be read before the source's: else an older process could take a target that is filled for one that is not.
//
// The target is opened only when the source is marked moved, and the source is marked moved only when the target has everything. A source
// that is moved is never taken back, so that not both can be sent from; a step that comes late finds another number, or another state.
func Next(source, target Mark) (Step, error) {
	if source.ID == target.ID {
		return "", ErrSame
	}
	if opened, err := openedFrom(source, target); opened || err != nil {
		if source.State == Moving {
			return Leave, err // the source has gone back behind what it had acknowledged
		}
		return Done, err
	}
	switch source.State {
	case Open:
		if err := source.Refusal(); err != nil {
			return "", err
		}
		return Begin, canBeFilled(source, target)
	case Moving:
		if target.ID != source.OtherID {
			return "", fmt.Errorf("%w; the target is not the ledger that this began with", source.Refusal())
		}
		if err := canBeFilled(source, target); err != nil {
			return "", err
		}
		if source.Replaced {
			return "", fmt.Errorf("%w: take the transfer back first", job.ErrFailedOver)
		}
		switch {
		case target.State == Open || target.Number != source.Number:
			return Prepare, nil
		case target.State == Filling:
			return Fill, nil
		}
		return Leave, nil
	case Moved:
		switch {
		case target.ID != source.OtherID:
			return "", source.Refusal()
		case target.State == Filled && target.Number == source.Number:
			return OpenIt, nil
		}
		return "", ErrTargetLost
	}
	return "", source.Refusal()
}

// openedFrom says whether the target was opened by this transfer of the source. The error is for one that was opened by another transfer
// of it, or of a copy of it.
func openedFrom(source, target Mark) (bool, error) {
	switch {
	case target.Origin == "" || target.OriginID != source.ID:
		return false, nil
	case source.Number == target.Origin && (source.State == Moving || source.State == Moved):
		return true, nil
	}
	return false, fmt.Errorf("%w: it was filled from this ledger, or from one that this one is a copy of", ErrOpened)
}

// canBeFilled says why the target is none for this source.
func canBeFilled(source, target Mark) error {
	switch target.State {
	case Open:
		switch {
		case target.Replaced:
			return fmt.Errorf("the target: %w", job.ErrFailedOver)
		case !target.Empty || target.Origin != "":
			return ErrNotEmpty
		}
		return nil
	case Filling, Filled:
		if target.OtherID != source.ID {
			return fmt.Errorf("%w: %w", ErrUsedElsewhere, target.Refusal())
		}
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUsedElsewhere, target.Refusal())
}

// NextBack is what taking a transfer back does next. missing says that at the target's place there is no ledger, or another one than the
// transfer was to; then target is empty.
//
// That the source is not marked moved says that the target was never opened, unless the source itself went back: then the target is asked.
func NextBack(source, target Mark, missing bool) (Step, error) {
	if !missing {
		if source.ID == target.ID {
			return "", ErrSame
		}
		opened, err := openedFrom(source, target)
		if opened {
			err = ErrOpened
		}
		if err != nil {
			return "", err
		}
	}
	switch {
	case source.State == Open:
		return Done, nil
	case source.State != Moving:
		return "", source.Refusal()
	case source.Replaced && (missing || target.ID != source.OtherID):
		return "", fmt.Errorf("%w: only the target can tell whether it was opened", job.ErrFailedOver)
	}
	return TakeBack, nil
}
