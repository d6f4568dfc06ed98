package invoice

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// judge turns a row into an Invoice and finds everything that is wrong with it.
type judge struct {
	file    string
	options Options
	present []present         // the columns that the file has or the job gives, in the table's order
	source  map[string]string // canonical name to the header or flag that a problem names

	promotions bool // allow_promotion_codes is one of present
	last       struct {
		cell, code string
		digits     int
	} // the currency read last: most files have one
}

// present is a column that the file has, or that has the job's value in every row.
type present struct {
	*column
	given string // the job's
}

func newJudge(file string, o Options, taken map[string]string) *judge {
	j := &judge{file: file, options: o, source: map[string]string{}}
	for i := range columns {
		c := &columns[i]
		if header, ok := taken[c.Name]; ok {
			j.present = append(j.present, present{c, ""})
			j.source[c.Name] = header
		} else if value := j.given(c); value != "" {
			j.present = append(j.present, present{c, value})
			j.source[c.Name] = flagName(c.Name)
			if c.Name == "description" && o.Defaults["description"] == "" {
				j.source[c.Name] = flagName("item_name")
			}
		}
	}
	j.promotions = j.source["allow_promotion_codes"] != ""
	return j
}

// currency is [readCurrency].
func (j *judge) currency(cell string) (code string, digits int, bad *flaw) {
	if cell == j.last.cell {
		return j.last.code, j.last.digits, nil
	}
	if code, digits, bad = readCurrency(cell); bad == nil {
		j.last.cell, j.last.code, j.last.digits = cell, code, digits
	}
	return code, digits, bad
}

// given is the job's value for a column that the file lacks.
func (j *judge) given(c *column) string {
	value := j.options.Defaults[c.Name]
	if value == "" && c.Name == "description" {
		value = j.options.Defaults["item_name"]
	}
	return value
}

func flagName(name string) string { return "--" + strings.ReplaceAll(name, "_", "-") }

// checkDefaults refuses job-wide values once, instead of on every row.
func (j *judge) checkDefaults() (problems Problems) {
	for _, name := range slices.Sorted(maps.Keys(j.options.Defaults)) {
		value, c := j.options.Defaults[name], columnNamed(name)
		if name == "item_name" {
			c = columnNamed("description")
		}
		var bad *flaw
		switch {
		case c == nil:
			bad = &flaw{DefaultUnknown, "there is no such column", "the names are " + strings.Join(canonicalNames(), ", ")}
		case isBlank(value):
		case c.check != nil:
			bad = c.check(value)
		case name == "currency":
			_, _, bad = readCurrency(value)
		default:
			_, bad = readAmount(value, j.options.DecimalComma)
		}
		if bad != nil {
			problems = append(problems, bad.at(j.file, 0, flagName(name), value))
		}
	}
	return problems
}

// finding collects what is wrong with one row.
type finding struct {
	*judge
	row    *Row
	rec    *record
	flawed []string // the columns that have a problem
}

func (f *finding) cell(name string) string { return *columnNamed(name).cell(f.rec) }

// bad places a flaw at a column; a column that is not in the file at all is the row's flaw.
func (f *finding) bad(name string, bad *flaw) {
	value := ""
	if name != "" {
		value = f.cell(name)
	}
	f.row.Problems = append(f.row.Problems, bad.at(f.file, f.row.Line, f.source[name], value))
	f.flawed = append(f.flawed, name)
}

// sound reports whether none of these columns has a problem of its own, so that holding them together means something.
func (f *finding) sound(names ...string) bool {
	return !slices.ContainsFunc(f.flawed, func(flawed string) bool { return slices.Contains(names, flawed) })
}

// judge fills row.Invoice from the record, but for its identity, and adds to row.Problems.
func (j *judge) judge(row *Row, rec *record) {
	f := &finding{judge: j, row: row, rec: rec}
	for _, c := range j.present {
		cell := c.cell(rec)
		if c.given != "" {
			*cell = c.given
		}
		if isBlank(*cell) {
			*cell = ""
		} else if c.check != nil {
			if bad := c.check(*cell); bad != nil {
				f.bad(c.Name, bad)
			}
		}
	}
	f.money()
	f.customer()
	f.pairs()
	f.fill()
}

// money reads the amount, its currency, and the unit amount and quantity that must come to the same.
func (f *finding) money() {
	code, digits := "", 0
	if f.rec.Currency == "" {
		hint := "write the three letters of its currency, such as USD"
		if f.options.Defaults["currency"] != "" {
			hint += "; --currency is for files without the column"
		}
		f.bad("currency", &flaw{CurrencyMissing, "the row has no currency", hint})
	} else {
		var bad *flaw
		if code, digits, bad = f.currency(f.rec.Currency); bad != nil {
			if exact := checkExact(f.rec.Currency); exact != nil {
				bad = exact
			}
			f.bad("currency", bad)
		}
	}
	if f.rec.Amount == "" {
		f.bad("amount", &flaw{AmountMissing, "the row has no amount", "write what is due, or take the row out"})
	}
	amount := f.readMoney("amount", f.rec.Amount, code, digits)
	unit := f.readMoney("unit_amount", f.rec.UnitAmount, code, digits)
	inv := &f.row.Invoice
	inv.AmountText, inv.UnitAmount = amount, unit
	if amount != "" && code != "" {
		inv.Amount, _ = currency.NewAmount(amount, code) // a plain decimal and a known code always make an amount
	}
	f.total(amount, unit)
}

// readMoney returns the plain decimal, or "" when the cell is empty or wrong. Without a currency
// the decimals cannot be counted; the row is bad already.
func (f *finding) readMoney(name, cell, code string, digits int) string {
	if cell == "" {
		return ""
	}
	plain, bad := readAmount(cell, f.options.DecimalComma)
	if e := checkSpreadsheetError(cell); e != nil {
		bad = e
	} else if bad == nil && code != "" {
		bad = checkDecimals(plain, code, digits, f.options.DecimalComma)
	}
	if bad != nil {
		f.bad(name, bad)
		return ""
	}
	return plain
}

// total holds quantity and unit amount against the amount: they are what the customer is shown.
func (f *finding) total(amount, unit string) {
	quantity := f.rec.Quantity
	if !f.sound("quantity") {
		return
	}
	if quantity != "" && quantity != "1" && f.rec.UnitAmount == "" {
		f.bad("quantity", &flaw{UnitAmountMissing, "a quantity above 1 needs a unit_amount", "add the unit_amount, or leave the quantity empty"})
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
		f.bad("unit_amount", &flaw{QuantityMismatch, fmt.Sprintf("%d × %s is not the amount %s", n, unit, amount), "correct one of the three, or leave quantity and unit_amount empty"})
	}
}

func (f *finding) customer() {
	if f.rec.CustomerID != "" || f.rec.CustomerEmail != "" || f.rec.ReferenceCustomerID != "" {
		return
	}
	at, n := "", 0
	for _, name := range customerColumns {
		if f.source[name] != "" {
			at, n = name, n+1
		}
	}
	if n > 1 {
		at = ""
	}
	f.bad(at, &flaw{CustomerMissing, "the row does not say who the customer is", "fill one of " + strings.Join(customerColumns, ", ")})
}

// pairs holds the cells against each other that only count together.
func (f *finding) pairs() {
	r := f.rec
	if (r.ProductID == "") != (r.PriceID == "") {
		given, lacking := "product_id", "price_id"
		if r.ProductID == "" {
			given, lacking = lacking, given
		}
		f.bad(given, &flaw{ProductIncomplete, given + " needs " + lacking, "fill both or neither"})
	}
	if r.ProductID != "" {
		for _, name := range []string{"quantity", "unit_amount", "image_url"} {
			if f.cell(name) != "" {
				f.bad(name, &flaw{ProductAndItem, "a registered product has no " + name + " of its own", "leave it empty, or leave product_id and price_id empty"})
			}
		}
	}
	if strings.EqualFold(r.UIMode, "elements") && r.ReturnURL == "" {
		f.bad("ui_mode", &flaw{ReturnURLMissing, "elements needs a return_url", "fill return_url, or add --return-url"})
	}
	method := choice(r.PaymentMethodType, paymentMethods...)
	if f.sound("payment_method_type", "direct_payment_qr_code_payment_method_type") && r.DirectPaymentQRCode != "" && method != "CASHAPP" {
		f.bad("direct_payment_qr_code_payment_method_type", &flaw{QRCodeMismatch, "a direct QR code needs payment_method_type CASHAPP", "write CASHAPP in both, or leave this one empty"})
	}
	if method != "" && slices.Contains(splitMethods(r.PaymentMethodBlackList), method) {
		f.bad("payment_method_type_black_list", &flaw{MethodExcluded, "leaves out " + method + ", the row's own payment_method_type", "take it out of one of the two"})
	}
	if f.sound("allow_promotion_codes") && r.PromotionCode != "" && choice(r.AllowPromotionCodes, yes...) == "" {
		f.bad("promotion_code", &flaw{PromotionNotAllowed, "a promotion code needs allow_promotion_codes", "write true there, or leave the code empty"})
	}
}

// fill copies what is text in the row and in the invoice alike.
func (f *finding) fill() {
	r, inv := f.rec, &f.row.Invoice
	inv.ID = r.InvoiceID
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
