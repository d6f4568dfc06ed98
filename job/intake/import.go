package intake

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"paylinks/job"
	"paylinks/job/invoice"
)

// Import gives the file's job: the known one, which remembers the settings of this run, or a new one, all or nothing.
func (f *File) Import(ctx context.Context, ledger Importer) (job.Job, error) {
	b, now := f.batch, time.Now()
	if f.Known != nil {
		j := *f.Known
		j.File, j.Output, j.RawCells, j.BOM = f.abs, f.Output, b.RawCells, b.BOM
		j.AllowRepeats = j.AllowRepeats || b.Options.AllowRepeats
		if b.OnUnknown != "" {
			j.OnUnknown = b.OnUnknown
		}
		return j, ledger.RunAgain(j, now)
	}
	if err := b.survey(ctx); err != nil {
		return job.Job{}, err
	}
	policy := b.OnUnknown
	if policy == "" {
		policy = job.Retry
	}
	j, err := ledger.Import(job.Job{
		Identity:     f.Identity,
		File:         f.abs,
		Columns:      f.Header.Columns,
		Delimiter:    f.Header.Delimiter,
		OnUnknown:    policy,
		AllowRepeats: b.Options.AllowRepeats,
		RawCells:     b.RawCells,
		BOM:          b.BOM,
		Output:       f.Output,
	}, f.items(ctx, now), b.SkipInvalid, now)
	if !slices.ContainsFunc(b.Files[slices.Index(b.Files, f)+1:], func(next *File) bool { return next.Known == nil }) {
		b.repeats = repeats{} // a large table, which no file needs any more
	}
	var conflict *job.ConflictError
	var refusal *Refusal
	if errors.As(err, &conflict) || errors.As(err, &refusal) {
		return j, &Refusal{Kind: NotImported, Path: f.Path, Err: err}
	}
	return j, err
}

// items are the rows as the ledger takes them.
func (f *File) items(ctx context.Context, at time.Time) iter.Seq2[job.NewItem, error] {
	return func(yield func(job.NewItem, error) bool) {
		for row, err := range f.rows(ctx, at) {
			item := row.item
			if len(row.problems) > 0 && row.problems[0].Resolution.Action != job.Refuse { // else the ledger refuses it
				problems := make([]invoice.Problem, len(row.problems))
				for i, p := range row.problems {
					problems[i] = p.Problem
				}
				item = job.NewItem{Row: row.Line, Cells: row.Cells, Problem: describe(problems)}
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
