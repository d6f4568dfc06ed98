package invoice

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Column is a column that is read. Every other column is the user's own and is copied to the output files.
type Column struct {
	Name     string   // the canonical name
	Required bool     // must be in the file, or be given for the whole job
	Also     []string // other headers that are taken for it; the first in the order Name, Also... wins
	Exact    bool     // only this spelling counts; else case, spaces, _ and - do not matter
	About    string
}

// Columns is the table of the columns that are read, in the order in which help texts list them.
// Of the three that name the customer, a file needs one.
func Columns() []Column {
	list := make([]Column, len(columns))
	for i, c := range columns {
		list[i] = c.Column
		list[i].Also = slices.Clone(c.Also)
	}
	return list
}

// column is a Column with its field of a record and the check of its text. Where check is nil, finding.money checks it
// together with other cells.
type column struct {
	Column
	cell  func(*record) *string
	check func(cell string) *Problem
}

var columns = []column{
	{Column{Name: "amount", Required: true, Also: []string{"original_amount", "amount_due", "invoice_amount_due", "total"},
		About: "what is due, in the currency's major unit: 1234.50"},
		func(r *record) *string { return &r.Amount }, nil},
	{Column{Name: "currency", Required: true, Also: []string{"original_currency", "currency_code"},
		About: "three letters of ISO 4217"},
		func(r *record) *string { return &r.Currency }, nil},
	{Column{Name: "customer_id", About: "Clink's id of the customer; in another spelling its values must begin with cus_"},
		func(r *record) *string { return &r.CustomerID }, checkID},
	{Column{Name: "customer_email", Also: []string{"email", "email_address"}, About: "the customer's email address"},
		func(r *record) *string { return &r.CustomerEmail }, checkEmail},
	{Column{Name: "reference_customer_id", About: "your own id of the customer"},
		func(r *record) *string { return &r.ReferenceCustomerID }, checkID},
	{Column{Name: "invoice_id", Also: []string{"invoice_number", "invoice_no", "merchant_reference_id", "reference_id"},
		About: "your number of the invoice; makes it the same invoice in another file"},
		func(r *record) *string { return &r.InvoiceID }, checkInvoiceID},
	{Column{Name: "description", Also: []string{"item_name", "product_name"}, About: "the item's name, which the customer sees"},
		func(r *record) *string { return &r.Description }, checkText},
	{Column{Name: "quantity", Exact: true, About: "how many, at least 1; needs unit_amount when above 1"},
		func(r *record) *string { return &r.Quantity }, checkQuantity},
	{Column{Name: "unit_amount", Exact: true, About: "the price of one; quantity × unit_amount must be the amount"},
		func(r *record) *string { return &r.UnitAmount }, nil},
	{Column{Name: "line_amount", Also: []string{"line_total", "item_amount", "item_total"},
		About: "what one of several lines of the invoice comes to, in a file that is read so"},
		func(r *record) *string { return &r.LineAmount }, nil},
	{Column{Name: "image_url", Exact: true, About: "a picture of the item"},
		func(r *record) *string { return &r.ImageURL }, checkURL},
	{Column{Name: "product_id", About: "a product registered at Clink, together with price_id"},
		func(r *record) *string { return &r.ProductID }, checkID},
	{Column{Name: "price_id", About: "a price registered at Clink, together with product_id"},
		func(r *record) *string { return &r.PriceID }, checkID},
	{Column{Name: "ui_mode", About: "hostedPage or elements; elements needs return_url"},
		func(r *record) *string { return &r.UIMode }, checkUIMode},
	{Column{Name: "return_url", About: "where elements sends the customer back to"},
		func(r *record) *string { return &r.ReturnURL }, checkURL},
	{Column{Name: "success_url", About: "where the customer goes after paying"},
		func(r *record) *string { return &r.SuccessURL }, checkURL},
	{Column{Name: "cancel_url", About: "where the customer goes after giving up"},
		func(r *record) *string { return &r.CancelURL }, checkURL},
	{Column{Name: "payment_method_type", About: "the only payment method: " + strings.Join(paymentMethods, ", ")},
		func(r *record) *string { return &r.PaymentMethodType }, checkMethod},
	{Column{Name: "payment_method_type_black_list", About: "payment methods to leave out, separated by ;"},
		func(r *record) *string { return &r.PaymentMethodBlackList }, checkMethods},
	{Column{Name: "direct_payment_qr_code_payment_method_type", About: "CASHAPP, together with payment_method_type CASHAPP"},
		func(r *record) *string { return &r.DirectPaymentQRCode }, checkQRCode},
	{Column{Name: "allow_promotion_codes", About: "true, yes, y, 1 or false, no, n, 0, blank"},
		func(r *record) *string { return &r.AllowPromotionCodes }, checkBool},
	{Column{Name: "promotion_code", About: "needs allow_promotion_codes"},
		func(r *record) *string { return &r.PromotionCode }, checkExact},
}

// customerColumns are the three of which a row needs one.
var customerColumns = []string{"customer_id", "customer_email", "reference_customer_id"}

// columnNamed is nil for a name that is not canonical.
func columnNamed(name string) *column {
	for i := range columns {
		if columns[i].Name == name {
			return &columns[i]
		}
	}
	return nil
}

func canonicalNames() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// names are our own headers for the column, the strongest first.
func (c *column) names() []string { return append([]string{c.Name}, c.Also...) }

// spelling is a header that is taken for a column, as it is and as [normalise] makes it.
type spelling struct{ header, normal string }

// spellings are the headers that are taken for each column, the strongest first: ours, then those of known programs.
var spellings = func() map[string][]spelling {
	all := map[string][]spelling{}
	for i := range columns {
		name := columns[i].Name
		all[name] = spell(append(columns[i].names(), programHeaders(name, false)...))
	}
	return all
}()

// spell is the headers without those that are the same to [normalise].
func spell(headers []string) (list []spelling) {
	for _, header := range headers {
		normal := normalise(header)
		if !slices.ContainsFunc(list, func(s spelling) bool { return s.normal == normal }) {
			list = append(list, spelling{header, normal})
		}
	}
	return list
}

// matches reports whether the header is this spelling of the column.
func (c *column) matches(s spelling, header, normal string) bool {
	if c.Exact {
		return header == s.header
	}
	return normal == s.normal
}

// normalise returns the header without what does not count when headers are compared: case, spaces, _, -, invisible characters, and
// in which of Unicode's forms an accented letter is written.
func normalise(header string) string {
	header = norm.NFC.String(header)
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || unicode.IsSpace(r) || isInvisible(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, header)
}
