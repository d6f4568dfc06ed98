package intake

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"math/big"
	"strings"

	"paylinks/job"
	"paylinks/job/invoice"
)

// LinesUnsaid is the kind of rows of one invoice id that differ, in a file whose rows are invoices: they may be its lines.
const LinesUnsaid invoice.Kind = "lines-unsaid"

// alike is what the rows of one invoice id would come to, if they were its lines.
type alike struct {
	rows     int
	line     int // of the first
	code     string
	customer job.Customer
	sum      *big.Int // in 1/10,000 of the major unit
	total    int64    // the amount of all rows that have one
	equal    bool     // there is one such amount, above zero
	valued   bool     // a row has an amount
	blank    bool     // a row has no amount
	other    bool     // a row cannot be a line: its customer or currency differs, or its amount cannot be read
}

// hashCells is a hash of the row's cells. In a file with lines it is always the same: its rows are meant to differ.
func (b *Batch) hashCells(row *invoice.Row) uint32 {
	if b.Options.Lines != invoice.LinesNone {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(b.seed)
	var size [8]byte
	for _, cell := range row.Cells {
		binary.LittleEndian.PutUint64(size[:], uint64(len(cell)))
		h.Write(size[:])
		h.WriteString(cell)
	}
	return uint32(h.Sum64())
}

// addUpAlike reads the file once more, where rows of one invoice id differ, to say what they come to.
func (f *File) addUpAlike(ctx context.Context) error {
	repeats := &f.batch.repeats
	if f.batch.Options.Lines != invoice.LinesNone || len(repeats.disputed) == 0 {
		return nil
	}
	reader, err := f.reader(f.batch.Options)
	if err != nil {
		return f.unreadable(err)
	}
	defer reader.Close()
	f.alike = map[uint32]*alike{}
	for {
		row, err := reader.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return f.unreadable(err)
		case ctx.Err() != nil:
			return ctx.Err()
		case row.Invoice.ID == "":
			continue
		}
		first := f.firstHere(&row.Invoice)
		if !f.has(first) || repeats.disputed[first] == 0 {
			continue
		}
		if f.alike[first] == nil {
			f.alike[first] = &alike{line: row.Line, sum: new(big.Int), equal: true}
		}
		f.alike[first].add(reader, &row)
	}
}

// firstHere is the place of the first row of the invoice in this file.
func (f *File) firstHere(inv *invoice.Invoice) uint32 {
	since := uint32(f.before)
	first, _ := f.batch.repeats.find(inv, 0, since)
	if first != 0 && first <= since {
		own := f.inThisFile(*inv)
		first, _ = f.batch.repeats.find(&own, 0, since)
	}
	return first
}

func (a *alike) add(reader *invoice.Reader, row *invoice.Row) {
	inv := &row.Invoice
	code := inv.Amount.CurrencyCode()
	customer := job.Customer{ID: inv.CustomerID, Email: strings.ToLower(inv.CustomerEmail), Reference: inv.ReferenceCustomerID}
	if a.rows++; a.rows == 1 {
		a.code, a.customer = code, customer
	}
	for _, p := range row.Problems {
		switch p.Kind {
		case invoice.AmountMissing, invoice.AmountZero, invoice.AmountNegative, invoice.AmountCredit, invoice.AmountMinusSign, invoice.CustomerMissing:
		case invoice.CurrencyMissing:
			code = a.code
		default:
			a.other = true
		}
	}
	differs := func(first, this string) bool { return this != "" && this != first }
	amount, blank, readable := reader.LineAmount(row)
	a.other = a.other || !readable || code != a.code || differs(a.customer.ID, customer.ID) || differs(a.customer.Email, customer.Email) || differs(a.customer.Reference, customer.Reference)
	if blank {
		a.blank = true
		return
	}
	if a.equal = a.equal && (a.total == amount || !a.valued) && amount > 0; a.equal {
		a.total = amount
	}
	a.valued = true
	a.sum.Add(a.sum, big.NewInt(amount))
}

// looksLikeLines is the row's problem where the rows of its invoice, the first at this place, may be its lines; else nil.
func (f *File) looksLikeLines(c *checked, first uint32) *Problem {
	a := f.alike[first]
	if a == nil || a.other {
		return nil
	}
	var options []invoice.Option
	option := func(mode invoice.LinesMode, when string, amount *big.Int) {
		options = append(options, invoice.Option{Do: invoice.Add, Setting: "lines", Value: string(mode),
			When: fmt.Sprintf("%s, and the invoice is %s %s", when, job.FormatAmount(amount, a.code), a.code)})
	}
	if a.equal {
		option(invoice.LinesTotal, "each has the total", big.NewInt(a.total))
	}
	if !a.blank && a.sum.Sign() > 0 {
		option(invoice.LinesSum, "each has the amount of its line", a.sum)
	}
	if options == nil {
		return nil
	}
	what := fmt.Sprintf("stands in %d rows that differ, the first on %s: they look like the lines of one invoice", a.rows, f.line(a.line))
	p := f.repeated(c, LinesUnsaid, what, "give each invoice an id of its own if they are not", options...)
	return &p
}
