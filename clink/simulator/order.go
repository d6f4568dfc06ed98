package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const maxOrderPage = 50 // rows

// orderRow is a row of the list of orders.
type orderRow struct {
	OrderID             string      `json:"orderId"`
	Type                string      `json:"type"`
	MerchantReferenceID string      `json:"merchantReferenceId"` // "null" where there is none, as Clink writes it
	SessionID           string      `json:"sessionId"`
	CustomerID          string      `json:"customerId"`
	CustomerEmail       string      `json:"customerEmail,omitempty"`
	AmountSubtotal      json.Number `json:"amountSubtotal"`
	AmountTotal         json.Number `json:"amountTotal"`
	OriginalCurrency    string      `json:"originalCurrency"`
	PaymentCurrency     string      `json:"paymentCurrency"`
	Status              OrderStatus `json:"status"`
	CreateTime          int64       `json:"createTime"`
	PaymentTime         int64       `json:"paymentTime,omitempty"` // of one that was paid
}

func (s *Server) serveOrders(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.send(w, r, methodNotAllowed(http.MethodGet))
		return
	}
	s.tally.orderLists.Add(1)
	dice := s.faults.Load().orders
	fault := dice.roll()
	asked := received{request: onOrders}
	a, err := s.listOrders(r, dice, fault, &asked)
	if err != nil {
		a = s.answerRefusal(err)
	}
	s.record.note(asked, a)
	s.send(w, r, a)
}

func (s *Server) listOrders(r *http.Request, dice *dice, fault Fault, asked *received) (answer, error) {
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	query := r.URL.Query()
	asked.reference = query.Get("merchantReferenceId")
	if fault == "" {
		fault = dice.rollRow(asked.reference)
	}
	asked.fault = fault.onRecord()
	if fault != "" {
		s.tally.countFault(fault)
		if fault != Unfiltered {
			return fault.instead(), nil
		}
		query.Del("merchantReferenceId")
		query.Del("customerId")
	}
	if err := checkTimestamp(r.Header); err != nil {
		return answer{}, err
	}
	page, size, err := readPage(query)
	if err != nil {
		return answer{}, err
	}
	rows := s.orders(query)
	total := len(rows)
	rows = rows[min(total, (page-1)*size):]
	return orderList(total, rows[:min(len(rows), size)]), nil
}

// readPage refuses a query that Clink's reference does not have.
func readPage(query url.Values) (page, size int, err error) {
	for name, values := range query {
		if !slices.Contains([]string{"merchantReferenceId", "customerId", "pageNum", "pageSize"}, name) {
			return 0, 0, badRequest("%s: unknown parameter", name)
		}
		if len(values) != 1 || values[0] == "" {
			return 0, 0, badRequest("%s: is empty or comes twice", name)
		}
	}
	number := func(name string, otherwise, most int) (int, error) {
		if !query.Has(name) {
			return otherwise, nil
		}
		n, err := strconv.Atoi(query.Get(name))
		if err != nil || n < 1 || n > most {
			return 0, badRequest("%s: must be from 1 to %d", name, most)
		}
		return n, nil
	}
	if page, err = number("pageNum", 1, 1_000_000); err != nil {
		return 0, 0, err
	}
	size, err = number("pageSize", 10, maxOrderPage)
	return page, size, err
}

// orders are those that fit the query, in the order of the first try to pay.
func (s *Server) orders(query url.Values) []orderRow {
	fits := func(name, value string) bool { return !query.Has(name) || query.Get(name) == value }
	rows := []orderRow{}
	for number, e := range s.record.tried() {
		if e.order != noOrder && fits("merchantReferenceId", e.reference) && fits("customerId", e.customerID) {
			rows = append(rows, newOrderRow(number, e))
		}
	}
	return rows
}

func newOrderRow(number uint32, e entry) orderRow {
	id := sessionID{issued: e.created, number: number, nonce: e.nonce}
	row := orderRow{
		OrderID:             id.order(),
		Type:                "onetime",
		MerchantReferenceID: e.reference,
		SessionID:           id.String(),
		CustomerID:          e.customerID,
		CustomerEmail:       e.customerEmail,
		AmountSubtotal:      json.Number(e.amount()),
		AmountTotal:         json.Number(e.amount()),
		OriginalCurrency:    string(e.currency[:]),
		PaymentCurrency:     string(e.currency[:]),
		Status:              orderStatuses[e.order],
		CreateTime:          e.ordered,
	}
	if e.reference == "" {
		row.MerchantReferenceID = "null"
	}
	if e.payment == paid {
		row.PaymentTime = e.ordered
	}
	return row
}

// orderList is an answer whose rows stand beside the code, not in the data.
func orderList(total int, rows []orderRow) answer {
	body, err := json.Marshal(struct {
		Total int        `json:"total"`
		Rows  []orderRow `json:"rows"`
		Code  int        `json:"code"`
		Msg   string     `json:"msg"`
	}{total, rows, http.StatusOK, "success"})
	if err != nil {
		panic("simulator: " + err.Error()) // a json.Number that is none: a bug
	}
	return answer{kind: kindRead, status: http.StatusOK, body: body, isEnvelope: true}
}
