package clink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	orderPageSize = 50 // the most that Clink gives
	maxOrderPages = 20 // an invoice has a few orders; a list of all of an account's does not end
)

// ErrManyOrders is the cause where a reference's orders are not asked for further, since there are too many.
var ErrManyOrders = fmt.Errorf("the list of its orders has more than %d", orderPageSize*maxOrderPages)

// Order is one try to pay a session, with what the answer left out empty. A session has several where a payment fails first.
type Order struct {
	ID                  string
	SessionID           string
	MerchantReferenceID string
	Status              string    // "success", "failed", "requires_action", "pending", "partial_refunded", "refunded", or a word that is new to us
	PaidAt              time.Time // UTC; zero when missing or unreadable
}

// Paid says whether the money has come and has stayed. An order that is not paid may still be paid, a failed one too.
func (o Order) Paid() bool { return o.Status == "success" }

// Refunded says whether the money has come and some or all of it has gone back.
func (o Order) Refunded() bool { return o.Status == "refunded" || o.Status == "partial_refunded" }

// IsFor says whether the order is one of this session, which was made for this reference (empty when it is not known). The
// reference decides only where the order names no session: several sessions can have the same one.
func (o Order) IsFor(sessionID, reference string) bool {
	if isNamed(o.SessionID) {
		return o.SessionID == sessionID
	}
	return isNamed(o.MerchantReferenceID) && o.MerchantReferenceID == reference
}

// isNamed says whether an id names something: Clink has written "null" and " " where there is none.
func isNamed(id string) bool {
	id = strings.TrimSpace(id)
	return id != "" && id != "null"
}

// Orders lists the orders for a reference, in as many requests as there are pages. Clink may list others' orders as well: the
// caller takes those that are its own, see [Order.IsFor]. A list that is not whole is [Unknown]; so is one of more than 1,000 orders,
// with [ErrManyOrders]: it is of a whole account, and will not be shorter. An installation without orders answers with an error that is [Error.NotFound]. Every error is an [*Error].
func (c *Client) Orders(ctx context.Context, merchantReferenceID string) ([]Order, error) {
	if !isNamed(merchantReferenceID) {
		return nil, &Error{Class: NotSent, Err: errors.New("no reference to ask for")}
	}
	var all []Order
	for number := 1; ; number++ {
		path := fmt.Sprintf("/order?merchantReferenceId=%s&pageNum=%d&pageSize=%d", url.QueryEscape(merchantReferenceID), number, orderPageSize)
		page, err := do(ctx, c, http.MethodGet, path, "", func(answer classification) (*orderPage, error) {
			page, err := decodeOrders(answer.members)
			if err != nil {
				return nil, err
			}
			return page, page.check(number, len(all))
		})
		if err != nil {
			return nil, err
		}
		for i := range page.orders {
			o := &page.orders[i]
			c.secrets.conceal(&o.ID, &o.SessionID, &o.MerchantReferenceID, &o.Status)
		}
		all = append(all, page.orders...)
		if len(page.orders) == 0 || page.hasTotal && int64(len(all)) >= page.total {
			return all, nil
		}
	}
}

// orderPage is one answer of the list.
type orderPage struct {
	orders   []Order
	total    int64 // of all pages
	hasTotal bool
}

// check says why the list cannot become whole with this page, which comes after seen orders. A page without orders ends the
// list: where the total promises more, something has been left out.
func (p *orderPage) check(number, seen int) error {
	const most = orderPageSize * maxOrderPages
	switch seen += len(p.orders); {
	case p.hasTotal && p.total > most, number >= maxOrderPages && len(p.orders) > 0 && (!p.hasTotal || int64(seen) < p.total):
		return ErrManyOrders
	case p.hasTotal && len(p.orders) == 0 && int64(seen) < p.total:
		return fmt.Errorf("the answer says that there are %d orders, and lists %d", p.total, seen)
	}
	return nil
}

// decodeOrders reads the answer to a list, whose rows stand beside the code.
func decodeOrders(answer object) (*orderPage, error) {
	var total json.Number
	if err := answer.read(field{"total", &total}); err != nil {
		return nil, err
	}
	p := &orderPage{hasTotal: total != ""}
	if p.hasTotal {
		var err error
		if p.total, err = total.Int64(); err != nil || p.total < 0 {
			return nil, errors.New("the answer's total is no count")
		}
	}
	var rows []object
	if raw, found := answer["rows"]; found && json.Unmarshal(raw, &rows) != nil {
		return nil, errors.New("the answer's rows are no list of objects")
	}
	if rows == nil && !p.hasTotal {
		return nil, errors.New("the answer has no rows")
	}
	for _, row := range rows {
		o, err := decodeOrder(row)
		if err != nil {
			return nil, err
		}
		p.orders = append(p.orders, o)
	}
	return p, nil
}

func decodeOrder(row object) (Order, error) {
	if row == nil {
		return Order{}, errors.New("the answer has a row that is null")
	}
	o := Order{PaidAt: row.milliseconds("paymentTime")}
	return o, row.read(
		field{"orderId", &o.ID},
		field{"sessionId", &o.SessionID},
		field{"merchantReferenceId", &o.MerchantReferenceID},
		field{"status", &o.Status},
	)
}
