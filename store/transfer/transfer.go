// Package transfer moves all that a ledger has into another one, of either kind, so that at no moment both may be sent from.
//
// Each ledger has a [Mark] on record. A transfer is a row of guarded changes of these: the source is marked moving, the target filling; the
// target is filled and compared in one transaction, which marks it filled; the source is marked moved, and the target opened. [Next] says
// from the two marks what comes next, so that a transfer that was interrupted goes on wherever it stopped.
package transfer

import (
	"context"
	"crypto/rand"

	"paylinks/store/contents"
)

// Ledger is a side of a transfer. One that is a file is held against other senders as long as it is open.
type Ledger interface {
	Path() string
	Mark(ctx context.Context) (Mark, error)

	// Change changes the mark, durably when it returns. Where the ledger is open before, the error is job.ErrLeases if somebody sends,
	// and nobody who is late can write any more.
	Change(ctx context.Context, change Change) error

	// Settle makes unknown what senders that are gone have left sending, and takes out what is left of imports that did not come to their
	// end. The error is a *job.HeldError if somebody sends, a *WaitError where something may still be on its way.
	Settle(ctx context.Context) error

	// Read hands out all that the ledger has, from one moment, and returns read's error as it is.
	Read(ctx context.Context, read func(contents.Tables) error) error

	// Fill empties the ledger and writes the tables, with what is derived from them. It hands what stands there then to check, and makes
	// the change, all in one transaction: an error leaves the ledger as it was.
	Fill(ctx context.Context, change Change, tables contents.Tables, check func(contents.Tables) error) error

	// Form is what the ledger can keep.
	Form() contents.Form
	Close() error
}

// Result is what a transfer came to.
type Result struct {
	Already bool             // there was nothing left to do
	Filled  bool             // it was this run that filled the target
	Digests contents.Digests // of what was copied, where it was
	Left    []contents.Left  // outputs that the target cannot keep
}

// Progress is called before each step, and on the way through Fill with how many rows were copied and how many compared.
type Progress func(step Step, copied, compared int64)

// mostSteps is how many steps a transfer takes at most, unless somebody undoes them all the time.
const mostSteps = 10

// Run transfers the source to the target, or goes on with that. It may be stopped while it copies; then nothing of it is there.
func Run(ctx context.Context, source, target Ledger, progress Progress) (result Result, err error) {
	marks := context.WithoutCancel(ctx)
	for steps := range mostSteps {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		to, err := target.Mark(ctx)
		if err != nil {
			return result, err
		}
		from, err := source.Mark(ctx)
		if err != nil {
			return result, err
		}
		step, err := Next(from, to)
		if err != nil {
			return result, err
		}
		progress(step, 0, 0)
		switch step {
		case Done:
			result.Already = steps == 0
			return result, nil
		case Begin:
			if err = source.Settle(ctx); err == nil {
				err = source.Change(marks, begin(to, target.Path(), rand.Text()))
			}
		case Prepare:
			err = target.Change(marks, prepare(from, to, source.Path()))
		case Fill:
			result.Left = nil
			result.Digests, err = copyAll(ctx, source, target, fill(from, to), &result.Left, progress)
			result.Filled = err == nil
		case Leave:
			err = source.Change(marks, leave(from.Number, to.Origin == from.Number))
		case OpenIt:
			err = target.Change(marks, open(from.Number))
		}
		if err != nil {
			return result, err
		}
	}
	return result, ErrChanged
}

// copyAll fills the target, and compares what was read with what stands there.
func copyAll(ctx context.Context, source, target Ledger, change Change, left *[]contents.Left, progress Progress) (contents.Digests, error) {
	var read *contents.Digests
	var failed error // in reading the source: the target has only heard of it
	err := source.Read(ctx, func(tables contents.Tables) error {
		form := target.Form()
		tables = tables.Failing(func(err error) error {
			failed = err
			return err
		})
		tables, read = tables.In(form, func(l contents.Left) { *left = append(*left, l) }).Summed(func(rows int64) { progress(Fill, rows, 0) })
		copied := func() int64 { return read.Items.Rows + read.Attempts.Rows }
		return target.Fill(ctx, change, tables, func(stands contents.Tables) error {
			digests, err := stands.Sum(func(rows int64) { progress(Fill, copied(), rows) })
			if err != nil {
				return err
			}
			return read.Compare(digests)
		})
	})
	if failed != nil {
		err = failed
	}
	if err != nil {
		return contents.Digests{}, err
	}
	return *read, nil
}

// Cancel takes a transfer back that has not come to the source being marked moved. target is nil where there is no ledger at its place.
// done says that the source can be sent from as before, and was so already where there was nothing to do.
func Cancel(ctx context.Context, source, target Ledger) (done Step, err error) {
	var to Mark
	if target != nil {
		if to, err = target.Mark(ctx); err != nil {
			return "", err
		}
	}
	from, err := source.Mark(ctx)
	if err != nil {
		return "", err
	}
	step, err := NextBack(from, to, target == nil)
	if err == nil && step == TakeBack {
		err = source.Change(context.WithoutCancel(ctx), takeBack(from.Number))
	}
	return step, err
}
