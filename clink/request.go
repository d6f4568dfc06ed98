package clink

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Request is a [SessionRequest] ready to be sent: its JSON, what the answer is compared with, and whom it names as the
// customer. It can be stored as its [Request.Body] and read again by [ReadRequest]. The zero value is no request.
type Request struct {
	Amount              json.Number
	Currency            string
	CustomerID          string
	CustomerEmail       string
	ReferenceCustomerID string
	MerchantReferenceID string
	UIMode              string

	body  string
	unfit error // why it must not be sent
}

// Prepare encodes the request. One with an amount that is no number has no body.
func (r SessionRequest) Prepare() Request {
	if err := r.check(); err != nil {
		return r.request("", err)
	}
	body, err := json.Marshal(r)
	return r.request(string(body), err)
}

// ReadRequest reads a stored body, which is then sent as it stands. The error is the decoder's.
func ReadRequest(stored string) (Request, error) {
	var r SessionRequest
	if err := json.Unmarshal([]byte(stored), &r); err != nil {
		return Request{}, err
	}
	return r.request(stored, r.check()), nil
}

func (r SessionRequest) request(body string, unfit error) Request {
	return Request{
		Amount:              r.Amount,
		Currency:            r.Currency,
		CustomerID:          r.CustomerID,
		CustomerEmail:       r.CustomerEmail,
		ReferenceCustomerID: r.ReferenceCustomerID,
		MerchantReferenceID: r.MerchantReferenceID,
		UIMode:              r.UIMode,
		body:                body,
		unfit:               unfit,
	}
}

// check refuses an amount that is no number: an empty one would be encoded as 0.
func (r SessionRequest) check() error {
	if !isNumber(r.Amount) {
		return fmt.Errorf("encode the request: amount %q is no number", r.Amount)
	}
	for _, item := range r.PriceData {
		if !isNumber(item.UnitAmount) {
			return fmt.Errorf("encode the request: unit amount %q is no number", item.UnitAmount)
		}
	}
	return nil
}

// Body is what is sent, or why nothing must be.
func (r Request) Body() (string, error) {
	switch {
	case r.unfit != nil:
		return "", r.unfit
	case r.body == "":
		return "", errors.New("there is no request")
	}
	return r.body, nil
}
