package invoice

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Invoices are those of a file with lines (see [Options.Lines]). All rows are added first; [Invoices.Read] then reads the file once more,
// and gives the first row of each invoice all of it.
type Invoices struct {
	options Options
	file    string
	head    *head
	columns [2]string // those of the total and of the line's amount; "" where there is none
	seed    maphash.Seed

	numbers map[[10]byte]uint32 // by Identity; ten bytes of it: with a million invoices the odds of taking two for one are below one in 10^12
	groups  [][]Group           // in parts, so that they are not copied when there are more
	last    *Group              // of the row above
	late    late

	above *Group // of the last row whose invoice is known
	stray int    // the line of a row below that, whose invoice is not known; 0 is none
	lost  int    // the first such line in the file
	apart bool   // rows of an invoice stand apart
}

// ErrChanged is the error of a second reading that has come to other rows than the first.
var ErrChanged = errors.New("the file changed between two readings")

// groupsPart is how many groups are made at a time.
const groupsPart = 4096

// NewInvoices takes rows of the reader, and of those that read the same file.
func NewInvoices(r *Reader) *Invoices {
	v := &Invoices{options: r.judge.options, file: r.file, head: r.head, seed: maphash.MakeSeed(), numbers: map[[10]byte]uint32{}}
	v.columns[0], v.columns[1] = r.judge.moneyColumns()
	return v
}

// Add takes the next row.
func (v *Invoices) Add(row *Row) {
	if row.Invoice.ID == "" {
		v.last = nil // it is an invoice by itself, or bad
		v.addStray(row)
		return
	}
	key := [10]byte(row.Invoice.Identity[:10])
	number, has := v.numbers[key]
	if !has {
		number = uint32(len(v.numbers))
		v.numbers[key] = number
		if number%groupsPart == 0 {
			v.groups = append(v.groups, make([]Group, groupsPart))
		}
		v.last = v.group(number)
		v.begin(v.last, row)
		v.bound(v.last, row)
		return
	}
	g := v.group(number)
	g.rows++
	v.apart = v.apart || g != v.above
	if g == v.last && g.run == g.rows-1 {
		g.run++
	} else if v.options.Lines == LinesSum && len(row.Problems) == 0 && row.part.amount() != 0 {
		v.late.add(g, lineOf(row), row.part.amount())
	}
	v.last = g
	v.addLine(g, row)
	v.bound(g, row)
}

// addStray takes a row without an id that is no invoice by itself. It may be a line of the invoice above it or of the one below, which
// without it would come to too little: both are refused.
func (v *Invoices) addStray(row *Row) {
	isTotal := func(p Problem) bool { return p.Kind == RowIsTotal }
	if v.options.Lines != LinesSum || len(row.Problems) == 0 || slices.ContainsFunc(row.Problems, isTotal) {
		return
	}
	v.stray, v.lost = row.Line, cmp.Or(v.lost, row.Line)
	if v.above != nil {
		v.above.bad = cmp.Or(v.above.bad, row.Line)
	}
}

// bound takes a row of an invoice below those that addStray has taken. Its id may be wrong, and so it may be another one's line, too.
func (v *Invoices) bound(g *Group, row *Row) {
	if v.stray != 0 {
		g.bad, v.stray = cmp.Or(g.bad, v.stray), 0
	}
	if g != v.above && v.doubtsID(row) {
		v.addStray(row)
		return
	}
	v.above = g
}

// doubtsID says whether the row has another id than it should. That of a row with too many or too few cells may stand in another column,
// unless it is the first.
func (v *Invoices) doubtsID(row *Row) bool {
	isID := func(p Problem) bool { return p.Column == v.head.Taken["invoice_id"] }
	return row.ragged && v.head.taken["invoice_id"] > 0 || slices.ContainsFunc(row.Problems, isID)
}

// badRow is the line of a row for which the invoice is refused; 0 is none. Where rows of invoices stand apart, a row whose invoice is not
// known may be a line of any.
func (v *Invoices) badRow(g *Group) int {
	if v.apart {
		return cmp.Or(g.bad, v.lost)
	}
	return g.bad
}

func (v *Invoices) group(number uint32) *Group {
	return &v.groups[number/groupsPart][number%groupsPart]
}

func (v *Invoices) groupOf(row *Row) *Group {
	number, has := v.numbers[[10]byte(row.Invoice.Identity[:10])]
	if !has || row.Invoice.ID == "" {
		return nil
	}
	return v.group(number)
}

// End says whether the rows that were added can be lines. Its error is a [Problems]: where all rows of each invoice have the same amount,
// that may as well be its total.
func (v *Invoices) End() error {
	if v.options.Lines != LinesSum || v.columns[1] != "amount" {
		return nil
	}
	var example *Group
	several := 0
	for number := range uint32(len(v.numbers)) {
		g := v.group(number)
		switch {
		case g.rows == 1:
			continue
		case !g.equal:
			return nil
		case example == nil:
			example = g
		}
		several++
	}
	if example == nil {
		return nil
	}
	header := v.head.Taken["amount"]
	what := fmt.Sprintf("is the same in all rows of each invoice that has several (%d of them), and so may be its total: that of %s is %s if it is, and %s if each row has the amount of its line",
		several, v.place(example.first), v.money(example, example.line), v.money(example, example.sum))
	p := flaw(LinesEqual, what, "",
		Option{Do: Replace, Setting: "lines", Value: string(LinesTotal), When: "it is the total"},
		Option{Do: Add, Setting: "map", Column: "line_amount", Value: header, When: "it is the amount of the line"}).at(v.file, v.head.line, header, "")
	if v.head.Sheet != "" {
		p.Cell = rowOf(v.head.Sheet, p.Line)
	}
	return Problems{p}
}

// InvoiceReader reads a file with lines whose invoices are known.
type InvoiceReader struct {
	*Reader
	invoices *Invoices
	id       identifier
	ahead    []Row // further rows of an invoice that Next has returned the first of
}

// Read reads the file once more, from its top: r is a new reader of it.
func (v *Invoices) Read(r *Reader) *InvoiceReader { return &InvoiceReader{Reader: r, invoices: v} }

// Ready is how many rows Next returns without waiting.
func (r *InvoiceReader) Ready() int { return len(r.ahead) + r.Reader.Ready() }

// Next returns the rows as [Reader.Next] does. The first row of an invoice has all of it, and further ones none. Where one row is bad, all
// of the invoice are.
func (r *InvoiceReader) Next() (Row, error) {
	if len(r.ahead) > 0 {
		row := r.ahead[0]
		r.ahead = r.ahead[1:]
		return row, nil
	}
	row, err := r.Reader.Next()
	if err != nil {
		return row, err
	}
	v := r.invoices
	if row.Invoice.ID == "" {
		if len(row.Problems) == 0 {
			single := Group{}
			v.begin(&single, &row)
			r.judgeFirst(&single, &row)
			if len(row.Problems) == 0 {
				err = r.complete(&row, &single, []Row{row})
			}
		}
		return row, err
	}
	g := v.groupOf(&row)
	if g == nil {
		return row, ErrChanged
	}
	row.Group, row.Further = g, row.Line != g.first
	if row.Further {
		r.judgeFurther(g, &row)
		return row, nil
	}
	r.judgeFirst(g, &row)
	if len(row.Problems) > 0 {
		return row, nil
	}
	rows := []Row{row}
	if v.options.Lines == LinesSum && !g.negative {
		for range g.run - 1 {
			next, err := r.Reader.Next()
			if err != nil || v.groupOf(&next) != g {
				return row, ErrChanged
			}
			next.Group, next.Further = g, true
			rows = append(rows, next)
		}
		r.ahead = rows[1:]
	}
	return row, r.complete(&row, g, rows)
}

// judgeFirst adds to the first row what is wrong with it as one of its invoice, and with the invoice.
func (r *InvoiceReader) judgeFirst(g *Group, row *Row) {
	v := r.invoices
	row.Problems = append(row.Problems, v.differences(g, row)...)
	if len(row.Problems) > 0 {
		return
	}
	if bad := v.badRow(g); bad != 0 {
		row.Problems = append(row.Problems, v.refused(row, bad))
	} else if whole := v.whole(g, row); whole != nil {
		row.Problems = append(row.Problems, *whole)
	}
}

// judgeFurther does so with a further row.
func (r *InvoiceReader) judgeFurther(g *Group, row *Row) {
	v := r.invoices
	row.Problems = append(row.Problems, v.differences(g, row)...)
	switch {
	case len(row.Problems) > 0:
	case v.badRow(g) != 0:
		row.Problems = append(row.Problems, v.refused(row, v.badRow(g)))
	case v.whole(g, row) != nil:
		row.Problems = append(row.Problems, v.refused(row, g.first))
	}
}

// Refused is what is wrong with a further row whose invoice is refused at its first row.
func (v *Invoices) Refused(row *Row) Problem { return v.refused(row, row.Group.first) }

func (v *Invoices) refused(row *Row, bad int) Problem {
	p := flaw(LineRefused, "belongs to an invoice that cannot be sent: see "+v.place(bad), "").
		at(v.file, row.Line, v.head.Taken["invoice_id"], row.Invoice.ID)
	p.Cell = row.Cell(p.Column)
	return p
}

// complete fills the invoice of the first row. rows are those that stand together with it, and itself.
func (r *InvoiceReader) complete(row *Row, g *Group, rows []Row) error {
	v, inv := r.invoices, &row.Invoice
	code := inv.Amount.CurrencyCode()
	if v.options.Lines == LinesTotal {
		inv.AmountText = row.part.total
		inv.Amount, _ = currency.NewAmount(inv.AmountText, code) // it was read as an amount
		if !g.sameText {
			inv.Description = v.options.Defaults["item_name"]
		}
		r.id.identify(inv)
		return nil
	}
	if g.negative {
		inv.AmountText = plainAmount(g.sum, code)
		inv.Amount, _ = currency.NewAmount(inv.AmountText, code) // a plain decimal and a known code always make an amount
		inv.Quantity, inv.UnitAmount, inv.ImageURL = 0, "", v.options.Defaults["image_url"]
		if !g.sameText {
			inv.Description = v.options.Defaults["item_name"]
		}
		r.id.identify(inv)
		return nil
	}
	sum, err := currency.NewAmount("0", code)
	if err != nil {
		return err
	}
	lines := make([]Line, 0, len(rows))
	add := func(line Line, amount int64) {
		if err != nil || amount == 0 {
			return
		}
		var unit currency.Amount
		if unit, err = currency.NewAmount(line.UnitAmount, code); err != nil {
			return
		}
		if unit, err = unit.Mul(strconv.FormatInt(max(line.Quantity, 1), 10)); err == nil {
			sum, err = sum.Add(unit)
		}
		lines = append(lines, line)
	}
	for i := range rows {
		add(lineOf(&rows[i]), rows[i].part.amount())
	}
	v.late.of(g, add)
	if err != nil {
		return err
	}
	if tenThousandths(sum.Number()) != g.sum {
		return ErrChanged
	}
	inv.AmountText, inv.Amount = plainAmount(g.sum, code), sum
	if len(lines) == 1 {
		inv.Description, inv.Quantity, inv.UnitAmount, inv.ImageURL = lines[0].Description, lines[0].Quantity, lines[0].UnitAmount, lines[0].ImageURL
	} else {
		inv.Description, inv.Quantity, inv.UnitAmount, inv.ImageURL = "", 0, "", ""
		inv.Lines = lines
	}
	r.id.identify(inv)
	return nil
}

// lineOf is the row as a line of its invoice. What it comes to is its unit amount where it says no other.
func lineOf(row *Row) Line {
	inv := &row.Invoice
	line := Line{Description: inv.Description, Quantity: inv.Quantity, UnitAmount: inv.UnitAmount, ImageURL: inv.ImageURL}
	if line.UnitAmount == "" {
		line.UnitAmount = row.part.line
	}
	return line
}

// plainAmount writes a count of 1/10,000 with the decimals of the currency.
func plainAmount(amount int64, code string) string {
	digits, known := currency.GetDigits(code)
	if !known {
		digits = 4
	}
	n := big.NewInt(amount)
	sign := ""
	if n.Sign() < 0 {
		sign, n = "-", n.Neg(n)
	}
	text := n.String()
	if len(text) < 5 {
		text = strings.Repeat("0", 5-len(text)) + text
	}
	whole, decimals := text[:len(text)-4], text[len(text)-4:][:digits]
	if decimals != "" {
		whole += "." + decimals
	}
	return sign + whole
}
