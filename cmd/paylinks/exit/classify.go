package exit

import (
	"context"
	"errors"

	"paylinks/cmd/paylinks/report"
	"paylinks/job"
	"paylinks/job/intake"
	"paylinks/job/links"
)

// Classify gives an error of the packages below its status and hint.
func Classify(err error) *Failure {
	var f *Failure
	var held *job.HeldError
	var schema *job.VersionError
	var remote *job.NetworkError
	var linked *job.LinkedError
	var folder *job.NoFolderError
	var output *links.Error
	var refusal *intake.Refusal
	var write *report.WriteError
	if errors.As(err, &f) {
		return f
	}
	if f := classifyShared(err); f != nil && !errors.Is(err, context.Canceled) {
		return f
	}
	switch {
	case errors.As(err, &refusal):
		return refused(refusal)
	case errors.Is(err, context.Canceled):
		return &Failure{Interrupted, errors.New("interrupted"), ""}
	case errors.As(err, &held) && held.JobID != 0:
		return Failf(Unfinished, "job %d is being sent by %s", held.JobID, held.Holder).
			WithHint("wait until that has ended, then run the same command again; should its host be gone, its lease ends by itself; nothing was sent")
	case errors.As(err, &held):
		return &Failure{Unfinished, err, "wait until it has ended, then run the same command again; nothing was sent"}
	case errors.As(err, &schema) && schema.Found < schema.Known:
		return &Failure{Ledger, err, "wait until the run of the older paylinks has ended, then run this again"}
	case errors.As(err, &schema):
		return &Failure{Ledger, err, "use the newer paylinks; another ledger knows of none of its links, and would send its invoices anew"}
	case errors.Is(err, job.ErrUnknownSchema):
		return &Failure{Ledger, err, "use the paylinks that made it; another ledger knows of none of its links, and would send its invoices anew"}
	case errors.Is(err, job.ErrNotUpdated):
		return &Failure{Ledger, err, "make sure that you may write to it and that its disk has room for twice the ledger, then run this again"}
	case errors.Is(err, job.ErrNotLedger):
		return &Failure{Ledger, err, "it has not been touched; name another file with --ledger"}
	case errors.As(err, &folder):
		return &Failure{Ledger, err, "no folders are made: is its volume mounted, and --ledger spelt right? nothing was sent"}
	case errors.Is(err, job.ErrGone):
		return &Failure{Ledger, err, report.HintGone}
	case errors.Is(err, job.ErrDamaged):
		return &Failure{Ledger, err, report.HintDamaged}
	case errors.Is(err, job.ErrReadOnlyPlace):
		return &Failure{Ledger, err, "copy the ledger with its -wal into a folder where you may write, and name the copy with --ledger"}
	case errors.As(err, &linked):
		return &Failure{Ledger, err, "leave the name that runs use, and make copies with paylinks backup"}
	case errors.As(err, &remote):
		return &Failure{Ledger, err, "name a ledger on a local disk with --ledger; to keep a copy elsewhere: paylinks backup PATH"}
	case errors.As(err, &write):
		return &Failure{Output, err, ""}
	case errors.As(err, &output):
		return &Failure{Output, err, "write it elsewhere with --output PATH; no folders are made"}
	}
	return &Failure{Ledger, err, ""}
}
