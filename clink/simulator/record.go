package simulator

import (
	"iter"
	"sync"
	"time"

	"github.com/bojanz/currency"
)

// PaymentStatus is how far the customer has paid, in Clink's words.
type PaymentStatus string

const (
	Unpaid     PaymentStatus = "unpaid"     // becomes expired with time
	Processing PaymentStatus = "processing" // does not expire: money is on its way
	Paid       PaymentStatus = "paid"
)

// Status is the state of a session, in Clink's words.
type Status string

const (
	Open      Status = "open"      // can be paid, or the payment is processing
	Completed Status = "completed" // paid
	Expired   Status = "expired"   // unpaid at the end of its life
)

// OrderStatus is the state of a try to pay a session, in Clink's words.
type OrderStatus string

const (
	OrderSuccess         OrderStatus = "success"
	OrderPending         OrderStatus = "pending"
	OrderFailed          OrderStatus = "failed" // the session can still be paid
	OrderRefunded        OrderStatus = "refunded"
	OrderPartialRefunded OrderStatus = "partial_refunded"
)

// Session is a session as the simulator holds it.
type Session struct {
	ID                  string `json:"sessionId"`
	Reference           string `json:"merchantReferenceId"`
	Amount              string `json:"amount"` // with every decimal of the currency: 19.90
	Currency            string `json:"currency"`
	CustomerID          string `json:"customerId"`              // as the answer names it
	CustomerEmail       string `json:"customerEmail,omitempty"` // these two as they were sent
	ReferenceCustomerID string `json:"referenceCustomerId,omitempty"`

	Created       time.Time     `json:"created"`
	Expires       time.Time     `json:"expire"`
	Status        Status        `json:"status"` // at the moment of the look-up
	PaymentStatus PaymentStatus `json:"paymentStatus"`
	Order         OrderStatus   `json:"order,omitempty"` // empty when nobody has tried to pay
	URL           string        `json:"url,omitempty"`   // empty under uiMode elements
	Delivered     bool          `json:"delivered"`       // false when the client never got the answer
	Fault         Fault         `json:"fault,omitempty"` // what its creation met
}

// entry is a session in as few bytes as will do: benchmarks make millions.
type entry struct {
	reference           string
	customerID          string
	customerEmail       string
	referenceCustomerID string

	created   int64 // milliseconds since the Unix epoch, like the two below
	expires   int64
	ordered   int64 // when somebody first tried to pay; 0 is never
	minor     int64 // amount in the currency's smallest unit
	nonce     [5]byte
	currency  [3]byte
	payment   uint8 // index into paymentStatuses
	order     uint8 // index into orderStatuses
	fault     uint8 // index into faultTable, plus 1; 0 is none
	elements  bool
	delivered bool
}

var paymentStatuses = [...]PaymentStatus{Unpaid, Processing, Paid}

const (
	unpaid = iota
	processing
	paid
)

var orderStatuses = [...]OrderStatus{"", OrderSuccess, OrderPending, OrderFailed, OrderRefunded, OrderPartialRefunded}

const (
	noOrder = iota
	orderSuccess
	orderPending
	orderFailed
	orderRefunded
	orderPartialRefunded
)

// pay sets how far the customer has paid, by the session and by its order.
func (e *entry) pay(payment, order uint8) {
	e.payment, e.order = payment, order
	if order != noOrder && e.ordered == 0 {
		e.ordered = time.Now().UnixMilli()
	}
}

// chunkSize entries are allocated at a time, so that growing never copies.
const chunkSize = 1024

// record holds the sessions in the order of their creation. One mutex is enough: it is held for a
// fraction of a microsecond in a request that takes many.
type record struct {
	keepNone bool

	mu       sync.Mutex
	lifetime time.Duration
	chunks   []*[chunkSize]entry
	count    uint32
	ordered  []uint32   // the sessions that somebody has tried to pay, in that order
	requests []received // in the order in which they were answered
}

// add fills in the entry's times and nonce, and returns its id and end of life.
func (r *record) add(e entry) (sessionID, time.Time) {
	now := time.Now()
	e.created = now.UnixMilli()
	e.nonce = newNonce()
	r.mu.Lock()
	defer r.mu.Unlock()
	e.expires = now.Add(r.lifetime).UnixMilli()
	id := sessionID{issued: e.created, number: r.count, nonce: e.nonce}
	r.count++
	if !r.keepNone {
		if id.number%chunkSize == 0 {
			r.chunks = append(r.chunks, new([chunkSize]entry))
		}
		*r.at(id.number) = e
	}
	return id, time.UnixMilli(e.expires).UTC()
}

// live gives the sessions made from now on another lifetime.
func (r *record) live(lifetime time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifetime = lifetime
}

// at needs the lock, and a number below count.
func (r *record) at(number uint32) *entry {
	return &r.chunks[number/chunkSize][number%chunkSize]
}

// get reports false for an id that this record does not hold.
func (r *record) get(id sessionID) (entry, bool) {
	var found entry
	ok := r.change(id, func(e *entry) { found = *e })
	return found, ok
}

// change calls alter under the lock; it reports false for an id that this record does not hold.
func (r *record) change(id sessionID, alter func(*entry)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keepNone || id.number >= r.count {
		return false
	}
	e := r.at(id.number)
	if e.created != id.issued || e.nonce != id.nonce {
		return false
	}
	had := e.ordered != 0
	alter(e)
	if !had && e.ordered != 0 {
		r.ordered = append(r.ordered, id.number)
	}
	return true
}

// find is get by an id's text.
func (r *record) find(text string) (entry, bool) {
	id, _ := parseSessionID(text)
	return r.get(id)
}

// created counts the sessions made, kept or not.
func (r *record) created() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(r.count)
}

// all walks the sessions by number, without holding the lock in between.
func (r *record) all() iter.Seq2[uint32, entry] {
	return func(yield func(uint32, entry) bool) {
		for number := uint32(0); ; number++ {
			r.mu.Lock()
			if r.keepNone || number >= r.count {
				r.mu.Unlock()
				return
			}
			e := *r.at(number)
			r.mu.Unlock()
			if !yield(number, e) {
				return
			}
		}
	}
}

// tried walks the sessions that somebody has tried to pay, in that order, as they are now.
func (r *record) tried() iter.Seq2[uint32, entry] {
	return func(yield func(uint32, entry) bool) {
		for i := 0; ; i++ {
			r.mu.Lock()
			if i >= len(r.ordered) {
				r.mu.Unlock()
				return
			}
			number := r.ordered[i]
			e := *r.at(number)
			r.mu.Unlock()
			if !yield(number, e) {
				return
			}
		}
	}
}

func (e *entry) status(now time.Time) Status {
	switch {
	case e.payment == paid:
		return Completed
	case e.payment == unpaid && now.UnixMilli() >= e.expires:
		return Expired
	default:
		return Open
	}
}

// amount is in major units, with every decimal of the currency.
func (e *entry) amount() string {
	digits, _ := currency.GetDigits(string(e.currency[:]))
	return majorUnits(e.minor, int(digits))
}

// Sessions returns every session, in the order of creation.
func (s *Server) Sessions() []Session {
	sessions := make([]Session, 0, s.record.created())
	now := time.Now()
	for number, e := range s.record.all() {
		sessions = append(sessions, s.session(number, e, now))
	}
	return sessions
}

// find reports false for an id that no simulator has issued, or another one.
func (s *Server) find(text string) (Session, bool) {
	id, _ := parseSessionID(text)
	e, held := s.record.get(id)
	if !held {
		return Session{}, false
	}
	return s.session(id.number, e, time.Now()), true
}

func (s *Server) session(number uint32, e entry, now time.Time) Session {
	id := sessionID{issued: e.created, number: number, nonce: e.nonce}
	session := Session{
		ID:            id.String(),
		Reference:     e.reference,
		Amount:        e.amount(),
		Currency:      string(e.currency[:]),
		CustomerID:    e.customerID,
		CustomerEmail: e.customerEmail,
		Created:       time.UnixMilli(e.created).UTC(),
		Expires:       time.UnixMilli(e.expires).UTC(),
		Status:        e.status(now),
		PaymentStatus: paymentStatuses[e.payment],
		Order:         orderStatuses[e.order],
		Delivered:     e.delivered,
	}
	session.ReferenceCustomerID = e.referenceCustomerID
	if !e.elements {
		session.URL = s.payURL(id)
	}
	session.Fault = faultOf(e.fault)
	return session
}

func (s *Server) payURL(id sessionID) string {
	return s.config.PublicURL + "/pay/" + id.String()
}
