package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"paylinks/clink/simulator"
)

func (c caller) press(id, button string) reply {
	return c.do(http.MethodPost, "/pay/"+id, "action="+button, fields{"Content-Type": "application/x-www-form-urlencoded"})
}

func TestPayPage(t *testing.T) {
	_, client := serve(t, simulator.Config{AllowNoKey: true})
	open := func(id string) reply { return client.do(http.MethodGet, "/pay/"+id, "", nil) }

	t.Run("shows the session", func(t *testing.T) {
		answer := open(client.session(t, strings.Replace(hosted, `"INV-1"`, `"<script>INV-1"`, 1)))
		for _, text := range []string{"19.90 USD", "&lt;script&gt;INV-1", "open, unpaid", "UTC", "No money moves", `value="pay"`} {
			if !strings.Contains(answer.body, text) {
				t.Errorf("%q is missing", text)
			}
		}
		if strings.Contains(answer.body, "<script") || answer.header.Get("Content-Security-Policy") == "" {
			t.Error("the page could run a script")
		}
	})
	for button, want := range map[string]string{"pay": "completed paid", "expire": "expired unpaid"} {
		t.Run(button, func(t *testing.T) {
			id := client.session(t, hosted)
			answer := client.press(id, button)
			if answer.status != http.StatusSeeOther || answer.header.Get("Location") != "/pay/"+id {
				t.Errorf("got %+v", answer)
			}
			if got := status(t, client, id); got != want {
				t.Errorf("got %s", got)
			}
			if strings.Contains(open(id).body, "<button") {
				t.Error("there is still a button")
			}
			client.press(id, "pay")
			client.press(id, "expire")
			if got := status(t, client, id); got != want {
				t.Errorf("pressed again: %s", got)
			}
		})
	}
	t.Run("unknown button", func(t *testing.T) {
		if answer := client.press(client.session(t, hosted), "refund"); answer.status != 400 {
			t.Errorf("got %+v", answer)
		}
	})
	t.Run("unknown session", func(t *testing.T) {
		if opened, pressed := open("sess_1"), client.press("sess_1", "pay"); opened.status != 404 || pressed.status != 404 {
			t.Errorf("got %+v and %+v", opened, pressed)
		}
	})
	t.Run("index", func(t *testing.T) {
		answer := client.do(http.MethodGet, "/", "", nil)
		if answer.status != 200 || !strings.Contains(answer.body, "/_simulator/summary") {
			t.Errorf("got %+v", answer)
		}
	})
}

func TestAdmin(t *testing.T) {
	server, client := serve(t, simulator.Config{Faults: map[simulator.Fault]float64{simulator.NoExpiry: 1}})
	id := client.session(t, hosted)
	client.session(t, elements)

	t.Run("sessions", func(t *testing.T) {
		answer := client.do(http.MethodGet, "/_simulator/sessions", "", nil)
		lines := strings.Split(strings.TrimSpace(answer.body), "\n")
		sessions := server.Sessions()
		if len(lines) != 2 {
			t.Fatalf("got %s", answer.body)
		}
		for i, line := range lines {
			var session simulator.Session
			if err := json.Unmarshal([]byte(line), &session); err != nil || session != sessions[i] {
				t.Errorf("got %s, %v; want %+v", line, err, sessions[i])
			}
		}
	})
	t.Run("summary", func(t *testing.T) {
		var summary simulator.Summary
		answer := client.do(http.MethodGet, "/_simulator/summary", "", nil)
		if err := json.Unmarshal([]byte(answer.body), &summary); err != nil || summary.String() != server.Summary().String() {
			t.Errorf("got %s, %v", answer.body, err)
		}
		if summary.Sessions != 2 || summary.Faults[simulator.NoExpiry] != 2 || summary.References != 1 {
			t.Errorf("got %+v", summary)
		}
	})
	for _, test := range []struct{ set, want string }{
		{"processing", "open processing"}, {"failed", "open unpaid"}, {"paid", "completed paid"}, {"partial_refunded", "completed paid"},
		{"refunded", "completed paid"}, {"expired", "expired unpaid"},
	} {
		t.Run("set "+test.set, func(t *testing.T) {
			answer := setStatus(client, id, test.set)
			if got := status(t, client, id); answer.status != 200 || got != test.want {
				t.Errorf("got %s after %d %s", got, answer.status, answer.body)
			}
		})
	}
	for name, answer := range map[string]reply{
		"unknown status":  setStatus(client, id, "disputed"),
		"unknown field":   client.do(http.MethodPost, "/_simulator/sessions/"+id, `{"state": "paid"}`, nil),
		"unknown session": setStatus(client, "sess_1", "paid"),
	} {
		t.Run(name, func(t *testing.T) {
			if answer.status != 400 && answer.status != 404 {
				t.Errorf("got %+v", answer)
			}
		})
	}
}
