package simulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// readData is the data of a read's answer, as far as the record goes: no customer and no items.
type readData struct {
	SessionID           string        `json:"sessionId"`
	Token               string        `json:"token"`
	Status              Status        `json:"status"`
	PaymentStatus       PaymentStatus `json:"paymentStatus"`
	AmountSubtotal      json.Number   `json:"amountSubtotal,omitempty"`
	AmountTotal         json.Number   `json:"amountTotal,omitempty"`
	OriginalCurrency    string        `json:"originalCurrency,omitempty"`
	PaymentCurrency     string        `json:"paymentCurrency,omitempty"`
	MerchantReferenceID string        `json:"merchantReferenceId,omitempty"`
	Created             string        `json:"created"`
	Expire              string        `json:"expire"`
}

func (s *Server) serveRead(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.send(w, r, methodNotAllowed(http.MethodGet))
		return
	}
	s.tally.reads.Add(1)
	fault := s.gets.roll()
	a, err := s.read(r, fault)
	if err != nil {
		a = s.answerRefusal(err)
	}
	s.send(w, r, a)
}

func (s *Server) read(r *http.Request, fault Fault) (answer, error) {
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	if fault != "" {
		s.tally.countFault(fault)
		return fault.instead(), nil
	}
	if err := checkHeaders(r.Header); err != nil {
		return answer{}, err
	}
	data, found := s.lookUp(r.PathValue("id"), time.Now())
	if !found {
		return answer{}, &refusal{http.StatusNotFound, "session not found"}
	}
	return success(kindRead, data), nil
}

// lookUp knows the sessions on record, and of the others those whose life is over: a simulator that was
// restarted has forgotten them, but nobody can pay them any more, so they are expired and unpaid.
func (s *Server) lookUp(text string, now time.Time) (readData, bool) {
	id, ok := parseSessionID(text)
	if !ok {
		return readData{}, false
	}
	data := readData{
		SessionID:     text,
		Token:         id.token(),
		Status:        Expired,
		PaymentStatus: Unpaid,
		Created:       id.issuedAt().Format(timeFormat),
		Expire:        id.issuedAt().Add(s.config.Lifetime).Format(timeFormat),
	}
	e, held := s.record.get(id)
	if !held {
		return data, !now.Before(id.issuedAt().Add(s.config.Lifetime))
	}
	amount := json.Number(e.amount())
	data.Status, data.PaymentStatus = e.status(now), paymentStatuses[e.payment]
	data.AmountSubtotal, data.AmountTotal = amount, amount
	data.OriginalCurrency, data.PaymentCurrency = string(e.currency[:]), string(e.currency[:])
	data.MerchantReferenceID = e.reference
	data.Expire = time.UnixMilli(e.expires).UTC().Format(timeFormat)
	return data, true
}
