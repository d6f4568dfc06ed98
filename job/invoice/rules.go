package invoice

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"paylinks/job/invoice/xlsx"
)

// judge turns a row into an Invoice and finds everything that is wrong with it.
type judge struct {
	file     string
	options  Options
	present  []present         // the columns that the file has or the job gives, in the table's order
	headers  map[string]string // canonical name to the header of the file
	settings map[string]string // canonical name to the setting that gives it for the whole job
	places   map[string]int    // canonical name to the column of the file

	lookAlike map[string]bool // canonical names whose header in the file may mean something else

	promotions bool // allow_promotion_codes is one of present

	currencies map[uint64][3]byte // in a file with lines, by a hash of the invoice id: that of its first row; zero where it is wrong
	seed       maphash.Seed
}

// present is a column that the file has, or that has the same value in every row.
type present struct {
	*column
	given string // the value for the whole job; "" is the file's
}

func newJudge(file string, o Options, taken map[string]string) *judge {
	j := &judge{file: file, options: o, headers: taken, settings: map[string]string{}, lookAlike: map[string]bool{}, currencies: map[uint64][3]byte{}, seed: maphash.MakeSeed()}
	for i := range columns {
		c := &columns[i]
		setting := c.Name
		if c.Name == "description" && o.Defaults[setting] == "" {
			setting = "item_name"
		}
		if _, ok := taken[c.Name]; ok {
			j.present = append(j.present, present{c, ""})
		} else if value := o.Defaults[setting]; value != "" {
			j.present = append(j.present, present{c, value})
			j.settings[c.Name] = setting
		}
	}
	for _, name := range lookAlikes {
		j.lookAlike[name] = taken[name] != ""
	}
	_, j.lookAlike["currency"] = KnownHeader("currency", taken["currency"]) // one that only other programs have may be a date: Valuta
	j.promotions = j.has("allow_promotion_codes")
	return j
}

// has reports whether the file or the job gives the column.
func (j *judge) has(name string) bool { return j.headers[name] != "" || j.settings[name] != "" }

// checkDefaults checks job-wide values once, not in every row.
func (j *judge) checkDefaults() (problems Problems) {
	for _, name := range slices.Sorted(maps.Keys(j.options.Defaults)) {
		value, c := j.options.Defaults[name], columnNamed(name)
		if name == "item_name" {
			c = columnNamed("description")
		}
		var bad *Problem
		switch {
		case c == nil:
			bad = flaw(DefaultUnknown, "there is no such column", "the names are "+strings.Join(canonicalNames(), ", "))
		case isBlank(value):
		case c.check != nil:
			bad = c.check(value)
		case name == "currency":
			_, _, bad = readCurrency(value)
		default:
			_, _, bad = amountFormat{decimalComma: j.options.DecimalComma}.read(value)
		}
		if bad != nil {
			problems = append(problems, bad.atSetting(j.file, 0, name, value))
		}
	}
	return problems
}

// lookAlikes are the columns whose names other programs give to something else.
var lookAlikes = []string{"quantity", "unit_amount", "image_url", "product_id", "price_id"}

// finding collects what is wrong with one row.
type finding struct {
	*judge
	row    *Row
	rec    *record
	flawed []string // the columns that have a problem
}

func (f *finding) cell(name string) string { return *columnNamed(name).cell(f.rec) }

// bad adds a problem with the column; "", or a column that is not given at all, is the whole row.
func (f *finding) bad(name string, bad *Problem) {
	value := ""
	if name != "" {
		value = f.cell(name)
	}
	problem := bad.at(f.file, f.row.Line, f.headers[name], value)
	problem.Setting = f.settings[name]
	if header := f.headers[name]; f.lookAlike[name] {
		problem.Options = append(slices.Clip(problem.Options), Option{Do: Add, Setting: "ignore", Value: header, When: quote(header) + " means something else"})
	}
	f.row.Problems = append(f.row.Problems, problem)
	f.flawed = append(f.flawed, name)
}

// sound reports whether none of these columns has a problem so far. Only then are they compared with each other.
func (f *finding) sound(names ...string) bool {
	return !slices.ContainsFunc(f.flawed, func(flawed string) bool { return slices.Contains(names, flawed) })
}

// judge fills row.Invoice, all but Identity and Content, from the record and adds to row.Problems.
func (j *judge) judge(row *Row, rec *record) {
	f := &finding{judge: j, row: row, rec: rec}
	for _, c := range j.present {
		cell := c.cell(rec)
		if c.given != "" {
			*cell = c.given
		}
		bad := f.checkTyped(c.Name)
		switch {
		case bad != nil:
			f.bad(c.Name, bad)
			f.unclear(c.Name)
			*cell = ""
		case isBlank(*cell):
			*cell = ""
		case c.given == "" && !c.Required && c.Name != "invoice_id" && isNothing(*cell):
			f.note(Nothing, c.Name, *cell, "")
			*cell = ""
		case c.Name == "quantity" && j.options.Lines == LinesSum: // it counts only where the line has an amount above zero
		case c.check != nil:
			if bad := c.check(*cell); bad != nil {
				f.bad(c.Name, bad)
			}
		}
	}
	f.money()
	if j.options.Lines == LinesNone {
		f.customer() // else a row below the first of its invoice may leave it out
	}
	f.pairs()
	f.fill()
}

// money reads amount, currency and unit amount, and checks that quantity × unit amount is the amount.
func (f *finding) money() {
	code, digits := "", 0
	continues := f.options.Lines != LinesNone && f.takeCurrency()
	if f.rec.Currency == "" && (!f.sound("currency") || continues) {
		// it has a problem already, or the first row of its invoice has
	} else if f.rec.Currency == "" {
		advice := "write the three letters of its currency, such as USD"
		if f.options.Defaults["currency"] != "" {
			advice += "; a currency for the whole file counts only where the file has no such column"
		}
		f.bad("currency", flaw(CurrencyMissing, "the row has no currency", advice))
	} else {
		var bad *Problem
		if code, digits, bad = readCurrency(f.rec.Currency); bad != nil {
			if exact := checkExact(f.rec.Currency); exact != nil {
				bad = exact
			}
			f.bad("currency", bad)
		}
	}
	if f.options.Lines != LinesNone {
		f.rememberCurrency(code)
		f.linesMoney(amountFormat{decimalComma: f.options.DecimalComma, code: code, digits: digits})
		return
	}
	if f.rec.Amount == "" && f.sound("amount") {
		f.bad("amount", flaw(AmountMissing, "the row has no amount", "write what is due, or take the row out"))
	}
	format := amountFormat{decimalComma: f.options.DecimalComma, code: code, digits: digits}
	amount := f.readMoney("amount", f.rec.Amount, format)
	unit := f.readMoney("unit_amount", f.rec.UnitAmount, format)
	inv := &f.row.Invoice
	inv.AmountText, inv.UnitAmount = amount, unit
	if code != "" {
		inv.Amount, _ = currency.NewAmount(cmp.Or(amount, "0"), code) // a plain decimal and a known code always make an amount
	}
	f.total(amount, unit)
}

// readMoney returns the plain decimal, or "" when the cell is empty or wrong.
func (f *finding) readMoney(name, cell string, format amountFormat) string {
	if cell == "" {
		return ""
	}
	return f.readAmount(name, cell, func(typed *xlsx.Cell) (string, []Way, *Problem) {
		if typed != nil {
			plain, bad := format.readNumber(*typed)
			return plain, nil, bad
		}
		return format.read(cell)
	})
}

// readAmount is readMoney for a cell with something in it, in a way of its own; read is given the cell of a workbook where it is a number.
func (f *finding) readAmount(name, cell string, read func(typed *xlsx.Cell) (string, []Way, *Problem)) string {
	typed := f.typedCell(name)
	if typed != nil && typed.Type != xlsx.Number {
		typed = nil
	}
	plain, ways, bad := read(typed)
	if bad != nil && typed != nil {
		f.unclear(name)
	}
	if e := checkSpreadsheetError(cell); e != nil {
		bad = e
	}
	if bad != nil {
		f.bad(name, bad)
		return ""
	}
	for _, way := range ways {
		f.note(way, name, cell, plain)
	}
	return plain
}

// note remembers that a cell of the file was read in a way of its own.
func (f *finding) note(way Way, name, cell, as string) {
	if header := f.headers[name]; header != "" {
		f.row.readings = append(f.row.readings, Reading{Way: way, Column: header, Cell: cell, As: as})
	}
}

// total checks quantity × unit amount, which the customer is shown, against the amount.
func (f *finding) total(amount, unit string) {
	quantity := f.rec.Quantity
	if !f.sound("quantity") {
		return
	}
	if quantity != "" && quantity != "1" && f.rec.UnitAmount == "" {
		f.bad("quantity", flaw(UnitAmountMissing, "a quantity above 1 needs a unit_amount", "add the unit_amount, or leave the quantity empty"))
	}
	if amount == "" || unit == "" {
		return
	}
	n := int64(1)
	if quantity != "" {
		n, _ = strconv.ParseInt(quantity, 10, 64) // checkQuantity let it pass
	}
	over, product := bits.Mul64(uint64(n), uint64(tenThousandths(unit)))
	if over != 0 || product != uint64(tenThousandths(amount)) {
		f.bad("unit_amount", flaw(QuantityMismatch, fmt.Sprintf("%d × %s is not the amount %s", n, unit, amount), "correct one of the three, or leave quantity and unit_amount empty"))
	}
}

func (f *finding) customer() {
	if f.rec.CustomerID != "" || f.rec.CustomerEmail != "" || f.rec.ReferenceCustomerID != "" || !f.sound(customerColumns...) {
		return
	}
	at, n := "", 0
	for _, name := range customerColumns {
		if f.has(name) {
			at, n = name, n+1
		}
	}
	if n > 1 {
		at = ""
	}
	f.bad(at, flaw(CustomerMissing, "the row does not say who the customer is", "fill one of "+strings.Join(customerColumns, ", ")))
}

// pairs checks cells that depend on each other.
func (f *finding) pairs() {
	r := f.rec
	if (r.ProductID == "") != (r.PriceID == "") {
		given, lacking := "product_id", "price_id"
		if r.ProductID == "" {
			given, lacking = lacking, given
		}
		f.bad(given, flaw(ProductIncomplete, given+" needs "+lacking, "fill both or neither"))
	}
	if r.ProductID != "" {
		for _, name := range []string{"quantity", "unit_amount", "image_url"} {
			if f.cell(name) != "" {
				f.bad(name, flaw(ProductAndItem, "a registered product takes no "+name, "leave it empty, or leave product_id and price_id empty"))
			}
		}
	}
	if strings.EqualFold(r.UIMode, "elements") && r.ReturnURL == "" {
		f.bad("ui_mode", flaw(ReturnURLMissing, "elements needs a return_url", "fill return_url", Option{Do: Add, Setting: "return_url"}))
	}
	method := choice(r.PaymentMethodType, paymentMethods...)
	if f.sound("payment_method_type", "direct_payment_qr_code_payment_method_type") && r.DirectPaymentQRCode != "" && method != "CASHAPP" {
		f.bad("direct_payment_qr_code_payment_method_type", flaw(QRCodeMismatch, "a direct QR code needs payment_method_type CASHAPP", "write CASHAPP in both, or leave this one empty"))
	}
	if method != "" && slices.Contains(splitMethods(r.PaymentMethodBlackList), method) {
		f.bad("payment_method_type_black_list", flaw(MethodExcluded, "leaves out "+method+", which is the row's payment_method_type", "take it out of one of the two"))
	}
	if f.sound("allow_promotion_codes") && r.PromotionCode != "" && choice(r.AllowPromotionCodes, yes...) == "" {
		f.bad("promotion_code", flaw(PromotionNotAllowed, "a promotion code needs allow_promotion_codes", "set allow_promotion_codes to true, or leave the code empty"))
	}
}

// fill copies the other fields into the invoice.
func (f *finding) fill() {
	r, inv := f.rec, &f.row.Invoice
	inv.ID, inv.Series = r.InvoiceID, f.options.Series
	inv.CustomerID, inv.CustomerEmail, inv.ReferenceCustomerID = r.CustomerID, r.CustomerEmail, r.ReferenceCustomerID
	inv.Description = r.Description
	if inv.Description == "" {
		inv.Description = f.options.Defaults["item_name"]
	}
	if r.Quantity != "" {
		inv.Quantity, _ = strconv.ParseInt(r.Quantity, 10, 64)
	}
	inv.ImageURL, inv.ProductID, inv.PriceID = r.ImageURL, r.ProductID, r.PriceID
	inv.UIMode = choice(r.UIMode, uiModes...)
	inv.ReturnURL, inv.SuccessURL, inv.CancelURL = r.ReturnURL, r.SuccessURL, r.CancelURL
	inv.PaymentMethodType = choice(r.PaymentMethodType, paymentMethods...)
	inv.DirectPaymentQRCode = choice(r.DirectPaymentQRCode, "CASHAPP")
	if r.PaymentMethodBlackList != "" {
		inv.PaymentMethodBlackList = splitMethods(r.PaymentMethodBlackList)
	}
	if f.promotions {
		allowed := choice(r.AllowPromotionCodes, yes...) != ""
		inv.AllowPromotionCodes = &allowed
	}
	inv.PromotionCode = r.PromotionCode
}
