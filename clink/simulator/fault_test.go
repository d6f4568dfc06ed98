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
		simulator.Refuse:       {0, false, "refused", status(422, true)},
	}
	for _, fault := range simulator.Faults() {
		if fault == simulator.NotFound404 {
			continue // GET only
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

func TestFaultsOfGet(t *testing.T) {
	tests := map[simulator.Fault]int{
		simulator.Lost: 0, simulator.Before500: 500, simulator.NotFound404: 404, simulator.Throttle429: 429,
	}
	for fault, status := range tests {
		t.Run(string(fault), func(t *testing.T) {
			_, client := serve(t, simulator.Config{GetFaults: map[simulator.Fault]float64{fault: 1}})
			answer := client.get(client.session(t, hosted))
			if answer.status != status || errors.Is(answer.err, io.EOF) != (status == 0) {
				t.Errorf("got %+v", answer)
			}
		})
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
	} {
		t.Run(test.text, func(t *testing.T) {
			got, err := simulator.ParseFaults(test.text)
			if err != nil || !maps.Equal(got, test.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	for _, text := range []string{"lost", "lost=", "lost=10", "lost=-1%", "lost=101%", "lost=NaN", "gone=10%", "lost=1%,lost=2%", "lost=1%,,"} {
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
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.config.Validate(); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
