package clink_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paylinks/clink"
	"paylinks/clink/simulator"
)

func TestOrders(t *testing.T) {
	paidAt := time.Date(2026, 3, 1, 10, 0, 0, 123_000_000, time.UTC)
	tests := []struct {
		name, answer string
		want         []clink.Order
	}{
		{"every field", `{"total":1,"rows":[{"orderId":"order_1","type":"onetime","merchantReferenceId":"INV-1","sessionId":"sess_1","customerId":"cus_1",
			"customerEmail":"ada@example.com","amountSubtotal":19.90,"amountTotal":19.90,"originalCurrency":"USD","paymentCurrency":"USD","status":"success",
			"failureCode":null,"failureMessage":null,"createTime":1772359100000,"paymentTime":1772359200123,"metadata":{"a":"b"}}],"code":200,"msg":"success"}`,
			[]clink.Order{{ID: "order_1", SessionID: "sess_1", MerchantReferenceID: "INV-1", Status: "success", PaidAt: paidAt}}},
		{"any field may be missing or null", `{"total":2,"rows":[{},{"orderId":null,"sessionId":null,"merchantReferenceId":null,"status":null,"paymentTime":null}],"code":200}`,
			[]clink.Order{{}, {}}},
		{"time in a string", `{"total":1,"rows":[{"paymentTime":"1772359200123"}],"code":200}`, []clink.Order{{PaidAt: paidAt}}},
		{"time in words", `{"total":1,"rows":[{"paymentTime":"2026-03-01"}],"code":200}`, []clink.Order{{}}},
		{"time in seconds", `{"total":1,"rows":[{"paymentTime":1772359200}],"code":200}`, []clink.Order{{}}},
		{"time beyond reason", `{"total":1,"rows":[{"paymentTime":9223372036854775807}],"code":200}`, []clink.Order{{}}},
		{"none", `{"total":0,"rows":[],"code":200}`, nil},
		{"none, and no rows", `{"total":0,"rows":null,"code":200}`, nil},
		{"none, and no total", `{"rows":[],"code":200}`, nil},
		{"total in a string", `{"total":"0","rows":[],"code":200}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newClient(t, answer(200, tt.answer)).Orders(t.Context(), "INV-1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What is not known to be the whole list must not be taken for one without a payment.
func TestOrdersUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"rows in the data":              `{"code":200,"data":{"total":0,"rows":[]}}`,
		"neither rows nor a total":      `{"code":200}`,
		"rows that are no list":         `{"code":200,"total":1,"rows":{"orderId":"order_1"}}`,
		"a row that is no object":       `{"code":200,"total":1,"rows":["order_1"]}`,
		"a row that is null":            `{"code":200,"total":1,"rows":[null]}`,
		"a session that is no string":   `{"code":200,"total":1,"rows":[{"sessionId":1}]}`,
		"a status that is no string":    `{"code":200,"total":1,"rows":[{"status":1}]}`,
		"a total that is no number":     `{"code":200,"total":"many","rows":[]}`,
		"a total that is no integer":    `{"code":200,"total":0.5,"rows":[]}`,
		"a total below zero":            `{"code":200,"total":-1,"rows":[]}`,
		"a total, and none of its rows": `{"code":200,"total":1,"rows":[]}`,
		"no JSON":                       `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, answer(200, body)).Orders(t.Context(), "INV-1")
			if failed := asError(t, err); failed.Class != clink.Unknown || failed.Status != 200 || got != nil {
				t.Errorf("got %v, %v", got, failed)
			}
		})
	}
}

// ordersOf serves total orders in pages of at most size. tells says whether the answer has the total.
func ordersOf(t *testing.T, total, size int, tells bool, asked *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RawQuery)
		var number int
		if _, err := fmt.Sscan(r.URL.Query().Get("pageNum"), &number); err != nil {
			t.Error(err)
		}
		var rows []string
		for i := (number - 1) * size; i < min(number*size, total); i++ {
			rows = append(rows, fmt.Sprintf(`{"orderId":"order_%d"}`, i))
		}
		said := ""
		if tells {
			said = fmt.Sprintf(`"total":%d,`, total)
		}
		answer(200, `{`+said+`"rows":[`+strings.Join(rows, ",")+`],"code":200}`)(w, r)
	}
}

func TestAllPagesOfOrders(t *testing.T) {
	for _, tt := range []struct {
		name        string
		total, size int
		tells       bool
		pages       int
	}{
		{"one page", 50, 50, true, 1},
		{"a row more than a page", 51, 50, true, 2},
		{"as many as are read", 1000, 50, true, 20},
		{"fewer rows a page than asked for", 45, 20, true, 3},
		{"no total", 45, 20, false, 4},
		{"no total, as many as are read", 950, 50, false, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			got, err := newClient(t, ordersOf(t, tt.total, tt.size, tt.tells, &asked)).Orders(t.Context(), "INV-1")
			if err != nil || len(got) != tt.total || len(asked) != tt.pages || got[tt.total-1].ID != fmt.Sprintf("order_%d", tt.total-1) {
				t.Errorf("%d orders from %d pages, %v", len(got), len(asked), err)
			}
		})
	}
	for tells, pages := range map[bool]int{true: 1, false: 20} { // a total that is too large is known at once
		t.Run(fmt.Sprint("more than are read, total told: ", tells), func(t *testing.T) {
			var asked []string
			got, err := newClient(t, ordersOf(t, 1001, 50, tells, &asked)).Orders(t.Context(), "INV-1")
			if failed := asError(t, err); failed.Class != clink.Unknown || failed.Status != 200 || !errors.Is(err, clink.ErrManyOrders) || got != nil || len(asked) != pages {
				t.Errorf("%d orders from %d pages, %v", len(got), len(asked), failed)
			}
		})
	}
}

// An order request keeps what every request promises.
func TestOrdersOnTheWire(t *testing.T) {
	var got *http.Request
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		answer(200, `{"total":0,"rows":[],"code":200}`)(w, r)
	})
	if _, err := client.Orders(t.Context(), "A&B=1/ü +"); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"merchantReferenceId": {"A&B=1/ü +"}, "pageNum": {"1"}, "pageSize": {"50"}}
	if diff := cmp.Diff(want, got.URL.Query()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.Method != http.MethodGet || got.URL.Path != "/api/order" || got.Header.Get("X-API-KEY") != testKey || got.Header.Get("X-Timestamp") == "" {
		t.Errorf("got %s %s %v", got.Method, got.URL.Path, got.Header)
	}
}

func TestOrdersAreNotSentOn(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/order" {
			t.Errorf("followed to %s", r.URL)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	_, err := client.Orders(t.Context(), "INV-1")
	if failed := asError(t, err); failed.Class != clink.Redirected {
		t.Errorf("got %v", failed)
	}
}

func TestOrdersOfNothing(t *testing.T) {
	client := newClient(t, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
	for _, reference := range []string{"", " ", "null"} {
		_, err := client.Orders(t.Context(), reference)
		if failed := asError(t, err); failed.Class != clink.NotSent {
			t.Errorf("%q: got %v", reference, failed)
		}
	}
}

// "There are no orders here" must not be confused with "nobody has answered".
func TestNotFound(t *testing.T) {
	const envelope = `{"code":404,"msg":"no such path"}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  clink.Class
		want   bool
	}{
		{"404 page", 404, "<html>", clink.Misdirected, true},
		{"404 in a framework's words", 404, `{"status":404,"error":"Not Found","path":"/order"}`, clink.Misdirected, true},
		{"405 page", 405, "", clink.Misdirected, true},
		{"Clink's 404", 404, envelope, clink.Rejected, true},
		{"Clink's 404 under a 200", 200, envelope, clink.Rejected, true},
		{"413 page", 413, "<html>", clink.Misdirected, false},
		{"Clink's 400 about a 404", 400, envelope, clink.Rejected, false},
		{"a 404 under a 502", 502, envelope, clink.Unknown, false},
		{"403 page", 403, "<html>", clink.Unauthorized, false},
		{"429", 429, "", clink.Throttled, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, answer(tt.status, tt.body))
			_, orders := client.Orders(t.Context(), "INV-1")
			_, session := client.GetSession(t.Context(), "sess_1")
			for _, err := range []error{orders, session} {
				if got := asError(t, err); got.Class != tt.class || got.NotFound() != tt.want {
					t.Errorf("got %v, not found: %v", got, got.NotFound())
				}
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		_, err := newClient(t, raw("")).Orders(t.Context(), "INV-1")
		if got := asError(t, err); got.Class != clink.Unknown || got.NotFound() {
			t.Errorf("got %v", got)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := newClient(t, answer(404, "")).Orders(ctx, "INV-1")
		if got := asError(t, err); got.Class != clink.NotSent || got.NotFound() {
			t.Errorf("got %v", got)
		}
	})
}

func TestOrderIsFor(t *testing.T) {
	for _, tt := range []struct {
		name               string
		order              clink.Order
		session, reference string
		want               bool
	}{
		{"same session", clink.Order{SessionID: "sess_1"}, "sess_1", "INV-1", true},
		{"same session, reference left out", clink.Order{SessionID: "sess_1", MerchantReferenceID: "null"}, "sess_1", "INV-1", true},
		{"same session, reference not known any more", clink.Order{SessionID: "sess_1", MerchantReferenceID: "INV-1"}, "sess_1", "", true},
		{"another session for the reference", clink.Order{SessionID: "sess_2", MerchantReferenceID: "INV-1"}, "sess_1", "INV-1", false},
		{"no session, same reference", clink.Order{MerchantReferenceID: "INV-1"}, "sess_1", "INV-1", true},
		{"session null, same reference", clink.Order{SessionID: "null", MerchantReferenceID: "INV-1"}, "sess_1", "INV-1", true},
		{"session blank, same reference", clink.Order{SessionID: " ", MerchantReferenceID: "INV-1"}, "sess_1", "INV-1", true},
		{"no session, another reference", clink.Order{MerchantReferenceID: "INV-10"}, "sess_1", "INV-1", false},
		{"neither", clink.Order{}, "sess_1", "INV-1", false},
		{"nothing asked for", clink.Order{}, "", "", false},
		{"both null", clink.Order{SessionID: "null", MerchantReferenceID: "null"}, "null", "null", false},
		{"both blank", clink.Order{SessionID: " ", MerchantReferenceID: " "}, " ", " ", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.order.IsFor(tt.session, tt.reference); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOrderStatus(t *testing.T) {
	for status, want := range map[string][2]bool{ // paid, refunded
		"success": {true, false}, "partial_refunded": {false, true}, "refunded": {false, true},
		"failed": {}, "requires_action": {}, "pending": {}, "": {}, "SUCCESS": {}, "new": {},
	} {
		o := clink.Order{Status: status}
		if got := [2]bool{o.Paid(), o.Refunded()}; got != want {
			t.Errorf("%q: paid, refunded %v, want %v", status, got, want)
		}
	}
}

// Against a server that was written from Clink's reference alone.
func TestOrdersOfTheSimulator(t *testing.T) {
	server := simulator.New(simulator.Config{})
	client := newClient(t, server.ServeHTTP)
	post := func(path, body string) {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		if answer.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, answer.Code, answer.Body)
		}
	}
	made := map[string]string{} // by reference
	for n := range 120 {
		reference := fmt.Sprintf("INV-%d", n)
		asked := clink.SessionRequest{
			Amount: "19.90", Currency: "USD", CustomerEmail: "ada@example.com", MerchantReferenceID: reference,
			PriceData: []clink.PriceData{{Name: "tea", Quantity: 1, UnitAmount: "19.90"}},
		}
		session, err := client.CreateSession(t.Context(), asked.Prepare())
		if err != nil {
			t.Fatal(err)
		}
		made[reference] = session.SessionID
		post("/_simulator/sessions/"+session.SessionID, `{"status":"paid"}`)
	}
	id := made["INV-7"]
	paid := func(want int) {
		t.Helper()
		orders, err := client.Orders(t.Context(), "INV-7")
		if err != nil || len(orders) != want {
			t.Fatalf("%d orders, %v", len(orders), err)
		}
		orders = slices.DeleteFunc(orders, func(o clink.Order) bool { return !o.IsFor(id, "INV-7") })
		if len(orders) != 1 || !orders[0].Paid() || orders[0].SessionID != id || time.Since(orders[0].PaidAt).Abs() > time.Minute {
			t.Errorf("got %+v", orders)
		}
	}
	t.Run("filtered", func(t *testing.T) { paid(1) })
	t.Run("unfiltered, the session said to be expired", func(t *testing.T) {
		post("/_simulator/faults", `{"getFaults":"unfiltered=100%,says-expired=100%"}`)
		paid(120)
		got, err := client.GetSession(t.Context(), id)
		if err != nil || got.Status != "expired" || got.PaymentStatus != "unpaid" || got.Amount != "19.90" || got.Currency != "USD" ||
			got.MerchantReferenceID != "INV-7" || got.CustomerID != server.Sessions()[7].CustomerID {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("refunded", func(t *testing.T) {
		post("/_simulator/faults", `{}`)
		post("/_simulator/sessions/"+id, `{"status":"refunded"}`)
		if orders, err := client.Orders(t.Context(), "INV-7"); err != nil || len(orders) != 1 || !orders[0].Refunded() {
			t.Errorf("got %+v, %v", orders, err)
		}
	})
	t.Run("no orders here", func(t *testing.T) {
		post("/_simulator/faults", `{"getFaults":"no-orders=100%"}`)
		_, err := client.Orders(t.Context(), "INV-7")
		if got := asError(t, err); got.Class != clink.Misdirected || !got.NotFound() {
			t.Errorf("got %v", got)
		}
	})
}

// A text with the key in it is none that can be shown or kept.
func TestOrderThatRepeatsTheKey(t *testing.T) {
	client := newClient(t, answer(200, `{"rows":[{"orderId":"`+testKey+`","sessionId":"sess_1","status":"paid with `+testKey+`"}],"code":200,"total":1}`))
	got, err := client.Orders(t.Context(), "INV-1")
	want := []clink.Order{{ID: "[redacted]", SessionID: "sess_1", Status: "[redacted]"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
