package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/job/links"
	"paylinks/store"
)

// intake is one input file on its way into the ledger.
type intake struct {
	path     string // as the user gave it, for messages
	abs      string
	options  invoice.Options
	identity job.Identity
	ledger   *store.Store // nil: there is none yet
	run      *runFiles
	known    *job.Job // the ledger has this job already: the file is not read again
	hold     bool

	header   invoice.Header
	figures  figures
	rejected string // path of the rejected file, if one was written
	output   string // path of the links file; "-" is standard output
}

// figures are what a check found.
type figures struct {
	rows      int
	bad       int
	commas    int                // bad rows whose amount may have a decimal comma, in a file that is read with a point
	met       map[job.Action]int // good rows by what earlier jobs' claims make of them
	elsewhere int                // rows that stand in an earlier file of the same run, too
	tally     job.Tally          // good rows: pending or duplicate
	spans     map[string]*span   // good rows by currency
}

// span is how many amounts there are and between which two they lie, in 1/10,000 of the currency's major unit.
type span struct {
	invoices        int
	least, greatest int64
}

// kindConflict is the kind of a problem with the ledger, or with another file of the same run.
const kindConflict invoice.Kind = "link-conflict"

// runFiles is what the files of one run must know of each other: an invoice that stands in two of them must say
// the same in both.
type runFiles struct {
	several bool
	seen    map[[16]byte]sighting
}

type sighting struct {
	intake *intake
	row    job.NewItem
}

// newIntake looks at the file without reading its rows.
func newIntake(path string, options invoice.Options, t target, files *runFiles) (*intake, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failf(exitData, "there is no file %s", path)
	case err != nil:
		return nil, failf(exitData, "%w", err)
	case info.IsDir():
		return nil, failf(exitData, "%s is a folder", path).withHint("name the files in it")
	case !info.Mode().IsRegular():
		return nil, failf(exitData, "%s is not a regular file", path).
			withHint("save it as a file first: it is read more than once")
	}
	in := &intake{path: path, options: options, run: files}
	if in.abs, err = filepath.Abs(path); err != nil {
		return nil, failf(exitData, "%s: %w", path, err)
	}
	in.identity = job.Identity{Environment: t.environment, BaseURL: t.baseURL, Options: options.Canonical()}
	if in.identity.FileDigest, err = invoice.Digest(path); err != nil {
		return nil, failf(exitData, "%w", err)
	}
	return in, nil
}

// find looks whether the ledger has the job already.
func (in *intake) find(ctx context.Context) error {
	if in.ledger == nil {
		return nil
	}
	j, err := in.ledger.Find(ctx, in.identity)
	if errors.Is(err, store.ErrNoJob) {
		return nil
	}
	in.known = &j
	return err
}

// checked is a row with what the ledger says of it.
type checked struct {
	invoice.Row
	item      job.NewItem // of a good row
	action    job.Action  // what earlier jobs' claims of its invoice make of it
	elsewhere bool        // it stands in an earlier file of the same run, and will have its link from there
}

// errChanged means that the file is not the one that was looked at first.
var errChanged = errors.New("the file changed while it was read")

// rows reads the file and holds each good row against the ledger and the run's other files. A row is good until the next.
func (in *intake) rows(ctx context.Context, at time.Time) iter.Seq2[*checked, error] {
	return func(yield func(*checked, error) bool) {
		reader, err := invoice.Open(in.path, in.options)
		if err != nil {
			yield(&checked{}, err)
			return
		}
		defer reader.Close()
		in.header = reader.Header()
		var batch []checked
		for end := error(nil); end == nil; {
			batch, end = in.readBatch(reader, batch[:0])
			claims, err := in.claimsOf(ctx, batch)
			for i := range batch {
				c := &batch[i]
				if err == nil && len(c.Problems) == 0 {
					held := claims[c.item.Invoice]
					c.item.Fresh = in.ledger != nil && len(held) == 0
					in.meet(c, held, at)
				}
				if err == nil {
					err = ctx.Err()
				}
				if !yield(c, err) || err != nil {
					return
				}
			}
			if end != nil && end != io.EOF {
				yield(&checked{}, end)
				return
			}
		}
		if reader.Digest() != in.identity.FileDigest {
			yield(&checked{}, errChanged)
		}
	}
}

// readBatch adds the rows that the reader has ready, so that they are looked up in the ledger together. Its error,
// io.EOF at the end, is of what follows them.
func (in *intake) readBatch(reader *invoice.Reader, batch []checked) ([]checked, error) {
	for {
		row, err := reader.Next()
		if err != nil {
			return batch, err
		}
		batch = append(batch, checked{Row: row})
		if len(row.Problems) == 0 {
			batch[len(batch)-1].item = in.identity.NewRow(row, in.options.Defaults["item_name"])
		}
		if reader.Ready() == 0 {
			return batch, nil
		}
	}
}

// claimsOf are what jobs in the ledger hold of the invoices of the batch's good rows.
func (in *intake) claimsOf(ctx context.Context, batch []checked) (map[[16]byte][]job.Claim, error) {
	if in.ledger == nil {
		return nil, nil
	}
	invoices := make([][16]byte, 0, len(batch))
	for i := range batch {
		if c := &batch[i]; len(c.Problems) == 0 {
			invoices = append(invoices, c.item.Invoice)
		}
	}
	return in.ledger.Claims(ctx, invoices)
}

// meet holds the row against other jobs' claims of its invoice and against the run's other files; a conflict becomes a problem.
func (in *intake) meet(c *checked, claims []job.Claim, at time.Time) {
	alike := c.item.InvoiceID == ""
	if alike && in.options.AllowRepeats {
		return
	}
	if len(claims) > 0 {
		var meeting job.Meeting
		if alike {
			meeting = job.MeetAlike(claims, at)
		} else {
			meeting = job.Meet(job.Mine{Currency: c.item.Currency, Amount: c.item.Amount, Hold: in.hold}, claims, at)
		}
		c.action = meeting.Action
		if meeting.Action == job.Refuse {
			what, hint := meeting.Conflict(alike)
			c.Problems = append(c.Problems, in.conflict(c, what, hint))
			return
		}
	}
	if in.run == nil || !in.run.several {
		return
	}
	other, seen := in.run.seen[c.item.Invoice]
	if !seen || other.intake == in {
		in.run.seen[c.item.Invoice] = sighting{in, job.NewItem{Row: c.Line, Currency: c.item.Currency, Amount: c.item.Amount}}
		return
	}
	where := fmt.Sprintf("%s:%d", other.intake.path, other.row.Row)
	switch {
	case alike:
		c.Problems = append(c.Problems, in.conflict(c, "this row is alike in everything with "+where,
			"give each row an invoice id", invoice.Option{Do: invoice.Add, Setting: "allow_repeats", When: "a second link is meant"}))
	case other.row.Currency != c.item.Currency || other.row.Amount != c.item.Amount:
		c.Problems = append(c.Problems, in.conflict(c, "this invoice has another amount at "+where, "correct one of the two"))
	default:
		c.elsewhere = true
	}
}

func (in *intake) conflict(c *checked, what, advice string, options ...invoice.Option) invoice.Problem {
	return invoice.Problem{
		File: in.path, Line: c.Line, Column: in.header.Taken["invoice_id"], Value: c.item.InvoiceID,
		Kind: kindConflict, What: what, Advice: advice, Options: options,
	}
}

// readHeader reads no more than the header, of a file that is in the ledger and was read well before.
func (in *intake) readHeader() error {
	reader, err := invoice.Open(in.path, in.options)
	if err != nil {
		return err
	}
	in.header = reader.Header()
	return reader.Close()
}

// check reads the whole file and tells report of each problem, in the order of the file.
func (in *intake) check(ctx context.Context, report func(invoice.Problem) error) error {
	in.figures = figures{met: map[job.Action]int{}, tally: job.NewTally(), spans: map[string]*span{}}
	f := &in.figures
	for row, err := range in.rows(ctx, time.Now()) {
		if err != nil {
			return in.unreadable(err, report)
		}
		f.rows++
		if len(row.Problems) > 0 {
			f.bad++
			if !in.options.DecimalComma && slices.ContainsFunc(row.Problems, mayBeComma) {
				f.commas++
			}
			for _, p := range row.Problems {
				if err := report(p); err != nil {
					return failf(exitOutput, "report the problems: %w", err)
				}
			}
			continue
		}
		state := job.Pending
		if row.action == job.Reuse || row.elsewhere {
			state = job.Duplicate
		}
		if row.elsewhere && row.action != job.Reuse {
			f.elsewhere++
		} else {
			f.met[row.action]++
		}
		amount, code := row.item.Amount, row.item.Currency
		f.tally.Add(state, code, 1, big.NewInt(amount))
		if f.spans[code] == nil {
			f.spans[code] = &span{least: amount, greatest: amount}
		}
		found := f.spans[code]
		found.invoices++
		found.least, found.greatest = min(found.least, amount), max(found.greatest, amount)
	}
	return nil
}

// mayBeComma says whether an amount that was read with a decimal point may be written with a decimal comma.
func mayBeComma(p invoice.Problem) bool {
	return p.Kind == invoice.AmountAmbiguous || p.Kind == invoice.AmountDecimalComma
}

// unreadable tells of problems with the file as a whole, which no flag can skip.
func (in *intake) unreadable(err error, report func(invoice.Problem) error) error {
	var all invoice.Problems
	var one *invoice.Problem
	what := "cannot be used"
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = invoice.Problems{*one}
		if one.Kind != invoice.NoRows {
			what = "cannot be read to its end"
		}
	case errors.Is(err, errChanged):
		return failf(exitData, "%s: %w", in.path, err).withHint("run again when nobody writes to it any more")
	case errors.Is(err, context.Canceled):
		return &failure{status: exitInterrupted, err: errors.New("interrupted, nothing was sent")}
	default:
		return err
	}
	for _, p := range all {
		if err := report(p); err != nil {
			return failf(exitOutput, "report the problems: %w", err)
		}
	}
	return failf(exitData, "%s %s", in.path, what)
}

// items are the rows as the ledger takes them.
func (in *intake) items(ctx context.Context, at time.Time) iter.Seq2[job.NewItem, error] {
	return func(yield func(job.NewItem, error) bool) {
		for row, err := range in.rows(ctx, at) {
			item := row.item
			if len(row.Problems) > 0 {
				item = job.NewItem{Row: row.Line, Cells: row.Cells, Problem: describe(row.Problems)}
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
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

// writeRejected writes the bad rows into the rejected file and returns its path. It is UTF-8: where the input is not, a mark
// keeps it from being read again by the input's --encoding. report is told why the file cannot be read once more.
func (in *intake) writeRejected(ctx context.Context, o outputOptions, report func(invoice.Problem) error) (string, error) {
	format := links.Format{
		Columns: in.header.Columns, Delimiter: in.header.Delimiter, RawCells: o.rawCells, BOM: o.bom || in.header.Encoding != "utf-8",
	}
	path, err := links.WriteRejected(links.RejectedPath(in.abs), format, func(yield func(links.Rejected, error) bool) {
		for row, err := range in.rows(ctx, time.Now()) {
			if err == nil && len(row.Problems) == 0 {
				continue
			}
			var rejected links.Rejected
			if err == nil {
				for i, p := range row.Problems {
					row.Problems[i] = worded(p)
				}
				rejected = links.Rejected{
					Line: row.Line, Cells: append(row.Cells[:len(row.Cells):len(row.Cells)], row.Surplus...),
					Column: row.Problems[0].Column, Error: describe(row.Problems),
				}
			}
			if !yield(rejected, err) || err != nil {
				return
			}
		}
	})
	var output *links.Error
	switch {
	case errors.As(err, &output):
		return "", failf(exitOutput, "%w", err).
			withHint("the rejected file stands beside the file: copy %s into a folder that can be written, and use the copy", in.path)
	case err != nil:
		return "", in.unreadable(err, report)
	}
	return path, nil
}
