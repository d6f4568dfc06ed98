package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"paylinks/clink/simulator"
)

func (c caller) orders(query string) reply {
	return c.do(http.MethodGet, "/order?"+query, "", nil)
}

// rows are those of a list of orders, beside the code.
func (r reply) rows(t *testing.T) (total int, rows []map[string]any) {
	t.Helper()
	var list struct {
		Total int
		Rows  []map[string]any
		Code  int
		Data  any
	}
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.UseNumber()
	if err := decoder.Decode(&list); err != nil || r.status != 200 || list.Code != 200 || list.Data != nil || list.Rows == nil {
		t.Fatalf("answer %d %q is no list: %v", r.status, r.body, err)
	}
	return list.Total, list.Rows
}

func withReference(reference string) string {
	return strings.Replace(hosted, `"merchantReferenceId": "INV-1"`, fmt.Sprintf(`"merchantReferenceId": %q`, reference), 1)
}

func TestOrders(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	id := client.session(t, hosted)
	other := client.session(t, withReference("INV-2"))

	t.Run("none before somebody pays", func(t *testing.T) {
		if total, rows := client.orders("").rows(t); total != 0 || len(rows) != 0 {
			t.Errorf("got %d, %v", total, rows)
		}
		if _, _, data := client.get(id).envelope(t); data["orderId"] != nil {
			t.Errorf("got %v", data)
		}
	})
	client.press(id, "pay")
	setStatus(client, other, "paid")
	t.Run("documented fields", func(t *testing.T) {
		total, rows := client.orders("merchantReferenceId=INV-1&pageNum=1&pageSize=50").rows(t)
		if total != 1 || len(rows) != 1 {
			t.Fatalf("got %d, %v", total, rows)
		}
		session := server.Sessions()[0]
		want := map[string]any{
			"orderId": rows[0]["orderId"], "type": "onetime", "merchantReferenceId": "INV-1", "sessionId": id,
			"customerId": session.CustomerID, "customerEmail": "ada@example.com",
			"amountSubtotal": json.Number("19.90"), "amountTotal": json.Number("19.90"),
			"originalCurrency": "USD", "paymentCurrency": "USD", "status": "success",
			"createTime": rows[0]["createTime"], "paymentTime": rows[0]["createTime"],
		}
		if !maps.Equal(rows[0], want) {
			t.Errorf("got  %v\nwant %v", rows[0], want)
		}
		if milliseconds, err := want["createTime"].(json.Number).Int64(); err != nil || milliseconds < session.Created.UnixMilli() {
			t.Errorf("made at %v", want["createTime"])
		}
		if _, _, data := client.get(id).envelope(t); data["orderId"] != want["orderId"] {
			t.Errorf("the session's order is %v", data["orderId"])
		}
	})
	t.Run("by customer", func(t *testing.T) {
		if total, _ := client.orders("customerId=" + server.Sessions()[0].CustomerID).rows(t); total != 2 {
			t.Errorf("got %d", total)
		}
		if total, _ := client.orders("customerId=cus_2").rows(t); total != 0 {
			t.Errorf("got %d", total)
		}
	})
	t.Run("strictly read", func(t *testing.T) {
		for _, query := range []string{"merchantReferenceID=INV-1", "merchantReferenceId=", "merchantReferenceId=1&merchantReferenceId=2",
			"pageNum=0", "pageNum=x", "pageSize=51", "pageSize=0"} {
			if answer := client.orders(query); answer.status != 400 {
				t.Errorf("%s: got %d %s", query, answer.status, answer.body)
			}
		}
		if answer := client.do(http.MethodGet, "/order", "", fields{"X-API-KEY": ""}); answer.status != 401 {
			t.Errorf("got %d", answer.status)
		}
		if answer := client.do(http.MethodPost, "/api/order", "", nil); answer.status != 405 {
			t.Errorf("got %d", answer.status)
		}
	})
	t.Run("without a reference", func(t *testing.T) {
		setStatus(client, client.session(t, elements), "paid")
		if _, rows := client.orders("customerId=cus_1").rows(t); len(rows) != 1 || rows[0]["merchantReferenceId"] != "null" {
			t.Errorf("got %v", rows)
		}
	})
}

func TestOrderStatus(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	id := client.session(t, hosted)
	for _, test := range []struct{ set, order, session string }{
		{"failed", "failed", "open unpaid"},
		{"processing", "pending", "open processing"},
		{"paid", "success", "completed paid"},
		{"partial_refunded", "partial_refunded", "completed paid"},
		{"refunded", "refunded", "completed paid"},
		{"expired", "none", "expired unpaid"},
	} {
		t.Run(test.set, func(t *testing.T) {
			setStatus(client, id, test.set)
			got := "none"
			if _, rows := client.orders("merchantReferenceId=INV-1").rows(t); len(rows) > 0 {
				got = rows[0]["status"].(string)
				if isPaid := rows[0]["paymentTime"] != nil; isPaid != strings.HasSuffix(test.session, " paid") {
					t.Errorf("paid at %v", rows[0]["paymentTime"])
				}
			}
			if onRecord := server.Sessions()[0].Order; got != test.order || onRecord != "" && string(onRecord) != test.order {
				t.Errorf("got %s, on record %s", got, onRecord)
			}
			if got := status(t, client, id); got != test.session {
				t.Errorf("the session is %s", got)
			}
		})
	}
	t.Run("paid after a try that failed", func(t *testing.T) {
		id := client.session(t, withReference("INV-2"))
		setStatus(client, id, "failed")
		client.press(id, "pay")
		if _, rows := client.orders("merchantReferenceId=INV-2").rows(t); len(rows) != 1 || rows[0]["status"] != "success" {
			t.Errorf("got %v", rows)
		}
	})
}

func TestPagesOfOrders(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	for n := range 5 {
		client.press(client.session(t, withReference(fmt.Sprintf("INV-%d", n))), "pay")
	}
	for query, want := range map[string]string{
		"pageSize=2":           "INV-0 INV-1",
		"pageSize=2&pageNum=2": "INV-2 INV-3",
		"pageSize=2&pageNum=3": "INV-4",
		"pageSize=2&pageNum=4": "",
		"":                     "INV-0 INV-1 INV-2 INV-3 INV-4",
	} {
		total, rows := client.orders(query).rows(t)
		var got []string
		for _, row := range rows {
			got = append(got, row["merchantReferenceId"].(string))
		}
		if total != 5 || strings.Join(got, " ") != want {
			t.Errorf("%s: got %d, %v", query, total, got)
		}
	}
	if summary := server.Summary(); summary.Orders != 5 || !strings.Contains(summary.String(), ", 5 of orders") {
		t.Errorf("got %+v", summary)
	}
}

func TestFaultsOfOrders(t *testing.T) {
	setUp := func(t *testing.T, fault simulator.Fault) (caller, string) {
		_, client := serve(t, simulator.Config{GetFaults: map[simulator.Fault]float64{fault: 1}})
		id := client.session(t, hosted)
		client.press(id, "pay")
		if got := status(t, client, id); got != "completed paid" {
			t.Errorf("the session is %s", got) // these strike no reads
		}
		return client, id
	}
	t.Run("no-orders", func(t *testing.T) {
		client, _ := setUp(t, simulator.NoOrders)
		if answer := client.orders("merchantReferenceId=INV-1"); answer.status != 404 || json.Valid([]byte(answer.body)) {
			t.Errorf("got %+v", answer)
		}
	})
	t.Run("unfiltered", func(t *testing.T) {
		client, id := setUp(t, simulator.Unfiltered)
		if total, rows := client.orders("merchantReferenceId=INV-9").rows(t); total != 1 || rows[0]["sessionId"] != id {
			t.Errorf("got %d, %v", total, rows)
		}
	})
}
