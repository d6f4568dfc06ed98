package intake

import (
	"context"
	"errors"
	"iter"
	"time"

	"paylinks/job"
)

// Import gives the file's job: the known one, which remembers the settings of this run, or a new one, all or nothing. One that another
// sender has imported since [Batch.Find] is known, too. The error is a *[job.HeldError] where another sender has the job.
func (f *File) Import(ctx context.Context, ledger Importer) (job.Job, error) {
	if f.Known != nil {
		return f.runAgain(ctx, ledger)
	}
	j, err := f.importNew(ctx, ledger)
	if !errors.Is(err, job.ErrImported) {
		return j, err
	}
	if j, err = f.batch.ledger.Find(ctx, f.Identity); err != nil {
		return j, err
	}
	f.Known = &j
	return f.runAgain(ctx, ledger)
}

// runAgain goes on with the file's known job.
func (f *File) runAgain(ctx context.Context, ledger Importer) (job.Job, error) {
	b, j, now := f.batch, *f.Known, time.Now()
	j.File, j.Output, j.RawCells, j.BOM = f.abs, f.Output, b.RawCells, f.bom
	j.OutputHost = ""
	j.AllowRepeats = j.AllowRepeats || b.Options.AllowRepeats
	if b.OnUnknown != "" {
		j.OnUnknown = b.OnUnknown
	}
	if err := ledger.Take(j.ID); err != nil {
		return j, err
	}
	disputed, err := f.disputed(ctx, now)
	if err != nil {
		return j, err
	}
	return j, ledger.RunAgain(j, disputed, now)
}

func (f *File) importNew(ctx context.Context, ledger Importer) (job.Job, error) {
	b, now := f.batch, time.Now()
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
		BOM:          f.bom,
		Output:       f.Output,
	}, f.items(ctx, now), b.SkipInvalid, now)
	if f == b.Files[len(b.Files)-1] {
		b.repeats = repeats{} // a large table, which no file needs any more
	}
	if f.Known == nil {
		f.invoices = nil
	}
	var conflict *job.ConflictError
	var refusal *Refusal
	if errors.As(err, &conflict) || errors.As(err, &refusal) {
		return j, &Refusal{Kind: NotImported, Path: f.Path, Err: err}
	}
	return j, err
}

// disputed are the rows of a known file for which another file of the run asks for something else, with these words.
func (f *File) disputed(ctx context.Context, at time.Time) (map[int]string, error) {
	if len(f.batch.repeats.disputed) == 0 {
		return nil, nil
	}
	rows := map[int]string{}
	for row, err := range f.rows(ctx, at) {
		if err != nil {
			return nil, err
		}
		if row.disputed {
			rows[row.Line] = row.describe()
		}
	}
	return rows, nil
}

// items are the rows as the ledger takes them.
func (f *File) items(ctx context.Context, at time.Time) iter.Seq2[job.NewItem, error] {
	return func(yield func(job.NewItem, error) bool) {
		n := 0
		for row, err := range f.rows(ctx, at) {
			item := row.item
			if err == nil && row.Further {
				if !yield(job.NewItem{Row: row.Line, Cells: row.Cells, Further: true, Item: row.Group.Item}, nil) {
					return
				}
				continue
			}
			if row.Group != nil {
				row.Group.Item = n
			}
			n++
			switch {
			case row.disputed:
				item.Disputed = row.describe()
			case len(row.problems) > 0 && row.problems[0].Resolution.Action != job.Refuse: // else the ledger refuses it
				item = job.NewItem{Row: row.Line, Cells: row.Cells, Problem: row.describe()}
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
