package clink_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paylinks/clink"
)

const testKey = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

var (
	small        = clink.SessionRequest{Amount: "19.90", Currency: "USD", CustomerEmail: "ada@example.com"}
	smallRequest = small.Prepare()
)

// newClient talks to a plain HTTP server that h serves.
func newClient(t *testing.T, h http.HandlerFunc) *clink.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return clientOf(t, clink.Config{BaseURL: server.URL + "/api"})
}

func clientOf(t *testing.T, cfg clink.Config) *clink.Client {
	t.Helper()
	cfg.Key, cfg.Version = testKey, "1.2.3"
	client, err := clink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdle)
	return client
}

// answer serves one fixed answer.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// asError is err as the *clink.Error that it must be.
func asError(t *testing.T, err error) *clink.Error {
	t.Helper()
	var failed *clink.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %T %v, want a *clink.Error", err, err)
	}
	return failed
}

func full() clink.SessionRequest {
	yes := true
	return clink.SessionRequest{
		Amount: "19.90", Currency: "USD",
		CustomerID: "cus_1", CustomerEmail: "ada@example.com", ReferenceCustomerID: "ref_1",
		MerchantReferenceID: "INV-1", ProductID: "prd_1", PriceID: "prc_1",
		PriceData: []clink.PriceData{{Name: "Tea & <cake>", Quantity: 2, UnitAmount: "9.95", Currency: "USD", ImageURL: "https://example.com/t.png"}},
		UIMode:    "elements", ReturnURL: "https://example.com/r?s={ELEMENTS_SESSION_ID}",
		SuccessURL: "https://example.com/s", CancelURL: "https://example.com/c",
		PaymentMethodType: "CASHAPP", PaymentMethodTypeBlackList: []string{"PIX", "UPI"},
		DirectPaymentQrCodePaymentMethodType: "CASHAPP",
		AllowPromotionCodes:                  &yes, PromotionCode: "SPRING",
	}
}

func TestRequestOnTheWire(t *testing.T) {
	no := false
	tests := []struct {
		name string
		req  clink.SessionRequest
		want string
	}{
		{"every field", full(), `{"originalAmount":19.90,"originalCurrency":"USD",
			"customerId":"cus_1","customerEmail":"ada@example.com","referenceCustomerId":"ref_1",
			"merchantReferenceId":"INV-1","productId":"prd_1","priceId":"prc_1",
			"priceDataList":[{"name":"Tea & <cake>","quantity":2,"unitAmount":9.95,"currency":"USD","imageUrl":"https://example.com/t.png"}],
			"uiMode":"elements","returnUrl":"https://example.com/r?s={ELEMENTS_SESSION_ID}",
			"successUrl":"https://example.com/s","cancelUrl":"https://example.com/c",
			"paymentMethodType":"CASHAPP","paymentMethodTypeBlackList":["PIX","UPI"],
			"directPaymentQrCodePaymentMethodType":"CASHAPP","allowPromotionCodes":true,"promotionCode":"SPRING"}`},
		{"no field but the required", small,
			`{"originalAmount":19.90,"originalCurrency":"USD","customerEmail":"ada@example.com"}`},
		{"a false that was said", clink.SessionRequest{Amount: "1", Currency: "JPY", CustomerID: "c", AllowPromotionCodes: &no},
			`{"originalAmount":1,"originalCurrency":"JPY","customerId":"c","allowPromotionCodes":false}`},
		{"an amount no float holds", clink.SessionRequest{Amount: "90071992547409.931", Currency: "BHD", CustomerID: "c"},
			`{"originalAmount":90071992547409.931,"originalCurrency":"BHD","customerId":"c"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				got, _ = io.ReadAll(r.Body)
				answer(200, `{"code":200}`)(w, r)
			})
			if _, err := client.CreateSession(t.Context(), tt.req.Prepare()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(exactly(t, tt.want), exactly(t, string(got))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// exactly decodes JSON with its numbers as they are written.
func exactly(t *testing.T, s string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, s)
	}
	return v
}

// What is stored is what is sent, byte for byte, by the program that stored it and by the next one.
func TestStoredRequestIsTheSameRequest(t *testing.T) {
	var sent []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, string(body))
		answer(200, `{"code":200}`)(w, r)
	})
	for _, asked := range []clink.SessionRequest{full(), small} {
		prepared := asked.Prepare()
		stored, err := prepared.Body()
		if err != nil {
			t.Fatal(err)
		}
		var decoded clink.SessionRequest
		if err := json.Unmarshal([]byte(stored), &decoded); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asked, decoded); diff != "" {
			t.Errorf("(-asked +stored)\n%s", diff)
		}
		read, err := clink.ReadRequest(stored)
		if err != nil {
			t.Fatal(err)
		}
		sent = nil
		for _, req := range []clink.Request{prepared, read} {
			if _, err := client.CreateSession(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{stored, stored}, sent); diff != "" {
			t.Errorf("(-stored +sent)\n%s", diff)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	var got *http.Request
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		answer(200, `{"code":200,"data":{"status":"open"}}`)(w, r)
	})
	check := func(t *testing.T, method, path string, before time.Time) {
		t.Helper()
		if got.Method != method || got.URL.EscapedPath() != path {
			t.Errorf("got %s %s, want %s %s", got.Method, got.URL.EscapedPath(), method, path)
		}
		millis, err := strconv.ParseInt(got.Header.Get("X-Timestamp"), 10, 64)
		if err != nil || millis < before.UnixMilli() || millis > time.Now().UnixMilli() {
			t.Errorf("X-Timestamp %q is not when the request was sent", got.Header.Get("X-Timestamp"))
		}
		want := http.Header{
			"User-Agent": {"paylinks/1.2.3"},
			"X-Api-Key":  {testKey},
		}
		if method == http.MethodPost {
			want.Set("Content-Type", "application/json")
		}
		rest := got.Header.Clone()
		rest.Del("X-Timestamp")
		rest.Del("Content-Length")
		if diff := cmp.Diff(want, rest); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	t.Run("create", func(t *testing.T) {
		before := time.Now()
		if _, err := client.CreateSession(t.Context(), smallRequest); err != nil {
			t.Fatal(err)
		}
		check(t, "POST", "/api/checkout/session", before)
		if got.ContentLength <= 0 || got.TransferEncoding != nil {
			t.Errorf("content length %d, transfer encoding %v", got.ContentLength, got.TransferEncoding)
		}
	})
	t.Run("get", func(t *testing.T) {
		before := time.Now()
		if _, err := client.GetSession(t.Context(), "sess/../1?x"); err != nil {
			t.Fatal(err)
		}
		check(t, "GET", "/api/checkout/session/sess%2F..%2F1%3Fx", before)
		if got.ContentLength != 0 || got.TransferEncoding != nil {
			t.Errorf("content length %d, transfer encoding %v", got.ContentLength, got.TransferEncoding)
		}
	})
}

func TestCreateSession(t *testing.T) {
	utc := func(h, m, s, ns int) time.Time { return time.Date(2026, 3, 1, h, m, s, ns, time.UTC) }
	tests := []struct {
		name, data string
		want       clink.Session
	}{
		{"every field", `{"sessionId":"sess_1","tokenValue":"tok_secret","customerId":"cus_1","originalAmount":19.90,"originalCurrency":"USD",
			"uiMode":"hostedPage","returnUrl":"https://example.com","url":"https://uat-checkout.clinkbill.com/pay/sess_1",
			"merchantReferenceId":"INV-1","expireTime":"2026-03-01T10:00:00Z"}`,
			clink.Session{SessionID: "sess_1", URL: "https://uat-checkout.clinkbill.com/pay/sess_1", Amount: "19.90", Currency: "USD",
				CustomerID: "cus_1", MerchantReferenceID: "INV-1", UIMode: "hostedPage", ExpiresAt: utc(10, 0, 0, 0)}},
		{"nothing", `{}`, clink.Session{}},
		{"nulls", `{"sessionId":null,"url":null,"originalAmount":null,"expireTime":null}`, clink.Session{}},
		{"null", `null`, clink.Session{}},
		{"odd fields that are not used", `{"sessionId":"sess_1","tokenValue":7,"returnUrl":[1],"new":{"a":null},"URL":3}`,
			clink.Session{SessionID: "sess_1"}},
		{"amount in a string", `{"originalAmount":"19.90"}`, clink.Session{Amount: "19.90"}},
		{"amount with an exponent", `{"originalAmount":1.99e1}`, clink.Session{Amount: "1.99e1"}},

		{"expiry with a fraction", `{"expireTime":"2026-03-01T10:00:00.123456789Z"}`, clink.Session{ExpiresAt: utc(10, 0, 0, 123456789)}},
		{"expiry with an offset", `{"expireTime":"2026-03-01T18:00:00+08:00"}`, clink.Session{ExpiresAt: utc(10, 0, 0, 0)}},
		{"expiry with a basic offset", `{"expireTime":"2026-03-01T10:00:00+0000"}`, clink.Session{ExpiresAt: utc(10, 0, 0, 0)}},
		{"expiry with both", `{"expireTime":"2026-03-01T04:30:00.5-0530"}`, clink.Session{ExpiresAt: utc(10, 0, 0, 500_000_000)}},
		{"expiry with a short offset", `{"expireTime":"2026-03-01T18:00:00+08"}`, clink.Session{ExpiresAt: utc(10, 0, 0, 0)}},
		{"expiry without an offset", `{"expireTime":"2026-03-01T10:00:00"}`, clink.Session{}},
		{"expiry as a date", `{"expireTime":"2026-03-01"}`, clink.Session{}},
		{"expiry on no day", `{"expireTime":"2026-02-30T10:00:00Z"}`, clink.Session{}},
		{"expiry in milliseconds", `{"expireTime":1772359200000}`, clink.Session{}},
		{"expiry as an object", `{"expireTime":{"seconds":1}}`, clink.Session{}},
		{"expiry empty", `{"expireTime":""}`, clink.Session{}},
		{"expiry before 2000", `{"expireTime":"1999-12-31T23:59:59Z"}`, clink.Session{}},
		{"expiry in 2000", `{"expireTime":"2000-01-01T00:00:00Z"}`, clink.Session{ExpiresAt: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"expiry after 9999, in UTC", `{"expireTime":"9999-12-31T23:59:59-01:00"}`, clink.Session{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, answer(200, `{"code":200,"msg":"success","data":`+tt.data+`}`))
			got, err := client.CreateSession(t.Context(), smallRequest)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got.ExpiresAt.Location() != time.UTC {
				t.Errorf("the expiry is in %v", got.ExpiresAt.Location())
			}
		})
	}
}

func TestCreateSessionUnreadable(t *testing.T) {
	for _, data := range []string{
		`{"sessionId":1}`, `{"url":["https://example.com"]}`, `{"originalCurrency":{}}`, `{"customerId":5}`,
		`{"merchantReferenceId":17}`, `{"uiMode":true}`,
		`{"originalAmount":"19,90"}`, `{"originalAmount":""}`, `{"originalAmount":"abc"}`, `{"originalAmount":true}`, `{"originalAmount":[19.9]}`,
	} {
		t.Run(data, func(t *testing.T) {
			client := newClient(t, answer(200, `{"code":200,"msg":"success","data":`+data+`}`))
			_, err := client.CreateSession(t.Context(), smallRequest)
			got := asError(t, err)
			if got.Class != clink.Unknown || got.Status != 200 || got.Code != 200 || !strings.Contains(got.Sample, `"code":200`) {
				t.Errorf("got %#v", got)
			}
		})
	}
}

func TestGetSession(t *testing.T) {
	tests := []struct {
		name, data string
		want       clink.SessionStatus
	}{
		{"every field", `{"sessionId":"sess_1","token":"tok_secret","status":"open","paymentStatus":"unpaid","amountSubtotal":19.90,"amountTotal":1,
			"originalCurrency":"USD","paymentCurrency":"INR","merchantReferenceId":"INV-1","created":1,"expire":"2026-03-01T10:00:00+0000","customer":{},"priceDataList":[]}`,
			clink.SessionStatus{SessionID: "sess_1", Status: "open", PaymentStatus: "unpaid", MerchantReferenceID: "INV-1", Amount: "19.90", Currency: "USD",
				ExpiresAt: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}},
		{"completed", `{"status":"completed","paymentStatus":"paid"}`, clink.SessionStatus{Status: "completed", PaymentStatus: "paid"}},
		{"complete", `{"status":"complete","paymentStatus":"paid"}`, clink.SessionStatus{Status: "completed", PaymentStatus: "paid"}},
		{"expired", `{"status":"expired","paymentStatus":"unpaid","expire":1772359200}`, clink.SessionStatus{Status: "expired", PaymentStatus: "unpaid"}},
		{"a new word", `{"status":"paused"}`, clink.SessionStatus{Status: "paused"}},
		{"customer by its id", `{"status":"open","customer":"cus_1"}`, clink.SessionStatus{Status: "open", CustomerID: "cus_1"}},
		{"customer beside", `{"status":"open","customerId":"cus_1","customer":null}`, clink.SessionStatus{Status: "open", CustomerID: "cus_1"}},
		{"customer as an object", `{"status":"open","customer":{"customerId":"cus_1","email":"ada@example.com"}}`, clink.SessionStatus{Status: "open", CustomerID: "cus_1"}},
		{"customer as an object with an id", `{"status":"open","customer":{"id":"cus_1"}}`, clink.SessionStatus{Status: "open", CustomerID: "cus_1"}},
		{"customer in a form that is new to us", `{"status":"open","customer":[7]}`, clink.SessionStatus{Status: "open"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, answer(200, `{"code":200,"data":`+tt.data+`}`))
			got, err := client.GetSession(t.Context(), "sess_1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for name, data := range map[string]string{
		"no data":          `null`,
		"no status":        `{"sessionId":"sess_1","paymentStatus":"unpaid"}`,
		"status of a kind": `{"status":3}`,
		"amount in words":  `{"status":"open","amountSubtotal":"some"}`,
		"another session":  `{"sessionId":"sess_2","status":"expired","paymentStatus":"unpaid"}`,
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, answer(200, `{"code":200,"data":`+data+`}`))
			_, err := client.GetSession(t.Context(), "sess_1")
			if got := asError(t, err); got.Class != clink.Unknown {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What cannot be asked is not asked, and is an *Error like everything else.
func TestNothingToSend(t *testing.T) {
	client := newClient(t, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
	noUnitAmount := small
	noUnitAmount.PriceData = []clink.PriceData{{Name: "tea"}}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	create := func(req clink.Request) func() error {
		return func() error { _, err := client.CreateSession(t.Context(), req); return err }
	}
	stored := func(body string) func() error {
		req, err := clink.ReadRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		return create(req)
	}
	tests := []struct {
		name string
		call func() error
	}{
		{"no request", create(clink.Request{})},
		{"no amount", create(clink.SessionRequest{}.Prepare())},
		{"no unit amount", create(noUnitAmount.Prepare())},
		{"an amount in words", create(clink.SessionRequest{Amount: "ten"}.Prepare())},
		{"a purged request", stored("{}")},
		{"a stored request without an amount", stored(`{"originalCurrency":"USD","customerId":"cus_1"}`)},
		{"a stored request with an item without an amount", stored(`{"originalAmount":1,"originalCurrency":"USD","priceDataList":[{"name":"tea"}]}`)},
		{"no session id", func() error { _, err := client.GetSession(t.Context(), ""); return err }},
		{"a session id that is a path", func() error { _, err := client.GetSession(t.Context(), ".."); return err }},
		{"interrupted before", func() error { _, err := client.CreateSession(cancelled, smallRequest); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := asError(t, tt.call()); got.Class != clink.NotSent || got.Err == nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestErrorHasWhatClinkSaid(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		answer(200, `{"code":429,"msg":"slow\ndown"}`)(w, r)
	})
	_, err := client.CreateSession(t.Context(), smallRequest)
	want := &clink.Error{Class: clink.Throttled, Status: 200, Code: 429, Message: "slow\ndown", RetryAfter: 7 * time.Second}
	got := asError(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Error() != "clink: throttled: status 200, code 429: slow down" {
		t.Errorf("got %q", got.Error())
	}
}

func TestRetryAfterOfAnotherClassIsNotRead(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		answer(503, `{"code":429}`)(w, r)
	})
	_, err := client.CreateSession(t.Context(), smallRequest)
	if got := asError(t, err); got.Class != clink.Unknown || got.RetryAfter != 0 {
		t.Errorf("got %#v", got)
	}
}
