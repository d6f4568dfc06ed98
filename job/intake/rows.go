package intake

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
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
	cells       uint32      // hash of the row's cells, in a file without lines
	inOtherFile bool        // it is in an earlier file of the run, and gets its link from there
	disputed    bool        // it is good in itself, and another file of the run asks for something else
}

// rows reads the file and holds each row against the others, and each good one against the ledger. When it is read for the first
// time, rows that come later are not known yet. A row is valid until the next.
func (f *File) rows(ctx context.Context, at time.Time) iter.Seq2[*checked, error] {
	return func(yield func(*checked, error) bool) {
		reader, err := f.reader(f.batch.Options)
		if err != nil {
			yield(&checked{}, f.unreadable(err))
			return
		}
		defer reader.Close()
		f.Header = reader.Header()
		source, err := f.source(ctx, reader)
		if err != nil {
			yield(&checked{}, err)
			return
		}
		defer func() { f.IDs, f.Readings, f.Notes = reader.IDs(), reader.Readings(), reader.Notes() }()
		var rows []checked
		for end := error(nil); end == nil; {
			rows, end = f.readReady(source, rows[:0])
			facts, err := f.facts(ctx, rows)
			for i := range rows {
				c := &rows[i]
				if c.Further && c.Group.Refused && len(c.problems) == 0 {
					c.problems = []Problem{{Problem: f.refusedLine(&c.Row)}}
				}
				if err == nil && len(c.problems) == 0 && !c.Further {
					others := facts[c.item.Invoice]
					c.item.New = f.batch.ledger != nil && len(others) == 0
					if f.Known == nil {
						f.resolve(c, others, at)
					} else {
						f.resolveAgain(c, others, at)
					}
				}
				if c.Group != nil && !c.Further {
					c.Group.Refused = len(c.problems) > 0
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

// rowsAtOnce is how many rows are looked up together at least: a look-up in a database costs a round trip.
const rowsAtOnce = 1024

// readReady adds the rows that the reader has ready, so that they are looked up in the ledger together. Its error, io.EOF at
// the end, is of what follows them.
func (f *File) readReady(reader rowSource, rows []checked) ([]checked, error) {
	for {
		row, err := reader.Next()
		if err != nil {
			return rows, err
		}
		c := checked{Row: row}
		for _, p := range row.Problems {
			c.problems = append(c.problems, Problem{Problem: p})
		}
		if f.Known == nil && !c.Further {
			if row.Invoice.ID != "" {
				c.cells = f.batch.hashCells(&row)
			}
			f.findRepeat(&c)
		}
		if (len(c.problems) == 0 || c.disputed) && !c.Further {
			c.item = f.Identity.NewRow(row, f.batch.Options.Defaults["item_name"])
		}
		rows = append(rows, c)
		if reader.Ready() == 0 && len(rows) >= rowsAtOnce {
			return rows, nil
		}
	}
}

// unreadable is the refusal of a file that the reader cannot read.
func (f *File) unreadable(err error) *Refusal {
	if errors.Is(err, invoice.ErrChanged) {
		return &Refusal{Kind: Changed, Path: f.Path}
	}
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
		if c := &rows[i]; len(c.problems) == 0 && !c.Further {
			invoices = append(invoices, c.item.Invoice)
		}
	}
	return f.batch.ledger.Facts(ctx, invoices)
}

// findRepeat refuses a row whose invoice stands in another row: all of them where they differ, since nobody can tell which is meant; else
// the later one, unless that is in another file. In one file any cell counts, since the rows may be lines of the invoice; between files
// what is sent does. A bad row counts as one that differs from good ones.
func (f *File) findRepeat(c *checked) {
	inv, place := c.Invoice, f.place(c.Line)
	if !f.surveyed {
		f.batch.lines = int(place)
	}
	if inv.ID == "" && (f.batch.Options.AllowRepeats || len(c.problems) > 0) {
		return
	}
	switch {
	case len(c.problems) > 0:
		inv.Content = [16]byte{}
	case inv.ID == "":
		inv.Content = inv.Identity
	}
	since := uint32(f.before)
	if !f.surveyed {
		f.batch.repeats.add(&inv, c.cells, place, since)
	}
	first, differing := f.batch.repeats.find(&inv, c.cells, since)
	here, differingHere := first, differing
	if inv.ID != "" && first != 0 && int(first) <= f.before { // it is in an earlier file; this one may have it twice, too
		own := f.inThisFile(inv)
		if !f.surveyed {
			f.batch.repeats.add(&own, c.cells, place, since)
		}
		here, differingHere = f.batch.repeats.find(&own, c.cells, since)
	}
	switch {
	case differingHere != 0 && f.has(differingHere):
		if lines := f.looksLikeLines(c, here); lines != nil {
			c.problems = append(c.problems, *lines)
			break
		}
		c.problems = append(c.problems, f.repeated(c, IDRepeated,
			fmt.Sprintf("stands on %s, too, and the two rows ask for different things", f.line(int(differingHere)-f.before)), neither))
	case f.has(here) && here != place && inv.ID != "":
		c.problems = append(c.problems, f.repeated(c, IDRepeated, fmt.Sprintf("stands on %s already", f.line(int(here)-f.before)),
			"each invoice needs its own id: correct this one, or take the row out"))
	case f.has(here) && here != place:
		c.problems = append(c.problems, f.repeated(c, RowRepeated,
			fmt.Sprintf("asks for the same as %s, and has no invoice_id", f.line(int(here)-f.before)),
			"take one of them out, or give each an invoice_id", invoice.Option{Do: invoice.Add, Setting: "allow_repeats", When: "both are meant"}))
	case differing != 0:
		file, line := f.batch.at(differing)
		c.disputed = len(c.problems) == 0
		c.problems = append(c.problems, f.repeated(c, LinkConflict,
			fmt.Sprintf("stands at %s:%d, too, and the two rows ask for different things", file.Path, line), neither))
	case first == 0, first == place: // 0: of a known file, which is not read before where it stands alone
	case inv.ID != "":
		c.inOtherFile = true
	default:
		file, line := f.batch.at(first)
		c.problems = append(c.problems, f.repeated(c, LinkConflict, fmt.Sprintf("this row asks for the same as the one at %s:%d", file.Path, line),
			"give each row an invoice id", repeatMeant))
	}
}

// line names a line of the file; a sheet has rows.
func (f *File) line(number int) string {
	if f.Header.Sheet != "" {
		return fmt.Sprintf("row %d", number)
	}
	return fmt.Sprintf("line %d", number)
}

// neither says what to do about two rows of one invoice that differ.
const neither = "correct one of the two: neither can be sent"

// inThisFile is the invoice with an identity of its own in this file, under which repeats has its first place here.
func (f *File) inThisFile(inv invoice.Invoice) invoice.Invoice {
	key := inv.Identity[:4]
	binary.LittleEndian.PutUint32(key, binary.LittleEndian.Uint32(key)^uint32(f.before))
	return inv
}

// repeatMeant is the option to send a row without an id a second time.
var repeatMeant = invoice.Option{Do: invoice.Add, Setting: "allow_repeats", When: "a second link is meant"}

// place is the row's place in the batch's repeats.
func (f *File) place(line int) uint32 { return uint32(f.before + line) }

// has says whether the place is in this file.
func (f *File) has(place uint32) bool {
	if place == 0 {
		return false
	}
	file, _ := f.batch.at(place)
	return file == f
}

// at is the row at the place.
func (b *Batch) at(place uint32) (f *File, line int) {
	for _, other := range b.Files {
		if other.before < int(place) && (f == nil || other.before > f.before) {
			f = other
		}
	}
	return f, int(place) - f.before
}

func (f *File) repeated(c *checked, kind invoice.Kind, what, advice string, options ...invoice.Option) Problem {
	p := f.conflict(c, what, advice)
	p.Kind, p.Options = kind, options
	if c.Invoice.ID == "" {
		p.Column = "" // it is about the whole row
	}
	return p
}

// resolve holds the row against the items of other jobs; a conflict becomes its problem.
func (f *File) resolve(c *checked, others []job.Facts, at time.Time) {
	allowRepeats := f.batch.Options.AllowRepeats
	if c.item.InvoiceID == "" && allowRepeats || len(others) == 0 {
		return
	}
	r := job.Resolve(c.item.Facts(f.batch.OnUnknown == job.Hold, allowRepeats), others, at)
	c.action = r.Action
	if r.Action == job.Refuse {
		f.refuse(c, r)
	}
}

// resolveAgain holds a row of a known job that may be sent against the other files of the run; and against the items of other jobs,
// where one of those has decided about it. What was refused already stays so, and is no problem of this run.
func (f *File) resolveAgain(c *checked, all []job.Facts, at time.Time) {
	i := slices.IndexFunc(all, func(of job.Facts) bool { return of.JobID == f.Known.ID })
	if i < 0 {
		return
	}
	this := all[i]
	if this.Open() || this.Again(at) || this.Refused {
		f.findRepeat(c)
	}
	if this.Refused {
		c.problems = nil
	}
	if len(c.problems) > 0 || !this.Again(at) {
		return
	}
	this.Importing, this.Repeat = true, this.Repeat || this.NoID && f.batch.Options.AllowRepeats
	r := job.Resolve(this, slices.DeleteFunc(all, func(of job.Facts) bool { return of.JobID == f.Known.ID }), at)
	c.action = r.Action
	if r.Action == job.Refuse {
		f.refuse(c, r)
	}
}

// refuse makes a conflict with another job the row's problem.
func (f *File) refuse(c *checked, r job.Resolution) {
	p := f.conflict(c, r.What(), r.Advice())
	p.Resolution = r
	switch {
	case r.Conflict == job.IdenticalRow:
		p.Options = []invoice.Option{repeatMeant}
	case f.batch.Options.Series == "":
		p.Options = []invoice.Option{{Do: invoice.Add, Setting: "series", When: "numbers begin again"}}
	default:
		p.Options = []invoice.Option{{Do: invoice.Replace, Setting: "series", When: "numbers begin again"}}
	}
	c.problems = []Problem{p}
}

func (f *File) conflict(c *checked, what, advice string) Problem {
	return Problem{Problem: invoice.Problem{
		File: f.Path, Line: c.Line, Cell: c.Cell(f.Header.Taken["invoice_id"]), Column: f.Header.Taken["invoice_id"], Value: c.Invoice.ID,
		Kind: LinkConflict, What: what, Advice: advice,
	}}
}
