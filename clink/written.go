package clink

import (
	"encoding/json"
	"strings"
)

// readWritten reads a body that is, byte for byte, what [SessionRequest.Prepare] would make of it; of any other it is not ok.
// It takes a tenth of the time of decoding it, which says no more of a body that we have written.
func readWritten(body string) (r Request, ok bool) {
	w := written{rest: body}
	w.must(`{"originalAmount":`)
	r.Amount = w.number()
	w.must(`,"originalCurrency":`)
	r.Currency = w.text()
	r.CustomerID = w.optional(`,"customerId":`)
	w.optional(`,"customerEmail":`)
	w.optional(`,"referenceCustomerId":`)
	r.MerchantReferenceID = w.optional(`,"merchantReferenceId":`)
	w.optional(`,"productId":`)
	w.optional(`,"priceId":`)
	if w.next(`,"priceDataList":[`) {
		w.list(w.item)
	}
	r.UIMode = w.optional(`,"uiMode":`)
	w.optional(`,"returnUrl":`)
	w.optional(`,"successUrl":`)
	w.optional(`,"cancelUrl":`)
	w.optional(`,"paymentMethodType":`)
	if w.next(`,"paymentMethodTypeBlackList":[`) {
		w.list(func() { w.text() })
	}
	w.optional(`,"directPaymentQrCodePaymentMethodType":`)
	if w.next(`,"allowPromotionCodes":`) && !w.next("true") {
		w.must("false")
	}
	w.optional(`,"promotionCode":`)
	w.must("}")
	r.body = body
	return r, !w.other && w.rest == ""
}

// item is one of the price data.
func (w *written) item() {
	w.must(`{"name":`)
	w.text()
	if w.next(`,"quantity":`) {
		w.count()
	}
	w.must(`,"unitAmount":`)
	w.number()
	w.optional(`,"currency":`)
	w.optional(`,"imageUrl":`)
	w.must("}")
}

// written is a body that is read from its beginning, as long as it is as we would have written it.
type written struct {
	rest  string
	other bool // it is not; rest is empty then
}

func (w *written) stop() { w.rest, w.other = "", true }

// next reads the token if it stands there.
func (w *written) next(token string) bool {
	rest, found := strings.CutPrefix(w.rest, token)
	w.rest = rest
	return found
}

func (w *written) must(token string) {
	if !w.next(token) {
		w.stop()
	}
}

// optional reads a member whose text is left out when it is empty.
func (w *written) optional(name string) (text string) {
	if w.next(name) {
		if text = w.text(); text == "" {
			w.stop()
		}
	}
	return text
}

// list reads what follows a bracket: at least one entry, since an empty list is left out.
func (w *written) list(entry func()) {
	for entry(); w.next(","); entry() {
	}
	w.must("]")
}

// text reads a string. One of printable ASCII without an escape is as it stands; of others the encoder has the last word.
func (w *written) text() string {
	plain := true
	for i := 1; i < len(w.rest); i++ {
		switch c := w.rest[i]; {
		case c == '"':
			quoted := w.rest[:i+1]
			if w.rest = w.rest[i+1:]; plain && quoted[0] == '"' {
				return quoted[1:i]
			}
			return w.escaped(quoted)
		case c == '\\':
			plain = false
			i++
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			plain = false
		}
	}
	w.stop()
	return ""
}

func (w *written) escaped(quoted string) (text string) {
	err := json.Unmarshal([]byte(quoted), &text)
	if again, _ := json.Marshal(text); err != nil || string(again) != quoted {
		w.stop()
		return ""
	}
	return text
}

func (w *written) number() json.Number {
	n := json.Number(w.rest[:len(w.rest)-len(strings.TrimLeft(w.rest, "0123456789+-.eE"))])
	if _, ok := parseDecimal(n); !ok {
		w.stop()
		return ""
	}
	w.rest = w.rest[len(n):]
	return n
}

// count reads an integer above 0 of at most 18 digits, which an int64 holds.
func (w *written) count() {
	digits := w.rest[:len(w.rest)-len(strings.TrimLeft(w.rest, "0123456789"))]
	if digits == "" || digits[0] == '0' || len(digits) > 18 {
		w.stop()
		return
	}
	w.rest = w.rest[len(digits):]
}
