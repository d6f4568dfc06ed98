package intake

import (
	"cmp"
	"slices"

	"paylinks/job"
	"paylinks/job/links"
)

// Outputs decides where each links file goes: to output, or beside its input where that is "". It refuses one that would
// overwrite an input, a rejected file or another links file.
func (b *Batch) Outputs(output string) error {
	for i, f := range b.Files {
		var err error
		if f.Output, err = links.Output(cmp.Or(output, links.DefaultPath(f.abs))); err != nil {
			return err
		}
		for _, other := range b.Files {
			if links.SameFile(f.Output, other.abs) {
				return &Refusal{Kind: OutputIsInput, Path: f.Path, Other: other.Path, Output: f.Output}
			}
		}
		if f.Output == links.Place(f.rejected) {
			return &Refusal{Kind: OutputIsRejected, Path: f.Path, Output: f.Output}
		}
		for _, other := range b.Files[:i] {
			if f.Output == other.Output {
				return &Refusal{Kind: OutputIsOther, Path: f.Path, Other: other.Path, Output: f.Output}
			}
		}
	}
	return nil
}

// TryOutputs finds out before the first send whether the links files can be written. ledger are the paths where the ledger
// has, or would have, files.
func (b *Batch) TryOutputs(ledger []string) error {
	for _, f := range b.Files {
		if err := SpareLedger(f.Output, ledger); err != nil {
			return err
		}
		if f.Output == "-" {
			continue
		}
		if err := links.Try(f.Output); err != nil {
			return err
		}
	}
	return nil
}

// Draft is the file's job as far as its links file is concerned, before Import; its number is 0 where the ledger has none.
func (f *File) Draft() job.Job {
	j := job.Job{Identity: f.Identity, File: f.abs, Output: f.Output}
	if f.Known != nil {
		j.ID = f.Known.ID
	}
	return j
}

// SpareLedger refuses an output that would take the place of one of the ledger's files.
func SpareLedger(output string, ledger []string) error {
	if slices.ContainsFunc(ledger, func(file string) bool { return links.SameFile(output, file) }) {
		return &Refusal{Kind: OutputIsLedger, Output: output}
	}
	return nil
}
