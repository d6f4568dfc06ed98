package simulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// readData is the data of a read's answer, as far as the record goes: no items.
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
	OrderID             string        `json:"orderId,omitempty"`
	Customer            string        `json:"customer,omitempty"`
	Created             string        `json:"created"`
	Expire              string        `json:"expire"`
}

func (s *Server) serveRead(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.send(w, r, methodNotAllowed(http.MethodGet))
		return
	}
	s.tally.reads.Add(1)
	dice := s.faults.Load().reads
	fault := dice.roll()
	asked := received{request: onRead, session: r.PathValue("id")}
	a, err := s.read(r, dice, fault, &asked)
	if err != nil {
		a = s.answerRefusal(err)
	}
	s.record.note(asked, a)
	s.send(w, r, a)
}

func (s *Server) read(r *http.Request, dice *dice, fault Fault, asked *received) (answer, error) {
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	e, _ := s.record.find(asked.session)
	asked.reference = e.reference
	if fault == "" {
		fault = dice.rollRow(asked.session, e.reference, e.customerEmail)
	}
	asked.fault = fault.onRecord()
	if fault != "" {
		s.tally.countFault(fault)
		if fault != WrongReference && fault != SaysExpired {
			return fault.instead(), nil
		}
	}
	if err := checkTimestamp(r.Header); err != nil {
		return answer{}, err
	}
	data, found := s.lookUp(asked.session, time.Now())
	if !found {
		return answer{}, &refusal{http.StatusNotFound, "session not found"}
	}
	return success(kindRead, fault.lie(data)), nil
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
	data.MerchantReferenceID, data.Customer = e.reference, e.customerID
	if e.order != noOrder {
		data.OrderID = id.order()
	}
	data.Expire = time.UnixMilli(e.expires).UTC().Format(timeFormat)
	return data, true
}
