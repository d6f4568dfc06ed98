package options

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/intake"
	"paylinks/job/links"
)

// Output say where the links file goes, and its form.
type Output struct {
	Path     string
	Rejected string
	RawCells bool
	BOM      bool
}

// AddFlags adds the flags of the links file; byDefault says where it goes without one.
func (o *Output) AddFlags(flags *pflag.FlagSet, byDefault string) {
	flags.StringVarP(&o.Path, "output", "o", "", "write the links file to `PATH`; - is standard output (default: "+byDefault+")")
	o.AddForm(flags)
}

// AddRejected adds the flag for commands that write a rejected file.
func (o *Output) AddRejected(flags *pflag.FlagSet) {
	flags.StringVar(&o.Rejected, "rejected", "", "write the bad rows to `PATH` (default: FILE without its extension, .rejected.csv, beside it; one file only)")
}

// AddForm adds the flags of the form that the files have.
func (o *Output) AddForm(flags *pflag.FlagSet) {
	flags.BoolVar(&o.RawCells, "raw-cells", false, "write your cells without the guard against formulas")
	flags.BoolVar(&o.BOM, "bom", false, "begin the files with a byte order mark, for spreadsheets")
}

// PlaceOf is the file that an output path of the user's leads to, as the ledger keeps it; - is standard output.
func PlaceOf(path string) (string, error) {
	place, err := links.Output(path)
	if err != nil {
		return "", exit.Classify(err)
	}
	return place, nil
}

// SameFile says whether two paths lead to one file.
func SameFile(a, b string) bool { return links.SameFile(a, b) }

// SpareLedger refuses an output that would take the place of the ledger, or of a file beside it that belongs to it.
func SpareLedger(output string, ledger interface{ Files() []string }) error {
	if err := intake.SpareLedger(output, ledger.Files()); err != nil {
		return exit.Classify(err)
	}
	return nil
}

// IsOf says whether the ledger has, or would have, one of its files at the path.
func IsOf(ledger interface{ Files() []string }, path string) bool {
	return intake.SpareLedger(path, ledger.Files()) != nil
}

// CheckedLedger is what CheckReplaced asks of a ledger.
type CheckedLedger interface {
	Job(ctx context.Context, id int64) (job.Job, error)
	LinksFileOwner(ctx context.Context, path string) (int64, error)
	UnknownSession(ctx context.Context, ids []string) (string, error)
	Path() string
}

// CheckReplaced refuses to have the job's links file replace links that are another input file's or another ledger's.
func CheckReplaced(ctx context.Context, s Streams, ledger CheckedLedger, j job.Job) error {
	err := engine.CheckReplaced(ctx, ledger, j)
	var owner *engine.OtherOwnerError
	var other *engine.OtherLedgerError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &owner):
		return exit.Failf(exit.Output, "%w", err).WithHint("name another file with --output PATH; to write those links elsewhere first: paylinks export %d --output PATH%s",
			owner.Owner.ID, NextFlags(s, owner.Owner.Environment, ledger.Path()))
	case errors.As(err, &other):
		return exit.Failf(exit.Output, "%w", err).WithHint("name that ledger with --ledger; or, where it is lost, take the file into this one: paylinks adopt %s%s",
			words.ShellQuoted(other.Output), FlagsAt(s, j.Environment, ledger.Path())+addressFlag(engine.TargetOf(j))+readFlags(j.Options))
	}
	return exit.Classify(err)
}

// TryOutput finds out before the first send whether the links file can be written, where the job writes one.
func TryOutput(ctx context.Context, s Streams, ledger CheckedLedger, j job.Job) error {
	if j.Output == "-" || j.Output == "" {
		return nil
	}
	if err := links.Try(j.Output); err != nil {
		return exit.Classify(err)
	}
	return CheckReplaced(ctx, s, ledger, j)
}
