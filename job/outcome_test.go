package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paylinks/clink"
	"paylinks/job"
)

var asked = clink.SessionRequest{
	Amount:              "19.90",
	Currency:            "USD",
	CustomerID:          "cus_1",
	MerchantReferenceID: "INV-1",
}.Prepare()

// agreed is Clink's answer to asked.
func agreed() map[string]any {
	return map[string]any{
		"sessionId":           "sess_1",
		"url":                 "https://checkout.example/pay/sess_1",
		"originalAmount":      json.Number("19.9"),
		"originalCurrency":    "USD",
		"customerId":          "cus_1",
		"merchantReferenceId": "INV-1",
		"expireTime":          "2030-01-02T03:04:05Z",
	}
}

func envelope(status, code int, message string, data any) http.HandlerFunc {
	body, err := json.Marshal(map[string]any{"code": code, "msg": message, "data": data})
	if err != nil {
		panic(err)
	}
	return text(status, string(body))
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func redirect(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"code":200,"data":{"sessionId":"sess_1"`)
	panic(http.ErrAbortHandler)
}

func reset(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// A subtest per line of the design's table "What an attempt's end means", each a real exchange.
func TestDecideByWhatHappened(t *testing.T) {
	otherAmount, otherCustomer, badID := agreed(), agreed(), agreed()
	otherAmount["originalAmount"] = json.Number("19.91")
	otherCustomer["customerId"] = "cus_2"
	badID["sessionId"] = 7
	tests := []struct {
		name    string
		serve   http.HandlerFunc
		outcome job.Outcome
		state   job.State
		code    string
	}{
		{"timeout", hang, job.OutcomeUnknown, job.Unknown, "unknown"},
		{"reset", reset, job.OutcomeUnknown, job.Unknown, "unknown"},
		{"cut-off answer", cutOff, job.OutcomeUnknown, job.Unknown, "unknown"},
		{"429", envelope(429, 429, "slow down", nil), job.OutcomeThrottled, job.Pending, "429"},
		{"429 of a gateway", text(429, "slow down"), job.OutcomeThrottled, job.Pending, "throttled"},
		{"code 429 under 200", envelope(200, 429, "slow down", nil), job.OutcomeThrottled, job.Pending, "429"},
		{"401", text(401, ""), job.OutcomeUnauthorized, job.Pending, "unauthorized"},
		{"403", envelope(403, 403, "no", nil), job.OutcomeUnauthorized, job.Pending, "403"},
		{"code 401 under 200", envelope(200, 401, "no", nil), job.OutcomeUnauthorized, job.Pending, "401"},
		{"301", redirect(301), job.OutcomeRedirected, job.Pending, "redirected"},
		{"307", redirect(307), job.OutcomeRedirected, job.Pending, "redirected"},
		{"408", text(408, ""), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"500", envelope(500, 500, "broken", nil), job.OutcomeUnknown, job.Unknown, "500"},
		{"500 that says success", envelope(500, 200, "success", agreed()), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"502 of a gateway", text(502, "<html>"), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"code 503 under 200", envelope(200, 503, "broken", nil), job.OutcomeUnknown, job.Unknown, "503"},
		{"404 without an envelope", text(404, "404 page not found"), job.OutcomeMisdirected, job.Pending, "misdirected"},
		{"405 without a code", text(405, `{"error":"method"}`), job.OutcomeMisdirected, job.Pending, "misdirected"},
		{"404 with an envelope", envelope(404, 404, "CUSTOMER_NOT_FOUND", nil), job.OutcomeRejected, job.Failed, "404"},
		{"code 400 under 200", envelope(200, 400, "CUSTOMER_NOT_FOUND", nil), job.OutcomeRejected, job.Failed, "400"},
		{"code of Clink's own under 200", envelope(200, 71001, "no such price", nil), job.OutcomeRejected, job.Failed, "71001"},
		{"200 unreadable", text(200, "<html>welcome"), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"200 without a code", text(200, `{"data":{}}`), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"200 over 1 MiB", envelope(200, 200, strings.Repeat("x", 1<<20), agreed()), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"200 with a session id that is no text", envelope(200, 200, "success", badID), job.OutcomeUnknown, job.Unknown, "unknown"},
		{"another amount", envelope(200, 200, "success", otherAmount), job.OutcomeMismatch, job.Failed, "mismatch"},
		{"another customer", envelope(200, 200, "success", otherCustomer), job.OutcomeMismatch, job.Failed, "mismatch"},
		{"everything agrees", envelope(200, 200, "success", agreed()), job.OutcomeCreated, job.Created, ""},
		{"everything agrees, 201", envelope(201, 200, "success", agreed()), job.OutcomeCreated, job.Created, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.serve)
			defer server.Close()
			cfg := clink.Config{BaseURL: server.URL}
			if tt.name == "timeout" {
				cfg.Timeout = 20 * time.Millisecond
			}
			checkDecision(t, exchange(t, cfg), tt.outcome, tt.state, tt.code)
		})
	}
}

func TestDecideWhatNeverReachedClink(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	stranger := httptest.NewUnstartedServer(envelope(200, 200, "success", agreed()))
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()
	dial := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) { return nil, err }
	}
	for name, cfg := range map[string]clink.Config{
		"no connection": {BaseURL: gone.URL},
		"DNS failure":   {BaseURL: "https://clink.example", DialContext: dial(&net.DNSError{Err: "no such host", IsNotFound: true})},
		"TLS failure":   {BaseURL: stranger.URL},
	} {
		t.Run(name, func(t *testing.T) {
			checkDecision(t, exchange(t, cfg), job.OutcomeNotSent, job.Pending, "not_sent")
		})
	}
}

func exchange(t *testing.T, cfg clink.Config) job.Decision {
	t.Helper()
	cfg.Key = "sk_test_1"
	client, err := clink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdle()
	session, err := client.CreateSession(t.Context(), asked)
	return job.Decide(sent(asked), session, err)
}

func checkDecision(t *testing.T, got job.Decision, outcome job.Outcome, state job.State, code string) {
	t.Helper()
	if got.Outcome != outcome || got.State != state || got.Code != code {
		t.Errorf("got %q %q %q (%s), want %q %q %q", got.Outcome, got.State, got.Code, got.Reason, outcome, state, code)
	}
	if outcome != job.OutcomeCreated && (got.Reason == "" || got.Reason == "success") {
		t.Errorf("the reason is %q", got.Reason)
	}
}

func TestDecideKeepsClinksWordsAsTheyCame(t *testing.T) {
	words := "CUSTOMER_NOT_FOUND:\n\tno customer “ü”"
	err := &clink.Error{Class: clink.Rejected, Status: 400, Code: 400, Message: words}
	if got := job.Decide(sent(asked), nil, err); got.Reason != words {
		t.Errorf("got %q", got.Reason)
	}
}

func TestDecideTakesAStrangeErrorAsUnknown(t *testing.T) {
	checkDecision(t, job.Decide(sent(asked), nil, errors.New("a bug")), job.OutcomeUnknown, job.Unknown, "unknown")
}

func TestDecideWhetherASessionIsWhatWasAskedFor(t *testing.T) {
	const host = "https://checkout.example/"
	tests := []struct {
		name    string
		change  func(*clink.Request, *clink.Session)
		outcome job.Outcome
	}{
		{"amount", func(_ *clink.Request, s *clink.Session) { s.Amount = "19.91" }, job.OutcomeMismatch},
		{"amount a hundred times", func(_ *clink.Request, s *clink.Session) { s.Amount = "1990" }, job.OutcomeMismatch},
		{"amount as a number", func(_ *clink.Request, s *clink.Session) { s.Amount = "1.99e1" }, job.OutcomeCreated},
		{"amount with more zeros", func(_ *clink.Request, s *clink.Session) { s.Amount = "19.9000" }, job.OutcomeCreated},
		{"amount left out", func(_ *clink.Request, s *clink.Session) { s.Amount = "" }, job.OutcomeCreated},
		{"currency", func(_ *clink.Request, s *clink.Session) { s.Currency = "EUR" }, job.OutcomeMismatch},
		{"currency left out", func(_ *clink.Request, s *clink.Session) { s.Currency = "" }, job.OutcomeCreated},
		{"reference", func(_ *clink.Request, s *clink.Session) { s.MerchantReferenceID = "INV-2" }, job.OutcomeMismatch},
		{"reference left out", func(_ *clink.Request, s *clink.Session) { s.MerchantReferenceID = "" }, job.OutcomeCreated},
		{"customer id", func(_ *clink.Request, s *clink.Session) { s.CustomerID = "cus_2" }, job.OutcomeMismatch},
		{"customer id left out", func(_ *clink.Request, s *clink.Session) { s.CustomerID = "" }, job.OutcomeCreated},
		{"customer id not asked for", func(r *clink.Request, _ *clink.Session) { r.CustomerID = "" }, job.OutcomeCreated},
		{"no session id", func(_ *clink.Request, s *clink.Session) { s.SessionID = "" }, job.OutcomeMismatch},
		{"session id that is a path", func(_ *clink.Request, s *clink.Session) { s.SessionID = "a/../b" }, job.OutcomeMismatch},
		{"session id that is a formula", func(_ *clink.Request, s *clink.Session) { s.SessionID = "=1+1" }, job.OutcomeMismatch},
		{"session id of 255 characters", func(_ *clink.Request, s *clink.Session) { s.SessionID = strings.Repeat("s", 255) }, job.OutcomeCreated},
		{"session id of 256 characters", func(_ *clink.Request, s *clink.Session) { s.SessionID = strings.Repeat("s", 256) }, job.OutcomeMismatch},
		{"no URL", func(_ *clink.Request, s *clink.Session) { s.URL = "" }, job.OutcomeMismatch},
		{"no URL for elements", func(r *clink.Request, s *clink.Session) { r.UIMode, s.URL = "elements", "" }, job.OutcomeCreated},
		{"bad URL for elements", func(r *clink.Request, s *clink.Session) { r.UIMode, s.URL = "elements", "javascript:x" }, job.OutcomeMismatch},
		{"no session id for elements", func(r *clink.Request, s *clink.Session) { r.UIMode, s.SessionID = "elements", "" }, job.OutcomeMismatch},
		{"URL of 2,048 characters", func(_ *clink.Request, s *clink.Session) { s.URL = host + strings.Repeat("x", 2048-len(host)) }, job.OutcomeCreated},
		{"URL of 2,049 characters", func(_ *clink.Request, s *clink.Session) { s.URL = host + strings.Repeat("x", 2049-len(host)) }, job.OutcomeMismatch},
		{"http", func(_ *clink.Request, s *clink.Session) { s.URL = "http://checkout.example/1" }, job.OutcomeMismatch},
		{"http to localhost", func(_ *clink.Request, s *clink.Session) { s.URL = "http://localhost:8080/1" }, job.OutcomeCreated},
		{"http to 127.0.0.1", func(_ *clink.Request, s *clink.Session) { s.URL = "http://127.0.0.1/1" }, job.OutcomeCreated},
		{"http to [::1]", func(_ *clink.Request, s *clink.Session) { s.URL = "http://[::1]:80/1" }, job.OutcomeCreated},
		{"http to a name that begins like loopback", func(_ *clink.Request, s *clink.Session) { s.URL = "http://127.0.0.1.example/1" }, job.OutcomeMismatch},
		{"https without a host", func(_ *clink.Request, s *clink.Session) { s.URL = "https:///1" }, job.OutcomeMismatch},
		{"https with a port alone", func(_ *clink.Request, s *clink.Session) { s.URL = "https://:443/1" }, job.OutcomeMismatch},
		{"no scheme", func(_ *clink.Request, s *clink.Session) { s.URL = "//checkout.example/1" }, job.OutcomeMismatch},
		{"javascript", func(_ *clink.Request, s *clink.Session) { s.URL = "javascript:alert(1)" }, job.OutcomeMismatch},
		{"URL with a line break", func(_ *clink.Request, s *clink.Session) { s.URL = host + "a\nb" }, job.OutcomeMismatch},
		{"URL with a space", func(_ *clink.Request, s *clink.Session) { s.URL = host + "a b" }, job.OutcomeMismatch},
		{"URL with a letter beyond ASCII", func(_ *clink.Request, s *clink.Session) { s.URL = host + "\u202etxt" }, job.OutcomeMismatch},
		{"URL with a user name", func(_ *clink.Request, s *clink.Session) { s.URL = "https://checkout.example@evil.example/1" }, job.OutcomeMismatch},
		{"unreadable URL", func(_ *clink.Request, s *clink.Session) { s.URL = host + "%zz" }, job.OutcomeMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, session := asked, session()
			tt.change(&request, &session)
			got := job.Decide(sent(request), &session, nil)
			want := map[job.Outcome]job.Decision{
				job.OutcomeCreated:  {Outcome: job.OutcomeCreated, State: job.Created},
				job.OutcomeMismatch: {Outcome: job.OutcomeMismatch, State: job.Failed, Code: "mismatch", Reason: got.Reason},
			}[tt.outcome]
			if got != want || (got.Reason == "") != (tt.outcome == job.OutcomeCreated) {
				t.Errorf("got %+v, want %s", got, tt.outcome)
			}
		})
	}
}

func TestDecideTakesALinkWithoutExpiryWithAWarning(t *testing.T) {
	session := session()
	session.ExpiresAt = time.Time{}
	got := job.Decide(sent(asked), &session, nil)
	checkDecision(t, got, job.OutcomeCreated, job.Created, "")
	if got.Reason == "" {
		t.Error("no warning")
	}
}

func session() clink.Session {
	return clink.Session{
		SessionID:           "sess_1",
		URL:                 "https://checkout.example/pay/sess_1",
		Amount:              "19.9",
		Currency:            "USD",
		CustomerID:          "cus_1",
		MerchantReferenceID: "INV-1",
		ExpiresAt:           time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// A server that answers a refusal of a mebibyte must not fill the ledger and the links file with it.
func TestLongMessageIsCut(t *testing.T) {
	words := strings.Repeat("é", 1<<19)
	got := job.Decide(sent(clink.Request{}), nil, &clink.Error{Class: clink.Rejected, Status: 400, Code: 400, Message: words})
	if cut := strings.TrimSuffix(got.Reason, "…"); len(got.Reason) > 5<<10 || cut == got.Reason || !strings.HasPrefix(words, cut) {
		t.Errorf("kept %d bytes, ending %q", len(got.Reason), got.Reason[len(got.Reason)-8:])
	}
	if got := job.Decide(sent(clink.Request{}), nil, &clink.Error{Class: clink.Rejected, Status: 400, Code: 400, Message: "as it came\n"}); got.Reason != "as it came\n" {
		t.Errorf("%q", got.Reason)
	}
}

func sent(r clink.Request) job.Sent { return job.Sent{Request: r, From: job.Pending} }

// What Clink has made nothing of leaves the item as it was: a doubt stays one.
func TestADoubtOutlastsAttemptsThatReachNothing(t *testing.T) {
	for _, class := range []clink.Class{clink.NotSent, clink.Throttled, clink.Unauthorized, clink.Redirected, clink.Misdirected} {
		for _, from := range []job.State{job.Pending, job.Unknown} {
			if got := job.Decide(job.Sent{Request: asked, From: from}, nil, &clink.Error{Class: class}); got.State != from {
				t.Errorf("%s leaves a row that was %s %s", class, from, got.State)
			}
		}
	}
}

// An answer without a reference may be a stray one, meant for another request, where the others of the run name theirs.
func TestAnAnswerWithoutAReferenceIsInDoubtWhereOthersNameTheirs(t *testing.T) {
	session := clink.Session{SessionID: "sess_1", URL: "https://checkout.example/pay/sess_1", Amount: "19.90", Currency: "USD"}
	for _, names := range []bool{false, true} {
		want := job.OutcomeCreated
		if names {
			want = job.OutcomeUnknown
		}
		got := job.Decide(job.Sent{Request: asked, From: job.Pending, NamesReferences: names}, &session, nil)
		if got.Outcome != want {
			t.Errorf("where answers name references: %t, got %+v", names, got)
		}
	}
}
