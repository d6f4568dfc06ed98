package simulator_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
)

var getOnly = []simulator.Fault{simulator.NotFound404, simulator.SaysExpired, simulator.NoOrders, simulator.Unfiltered}

// TestFaults holds each fault to what it says it does, seen from outside. A fault without a line fails.
func TestFaults(t *testing.T) {
	closed := func(t *testing.T, r reply) {
		if !errors.Is(r.err, io.EOF) {
			t.Errorf("got %+v, want a closed connection", r)
		}
	}
	status := func(want int, isEnvelope bool) func(*testing.T, reply) {
		return func(t *testing.T, r reply) {
			if r.err != nil || r.status != want || json.Valid([]byte(r.body)) != isEnvelope {
				t.Errorf("got %+v", r)
			}
		}
	}
	// differs wants an answer like any other, but for one field; nil is a field left out.
	differs := func(field string, value any) func(*testing.T, reply) {
		return func(t *testing.T, r reply) {
			code, _, data := r.envelope(t)
			id, _ := data["sessionId"].(string)
			right := map[string]any{
				"originalAmount": json.Number("19.90"), "originalCurrency": "USD", "merchantReferenceId": "INV-1",
				"url": "https://checkout.simulator.invalid/pay/" + id, "expireTime": data["expireTime"],
			}
			right[field] = value
			for name, want := range right {
				if data[name] != want {
					t.Errorf("%s: got %v, want %v", name, data[name], want)
				}
			}
			if r.status != 200 || code != 200 {
				t.Errorf("got %d %s", r.status, r.body)
			}
		}
	}
	type seen struct {
		sessions  int
		delivered bool
		kind      string
		check     func(*testing.T, reply)
	}
	tests := map[simulator.Fault]seen{
		simulator.Lost:       {1, false, "closed", closed},
		simulator.LostBefore: {0, false, "closed", closed},
		simulator.Before500:  {0, false, "error", status(500, true)},
		simulator.After500:   {1, false, "error", status(500, true)},
		simulator.Cut: {1, false, "closed", func(t *testing.T, r reply) {
			if !errors.Is(r.err, io.ErrUnexpectedEOF) || r.status != 200 || !strings.HasPrefix(r.body, `{"code":200,`) {
				t.Errorf("got %+v", r)
			}
		}},
		simulator.HTML502: {0, false, "error", status(502, false)},
		simulator.HTML200: {1, false, "error", status(200, false)},
		simulator.HTML403: {0, false, "error", status(403, false)},
		simulator.HTML404: {0, false, "error", status(404, false)},
		simulator.HTML413: {0, false, "error", status(413, false)},
		simulator.Code500: {0, false, "error", func(t *testing.T, r reply) {
			if code, _, _ := r.envelope(t); r.status != 200 || code != 500 {
				t.Errorf("got %+v", r)
			}
		}},
		simulator.Customer500: {0, false, "error", func(t *testing.T, r reply) {
			if code, msg, _ := r.envelope(t); r.status != 500 || code != 500 || msg != "CUSTOMER_NOT_FOUND" {
				t.Errorf("got %+v", r)
			}
		}},
		simulator.CodeUnder200: {0, false, "refused", func(t *testing.T, r reply) {
			if code, _, _ := r.envelope(t); r.status != 200 || code != 400 {
				t.Errorf("got %+v", r)
			}
		}},
		simulator.Throttle429: {0, false, "throttled", func(t *testing.T, r reply) {
			status(429, true)(t, r)
			if r.header.Get("Retry-After") != "" {
				t.Errorf("Retry-After %s", r.header.Get("Retry-After"))
			}
		}},
		simulator.WrongAmount:    {1, true, "created", differs("originalAmount", json.Number("19.91"))},
		simulator.WrongCurrency:  {1, true, "created", differs("originalCurrency", "EUR")},
		simulator.WrongReference: {1, true, "created", differs("merchantReferenceId", "other-INV-1")},
		simulator.NoURL:          {1, true, "created", differs("url", nil)},
		simulator.BadURL:         {1, true, "created", differs("url", "javascript:alert(1)")},
		simulator.NoExpiry:       {1, true, "created", differs("expireTime", nil)},
		simulator.Slow:           {1, true, "created", differs("customerEmail", nil)}, // its time: TestSlow
		simulator.Redirect: {0, false, "redirected", func(t *testing.T, r reply) {
			status(302, false)(t, r)
			if r.header.Get("Location") != "/simulated-elsewhere" {
				t.Errorf("Location %q", r.header.Get("Location"))
			}
		}},
		simulator.Unauthorized: {0, false, "unauthorized", status(401, true)},
		simulator.Forbidden:    {0, false, "refused", status(403, true)},
		simulator.Refuse:       {0, false, "refused", status(422, true)},
	}
	for _, fault := range simulator.Faults() {
		if slices.Contains(getOnly, fault) {
			continue
		}
		t.Run(string(fault), func(t *testing.T) {
			test, ok := tests[fault]
			if !ok {
				t.Fatal("has no test")
			}
			server, client := serve(t, simulator.Config{
				Faults: map[simulator.Fault]float64{fault: 1},
				SlowBy: time.Millisecond,
			})
			answer := client.post(hosted, nil)
			test.check(t, answer)
			summary, sessions := server.Summary(), server.Sessions()
			if !maps.Equal(summary.Faults, map[simulator.Fault]int{fault: 1}) || summary.Answers[test.kind] != 1 {
				t.Errorf("summary %+v", summary)
			}
			if len(sessions) != test.sessions {
				t.Fatalf("%d sessions", len(sessions))
			}
			if len(sessions) == 1 && (sessions[0].Delivered != test.delivered || sessions[0].Fault != fault) {
				t.Errorf("session %+v", sessions[0])
			}
			if fault.Effect() == "" || fault.Outcome() == "" {
				t.Error("is not documented")
			}
		})
	}
}

// A read and a list of orders meet the same faults.
func TestFaultsOfGet(t *testing.T) {
	for _, test := range []struct {
		fault      simulator.Fault
		status     int
		isEnvelope bool
	}{
		{simulator.Lost, 0, false},
		{simulator.Before500, 500, true},
		{simulator.HTML502, 502, false},
		{simulator.HTML403, 403, false},
		{simulator.HTML404, 404, false},
		{simulator.HTML413, 413, false},
		{simulator.Code500, 200, true},
		{simulator.Throttle429, 429, true},
		{simulator.NotFound404, 404, true},
		{simulator.Redirect, 302, false},
		{simulator.Unauthorized, 401, true},
		{simulator.Forbidden, 403, true},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			server, client := serve(t, simulator.Config{GetFaults: map[simulator.Fault]float64{test.fault: 1}})
			for _, answer := range []reply{client.get(client.session(t, hosted)), client.orders("")} {
				if answer.status != test.status || errors.Is(answer.err, io.EOF) != (test.status == 0) ||
					json.Valid([]byte(answer.body)) != test.isEnvelope || strings.Contains(answer.body, `"code":200`) {
					t.Errorf("got %+v", answer)
				}
			}
			if got := server.Summary().Faults[test.fault]; got < 2 { // net/http asks again on a connection that was closed
				t.Errorf("counted %d times", got)
			}
		})
	}
}

// What a read says of a session may be a lie. The record keeps the truth, and so does the order.
func TestLies(t *testing.T) {
	type seen struct{ reference, status, paymentStatus string }
	for _, test := range []struct {
		fault        simulator.Fault
		unpaid, paid seen
	}{
		{simulator.WrongReference, seen{"other-INV-1", "completed", "paid"}, seen{"other-INV-1", "expired", "unpaid"}},
		{simulator.SaysExpired, seen{"INV-1", "expired", "unpaid"}, seen{"INV-1", "expired", "unpaid"}},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			server, client := serve(t, simulator.Config{GetFaults: map[simulator.Fault]float64{test.fault: 1}})
			id := client.session(t, hosted)
			read := func() seen {
				_, _, data := client.get(id).envelope(t)
				if data["sessionId"] != id {
					t.Errorf("about %v", data["sessionId"])
				}
				return seen{data["merchantReferenceId"].(string), data["status"].(string), data["paymentStatus"].(string)}
			}
			if got := read(); got != test.unpaid {
				t.Errorf("unpaid: got %v", got)
			}
			client.press(id, "pay")
			if got := read(); got != test.paid {
				t.Errorf("paid: got %v", got)
			}
			if session := server.Sessions()[0]; session.PaymentStatus != simulator.Paid || session.Status != simulator.Completed {
				t.Errorf("on record: %+v", session)
			}
			if _, rows := client.orders("merchantReferenceId=INV-1").rows(t); len(rows) != 1 || rows[0]["status"] != "success" {
				t.Errorf("orders: %v", rows)
			}
		})
	}
}

func TestFaultsOfChosenRows(t *testing.T) {
	_, client := serve(t, simulator.Config{
		Faults: map[simulator.Fault]float64{
			"html-403:*@shop.example": 1, "code-500:INV-2?": 1, "lost:INV-3": 1, "refuse:INV-4*": 0,
		},
		GetFaults: map[simulator.Fault]float64{"404:INV-5": 1, "says-expired:INV-6": 1, "html-404:*@cafe.example": 1, "no-orders:INV-5": 1},
	})
	row := func(reference, email string) string {
		return body(fields{"merchantReferenceId": `"` + reference + `"`, "customerEmail": `"` + email + `"`})
	}
	for _, test := range []struct {
		reference, email string
		status           int
	}{
		{"INV-1", "ada@example.com", 200},
		{"INV-1", "ada@shop.example", 403},
		{"INV-1", "ada@shop.example.com", 200},
		{"INV-2?", "ada@example.com", 200}, // code 500
		{"INV-21", "ada@example.com", 200}, // ? is itself
		{"INV-3", "ada@example.com", 0},
		{"INV-33", "ada@example.com", 200},
		{"A-INV-3", "ada@example.com", 200},
		{"INV-4", "ada@example.com", 200},
	} {
		answer := client.post(row(test.reference, test.email), nil)
		isRefused := strings.Contains(answer.body, `"code":500`)
		if answer.status != test.status || isRefused != (test.reference == "INV-2?") {
			t.Errorf("%v: got %+v", test, answer)
		}
	}
	for _, test := range []struct {
		reference, email string
		status           int
		says             string
	}{
		{"INV-5", "ada@example.com", 404, "not found"},
		{"INV-6", "ada@example.com", 200, `"expired"`},
		{"INV-7", "ada@cafe.example", 404, "<html>"},
		{"INV-7", "ada@example.com", 200, `"open"`},
	} {
		if answer := client.get(client.session(t, row(test.reference, test.email))); answer.status != test.status || !strings.Contains(answer.body, test.says) {
			t.Errorf("%v: got %+v", test, answer)
		}
	}
	if one, other := client.orders("merchantReferenceId=INV-5"), client.orders("merchantReferenceId=INV-6"); one.status != 404 || other.status != 200 {
		t.Errorf("orders: got %+v and %+v", one, other)
	}
}

// The other currency must be another one for every request.
func TestWrongCurrencyOfEuros(t *testing.T) {
	_, client := serve(t, simulator.Config{Faults: map[simulator.Fault]float64{simulator.WrongCurrency: 1}})
	_, _, data := client.post(strings.ReplaceAll(hosted, "USD", "EUR"), nil).envelope(t)
	if data["originalCurrency"] != "USD" {
		t.Errorf("got %v", data["originalCurrency"])
	}
}

// A fault that comes after the work must not turn a refused request into a session.
func TestBadRequestIsRefusedUnderFault(t *testing.T) {
	server, client := serve(t, simulator.Config{Faults: map[simulator.Fault]float64{simulator.Lost: 1}})
	expectRefusal(t, client.post(body(fields{"customerEmail": ""}), nil), 400, "CUSTOMER_NOT_FOUND")
	if summary := server.Summary(); summary.Sessions != 0 || len(summary.Faults) != 0 {
		t.Errorf("got %+v", summary)
	}
}

// The promise under every rehearsal: a failure that was seen once can be seen again.
func TestSameSeedSameFaults(t *testing.T) {
	shares := map[simulator.Fault]float64{
		simulator.Before500: 0.2, simulator.After500: 0.2, simulator.Refuse: 0.1, simulator.Unauthorized: 0.1,
	}
	statuses := func(seed uint64, reading bool) (seen []int) {
		_, client := serve(t, simulator.Config{
			Seed: seed, Faults: shares, GetFaults: map[simulator.Fault]float64{simulator.Before500: 0.5},
		})
		for range 200 {
			seen = append(seen, client.post(hosted, nil).status)
			if reading { // reading back draws its own faults
				client.get("sess_1")
			}
		}
		return seen
	}
	first := statuses(1, false)
	if !slices.Equal(first, statuses(1, true)) {
		t.Error("the same seed gave other faults")
	}
	if slices.Equal(first, statuses(2, false)) {
		t.Error("another seed gave the same faults")
	}
	counts := map[int]int{}
	for _, status := range first {
		counts[status]++
	}
	for status, want := range map[int]int{200: 80, 500: 80, 422: 20, 401: 20} {
		if got := counts[status]; got < want/2 || got > want*3/2 {
			t.Errorf("status %d: %d of 200, want about %d", status, got, want)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, test := range []struct {
		text string
		want map[simulator.Fault]float64
	}{
		{"", nil},
		{"lost=10%", map[simulator.Fault]float64{simulator.Lost: 0.1}},
		{" lost = 0.25 , 500-before=5% ", map[simulator.Fault]float64{simulator.Lost: 0.25, simulator.Before500: 0.05}},
		{"slow=100%", map[simulator.Fault]float64{simulator.Slow: 1}},
		{"lost=1%,lost:*@shop.example=100%", map[simulator.Fault]float64{simulator.Lost: 0.01, "lost:*@shop.example": 1}},
	} {
		t.Run(test.text, func(t *testing.T) {
			got, err := simulator.ParseFaults(test.text)
			if err != nil || !maps.Equal(got, test.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	for _, text := range []string{"lost", "lost=", "lost=10", "lost=-1%", "lost=101%", "lost=NaN", "gone=10%", "gone:INV-1=10%", "lost=1%,lost=2%", "lost=1%,,"} {
		t.Run(text, func(t *testing.T) {
			if got, err := simulator.ParseFaults(text); err == nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	type shares = map[simulator.Fault]float64
	for _, test := range []struct {
		name   string
		config simulator.Config
		ok     bool
	}{
		{"all of it", simulator.Config{Faults: shares{"lost": 0.7, "slow": 0.2, "cut": 0.1}}, true},
		{"more than all", simulator.Config{Faults: shares{"lost": 0.7, "slow": 0.4}}, false},
		{"negative", simulator.Config{Faults: shares{"lost": -0.1}}, false},
		{"unknown", simulator.Config{Faults: shares{"gone": 0.1}}, false},
		{"of GET", simulator.Config{Faults: shares{"404": 0.1}}, false},
		{"for GET", simulator.Config{GetFaults: shares{"404": 0.5, "lost": 0.5}}, true},
		{"of POST", simulator.Config{GetFaults: shares{"cut": 0.5}}, false},
		{"for chosen rows", simulator.Config{Faults: shares{"lost": 1, "slow:INV-*": 1, "cut:INV-*": 1}}, true},
		{"for no rows", simulator.Config{Faults: shares{"lost:": 1}}, false},
		{"of GET, for chosen rows", simulator.Config{Faults: shares{"404:INV-1": 1}}, false},
		{"for reads and for orders", simulator.Config{GetFaults: shares{"says-expired": 1, "unfiltered": 1}}, true},
		{"for orders more than all", simulator.Config{GetFaults: shares{"unfiltered": 0.6, "lost": 0.6}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.config.Validate(); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
