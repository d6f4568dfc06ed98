package clink

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Request is a [SessionRequest] ready to be sent: its JSON, and what of it the answer is held against. It can be stored as its
// [Request.Body] and read again. The zero value is no request.
type Request struct {
	Amount              json.Number
	Currency            string
	CustomerID          string
	MerchantReferenceID string
	UIMode              string

	body  string
	unfit error // why it must not be sent
}

// Prepare writes the request's JSON. One with an amount that is no number has no body.
func (r SessionRequest) Prepare() Request {
	body, err := r.encode()
	return Request{
		Amount:              r.Amount,
		Currency:            r.Currency,
		CustomerID:          r.CustomerID,
		MerchantReferenceID: r.MerchantReferenceID,
		UIMode:              r.UIMode,
		body:                string(body),
		unfit:               err,
	}
}

// encode refuses an amount that is no number: an empty one would be sent as 0.
func (r SessionRequest) encode() ([]byte, error) {
	if !isNumber(r.Amount) {
		return nil, fmt.Errorf("encode the request: amount %q is no number", r.Amount)
	}
	for _, item := range r.PriceData {
		if !isNumber(item.UnitAmount) {
			return nil, fmt.Errorf("encode the request: unit amount %q is no number", item.UnitAmount)
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return body, nil
}

// ReadRequest reads a stored body, so that it is sent as it stands. One that is not as [SessionRequest.Prepare] writes it is
// decoded and prepared anew; the error is the decoder's.
func ReadRequest(stored string) (Request, error) {
	if r, ok := readWritten(stored); ok {
		return r, nil
	}
	var asked SessionRequest
	if err := json.Unmarshal([]byte(stored), &asked); err != nil {
		return Request{}, err
	}
	return asked.Prepare(), nil
}

// Body is what is sent, or why nothing must be.
func (r Request) Body() (string, error) {
	if r.body == "" && r.unfit == nil {
		return "", errors.New("there is no request")
	}
	return r.body, r.unfit
}
