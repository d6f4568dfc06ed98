package clink

import (
	"encoding/json"
	"strings"
)

// readWritten reads a body that is, byte for byte, what [SessionRequest.Prepare] would make of it; of any other it is not ok.
// It takes a tenth of the time of decoding it, which says no more of a body that we have written.
func readWritten(body string) (r Request, ok bool) {
	w := written{cursor{text: body}}
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
	return r, !w.failed && w.at == len(body)
}

// written is JSON that is read for as long as it is as our own encoder writes it.
type written struct{ cursor }

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

// optional reads a member whose text is left out when it is empty.
func (w *written) optional(name string) (text string) {
	if w.next(name) {
		if text = w.text(); text == "" {
			w.fail()
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

// text reads a string. Of one that is not plain the encoder has the last word.
func (w *written) text() (text string) {
	raw, plain := w.string()
	if plain {
		return raw[1 : len(raw)-1]
	}
	text = unquote(raw)
	if again, _ := json.Marshal(text); string(again) != raw {
		w.fail()
	}
	return text
}

// number reads an amount.
func (w *written) number() json.Number {
	n := json.Number(w.cursor.number())
	if !isNumber(n) {
		w.fail()
	}
	return n
}

// count reads an integer above 0 of at most 18 digits, which an int64 holds.
func (w *written) count() {
	if n := w.cursor.number(); strings.TrimLeft(n, "0123456789") != "" || strings.HasPrefix(n, "0") || len(n) > 18 {
		w.fail()
	}
}
