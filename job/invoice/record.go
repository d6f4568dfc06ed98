package invoice

// record is a row by canonical names, as text: what each text must be is the judge's affair.
type record struct {
	Amount                 string
	Currency               string
	CustomerID             string
	CustomerEmail          string
	ReferenceCustomerID    string
	InvoiceID              string
	Description            string
	Quantity               string
	UnitAmount             string
	ImageURL               string
	ProductID              string
	PriceID                string
	UIMode                 string
	ReturnURL              string
	SuccessURL             string
	CancelURL              string
	PaymentMethodType      string
	PaymentMethodBlackList string
	DirectPaymentQRCode    string
	AllowPromotionCodes    string
	PromotionCode          string
}
