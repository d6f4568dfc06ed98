package simulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"paylinks/clink/simulator"
)

// The judge of a rehearsal needs each request, also those that made nothing.
func TestRequestsOnRecord(t *testing.T) {
	server, client := serve(t, simulator.Config{
		Faults:    map[simulator.Fault]float64{"500-before:INV-2": 1, "cut:INV-3": 1, "lost:INV-4": 1},
		GetFaults: map[simulator.Fault]float64{"says-expired": 1},
	})
	id := client.session(t, hosted)
	for _, reference := range []string{"INV-2", "INV-3", "INV-4"} {
		client.post(withReference(reference), nil)
	}
	client.post(body(fields{"merchantReferenceId": `"INV-5"`, "originalAmount": "0"}), nil)
	client.get(id)
	client.get("sess_1")
	client.orders("merchantReferenceId=INV-6")
	client.post(hosted, fields{"X-API-KEY": ""})
	client.do(http.MethodPost, "/v2/checkout/session", hosted, nil) // none of Clink's

	sessions := server.Sessions()
	want := []simulator.Request{
		{Call: "create", Reference: "INV-1", SessionID: id, Status: 200},
		{Call: "create", Reference: "INV-2", Status: 500, Fault: simulator.Before500},
		{Call: "create", Reference: "INV-3", SessionID: sessions[1].ID, Fault: simulator.Cut},
		{Call: "create", Reference: "INV-4", SessionID: sessions[2].ID, Fault: simulator.Lost},
		{Call: "create", Reference: "INV-5", Status: 400},
		{Call: "read", Reference: "INV-1", SessionID: id, Status: 200, Fault: simulator.SaysExpired},
		{Call: "read", SessionID: "sess_1", Status: 404, Fault: simulator.SaysExpired},
		{Call: "orders", Reference: "INV-6", Status: 200},
		{Call: "create", Status: 401},
	}
	got := server.Requests()
	lines := strings.Split(strings.TrimSpace(client.do(http.MethodGet, "/_simulator/requests", "", nil).body), "\n")
	if len(lines) != len(got) {
		t.Fatalf("%d lines, %d requests", len(lines), len(got))
	}
	for i := range got {
		var line simulator.Request // compared before the time is taken out
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line != got[i] {
			t.Errorf("line %s, %v; want %+v", lines[i], err, got[i])
		}
		if got[i].At.Before(sessions[0].Created) {
			t.Errorf("at %v", got[i].At)
		}
		got[i].At = want[0].At
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestRequestsAreForgotten(t *testing.T) {
	server, client := serve(t, simulator.Config{KeepNoRecord: true})
	client.session(t, hosted)
	if got := server.Requests(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestFaultsAreChanged(t *testing.T) {
	_, client := serve(t, simulator.Config{Faults: map[simulator.Fault]float64{simulator.Before500: 1}})
	set := func(t *testing.T, body string, want int) {
		t.Helper()
		if answer := client.do(http.MethodPost, "/_simulator/faults", body, nil); answer.status != want {
			t.Fatalf("got %d %s", answer.status, answer.body)
		}
	}
	expect := func(t *testing.T, want int, answers ...reply) {
		t.Helper()
		for _, answer := range answers {
			if answer.status != want {
				t.Errorf("got %d %s, want %d", answer.status, answer.body, want)
			}
		}
	}
	expect(t, 500, client.post(hosted, nil))
	set(t, `{}`, 200)
	id := client.session(t, hosted)
	t.Run("for chosen rows", func(t *testing.T) {
		set(t, `{"faults": "html-413:INV-1=100%", "getFaults": "404:INV-1=100%"}`, 200)
		expect(t, 413, client.post(hosted, nil))
		expect(t, 404, client.get(id))
		expect(t, 200, client.post(withReference("INV-2"), nil), client.orders(""))
	})
	t.Run("key revoked in the middle", func(t *testing.T) {
		set(t, `{"revokeAfter": 2}`, 200)
		expect(t, 200, client.post(hosted, nil), client.get(id), client.post(hosted, nil))
		expect(t, 401, client.post(hosted, nil), client.get(id), client.orders(""))
		set(t, `{"revokeAfter": 0}`, 200)
		expect(t, 401, client.post(hosted, nil))
		set(t, `{}`, 200)
		expect(t, 200, client.post(hosted, nil), client.get(id), client.orders(""))
	})
	t.Run("not by nonsense", func(t *testing.T) {
		for _, body := range []string{``, `{"fault": ""}`, `{"faults": "gone=1%"}`, `{"getFaults": "cut=1%"}`, `{"faults": "lost=90%,cut=90%"}`, `{"getFaults": "404"}`} {
			set(t, body, 400)
		}
		expect(t, 200, client.post(hosted, nil), client.get(id))
	})
}
