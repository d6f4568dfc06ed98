package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"paylinks/job"
	"paylinks/job/invoice"
)

// Problem is a problem of a file, with the facts of a conflict where it is one.
type Problem struct {
	invoice.Problem
	Resolution job.Resolution // of a conflict with another job; else its Action is Send
}

// checked is a row with what the ledger and the other files say of it.
type checked struct {
	invoice.Row
	problems    []Problem   // the row's, or a conflict; the row is good without any
	item        job.NewItem // of a good row
	action      job.Action  // what becomes of it because of other jobs
	inOtherFile bool        // it is in an earlier file of the run, and gets its link from there
}

// rows reads the file and holds each good row against the ledger and the run's other files. A row is valid until the next.
func (f *File) rows(ctx context.Context, at time.Time) iter.Seq2[*checked, error] {
	return func(yield func(*checked, error) bool) {
		reader, err := invoice.Open(f.Path, f.batch.Options)
		if err != nil {
			yield(&checked{}, f.unreadable(err))
			return
		}
		defer reader.Close()
		f.Header = reader.Header()
		var rows []checked
		for end := error(nil); end == nil; {
			rows, end = f.readReady(reader, rows[:0])
			facts, err := f.facts(ctx, rows)
			for i := range rows {
				c := &rows[i]
				if err == nil && len(c.problems) == 0 {
					others := facts[c.item.Invoice]
					c.item.New = f.batch.ledger != nil && len(others) == 0
					f.resolve(c, others, at)
				}
				if err == nil {
					err = ctx.Err()
				}
				if !yield(c, err) || err != nil {
					return
				}
			}
			if end != nil && end != io.EOF {
				yield(&checked{}, f.unreadable(end))
				return
			}
		}
		if reader.Digest() != f.Identity.FileDigest {
			yield(&checked{}, &Refusal{Kind: Changed, Path: f.Path})
		}
	}
}

// readReady adds the rows that the reader has ready, so that they are looked up in the ledger together. Its error, io.EOF at
// the end, is of what follows them.
func (f *File) readReady(reader *invoice.Reader, rows []checked) ([]checked, error) {
	for {
		row, err := reader.Next()
		if err != nil {
			return rows, err
		}
		c := checked{Row: row}
		for _, p := range row.Problems {
			c.problems = append(c.problems, Problem{Problem: p})
		}
		if len(row.Problems) == 0 {
			c.item = f.Identity.NewRow(row, f.batch.Options.Defaults["item_name"])
		}
		rows = append(rows, c)
		if reader.Ready() == 0 {
			return rows, nil
		}
	}
}

// unreadable is the refusal of a file that the reader cannot read.
func (f *File) unreadable(err error) *Refusal {
	var whole invoice.Problems
	var one *invoice.Problem
	kind := Unreadable
	switch {
	case errors.As(err, &whole), errors.As(err, &one) && one.Kind == invoice.NoRows:
		kind = Unusable
	case one != nil:
		kind = CutOff
	}
	return &Refusal{Kind: kind, Path: f.Path, Err: err}
}

// facts are what the ledger knows of the invoices of the good rows.
func (f *File) facts(ctx context.Context, rows []checked) (map[[16]byte][]job.Facts, error) {
	if f.batch.ledger == nil {
		return nil, nil
	}
	invoices := make([][16]byte, 0, len(rows))
	for i := range rows {
		if c := &rows[i]; len(c.problems) == 0 {
			invoices = append(invoices, c.item.Invoice)
		}
	}
	return f.batch.ledger.Facts(ctx, invoices)
}

// resolve holds the row against the items of other jobs and the run's other files; a conflict becomes its problem.
func (f *File) resolve(c *checked, others []job.Facts, at time.Time) {
	allowRepeats := f.batch.Options.AllowRepeats
	noID := c.item.InvoiceID == ""
	if noID && allowRepeats {
		return
	}
	repeat := invoice.Option{Do: invoice.Add, Setting: "allow_repeats", When: "a second link is meant"}
	if len(others) > 0 {
		r := job.Resolve(c.item.Facts(f.batch.OnUnknown == job.Hold, allowRepeats), others, at)
		c.action = r.Action
		if r.Action == job.Refuse {
			p := f.conflict(c, r.What(), r.Advice())
			p.Resolution = r
			if r.Conflict == job.IdenticalRow {
				p.Options = []invoice.Option{repeat}
			}
			c.problems = []Problem{p}
			return
		}
	}
	if len(f.batch.Files) < 2 {
		return
	}
	first, seen := f.batch.seen[c.item.Invoice]
	if !seen || first.file == f {
		f.batch.seen[c.item.Invoice] = firstSeen{f, c.Line, c.item.Currency, c.item.Amount}
		return
	}
	where := fmt.Sprintf("%s:%d", first.file.Path, first.line)
	switch {
	case noID:
		p := f.conflict(c, "this row is identical to the one at "+where, "give each row an invoice id")
		p.Options = []invoice.Option{repeat}
		c.problems = []Problem{p}
	case first.currency != c.item.Currency || first.amount != c.item.Amount:
		c.problems = []Problem{f.conflict(c, "this invoice has another amount at "+where, "correct one of the two")}
	default:
		c.inOtherFile = true
	}
}

func (f *File) conflict(c *checked, what, advice string) Problem {
	return Problem{Problem: invoice.Problem{
		File: f.Path, Line: c.Line, Column: f.Header.Taken["invoice_id"], Value: c.item.InvoiceID,
		Kind: LinkConflict, What: what, Advice: advice,
	}}
}
