package invoice

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
)

// Group is what is known of an invoice that may have several rows, once all rows of the file were read. It has the same size however many
// they are.
type Group struct {
	Item    int    // for who reads the rows: of which item they are
	Refused bool   // for who reads the rows: the ledger, or another file, has something against the invoice
	Link    string // for who reads a links file: the link of its first row

	first, bad int    // lines of its first row and of its first bad one; 0 is none
	rows, run  int    // how many there are, and how many of them stand together from the first on
	sum, total int64  // of its lines, and its total as the first row has it, in 1/10,000 of the major unit
	line       int64  // what the first line comes to
	late       uint32 // the first of its rows that stand apart from the first ones; see late
	lastLate   uint32

	code     [3]byte
	customer [3]uint32 // hashes of the three that name the customer; 0 is a blank one
	manner   uint32    // likewise, of what is said once of an invoice
	text     uint32    // likewise, of the description

	equal    bool // all lines come to the same
	sameText bool // all rows have the same description
	negative bool // a line is below zero
	tooLarge bool // the sum does not fit
	product  bool // the first row has a registered product
}

// begin takes the first row.
func (v *Invoices) begin(g *Group, row *Row) {
	inv := &row.Invoice
	g.first, g.rows, g.run = row.Line, 1, 1
	copy(g.code[:], inv.Amount.CurrencyCode())
	g.customer, g.manner, g.text = v.customerOf(inv), v.mannerOf(inv), v.hash(inv.Description)
	g.total = tenThousandths(row.part.total)
	g.line = row.part.amount()
	g.equal, g.sameText, g.product = g.line != 0, true, inv.ProductID != ""
	v.addLine(g, row)
}

// addLine adds up.
func (v *Invoices) addLine(g *Group, row *Row) {
	amount := row.part.amount()
	if amount > 0 && g.sum > math.MaxInt64-amount || amount < 0 && g.sum < math.MinInt64-amount {
		g.tooLarge = true
		return
	}
	g.sum += amount
	g.negative = g.negative || amount < 0
	g.equal = g.equal && amount == g.line
	g.sameText = g.sameText && v.hash(row.Invoice.Description) == g.text
	if len(row.Problems)+len(v.differences(g, row)) > 0 && g.bad == 0 {
		g.bad = row.Line
	}
}

func (v *Invoices) hash(text string) uint32 {
	if text == "" {
		return 0
	}
	return uint32(maphash.String(v.seed, text)) | 1
}

func (v *Invoices) customerOf(inv *Invoice) [3]uint32 {
	return [3]uint32{v.hash(inv.CustomerID), v.hash(strings.ToLower(inv.CustomerEmail)), v.hash(inv.ReferenceCustomerID)}
}

// mannerOf is a hash of what is said once of an invoice beside customer and money: how it is paid, and a registered product.
func (v *Invoices) mannerOf(inv *Invoice) uint32 {
	said := []string{inv.UIMode, inv.ReturnURL, inv.SuccessURL, inv.CancelURL, inv.PaymentMethodType, strings.Join(inv.PaymentMethodBlackList, ";"),
		inv.DirectPaymentQRCode, inv.PromotionCode, inv.ProductID, inv.PriceID}
	if inv.AllowPromotionCodes != nil && *inv.AllowPromotionCodes {
		said = append(said, "promotions")
	}
	if strings.Join(said, "") == "" {
		return 0
	}
	return v.hash(strings.Join(said, "\x00"))
}

// differences are what is wrong with a row as one of its invoice, whatever the other rows below the first are.
func (v *Invoices) differences(g *Group, row *Row) (problems []Problem) {
	if row.ragged {
		return nil
	}
	bad := func(name string, flaw *Problem) {
		at, value := v.head.taken[name], ""
		if _, has := v.head.taken[name]; has {
			value = row.Cells[at]
		}
		p := flaw.at(v.file, row.Line, v.head.Taken[name], value)
		p.Cell = row.Cell(p.Column)
		problems = append(problems, p)
	}
	if row.Line == g.first {
		if g.customer == [3]uint32{} && len(row.Problems) == 0 {
			bad("", flaw(CustomerMissing, "the first row of an invoice must say who the customer is", "fill one of "+strings.Join(customerColumns, ", ")))
		}
		if v.options.Lines == LinesTotal && row.part.total == "" && len(row.Problems) == 0 {
			bad("amount", flaw(AmountMissing, "the first row of an invoice must have its total", "write it there; in the rows below it may be blank"))
		}
		return problems
	}
	first := fmt.Sprintf("%s, the first row of its invoice", v.place(g.first))
	same := "correct the one that is wrong, or leave the cell empty"
	if code := row.Invoice.Amount.CurrencyCode(); code != "" && g.code != [3]byte{} && code != string(g.code[:]) {
		bad("currency", flaw(LineDiffers, "is another currency than that of "+first, same))
	}
	for i, hash := range v.customerOf(&row.Invoice) {
		if hash != 0 && hash != g.customer[i] {
			bad(customerColumns[i], flaw(LineDiffers, "is another customer than that of "+first, same))
		}
	}
	if row.part.total != "" && tenThousandths(row.part.total) != g.total {
		options := []Option{{Do: Replace, Setting: "lines", Value: string(LinesSum), When: "each row has the amount of its line"}}
		if v.options.Lines == LinesSum {
			options = nil
		}
		bad("amount", flaw(LineDiffers, "is another total than that of "+first, same, options...))
	}
	if hash := v.mannerOf(&row.Invoice); hash != 0 && hash != g.manner {
		bad("", flaw(LineDiffers, "asks for another product, way of payment or address to return to than "+first, "write the same in both, or leave these cells empty"))
	}
	return problems
}

// place names a line of the file; a sheet has rows.
func (v *Invoices) place(line int) string {
	if v.head.Sheet != "" {
		return fmt.Sprintf("row %d", line)
	}
	return fmt.Sprintf("line %d", line)
}

// whole is what is wrong with an invoice whose rows are all good, at its first row; nil is nothing.
func (v *Invoices) whole(g *Group, row *Row) *Problem {
	bad := func(name string, flaw *Problem) *Problem {
		p := flaw.at(v.file, row.Line, v.head.Taken[name], "")
		p.Cell = row.Cell(p.Column)
		return &p
	}
	total, line := v.columns[0], v.columns[1]
	const most = 100_000_000_000_000 * 10_000 // 14 digits before the point
	lines := fmt.Sprintf("its %d lines add up", g.rows)
	if g.rows == 1 {
		lines = "its only line comes"
	}
	switch {
	case line == "":
		return nil
	case g.tooLarge || g.sum >= most:
		return bad(line, flaw(AmountTooLarge, lines+" to more than an amount can be", "divide the invoice"))
	case total != "" && g.total != 0 && g.total != g.sum:
		counts, other := "the total counts", v.head.Taken[line]
		if v.options.Lines == LinesSum {
			counts, other = "the lines count", v.head.Taken[total]
		}
		return bad(total, flaw(LinesBesideTotal, fmt.Sprintf("is %s, and %s to %s", v.money(g, g.total), lines, v.money(g, g.sum)), "correct the one that is wrong",
			Option{Do: Add, Setting: "ignore", Value: other, When: counts + ", and " + quote(other) + " means something else"}))
	case v.options.Lines == LinesTotal:
		return nil
	case g.sum == 0:
		return bad(line, flaw(LinesWorthless, lines+" to nothing", "take it out, or correct them"))
	case g.sum < 0:
		return bad(line, flaw(LinesWorthless, lines+" to "+v.money(g, g.sum), creditNote))
	case g.rows > mostLines && !g.negative:
		return bad(line, flaw(LinesTooMany, fmt.Sprintf("the invoice has %d lines, and Clink is given %d at most", g.rows, mostLines), "put some of them together",
			Option{Do: Replace, Setting: "lines", Value: string(LinesTotal), When: "a column has the total of the invoice"}))
	case g.rows > 1 && g.product:
		return bad("product_id", flaw(LinesAndProduct, "is a registered product, which takes the place of all lines", "leave it empty",
			Option{Do: Add, Setting: "ignore", Value: v.head.Taken["product_id"], When: quote(v.head.Taken["product_id"]) + " means something else"}))
	}
	return nil
}

// money is the amount as a person writes it, with its currency.
func (v *Invoices) money(g *Group, amount int64) string {
	return plainAmount(amount, string(g.code[:])) + " " + string(g.code[:])
}
