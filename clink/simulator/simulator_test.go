package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paylinks/clink/simulator"
)

const hosted = `{"originalAmount": 19.90, "originalCurrency": "USD", "customerEmail": "ada@example.com",
	"merchantReferenceId": "INV-1",
	"priceDataList": [{"name": "Invoice INV-1", "quantity": 1, "unitAmount": 19.90, "currency": "USD"}]}`

const elements = `{"originalAmount": 500, "originalCurrency": "JPY", "customerId": "cus_1", "uiMode": "elements",
	"returnUrl": "https://shop.example/back?s={ELEMENTS_SESSION_ID}", "productId": "prd_1", "priceId": "prc_1"}`

// reply is an answer as it came over the wire.
type reply struct {
	err    error // the connection's, also when the body was cut off
	status int
	header http.Header
	body   string
}

func (r reply) envelope(t *testing.T) (code int, msg string, data map[string]any) {
	t.Helper()
	var e struct {
		Code int
		Msg  string
		Data map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(r.body))
	decoder.UseNumber()
	if err := decoder.Decode(&e); err != nil {
		t.Fatalf("answer %d %q is no envelope: %v", r.status, r.body, err)
	}
	return e.Code, e.Msg, e.Data
}

// session creates one and returns its id.
func (c caller) session(t *testing.T, body string) string {
	t.Helper()
	_, _, data := c.post(body, nil).envelope(t)
	id, _ := data["sessionId"].(string)
	if id == "" {
		t.Fatal("no session was created")
	}
	return id
}

// caller sends raw HTTP, as far from the product's own client as can be.
type caller struct {
	client *http.Client
	base   string
}

func (c caller) do(method, path, body string, header map[string]string) reply {
	request, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	request.GetBody = nil
	request.Header = apiHeader()
	for name, value := range header {
		request.Header.Set(name, value)
		if value == "" {
			request.Header.Del(name)
		}
	}
	response, err := c.client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return reply{err, response.StatusCode, response.Header, string(content)}
}

func (c caller) post(body string, header map[string]string) reply {
	return c.do(http.MethodPost, "/checkout/session", body, header)
}

func (c caller) get(id string) reply {
	return c.do(http.MethodGet, "/checkout/session/"+id, "", nil)
}

// serve starts a simulator on a loopback address. The client follows no redirect.
func serve(t *testing.T, config simulator.Config) (*simulator.Server, caller) {
	t.Helper()
	server := simulator.New(config)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	client := listener.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return server, caller{client, listener.URL}
}

func TestCreateAnswers(t *testing.T) {
	server, client := serve(t, simulator.Config{PublicURL: "http://127.0.0.1:8181/"})

	t.Run("hosted page", func(t *testing.T) {
		answer := client.post(hosted, nil)
		code, _, data := answer.envelope(t)
		if answer.status != 200 || code != 200 {
			t.Fatalf("got status %d, code %d", answer.status, code)
		}
		id := data["sessionId"].(string)
		want := map[string]any{
			"sessionId": id, "tokenValue": data["tokenValue"], "customerId": data["customerId"], "expireTime": data["expireTime"],
			"originalAmount": json.Number("19.90"), "originalCurrency": "USD", "uiMode": "hostedPage",
			"url": "http://127.0.0.1:8181/pay/" + id, "merchantReferenceId": "INV-1",
		}
		if !maps.Equal(data, want) {
			t.Errorf("got  %v\nwant %v", data, want)
		}
		if !strings.HasPrefix(id, "sess_") || !strings.HasPrefix(data["tokenValue"].(string), "tok_") {
			t.Errorf("session %v, token %v", id, data["tokenValue"])
		}
		expires, err := time.Parse(time.RFC3339, data["expireTime"].(string))
		if err != nil || time.Until(expires).Round(time.Hour) != 24*time.Hour {
			t.Errorf("expires %v, %v", expires, err)
		}
	})
	t.Run("elements", func(t *testing.T) {
		_, _, data := client.post(elements, nil).envelope(t)
		if data["returnUrl"] != "https://shop.example/back?s="+data["sessionId"].(string) {
			t.Errorf("returnUrl %v", data["returnUrl"])
		}
		if url, there := data["url"]; there {
			t.Errorf("url %v", url)
		}
		if data["customerId"] != "cus_1" || data["uiMode"] != "elements" {
			t.Errorf("got %v", data)
		}
	})
	t.Run("under /api too", func(t *testing.T) {
		answer := client.do(http.MethodPost, "/api/checkout/session", hosted, nil)
		_, _, data := answer.envelope(t)
		read := client.do(http.MethodGet, "/api/checkout/session/"+data["sessionId"].(string), "", nil)
		if read.status != 200 {
			t.Errorf("read back: %d %s", read.status, read.body)
		}
	})
	t.Run("same email, same customer", func(t *testing.T) {
		_, _, first := client.post(hosted, nil).envelope(t)
		_, _, second := client.post(hosted, nil).envelope(t)
		if first["customerId"] != second["customerId"] || first["sessionId"] == second["sessionId"] {
			t.Errorf("got %v and %v", first, second)
		}
	})
	t.Run("on record", func(t *testing.T) {
		sessions := server.Sessions()
		if len(sessions) != 5 {
			t.Fatalf("got %d sessions", len(sessions))
		}
		first, second := sessions[0], sessions[1]
		if first.Reference != "INV-1" || first.Amount != "19.90" || first.Currency != "USD" || !first.Delivered ||
			first.Expires.Sub(first.Created) != 24*time.Hour || first.URL == "" || first.Status != simulator.Open {
			t.Errorf("got %+v", first)
		}
		if _, _, data := client.get(first.ID).envelope(t); first.CustomerEmail != "ada@example.com" || first.CustomerID != data["customer"] ||
			second.CustomerEmail != "" || second.CustomerID != "cus_1" {
			t.Errorf("customers %+v and %+v", first, second)
		}
		if second.Amount != "500" || second.Currency != "JPY" || second.URL != "" {
			t.Errorf("got %+v", second)
		}
	})
	t.Run("in the summary", func(t *testing.T) {
		summary := server.Summary()
		if summary.Creates != 5 || summary.Reads != 2 || summary.Sessions != 5 || summary.Answers["created"] != 5 ||
			summary.References != 1 || summary.RepeatedReferences != 1 {
			t.Errorf("got %+v", summary)
		}
		if text := summary.String(); !strings.Contains(text, "5 creates, 2 reads") || !strings.Contains(text, "5 created") {
			t.Errorf("got %s", text)
		}
	})
}

// An amount on record has every decimal of its currency, however it was written.
func TestAmountOnRecord(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	for i, test := range []struct{ amount, currency, want string }{
		{"19.9", "USD", "19.90"}, {"0.05", "USD", "0.05"}, {"5e-1", "EUR", "0.50"}, {"1", "KWD", "1.000"},
		{"0.001", "KWD", "0.001"}, {"100.00", "JPY", "100"}, {"90071992547409.93", "USD", "90071992547409.93"},
	} {
		t.Run(test.amount+" "+test.currency, func(t *testing.T) {
			client.session(t, body(fields{
				"originalAmount": test.amount, "originalCurrency": `"` + test.currency + `"`,
				"priceDataList": `[{"name": "x", "unitAmount": ` + test.amount + `}]`,
			}))
			if got := server.Sessions()[i].Amount; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestReadBack(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	id := client.session(t, hosted)

	t.Run("documented fields", func(t *testing.T) {
		_, _, data := client.get(id).envelope(t)
		session := server.Sessions()[0]
		const format = "2006-01-02T15:04:05.000Z"
		want := map[string]any{
			"sessionId": id, "token": data["token"], "status": "open", "paymentStatus": "unpaid",
			"amountSubtotal": json.Number("19.90"), "amountTotal": json.Number("19.90"),
			"originalCurrency": "USD", "paymentCurrency": "USD", "merchantReferenceId": "INV-1", "customer": session.CustomerID,
			"created": session.Created.Format(format), "expire": session.Expires.Format(format),
		}
		if !maps.Equal(data, want) {
			t.Errorf("got  %v\nwant %v", data, want)
		}
	})
	for name, id := range map[string]string{
		"no id of ours": "sess_abc",
		"another case":  strings.ToUpper(id),
		"not held":      otherSimulatorsID(t),
	} {
		t.Run(name, func(t *testing.T) {
			answer := client.get(id)
			if code, _, _ := answer.envelope(t); answer.status != 404 || code != 404 {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
		})
	}
}

func otherSimulatorsID(t *testing.T) string {
	_, other := serve(t, simulator.Config{})
	return other.session(t, hosted)
}

func TestKeepNoRecord(t *testing.T) {
	server, client := serve(t, simulator.Config{KeepNoRecord: true})
	id := client.session(t, hosted)
	if answer := client.get(id); answer.status != 404 {
		t.Errorf("read back: %d", answer.status)
	}
	if summary := server.Summary(); summary.Sessions != 1 || len(server.Sessions()) != 0 {
		t.Errorf("got %+v", summary)
	}
}

func TestStrayPathsHaveNoEnvelope(t *testing.T) {
	server, client := serve(t, simulator.Config{})
	answer := client.do(http.MethodPost, "/v2/checkout/session", hosted, nil)
	if answer.status != 404 || json.Valid([]byte(answer.body)) {
		t.Errorf("got %d %q", answer.status, answer.body)
	}
	if summary := server.Summary(); summary.Strays != 1 || summary.Creates != 0 {
		t.Errorf("got %+v", summary)
	}
}

// Every session has its own id and none gets lost, whoever creates, reads and pays at the same time.
func TestConcurrentUse(t *testing.T) {
	const workers, each = 8, 50
	server, client := serve(t, simulator.Config{Seed: 7, Faults: map[simulator.Fault]float64{
		simulator.Before500: 0.1, simulator.WrongAmount: 0.1,
	}})
	ids := make([][]string, workers)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for n := range each {
				body := strings.Replace(hosted, `"INV-1"`, fmt.Sprintf(`"INV-%d-%d"`, worker, n), 1)
				answer := client.post(body, nil)
				if answer.err != nil {
					t.Error(answer.err)
					return
				}
				if answer.status != 200 {
					continue
				}
				_, _, data := answer.envelope(t)
				id := data["sessionId"].(string)
				ids[worker] = append(ids[worker], id)
				client.do(http.MethodPost, "/_simulator/sessions/"+id, `{"status": "paid"}`, nil)
				client.get(id)
				server.Summary()
			}
		})
	}
	group.Wait()

	answered := slices.Sorted(slices.Values(slices.Concat(ids...)))
	var held []string
	for _, session := range server.Sessions() {
		held = append(held, session.ID)
	}
	slices.Sort(held)
	summary := server.Summary()
	if !slices.Equal(answered, held) || len(slices.Compact(held)) != len(answered) {
		t.Errorf("%d ids answered, %d held", len(answered), len(held))
	}
	if summary.Paid != len(held) || summary.References != len(held) || summary.RepeatedReferences != 0 ||
		summary.Creates != workers*each || summary.Sessions+summary.Faults[simulator.Before500] != workers*each {
		t.Errorf("got %+v", summary)
	}
}

func TestNewRefusesBadShares(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	simulator.New(simulator.Config{Faults: map[simulator.Fault]float64{simulator.Lost: 2}})
}
