package invoice

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// These prefixes of what is hashed keep the two kinds of identity apart.
const (
	identityOfID      = "paylinks invoice by its id\x00"
	identityOfContent = "paylinks invoice by what is sent\x00"
)

// identifier computes what tells invoices apart. One goroutine may use it.
type identifier struct{ scratch []byte }

// identify fills Content and Identity. Text is compared in Unicode's composed form, because two ways to write an accented letter
// look the same. What is the same to Clink or to the customer, in whatever way it is written, is the same here: 5 and 5.00, an email
// in capitals.
func (id *identifier) identify(inv *Invoice) {
	id.subject(inv)
	inv.Identity = id.sum()
	id.manner(inv)
	inv.Content = id.sum()
	if inv.ID != "" {
		id.scratch = append(append(id.scratch[:0], identityOfID...), norm.NFC.String(inv.ID)...)
		inv.Identity = id.sum()
	}
}

// subject begins with who is to pay how much for what.
func (id *identifier) subject(inv *Invoice) {
	amount := withoutZeros(inv.AmountText)
	id.scratch = append(id.scratch[:0], identityOfContent...)
	id.add("amount", amount)
	id.add("currency", inv.Amount.CurrencyCode())
	id.add("customer_id", inv.CustomerID)
	id.add("customer_email", strings.ToLower(inv.CustomerEmail))
	id.add("reference_customer_id", inv.ReferenceCustomerID)
	id.add("product_id", inv.ProductID)
	id.add("price_id", inv.PriceID)
	if inv.ProductID == "" {
		id.item(inv, amount)
	}
}

// manner adds how it is paid. Where that alone differs, the customer would pay the same a second time.
func (id *identifier) manner(inv *Invoice) {
	id.add("ui_mode", inv.UIMode)
	id.add("return_url", inv.ReturnURL)
	id.add("success_url", inv.SuccessURL)
	id.add("cancel_url", inv.CancelURL)
	id.add("payment_method_type", inv.PaymentMethodType)
	id.add("payment_method_type_black_list", strings.Join(slices.Sorted(slices.Values(inv.PaymentMethodBlackList)), ";"))
	id.add("direct_payment_qr_code_payment_method_type", inv.DirectPaymentQRCode)
	if inv.AllowPromotionCodes != nil && *inv.AllowPromotionCodes {
		id.add("allow_promotion_codes", "true")
	}
	id.add("promotion_code", inv.PromotionCode)
}

// item adds the inline item, which a row with a registered product does not have.
func (id *identifier) item(inv *Invoice, amount string) {
	for _, line := range inv.Lines {
		id.add("line", evenBreaks(line.Description)+"\x00"+strconv.FormatInt(max(line.Quantity, 1), 10)+"\x00"+withoutZeros(line.UnitAmount)+"\x00"+line.ImageURL)
	}
	id.add("description", evenBreaks(inv.Description))
	if inv.Quantity > 1 {
		id.add("quantity", strconv.FormatInt(inv.Quantity, 10))
	}
	if unit := withoutZeros(inv.UnitAmount); unit != amount {
		id.add("unit_amount", unit)
	}
	id.add("image_url", inv.ImageURL)
}

// add adds a value with its name, so that no two lists of values run together. An empty one is as good as none.
func (id *identifier) add(name, value string) {
	if value == "" {
		return
	}
	for _, s := range []string{name, norm.NFC.String(value)} {
		id.scratch = binary.AppendUvarint(id.scratch, uint64(len(s)))
		id.scratch = append(id.scratch, s...)
	}
}

func (id *identifier) sum() [16]byte {
	sum := sha256.Sum256(id.scratch)
	return [16]byte(sum[:16])
}

// withoutZeros is the plain decimal without zeros at its end.
func withoutZeros(plain string) string {
	if strings.Contains(plain, ".") {
		plain = strings.TrimRight(strings.TrimRight(plain, "0"), ".")
	}
	return plain
}

var anyBreak = regexp.MustCompile(`\r*\n|\r`)

// evenBreaks turns all line breaks into \n, because spreadsheets and CSV writers change them.
func evenBreaks(cell string) string {
	if strings.IndexByte(cell, '\r') < 0 {
		return cell
	}
	return anyBreak.ReplaceAllString(cell, "\n")
}
