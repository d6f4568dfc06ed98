// Package invoice reads an invoice file exactly or refuses it: encoding, delimiter, columns, money and every rule that
// Clink would otherwise refuse the request for. It neither guesses nor repairs. A [Problem] names file, line, column and
// value, for a person who has the file open in a spreadsheet; what would help besides a change of the file is an [Option].
//
// [Open] reads the header, [Reader.Next] streams the rows. Memory does not grow with the file.
package invoice

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// Invoice is a good row, or several of one id: one customer and one amount. Text fields are "" when the row does not give them.
type Invoice struct {
	ID         string          // invoice_id, byte for byte
	Series     string          // Options.Series: tells numbers apart that begin again
	Amount     currency.Amount // positive, with no more decimals than its currency has
	AmountText string          // the amount as a plain decimal with the decimals that were written, but for zeros beyond the currency's: 1234.50

	CustomerID          string
	CustomerEmail       string
	ReferenceCustomerID string

	Description string // the description, else Defaults["item_name"]
	Quantity    int64  // 0 when not given
	UnitAmount  string // a plain decimal like AmountText
	ImageURL    string
	Lines       []Line // where the customer is shown several, in place of the four above
	ProductID   string // together with PriceID
	PriceID     string

	UIMode     string // hostedPage or elements
	ReturnURL  string
	SuccessURL string
	CancelURL  string

	PaymentMethodType      string
	PaymentMethodBlackList []string
	DirectPaymentQRCode    string

	AllowPromotionCodes *bool // nil when there is no such column
	PromotionCode       string

	// Identity is equal for the same invoice of a series in another file: it is made of the id, else of customer, money and item.
	Identity [16]byte
	// Content is equal where Clink is sent the same, whatever the reference.
	Content [16]byte
}

// TenThousandths is the amount as a count of 1/10,000 of the currency's major unit. It is exact and fits:
// an accepted amount has at most 14 digits before the point and no currency has more than 4 after it.
func (inv Invoice) TenThousandths() int64 { return tenThousandths(inv.AmountText) }

func tenThousandths(plain string) int64 {
	whole, decimals, _ := strings.Cut(plain, ".")
	n, _ := strconv.ParseInt(whole+(decimals + "0000")[:4], 10, 64) // an accepted amount always parses
	return n
}
