package clink

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is odd about members that nobody reads must not spoil an answer. Of those that are read the last of a name counts, and
// only by its exact name.
func TestOddAnswersAreRead(t *testing.T) {
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	type reading struct {
		Message string
		Session Session
	}
	tests := []struct {
		name, body string
		want       reading
	}{
		{"a usual one", sessionAnswer, reading{"success", Session{
			SessionID: "sess_01JNQ8Z4T0V7WZK3M5R2X9C6HB", URL: "https://uat-checkout.clinkbill.com/pay/sess_01JNQ8Z4T0V7WZK3M5R2X9C6HB",
			Amount: "1249.50", Currency: "USD", CustomerID: "cus_01JNQ8Z4T0A1B2C3D4E5F6G7H8",
			MerchantReferenceID: "INV-2026-000123", UIMode: "hostedPage", ExpiresAt: object{"t": []byte(`"2026-03-01T10:00:00Z"`)}.time("t")}}},
		{"space around everything", "\r\n\t { \"code\"\r\n:\t200 , \"data\" : { } } \n", reading{}},
		{"doubled code", `{"code":500,"code":200}`, reading{}},
		{"doubled data", `{"data":{"sessionId":"a"},"code":200,"data":{"sessionId":"b"}}`, reading{Session: Session{SessionID: "b"}}},
		{"doubled member", `{"code":200,"data":{"sessionId":"a","sessionId":"b"}}`, reading{Session: Session{SessionID: "b"}}},
		{"doubled member, first odd", `{"code":200,"data":{"sessionId":1,"sessionId":"b"}}`, reading{Session: Session{SessionID: "b"}}},
		{"doubled member, last null", `{"code":200,"data":{"sessionId":"a","sessionId":null}}`, reading{}},
		{"doubled member of no interest", `{"code":200,"x":1,"x":[2],"data":{"x":1,"x":"2","sessionId":"a"}}`, reading{Session: Session{SessionID: "a"}}},
		{"names in another case", `{"code":200,"Code":500,"Data":[],"data":{"sessionId":"a","SessionId":"b","URL":7}}`, reading{Session: Session{SessionID: "a"}}},
		{"escaped name", `{"c\u006fde":200,"data":{"sess\u0069onId":"a"}}`, reading{Session: Session{SessionID: "a"}}},
		{"empty name", `{"":1,"code":200}`, reading{}},
		{"name of invalid UTF-8", "{\"code\xff\":500,\"code\":200}", reading{}},
		{"invalid UTF-8 of no interest", "{\"code\":200,\"x\":\"\xff\",\"data\":{\"tokenValue\":\"\xc3\",\"url\":\"u\"}}", reading{Session: Session{URL: "u"}}},
		{"invalid UTF-8", "{\"code\":200,\"msg\":\"a\xffb\",\"data\":{\"url\":\"\xff\"}}", reading{"a\ufffdb", Session{URL: "\ufffd"}}},
		{"half a surrogate", `{"code":200,"msg":"\ud83d","data":{"url":"\ude00\ud83d"}}`, reading{"\ufffd", Session{URL: "\ufffd\ufffd"}}},
		{"escaped text", `{"code":200,"data":{"url":"https:\/\/x\/?a=\u0026\"\\"}}`, reading{Session: Session{URL: `https://x/?a=&"\`}}},
		{"deeply nested", `{"code":200,"x":` + deep + `,"data":{"x":` + strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000) + `}}`, reading{}},
		{"huge numbers of no interest", `{"code":200,"x":1e999999999,"data":{"x":-1E+999999999999999999999}}`, reading{}},
		{"amount as it stands", `{"code":200,"data":{"originalAmount":90071992547409.9310}}`, reading{Session: Session{Amount: "90071992547409.9310"}}},
		{"huge amount", `{"code":200,"data":{"originalAmount":1e999999999}}`, reading{Session: Session{Amount: "1e999999999"}}},
		{"amount escaped in a string", `{"code":200,"data":{"originalAmount":"\u0031"}}`, reading{Session: Session{Amount: "1"}}},
		{"odd message", `{"code":200,"msg":["a", {"b":"]}"} ]}`, reading{`["a", {"b":"]}"} ]`, Session{}}},
		{"odd message with a token", `{"code":200,"msg":{"token":"hush"}}`, reading{`{"token":` + redacted, Session{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outcome := classify(response{status: 200, body: []byte(tt.body)})
			if outcome.class != "" {
				t.Fatalf("%s: %v", outcome.class, outcome.reason)
			}
			session, err := decodeSession(outcome.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, reading{outcome.message, *session}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// A success that is no JSON object, to its last byte, is in doubt.
func TestBrokenAnswersAreNotRead(t *testing.T) {
	for _, body := range []string{
		"", " ", "null", "200", `"x"`, "[]", "{}", "{", `{"code":200`, "\ufeff{\"code\":200}", "\v{\"code\":200}",
		`{"code":200}{"code":200}`, `{"code":200},`, `{"code":200}x`, `{"code":200,}`, `{,"code":200}`, `{"code" 200}`, `{code:200}`,
		`{'code':200}`, `{"code":200"x":1}`, `{"code":200,1:2}`, `{"code":200,"x":tru}`, `{"code":200,"x":01}`, `{"code":200,"x":"\x"}`,
		"{\"code\":200,\"x\":\"\n\"}", `{"code":200,"x":[1,]}`, `{"code":200,"x":` + strings.Repeat("[", 500_000),
		`{"code":200.0}`, `{"code":2e2}`, `{"code":"200"}`, `{"code":200,"code":null}`, `{"code":200,"code":"x"}`, `{"Code":200}`,
	} {
		if outcome := classify(response{status: 200, body: []byte(body)}); outcome.class != Unknown || !outcome.unreadable {
			t.Errorf("%.40q: got %q", body, outcome.class)
		}
	}
}

// FuzzReadAnswer guards that no body makes the reader panic, or hands on an amount that is no number.
func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(sessionAnswer))
	f.Add([]byte(`{"code":200,"data":{"originalAmount":"1","status":"complete","expire":1}}`))
	f.Add([]byte(`{"code":400,"msg":{"token":1},"data":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		outcome := classify(response{status: 200, body: body})
		if s, err := decodeSession(outcome.data); err == nil && s.Amount != "" && !isNumber(s.Amount) {
			t.Errorf("amount %q", s.Amount)
		}
		if s, err := decodeStatus(outcome.data, "sess_1"); err == nil && s.Status == "" {
			t.Error("no status")
		}
	})
}
