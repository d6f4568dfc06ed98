package intake

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/job/links"
)

// Figures are what a check found in a file.
type Figures struct {
	Rows          int // of the file
	Invoices      int // fewer than rows where an invoice has several
	Bad           int
	DecimalCommas int                // bad rows whose amount may have a decimal comma, in a file that is read with a point
	ByAction      map[job.Action]int // good rows by what becomes of them because of other jobs, less InOtherFile
	InOtherFile   int                // good rows that get their link from an earlier file of the run
	Tally         job.Tally          // good rows: pending or duplicate
	Spans         map[string]*Span   // good rows by currency
}

// Span is how many amounts there are and between which two they lie, in 1/10,000 of the currency's major unit.
type Span struct {
	Invoices        int
	Least, Greatest int64
}

// Reporter is told of each problem, in the order of the file.
type Reporter interface {
	// Report is given each problem as it is found. Its error ends the check, and is returned.
	Report(Problem) error
	// Word is the problem as the rejected file says it.
	Word(Problem) invoice.Problem
}

// Check reads the whole file, writes the rejected file if there are bad rows, and compares the figures with the control
// totals. Of a known file the job's tally is compared; it is read only where other jobs have decided about rows of it. The first call
// reads the files that follow, too, since a row of one may be bad because of a row in another.
func (f *File) Check(ctx context.Context, to Reporter) error {
	if f.Known != nil {
		return f.checkKnown(ctx, to)
	}
	if err := f.batch.survey(ctx); err != nil {
		return err
	}
	if f.Figures == nil || f.Figures.Bad > 0 || len(f.batch.repeats.disputed) > 0 {
		if err := f.read(ctx, to.Report); err != nil {
			return reported(err, to)
		}
	}
	if err := f.reject(ctx, to); err != nil {
		return err // its totals are not those of the file
	}
	return f.batch.Expect.compare(f.Path, f.Figures.Rows, f.Figures.Tally)
}

// checkKnown checks a file whose job is in the ledger: running it again looks again at rows that another job has decided about, and
// those may have to be refused now.
func (f *File) checkKnown(ctx context.Context, to Reporter) error {
	if err := f.batch.survey(ctx); err != nil {
		return err
	}
	tally, err := f.batch.ledger.Tally(ctx, f.Known.ID)
	if err != nil {
		return err
	}
	decided := tally.Items[job.Superseded]+tally.Items[job.Duplicate] > 0
	if f.Known.PurgedAt.IsZero() && (decided || len(f.batch.repeats.disputed) > 0) {
		err := f.read(ctx, func(Problem) error { return nil })
		if err == nil && f.refused > 0 {
			if err = f.read(ctx, to.Report); err == nil {
				err = f.reject(ctx, to)
			}
		} else {
			f.Figures = nil
		}
		if err != nil {
			return reported(err, to)
		}
	}
	return f.batch.Expect.compare(f.Path, tally.Rows()+f.Known.FurtherLines, tally)
}

// reject writes the rejected file, if there are bad rows. Its error may be that the file is refused because of them. Where they would be let
// through, they must be on file.
func (f *File) reject(ctx context.Context, to Reporter) error {
	if f.Figures.Bad == 0 {
		return nil
	}
	err := f.writeRejected(ctx, to)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Kind == RejectedUnwritable && !f.batch.SkipInvalid {
		f.Unwritten, err = refusal.Err, nil // what is wrong with the file says more
	}
	if err == nil && !f.batch.SkipInvalid {
		err = &Refusal{Kind: BadRows, Path: f.Path, Rows: f.Figures.Bad}
	}
	return reported(err, to)
}

// survey reads each file for the first time, so that it is known of each invoice where it stands. It leaves the figures of a new file
// without bad rows; a file that is refused has none yet. A known file is read where it may send beside others.
func (b *Batch) survey(ctx context.Context) error {
	for _, f := range b.Files {
		if f.surveyed {
			continue
		}
		if f.Known != nil {
			if may, err := f.maySend(ctx); err != nil {
				return err
			} else if !may || len(b.Files) == 1 {
				f.surveyed = true
				continue
			}
		}
		f.before = b.lines
		err := f.read(ctx, func(Problem) error { return nil })
		f.surveyed = true
		if err == nil && f.Known == nil {
			err = f.addUpAlike(ctx)
		}
		if f.Known != nil {
			f.Figures = nil
		}
		b.lines = max(b.lines, f.before+1) // no two files begin at the same place
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			return err
		}
	}
	return nil
}

// maySend says whether running the known file again may send rows of it.
func (f *File) maySend(ctx context.Context) (bool, error) {
	tally, err := f.batch.ledger.Tally(ctx, f.Known.ID)
	return f.Known.PurgedAt.IsZero() && tally.Rows() > tally.Items[job.Created], err
}

// reported reports the problems of a file that cannot be read.
func reported(err error, to Reporter) error {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	var problems invoice.Problems
	var one *invoice.Problem
	if !errors.As(refusal.Err, &problems) && errors.As(refusal.Err, &one) {
		problems = invoice.Problems{*one}
	}
	for _, p := range problems {
		if err := to.Report(Problem{Problem: p}); err != nil {
			return err
		}
	}
	return refusal
}

// read reads the file, reports its problems and counts its rows.
func (f *File) read(ctx context.Context, report func(Problem) error) error {
	f.Figures, f.refused = nil, 0
	figures := &Figures{ByAction: map[job.Action]int{}, Tally: job.NewTally(), Spans: map[string]*Span{}}
	for row, err := range f.rows(ctx, time.Now()) {
		if err != nil {
			return err
		}
		figures.Rows++
		if !row.Further {
			figures.Invoices++
		}
		if len(row.problems) == 0 {
			if !row.Further {
				figures.add(row)
			}
			continue
		}
		figures.Bad++
		if row.action == job.Refuse || row.disputed {
			f.refused++
		}
		if !f.batch.Options.DecimalComma && slices.ContainsFunc(row.problems, mayBeComma) {
			figures.DecimalCommas++
		}
		for _, p := range row.problems {
			if err := report(p); err != nil {
				return err
			}
		}
	}
	f.Figures = figures
	return nil
}

// add counts a good row.
func (f *Figures) add(row *checked) {
	state := job.Pending
	if row.action == job.Reuse || row.inOtherFile {
		state = job.Duplicate
	}
	if row.inOtherFile && row.action != job.Reuse {
		f.InOtherFile++
	} else {
		f.ByAction[row.action]++
	}
	amount, code := row.item.Amount, row.item.Currency
	f.Tally.Add(state, code, 1, big.NewInt(amount))
	span := f.Spans[code]
	if span == nil {
		span = &Span{Least: amount, Greatest: amount}
		f.Spans[code] = span
	}
	span.Invoices++
	span.Least, span.Greatest = min(span.Least, amount), max(span.Greatest, amount)
}

// mayBeComma says whether an amount that was read with a decimal point may be written with a decimal comma.
func mayBeComma(p Problem) bool {
	return p.Kind == invoice.AmountAmbiguous || p.Kind == invoice.AmountDecimalComma
}

// ReadHeader reads the header of a known file, and as many rows as say which columns could be the invoice id; or all of them, for the notes.
func (f *File) ReadHeader(notes bool) error {
	reader, err := f.reader(f.batch.Options)
	if err != nil {
		return f.unreadable(err)
	}
	defer reader.Close()
	f.Header = reader.Header()
	for notes || !reader.KnowsIDs() {
		if _, err := reader.Next(); err == io.EOF {
			break
		} else if err != nil {
			return f.unreadable(err)
		}
	}
	f.IDs, f.Readings, f.Notes = reader.IDs(), reader.Readings(), reader.Notes()
	return nil
}

// writeRejected writes the bad rows into the rejected file. It is UTF-8: where the input is not, a mark keeps it from being
// read again in the input's encoding.
func (f *File) writeRejected(ctx context.Context, to Reporter) error {
	format := links.Format{
		Columns: f.Header.Columns, Delimiter: f.Header.Delimiter,
		RawCells: f.batch.RawCells, BOM: f.bom,
	}
	path, err := links.WriteRejected(f.rejected, format, func(yield func(links.Rejected, error) bool) {
		for row, err := range f.rows(ctx, time.Now()) {
			if err == nil && len(row.problems) == 0 {
				continue
			}
			var rejected links.Rejected
			if err == nil {
				worded := row.worded(to.Word)
				rejected = links.Rejected{
					Line: row.Line, Cells: slices.Concat(row.RejectedCells(), row.Surplus),
					Column: worded[0].Column, Error: describe(worded),
				}
			}
			if !yield(rejected, err) || err != nil {
				return
			}
		}
	})
	f.Rejected = path
	var output *links.Error
	if errors.As(err, &output) {
		return &Refusal{Kind: RejectedUnwritable, Path: f.Path, Err: err}
	}
	return err
}

// worded are the row's problems in somebody's words.
func (c *checked) worded(words func(Problem) invoice.Problem) []invoice.Problem {
	all := make([]invoice.Problem, len(c.problems))
	for i, p := range c.problems {
		all[i] = words(p)
	}
	return all
}

// describe is what the ledger keeps of the row's problems.
func (c *checked) describe() string {
	return describe(c.worded(func(p Problem) invoice.Problem { return p.Problem }))
}

// describe puts the problems of one row into one cell, each with its column.
func describe(problems []invoice.Problem) string {
	var texts []string
	for _, p := range problems {
		text := p.What
		if place := cmp.Or(p.Column, p.Setting); place != "" {
			text = place + ": " + text
		}
		if p.Advice != "" {
			text += "; " + p.Advice
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " | ")
}
