package exit

import (
	"context"
	"errors"

	"paylinks/cmd/paylinks/words"
	"paylinks/store/contents"
	"paylinks/store/transfer"
)

// ClassifyTransfer gives an error of a transfer to the ledger that is shown as to its status and hint.
func ClassifyTransfer(err error, to string) *Failure {
	var wait *transfer.WaitError
	switch {
	case errors.Is(err, context.Canceled):
		return Failf(Interrupted, "interrupted").WithHint("run the same command again to go on, or take the transfer back with --cancel; until then nobody can send")
	case errors.As(err, &wait):
		return &Failure{Unfinished, err, "run the same command again then; nothing was moved"}
	case errors.Is(err, transfer.ErrChanged):
		return &Failure{Unfinished, err, "see that it is run once at a time, and run the same command again"}
	case errors.Is(err, transfer.ErrSame):
		return &Failure{Usage, err, "name another ledger with --to"}
	case errors.Is(err, transfer.ErrNotEmpty):
		return &Failure{Usage, err, "it is left as it is; name one that is new or empty with --to; a transfer to it that has begun is taken back with --cancel"}
	case errors.Is(err, transfer.ErrUsedElsewhere):
		return &Failure{Config, err, "it is left as it is; name another one with --to"}
	case errors.Is(err, transfer.ErrTargetLost):
		return &Failure{Ledger, err, "bring the database back to a moment after the transfer; nothing may be sent from the old ledger, since the new one may have been sent from: paylinks help shared-ledger"}
	case errors.Is(err, transfer.ErrOpened):
		return &Failure{Config, err, "use the new ledger: --ledger " + words.ShellQuoted(to)}
	}
	if _, differ := errors.AsType[*contents.DifferError](err); differ || errors.Is(err, contents.ErrTallies) {
		return &Failure{Data, err, "nothing was moved; take the transfer back with --cancel, and report this"}
	}
	return Classify(err)
}
