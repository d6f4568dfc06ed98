package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/bojanz/currency"
)

// refusal is a request that Clink would not accept, in the words of its envelope.
type refusal struct {
	code int
	msg  string
}

func (r *refusal) Error() string { return r.msg }

func badRequest(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// createRequest is the body of a create. A field that was left out is empty; one that is there never is.
type createRequest struct {
	originalAmount                       json.Number
	originalCurrency                     string
	customerID                           string
	customerEmail                        string
	referenceCustomerID                  string
	merchantReferenceID                  string
	productID                            string
	priceID                              string
	priceDataList                        []priceData
	uiMode                               string
	returnURL                            string
	successURL                           string
	cancelURL                            string
	paymentMethodType                    string
	paymentMethodTypeBlackList           []string
	directPaymentQRCodePaymentMethodType string
	allowPromotionCodes                  bool
	promotionCode                        string

	minor  int64 // originalAmount in the currency's smallest unit
	digits int   // decimals of the currency
}

type priceData struct {
	name       string
	quantity   json.Number
	unitAmount json.Number
	currency   string
	imageURL   string
}

// readCreateRequest decodes and checks a body; whatever is wrong with it comes back as a *refusal.
func readCreateRequest(body []byte) (*createRequest, error) {
	if !utf8.Valid(body) {
		return nil, badRequest("body is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	request := &createRequest{}
	if err := readObject(decoder, "body", request.readField); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, badRequest("body goes on after its object")
	}
	if err := request.check(); err != nil {
		return nil, err
	}
	return request, nil
}

func (c *createRequest) readField(d *json.Decoder, name string) error {
	switch name {
	case "originalAmount":
		return readScalar(d, name, &c.originalAmount)
	case "originalCurrency":
		return readText(d, name, &c.originalCurrency)
	case "customerId":
		return readText(d, name, &c.customerID)
	case "customerEmail":
		return readText(d, name, &c.customerEmail)
	case "referenceCustomerId":
		return readText(d, name, &c.referenceCustomerID)
	case "merchantReferenceId":
		return readText(d, name, &c.merchantReferenceID)
	case "productId":
		return readText(d, name, &c.productID)
	case "priceId":
		return readText(d, name, &c.priceID)
	case "priceDataList":
		return readArray(d, name, func(name string) error {
			var item priceData
			err := readObject(d, name, item.readField)
			c.priceDataList = append(c.priceDataList, item)
			return err
		})
	case "uiMode":
		return readText(d, name, &c.uiMode)
	case "returnUrl":
		return readText(d, name, &c.returnURL)
	case "successUrl":
		return readText(d, name, &c.successURL)
	case "cancelUrl":
		return readText(d, name, &c.cancelURL)
	case "paymentMethodType":
		return readText(d, name, &c.paymentMethodType)
	case "paymentMethodTypeBlackList":
		return readArray(d, name, func(name string) error {
			var method string
			err := readText(d, name, &method)
			c.paymentMethodTypeBlackList = append(c.paymentMethodTypeBlackList, method)
			return err
		})
	case "directPaymentQrCodePaymentMethodType":
		return readText(d, name, &c.directPaymentQRCodePaymentMethodType)
	case "allowPromotionCodes":
		return readScalar(d, name, &c.allowPromotionCodes)
	case "promotionCode":
		return readText(d, name, &c.promotionCode)
	default:
		return badRequest("%s: unknown field", name)
	}
}

func (p *priceData) readField(d *json.Decoder, name string) error {
	full := "priceDataList." + name
	switch name {
	case "name":
		return readText(d, full, &p.name)
	case "quantity":
		return readScalar(d, full, &p.quantity)
	case "unitAmount":
		return readScalar(d, full, &p.unitAmount)
	case "currency":
		return readText(d, full, &p.currency)
	case "imageUrl":
		return readText(d, full, &p.imageURL)
	default:
		return badRequest("%s: unknown field", full)
	}
}

var (
	uiModes        = []string{"hostedPage", "elements"}
	paymentMethods = []string{
		"CARD", "CASHAPP", "WECHAT", "KAKAO", "PIX", "ALIPAY",
		"UPI", "PAYPAL", "GOOGLEPAY", "APPLEPAY", "QRIS", "GCASH",
	}
)

// check goes through the rules of Clink's reference, one after another.
func (c *createRequest) check() error {
	for _, rule := range []func() error{
		c.checkCustomer, c.checkAmount, c.checkMode, c.checkURLs, c.checkPaymentMethods, c.checkPromotion,
	} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

func (c *createRequest) checkCustomer() error {
	if c.customerID == "" && c.customerEmail == "" && c.referenceCustomerID == "" {
		return badRequest("CUSTOMER_NOT_FOUND")
	}
	return nil
}

func (c *createRequest) checkAmount() error {
	if c.originalCurrency == "" {
		return badRequest("originalCurrency: is required")
	}
	digits, known := currency.GetDigits(c.originalCurrency)
	if !known {
		return badRequest("originalCurrency: %q is not an ISO 4217 code", c.originalCurrency)
	}
	c.digits = int(digits)
	if c.originalAmount == "" {
		return badRequest("originalAmount: is required")
	}
	var err error
	if c.minor, err = minorUnits(c.originalAmount.String(), c.digits); err != nil {
		return badRequest("originalAmount: %v", err)
	}
	return nil
}

// checkMode wants a registered product or inline items, not both, and the items to add up.
func (c *createRequest) checkMode() error {
	isRegistered := c.productID != "" || c.priceID != ""
	switch {
	case isRegistered && c.priceDataList != nil:
		return badRequest("priceDataList: cannot stand beside productId and priceId")
	case isRegistered && (c.productID == "" || c.priceID == ""):
		return badRequest("productId and priceId: one is of no use without the other")
	case isRegistered:
		return nil
	case len(c.priceDataList) == 0:
		return badRequest("priceDataList, or productId and priceId: is required")
	}
	left := c.minor // never below 0, so that nothing overflows
	for _, item := range c.priceDataList {
		unit, quantity, err := item.check(c)
		if err != nil {
			return err
		}
		if quantity > left/unit {
			return badRequest("originalAmount: is less than the sum of quantity * unitAmount")
		}
		left -= quantity * unit
	}
	if left > 0 {
		return badRequest("originalAmount: is more than the sum of quantity * unitAmount")
	}
	return nil
}

// check returns the unit amount in the currency's smallest unit and the quantity, 1 when it is left out.
func (p *priceData) check(c *createRequest) (unit, quantity int64, err error) {
	if p.name == "" {
		return 0, 0, badRequest("priceDataList.name: is required")
	}
	if p.unitAmount == "" {
		return 0, 0, badRequest("priceDataList.unitAmount: is required")
	}
	if unit, err = minorUnits(p.unitAmount.String(), c.digits); err != nil {
		return 0, 0, badRequest("priceDataList.unitAmount: %v", err)
	}
	quantity = 1
	if p.quantity != "" {
		if quantity, err = strconv.ParseInt(p.quantity.String(), 10, 64); err != nil || quantity < 1 {
			return 0, 0, badRequest("priceDataList.quantity: must be a whole number from 1")
		}
	}
	if p.currency != "" && p.currency != c.originalCurrency {
		return 0, 0, badRequest("priceDataList.currency: differs from originalCurrency")
	}
	return unit, quantity, checkURL("priceDataList.imageUrl", p.imageURL)
}

func (c *createRequest) checkURLs() error {
	if c.uiMode != "" && !slices.Contains(uiModes, c.uiMode) {
		return badRequest("uiMode: %q is not one of %v", c.uiMode, uiModes)
	}
	if c.isElements() && c.returnURL == "" {
		return badRequest("returnUrl: is required with uiMode elements")
	}
	if err := checkURL("returnUrl", c.returnURL); err != nil {
		return err
	}
	if err := checkURL("successUrl", c.successURL); err != nil {
		return err
	}
	return checkURL("cancelUrl", c.cancelURL)
}

func (c *createRequest) isElements() bool { return c.uiMode == "elements" }

func checkURL(field, text string) error {
	if text == "" {
		return nil
	}
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Hostname() == "" {
		return badRequest("%s: %q is not an absolute http or https URL", field, text)
	}
	return nil
}

func (c *createRequest) checkPaymentMethods() error {
	if err := checkMethod("paymentMethodType", c.paymentMethodType); err != nil {
		return err
	}
	for _, method := range c.paymentMethodTypeBlackList {
		if err := checkMethod("paymentMethodTypeBlackList", method); err != nil {
			return err
		}
	}
	const field = "directPaymentQrCodePaymentMethodType"
	switch {
	case c.directPaymentQRCodePaymentMethodType == "":
		return nil
	case c.directPaymentQRCodePaymentMethodType != "CASHAPP":
		return badRequest("%s: must be CASHAPP", field)
	case c.paymentMethodType != "CASHAPP":
		return badRequest("%s: has no effect unless paymentMethodType is CASHAPP", field)
	default:
		return nil
	}
}

func checkMethod(field, method string) error {
	if method != "" && !slices.Contains(paymentMethods, method) {
		return badRequest("%s: %q is not one of %v", field, method, paymentMethods)
	}
	return nil
}

func (c *createRequest) checkPromotion() error {
	if c.promotionCode != "" && !c.allowPromotionCodes {
		return badRequest("promotionCode: has no effect unless allowPromotionCodes is true")
	}
	return nil
}
