package clink

import (
	"encoding/json"
	"errors"
	"time"
)

// SessionRequest asks for a checkout session. Its JSON is what is sent: see [SessionRequest.Prepare]. Amounts are decimal
// strings, in major units, and are sent as they stand.
type SessionRequest struct {
	Amount   json.Number `json:"originalAmount"`
	Currency string      `json:"originalCurrency"`

	// At least one of these three is required.
	CustomerID          string `json:"customerId,omitempty"`
	CustomerEmail       string `json:"customerEmail,omitempty"`
	ReferenceCustomerID string `json:"referenceCustomerId,omitempty"`

	MerchantReferenceID string `json:"merchantReferenceId,omitempty"` // for reconciliation only: Clink does not keep it unique

	// Either both ids or PriceData.
	ProductID string      `json:"productId,omitempty"`
	PriceID   string      `json:"priceId,omitempty"`
	PriceData []PriceData `json:"priceDataList,omitempty"`

	UIMode     string `json:"uiMode,omitempty"`
	ReturnURL  string `json:"returnUrl,omitempty"`
	SuccessURL string `json:"successUrl,omitempty"`
	CancelURL  string `json:"cancelUrl,omitempty"`

	PaymentMethodType                    string   `json:"paymentMethodType,omitempty"`
	PaymentMethodTypeBlackList           []string `json:"paymentMethodTypeBlackList,omitempty"`
	DirectPaymentQrCodePaymentMethodType string   `json:"directPaymentQrCodePaymentMethodType,omitempty"`

	AllowPromotionCodes *bool  `json:"allowPromotionCodes,omitempty"`
	PromotionCode       string `json:"promotionCode,omitempty"`
}

// PriceData is an item that is no registered product.
type PriceData struct {
	Name       string      `json:"name"`
	Quantity   int64       `json:"quantity,omitempty"`
	UnitAmount json.Number `json:"unitAmount"`
	Currency   string      `json:"currency,omitempty"`
	ImageURL   string      `json:"imageUrl,omitempty"`
}

// Session is a created session, with what the answer left out empty. The token that comes with it is never read.
type Session struct {
	SessionID           string
	URL                 string
	Amount              json.Number
	Currency            string
	CustomerID          string
	MerchantReferenceID string
	UIMode              string
	ExpiresAt           time.Time // UTC; zero when missing or unreadable
}

// SessionStatus is how far a session is.
type SessionStatus struct {
	SessionID           string
	Status              string // "open", "completed" or "expired", or a word that is new to us
	PaymentStatus       string // "unpaid", "processing" or "paid"; empty when left out
	MerchantReferenceID string
	CustomerID          string
	Amount              json.Number // what was asked, in Currency, not what the customer paid in another one
	Currency            string
	ExpiresAt           time.Time // UTC; zero when missing or unreadable
}

func decodeSession(data object) (*Session, error) {
	s := &Session{ExpiresAt: data.time("expireTime")}
	return s, data.read(
		field{"originalAmount", &s.Amount},
		field{"sessionId", &s.SessionID},
		field{"url", &s.URL},
		field{"originalCurrency", &s.Currency},
		field{"customerId", &s.CustomerID},
		field{"merchantReferenceId", &s.MerchantReferenceID},
		field{"uiMode", &s.UIMode},
	)
}

// decodeStatus reads the answer to a question about the session asked. "complete", which one of
// Clink's pages writes, becomes "completed".
func decodeStatus(data object, asked string) (*SessionStatus, error) {
	s := &SessionStatus{ExpiresAt: data.time("expire"), CustomerID: data.customer()}
	err := data.read(
		field{"sessionId", &s.SessionID},
		field{"status", &s.Status},
		field{"paymentStatus", &s.PaymentStatus},
		field{"merchantReferenceId", &s.MerchantReferenceID},
		field{"amountSubtotal", &s.Amount},
		field{"originalCurrency", &s.Currency},
	)
	switch {
	case err != nil:
		return nil, err
	case s.SessionID != "" && s.SessionID != asked:
		return nil, errors.New("the answer is about another session")
	case s.Status == "":
		return nil, errors.New("the answer has no status")
	case s.Status == "complete":
		s.Status = "completed"
	}
	return s, nil
}

// customer is the customer's id. Clink does not say in which form a session that is read back names its customer: an id
// beside the other members, an id alone or an object. In any other form it is "".
func (o object) customer() (id string) {
	if o.read(field{"customerId", &id}) == nil && id != "" {
		return id
	}
	if o.read(field{"customer", &id}) == nil {
		return id
	}
	var customer object
	if json.Unmarshal(o["customer"], &customer) != nil {
		return ""
	}
	for _, name := range []string{"customerId", "id"} {
		if customer.read(field{name, &id}) == nil && id != "" {
			return id
		}
	}
	return ""
}
