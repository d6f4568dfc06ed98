package invoice

import (
	"fmt"

	"github.com/gocarina/gocsv"
)

// record is a row as gocsv decodes it by canonical names. All fields are text, because gocsv's numbers and booleans accept
// what must be refused.
type record struct {
	Amount                 string `csv:"amount"`
	Currency               string `csv:"currency"`
	CustomerID             string `csv:"customer_id"`
	CustomerEmail          string `csv:"customer_email"`
	ReferenceCustomerID    string `csv:"reference_customer_id"`
	InvoiceID              string `csv:"invoice_id"`
	Description            string `csv:"description"`
	Quantity               string `csv:"quantity"`
	UnitAmount             string `csv:"unit_amount"`
	LineAmount             string `csv:"line_amount"`
	ImageURL               string `csv:"image_url"`
	ProductID              string `csv:"product_id"`
	PriceID                string `csv:"price_id"`
	UIMode                 string `csv:"ui_mode"`
	ReturnURL              string `csv:"return_url"`
	SuccessURL             string `csv:"success_url"`
	CancelURL              string `csv:"cancel_url"`
	PaymentMethodType      string `csv:"payment_method_type"`
	PaymentMethodBlackList string `csv:"payment_method_type_black_list"`
	DirectPaymentQRCode    string `csv:"direct_payment_qr_code_payment_method_type"`
	AllowPromotionCodes    string `csv:"allow_promotion_codes"`
	PromotionCode          string `csv:"promotion_code"`
}

// table is a gocsv.Decoder over rows that are read already, so that their other cells are kept, too. Rows are decoded in
// batches because gocsv matches the header on every call.
type table [][]string

func (t table) GetCSVRows() ([][]string, error) { return t, nil }

// decode fills a record for each row of t after its header, which has canonical names, and "" for the user's own columns,
// so that gocsv's loose matching cannot take one of those.
func (t table) decode(records []record) ([]record, error) {
	if err := gocsv.UnmarshalDecoder(t, &records); err != nil {
		return nil, fmt.Errorf("decode rows: %w", err)
	}
	return records, nil
}
