package simulator_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
)

// body puts fields of JSON beside a customer, an amount of 19.90 USD and an item, which they replace by name.
func body(fields map[string]string) string {
	all := map[string]string{
		"originalAmount": `19.90`, "originalCurrency": `"USD"`, "customerEmail": `"ada@example.com"`,
		"priceDataList": `[{"name": "Invoice", "unitAmount": 19.90}]`,
	}
	for name, value := range fields {
		all[name] = value
	}
	var parts []string
	for name, value := range all {
		if value != "" {
			parts = append(parts, fmt.Sprintf("%q: %s", name, value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

type fields = map[string]string

func TestAcceptedBodies(t *testing.T) {
	_, client := serve(t, simulator.Config{})
	for name, with := range map[string]fields{
		"minimal":                     nil,
		"reference customer alone":    {"customerEmail": "", "referenceCustomerId": `"C-1"`},
		"all three identifiers":       {"customerId": `"cus_1"`, "referenceCustomerId": `"C-1"`},
		"registered":                  {"priceDataList": "", "productId": `"prd_1"`, "priceId": `"prc_1"`},
		"amount with trailing zeros":  {"originalAmount": `19.9000`},
		"amount with exponent":        {"originalAmount": `1990e-2`},
		"three decimals":              {"originalAmount": `1.234`, "originalCurrency": `"KWD"`, "priceDataList": `[{"name": "x", "unitAmount": 1.234}]`},
		"quantity times unit amount":  {"originalAmount": `0.30`, "priceDataList": `[{"name": "x", "quantity": 3, "unitAmount": 0.10}]`},
		"several items":               {"originalAmount": `0.3`, "priceDataList": `[{"name": "x", "unitAmount": 0.1, "currency": "USD"}, {"name": "y", "unitAmount": 0.2, "imageUrl": "https://shop.example/y.png"}]`},
		"largest amount":              {"originalAmount": `9999999999999999.99`, "priceDataList": `[{"name": "x", "unitAmount": 9999999999999999.99}]`},
		"URLs":                        {"successUrl": `"https://shop.example/ok?a=b"`, "cancelUrl": `"http://127.0.0.1:80/no"`, "returnUrl": `"https://shop.example"`},
		"payment method":              {"paymentMethodType": `"CARD"`, "paymentMethodTypeBlackList": `["UPI", "GCASH"]`},
		"direct QR code":              {"paymentMethodType": `"CASHAPP"`, "directPaymentQrCodePaymentMethodType": `"CASHAPP"`},
		"promotion":                   {"allowPromotionCodes": `true`, "promotionCode": `"SPRING"`},
		"no promotion":                {"allowPromotionCodes": `false`},
		"hosted page by name":         {"uiMode": `"hostedPage"`},
		"reference in any characters": {"merchantReferenceId": `"Nº 7 <b> \u2028"`},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := client.post(body(with), nil); answer.status != 200 {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
		})
	}
}

func TestRefusedBodies(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	long := strings.Repeat("9", 17)
	for _, test := range []struct {
		name string
		with fields
		msg  string // how it begins
	}{
		{"no amount", fields{"originalAmount": ""}, "originalAmount: is required"},
		{"amount as text", fields{"originalAmount": `"19.90"`}, "originalAmount: must be a number"},
		{"amount null", fields{"originalAmount": `null`}, "originalAmount: must be a number"},
		{"amount zero", fields{"originalAmount": `0.00`}, "originalAmount: must be above 0"},
		{"amount negative", fields{"originalAmount": `-1`}, "originalAmount: must be above 0"},
		{"amount with too many decimals", fields{"originalAmount": `19.901`}, "originalAmount: has more decimals"},
		{"amount below the smallest unit", fields{"originalAmount": `1e-18`}, "originalAmount: has more decimals"},
		{"yen with decimals", fields{"originalCurrency": `"JPY"`}, "originalAmount: has more decimals"},
		{"amount with a wild exponent", fields{"originalAmount": `1e999999999`}, "originalAmount: has an exponent"},
		{"amount too large", fields{"originalAmount": long + ".99"}, "originalAmount: is too large"},
		{"no currency", fields{"originalCurrency": ""}, "originalCurrency: is required"},
		{"unknown currency", fields{"originalCurrency": `"USX"`}, "originalCurrency: "},
		{"currency in lower case", fields{"originalCurrency": `"usd"`}, "originalCurrency: "},
		{"no customer", fields{"customerEmail": ""}, "CUSTOMER_NOT_FOUND"},
		{"empty customer", fields{"customerEmail": `""`}, "customerEmail: is empty"},
		{"unknown field", fields{"amount": `1`}, "amount: unknown field"},
		{"field in another case", fields{"customerid": `"cus_1"`}, "customerid: unknown field"},
		{"neither product nor item", fields{"priceDataList": ""}, "priceDataList, or productId and priceId: is required"},
		{"empty items", fields{"priceDataList": `[]`}, "priceDataList, or productId and priceId: is required"},
		{"product and items", fields{"productId": `"p"`, "priceId": `"p"`}, "priceDataList: cannot stand beside"},
		{"product without price", fields{"productId": `"p"`, "priceDataList": ""}, "productId and priceId: "},
		{"price without product", fields{"priceId": `"p"`, "priceDataList": ""}, "productId and priceId: "},
		{"items no array", fields{"priceDataList": `{}`}, "priceDataList: must be an array"},
		{"item no object", fields{"priceDataList": `["x"]`}, "priceDataList: must be an object"},
		{"item with an unknown field", fields{"priceDataList": `[{"title": "x"}]`}, "priceDataList.title: unknown field"},
		{"item without name", fields{"priceDataList": `[{"unitAmount": 19.90}]`}, "priceDataList.name: is required"},
		{"item without unit amount", fields{"priceDataList": `[{"name": "x"}]`}, "priceDataList.unitAmount: is required"},
		{"item for nothing", fields{"priceDataList": `[{"name": "x", "unitAmount": 0}]`}, "priceDataList.unitAmount: must be above 0"},
		{"quantity 0", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.90, "quantity": 0}]`}, "priceDataList.quantity: "},
		{"quantity no whole number", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.90, "quantity": 1.0}]`}, "priceDataList.quantity: "},
		{"item in another currency", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.90, "currency": "EUR"}]`}, "priceDataList.currency: "},
		{"item with a bad image", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.90, "imageUrl": "y.png"}]`}, "priceDataList.imageUrl: "},
		{"sum below amount", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.89}]`}, "originalAmount: is more than the sum"},
		{"sum above amount", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.91}]`}, "originalAmount: is less than the sum"},
		{"sum over 64 bits", fields{"priceDataList": `[{"name": "x", "unitAmount": 19.90, "quantity": 9223372036854775807}]`}, "originalAmount: is less than the sum"},
		{"unknown mode", fields{"uiMode": `"popup"`}, "uiMode: "},
		{"elements without returnUrl", fields{"uiMode": `"elements"`}, "returnUrl: is required"},
		{"relative URL", fields{"returnUrl": `"/back"`}, "returnUrl: "},
		{"URL of another scheme", fields{"successUrl": `"javascript:alert(1)"`}, "successUrl: "},
		{"URL without host", fields{"cancelUrl": `"https://"`}, "cancelUrl: "},
		{"unknown method", fields{"paymentMethodType": `"CASH"`}, "paymentMethodType: "},
		{"unknown method in black list", fields{"paymentMethodTypeBlackList": `["CARD", "card"]`}, "paymentMethodTypeBlackList: "},
		{"black list no array", fields{"paymentMethodTypeBlackList": `"CARD"`}, "paymentMethodTypeBlackList: must be an array"},
		{"QR code of another method", fields{"paymentMethodType": `"CASHAPP"`, "directPaymentQrCodePaymentMethodType": `"PIX"`}, "directPaymentQrCodePaymentMethodType: must be CASHAPP"},
		{"QR code without method", fields{"directPaymentQrCodePaymentMethodType": `"CASHAPP"`}, "directPaymentQrCodePaymentMethodType: has no effect"},
		{"promotion code alone", fields{"promotionCode": `"SPRING"`}, "promotionCode: has no effect"},
		{"promotion code not allowed", fields{"promotionCode": `"SPRING"`, "allowPromotionCodes": `false`}, "promotionCode: has no effect"},
		{"allow as text", fields{"allowPromotionCodes": `"true"`}, "allowPromotionCodes: must be a boolean"},
		{"reference as number", fields{"merchantReferenceId": `7`}, "merchantReferenceId: must be a string"},
		{"empty reference", fields{"merchantReferenceId": `""`}, "merchantReferenceId: is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expectRefusal(t, client.post(body(test.with), nil), 400, test.msg)
		})
	}
	for _, test := range []struct{ name, body, msg string }{
		{"no body", "", "body is not JSON"},
		{"no object", "[]", "body: must be an object"},
		{"field twice", `{"customerId": "a", "customerId": "a"}`, "customerId: comes twice"},
		{"trailing comma", `{"customerId": "a",}`, "body is not JSON"},
		{"cut off", hosted[:60], "body is not JSON"},
		{"two objects", hosted + hosted, "body goes on"},
		{"no UTF-8", "{\"customerId\": \"\xff\"}", "body is not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expectRefusal(t, client.post(test.body, nil), 400, test.msg)
		})
	}
	t.Run("too long", func(t *testing.T) {
		expectRefusal(t, client.post(hosted+strings.Repeat(" ", 1<<20), nil), 413, "body is over 1 MiB")
	})
	if summary := server.Summary(); summary.Sessions != 0 || summary.Answers["refused"] != summary.Creates {
		t.Errorf("refused requests left %+v", summary)
	}
}

func expectRefusal(t *testing.T, answer reply, code int, msg string) {
	t.Helper()
	if answer.err != nil {
		t.Fatal(answer.err)
	}
	gotCode, gotMsg, data := answer.envelope(t)
	if answer.status != code || gotCode != code || !strings.HasPrefix(gotMsg, msg) || data != nil {
		t.Errorf("got status %d, code %d, msg %q, data %v; want %d %q", answer.status, gotCode, gotMsg, data, code, msg)
	}
}

func TestHeaders(t *testing.T) {
	milliseconds := func(shift time.Duration) string {
		return strconv.FormatInt(time.Now().Add(shift).UnixMilli(), 10)
	}
	anyKey := simulator.Config{}
	oneKey := simulator.Config{Key: "sk_test_right"}
	noKey := simulator.Config{AllowNoKey: true}
	for _, test := range []struct {
		name   string
		config simulator.Config
		header map[string]string
		code   int
	}{
		{"any key", anyKey, nil, 200},
		{"no key", anyKey, fields{"X-API-KEY": ""}, 401},
		{"no key, allowed", noKey, fields{"X-API-KEY": ""}, 200},
		{"right key", oneKey, fields{"X-API-KEY": "sk_test_right"}, 200},
		{"wrong key", oneKey, fields{"X-API-KEY": "sk_test_wrong"}, 401},
		{"no key, one wanted", simulator.Config{Key: "sk", AllowNoKey: true}, fields{"X-API-KEY": ""}, 401},
		{"a clock 4 minutes slow", anyKey, fields{"X-Timestamp": milliseconds(-4 * time.Minute)}, 200},
		{"a clock 6 minutes slow", anyKey, fields{"X-Timestamp": milliseconds(-6 * time.Minute)}, 400},
		{"a clock 6 minutes fast", anyKey, fields{"X-Timestamp": milliseconds(6 * time.Minute)}, 400},
		{"seconds", anyKey, fields{"X-Timestamp": strconv.FormatInt(time.Now().Unix(), 10)}, 400},
		{"no timestamp", anyKey, fields{"X-Timestamp": ""}, 400},
		{"timestamp no number", anyKey, fields{"X-Timestamp": "now"}, 400},
		{"content type with charset", anyKey, fields{"Content-Type": "application/json; charset=utf-8"}, 200},
		{"no content type", anyKey, fields{"Content-Type": ""}, 415},
		{"content type of a form", anyKey, fields{"Content-Type": "application/x-www-form-urlencoded"}, 415},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, client := serve(t, test.config)
			answer := client.post(hosted, test.header)
			if code, _, _ := answer.envelope(t); answer.status != test.code || code != test.code {
				t.Errorf("POST: got %d %s", answer.status, answer.body)
			}
			if made := len(server.Sessions()) == 1; made != (test.code == 200) {
				t.Errorf("session made: %v", made)
			}
			read := client.do("GET", "/checkout/session/sess_unknown", "", test.header)
			if wanted := map[int]int{200: 404, 415: 404}; read.status != test.code && read.status != wanted[test.code] {
				t.Errorf("GET: got %d %s", read.status, read.body)
			}
		})
	}
	for method, path := range map[string]string{"PUT": "/checkout/session", "GET": "/checkout/session", "DELETE": "/checkout/session/sess_1"} {
		t.Run(method+" "+path, func(t *testing.T) {
			_, client := serve(t, anyKey)
			answer := client.do(method, path, "", nil)
			expectRefusal(t, answer, 405, "only ")
			if answer.header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
		})
	}
}

func TestCodesUnder200(t *testing.T) {
	_, client := serve(t, simulator.Config{CodesUnder200: true})
	answer := client.post(body(fields{"customerEmail": ""}), nil)
	if code, msg, _ := answer.envelope(t); answer.status != 200 || code != 400 || msg != "CUSTOMER_NOT_FOUND" {
		t.Errorf("got %d %s", answer.status, answer.body)
	}
}
