package invoice

import (
	"hash/maphash"

	"github.com/bojanz/currency"
)

// LinesMode says what a row is in a file that has several rows of an invoice: a line of it. The first row of an id has the customer, the
// currency and what else there is to say of the invoice; below it they are the same or blank.
type LinesMode string

const (
	LinesNone  LinesMode = ""      // a row is an invoice
	LinesTotal LinesMode = "total" // the amount is what the invoice comes to, the same in all its rows, or blank below the first
	LinesSum   LinesMode = "sum"   // the amount is what the line comes to; the invoice is the sum
)

// mostLines is how many lines Clink is given of one invoice.
const mostLines = 1000

// Line is a line of an invoice as the customer is shown it. The sum of Quantity × UnitAmount is the invoice's amount.
type Line struct {
	Description string
	Quantity    int64  // 0 when not given
	UnitAmount  string // a plain decimal
	ImageURL    string
}

// part is what a row says of money in a file with lines.
type part struct {
	total string // what the invoice comes to, a plain decimal; "" where the cell is blank or there is no such column
	line  string // what the line comes to, a plain decimal that is negative for a discount; "" where there is no such column
}

// amount is what the line comes to, in 1/10,000 of the currency's major unit.
func (p part) amount() int64 { return signedTenThousandths(p.line) }

func signedTenThousandths(plain string) int64 {
	if plain != "" && plain[0] == '-' {
		return -tenThousandths(plain[1:])
	}
	return tenThousandths(plain)
}

// readWith says whether the column is read in a file that is read so. What one of several lines is made of says nothing of a total.
func (c *column) readWith(o Options) bool {
	switch c.Name {
	case "line_amount":
		return o.Lines != LinesNone
	case "quantity", "unit_amount", "image_url":
		return o.Lines != LinesTotal
	}
	return true
}

// moneyColumns are the columns that say what an invoice comes to, and what a line of it does; "" where there is none.
func (j *judge) moneyColumns() (total, line string) {
	switch {
	case j.has("line_amount") && j.has("amount"):
		return "amount", "line_amount"
	case j.has("line_amount"):
		return "", "line_amount"
	case j.options.Lines == LinesSum:
		return "", "amount"
	}
	return "amount", ""
}

// takeCurrency takes the currency of the first row of the invoice for a further one that leaves it out.
func (f *finding) takeCurrency() (continues bool) {
	if f.rec.InvoiceID == "" {
		return false
	}
	code, continues := f.currencies[maphash.String(f.seed, f.rec.InvoiceID)]
	if f.rec.Currency == "" && code != [3]byte{} && f.sound("currency") {
		f.rec.Currency = string(code[:])
	}
	return continues
}

// rememberCurrency keeps the currency of the first row of an invoice. Two ids with one hash are found out: their currencies are compared with
// those of their first rows.
func (f *finding) rememberCurrency(code string) {
	hash := maphash.String(f.seed, f.rec.InvoiceID)
	if _, known := f.currencies[hash]; !known && f.rec.InvoiceID != "" {
		var first [3]byte
		copy(first[:], code)
		f.currencies[hash] = first
	}
}

// linesMoney reads what the row says of money in a file with lines.
func (f *finding) linesMoney(format amountFormat) {
	if format.code != "" {
		f.row.Invoice.Amount, _ = currency.NewAmount("0", format.code) // a known code always makes an amount
	}
	total, line := f.moneyColumns()
	if total != "" {
		f.row.part.total = f.readMoney(total, f.rec.Amount, format)
	}
	if line == "" {
		return
	}
	cell := f.cell(line)
	if cell == "" {
		if f.sound(line) {
			f.bad(line, flaw(AmountMissing, "the line has no amount", "write what it comes to, 0 where it is only a text"))
		}
		return
	}
	plain := f.readSigned(line, cell, format)
	f.row.part.line = plain
	if f.row.part.amount() <= 0 { // it is left out, or the invoice has a single item: what it is made of does not count
		f.rec.Quantity, f.rec.UnitAmount, f.rec.ImageURL = "", "", ""
		return
	}
	if f.rec.Quantity != "" {
		if bad := checkQuantity(f.rec.Quantity); bad != nil {
			f.bad("quantity", bad)
		}
	}
	unit := f.readMoney("unit_amount", f.rec.UnitAmount, format)
	f.row.Invoice.UnitAmount = unit
	f.total(plain, unit)
}
