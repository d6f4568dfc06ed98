package clink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// FuzzReadAnswer reads every body twice: as the package does, and member by member with [json.Unmarshal].
// What the two make of it must be the same, and must not change when the body's bytes do.
func FuzzReadAnswer(f *testing.F) {
	for _, body := range answers() {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		want := plainly(input)
		body := bytes.Clone(input)
		got := reading{}
		env, err := readEnvelope(body)
		got.envelope(env.code, env.message, err)
		if err == nil {
			data, err := env.data()
			got.data(data == nil, err)
			if err == nil {
				s, err := decodeSession(data)
				got.session(s, err)
				st, err := decodeStatus(data, "sess_1")
				got.status(st, err)
			}
		}
		clear(body)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-json.Unmarshal +got)\n%s", diff)
		}
	})
}

// reading is all that is made of one body. Which of two odd members is named in an error is open.
type reading struct {
	Code                        int
	Message, EnvelopeErr        string
	NoData                      bool
	DataErr                     string
	Session                     *Session
	Status                      *SessionStatus
	SessionUnread, StatusUnread bool
}

func (r *reading) envelope(code int, message string, err error) {
	r.Code, r.Message, r.EnvelopeErr = code, message, fmt.Sprint(err)
}

func (r *reading) data(none bool, err error) { r.NoData, r.DataErr = none, fmt.Sprint(err) }

func (r *reading) session(s *Session, err error) {
	if r.SessionUnread = err != nil; err == nil {
		r.Session = s
	}
}

func (r *reading) status(s *SessionStatus, err error) {
	if r.StatusUnread = err != nil; err == nil {
		r.Status = s
	}
}

// answers are bodies with everything about them that could be read in two ways.
func answers() []string {
	bodies := []string{
		sessionAnswer,
		"", " ", "null", "200", `"x"`, "[]", "{}", "{", `{"code":200`, "\ufeff{}", "\v{}", "\u00a0{}",
		`{"code":200}{"code":200}`, `{"code":200},`, `{"code":200}x`,
		"\r\n\t {\r\n\t \"code\"\r\n\t :\r\n\t 200\r\n\t ,\r\n\t \"data\"\r\n\t :\r\n\t {\r\n\t }\r\n\t }\r\n\t ",
		`{"code":200,}`, `{,"code":200}`, `{"code" 200}`, `{"code":}`, `{code:200}`, `{'code':200}`,
		`{"code":200"x":1}`, `{"code":200 "x":1}`, `{"x":1,,"code":200}`, `{"code":200]`, `["code":200}`, `{"code":200,1:2}`, `{"code":200,"x"}`, `{code":200}`,
		`{"code":200,"x":"\u12"}`, `{"code":200,"x":"\x"}`, "{\"code\":200,\"x\":\"\n\"}", `{"x":tru,"code":200}`,

		`{"code":"200"}`, `{"code":200.0}`, `{"code":2e2}`, `{"code":-0}`, `{"code":0200}`, `{"code":+200}`,
		`{"code":null}`, `{"code":true}`, `{"code":9223372036854775808}`,
		`{"Code":200}`, `{"code":1,"Code":2}`, `{"code":1,"code":200}`, `{"code":200,"code":null}`,
		`{"code":null,"code":200}`, `{"code":200,"code":"x"}`,
		`{"c\u006fde":200}`, `{"code\u0000":200}`, `{"":200,"code":200}`, "{\"code\xff\":1,\"code\":200}",
		`{"\"code":1,"code":200}`, `{"code\\":1,"code":200}`,

		`{"code":400,"msg":"a\"b\\c\/d\n\u00e9\ud83d\ude00"}`, `{"code":400,"msg":"\ud83d"}`,
		`{"code":400,"msg":"\ude00\ud83d"}`, "{\"code\":400,\"msg\":\"a\xffb\xc3\"}", `{"code":400,"msg":"\\"}`,
		`{"code":400,"msg":["a", {"token":"b"} ]}`, `{"code":400,"msg":null,"msg":7}`,
		`{"code":400,"msg":{"a":"]}"}}`, `{"code":400,"msg":"<&>\u2028"}`,

		`{"x":[[{"y":"}]"}],{}],"code":200,"z":[]}`, `{"x":[1,2],"x":{"code":3},"code":200}`, `{"x":-1.5E+9,"code":200}`,
		`{"code":200,"data":{}} `, `{"code":200,"data":[]}`, `{"code":200,"data":"{}"}`,
		`{"code":200,"data":{},"data":null}`, `{"code":200,"data":null,"data":{"status":"open"}}`,
		`{"code":200,"x":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`, // as deep as may be
		`{"code":200,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		`{"code":200,"data":` + strings.Repeat(`{"data":`, 9_998) + `1` + strings.Repeat("}", 9_998) + `}`,
	}
	for _, value := range []string{
		"", "-", "--1", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1e+-1", "1E-5", "-0.0e-0", "00", "01", "-01", "0x1", "1_0", "1 2", "1.5.2", "1e5e5",
		"NaN", "Infinity",
		"nul", "nulll", "null null", "Null", "tru", "truefalse", "falsey",
		"[", "]", "[]]", "[[]", "[1 2]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1:2]", "[}", "[1}", "[ 1 , 2 ]", `["a""b"]`, `["a",]`,
		"{", "}", "{]", `{"a"}`, `{"a":1 "b":2}`, `{"a":1"b":2}`, `{"a":1,}`, `{,}`, `{"a":1,,"b":2}`, `{"a"::1}`, `{"a":1:2}`, `{1:2}`,
		`{null:1}`, `{a":1}`, `{"a":{"b":[{}]}}`,
		`"`, `"a`, `"a\"`, `"\`, `"\u00g0"`, `"\u"`, `"\U0041"`, `"\'"`, `"\a"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\"",
		`"""`, `"a"b`, `a"`, "'a'", "\v1", "1\f", "\xff",
	} {
		bodies = append(bodies, `{"code":200,"x":`+value+`}`, `{"x":[`+value+`],"code":200}`, `{"code":`+value+`,"data":{"status":"open"}}`)
	}
	for _, member := range []string{
		`"sessionId":"sess_1"`, `"sessionId":1`, `"sessionId":"a","sessionId":"b"`, `"sessionId":1,"sessionId":"b"`,
		`"sessionId":"a","sessionId":1`, `"sessionId":"a","sessionId":null`, `"SessionId":"a"`,
		`"sess\u0069onId":"a"`, `"sessionId":"\u0061\"\\"`, "\"sessionId\":\"\xff\"",
		`"url":"https:\/\/x\/?a=\u0026"`, `"url":{}`, `"url":[]`, `"url":true`, `"url":""`,
		`"originalAmount":19.90`, `"originalAmount":1e400`, `"originalAmount":-0`, `"originalAmount":90071992547409.931`,
		`"originalAmount":"19.90"`, `"originalAmount":"\u0031"`, `"originalAmount":" 1"`, `"originalAmount":""`,
		`"originalAmount":null`, `"originalAmount":[1]`, `"originalAmount":false`, `"originalAmount":1e99999999999999999999`,
		`"expireTime":"2026-03-01T10:00:00Z"`, `"expireTime":"2026-03-01T10:00:00\u005a"`, `"expireTime":1`,
		`"expireTime":null`, `"expire":"2026-03-01T10:00:00+08"`,
		`"status":"complete"`, `"status":null`, `"status":"open","paymentStatus":"paid"`, `"status":"open","sessionId":"sess_1"`,
	} {
		bodies = append(bodies, `{"code":200,"data":{`+member+`}}`, `{"code":200,"data":{"status":"open" , `+member+` , "x":[{}]}}`)
	}
	return bodies
}

// plainly is the reading that [json.Unmarshal] makes of a body, into a map of its members and then one by one.
func plainly(body []byte) (r reading) {
	members, err := unmarshalled(body)
	if err != nil {
		r.envelope(0, "", fmt.Errorf("the answer is %w", err))
		return r
	}
	code, err := strconv.Atoi(string(members["code"]))
	if err != nil {
		r.envelope(0, "", errors.New("the answer has no code, or one that is no integer"))
		return r
	}
	message, ok := members.text("msg")
	if !ok {
		message = untilSecret(string(members["msg"]))
	}
	r.envelope(code, message, nil)

	var data unmarshalledObject
	if !members.missing("data") {
		if data, err = unmarshalled(members["data"]); err != nil {
			r.data(true, fmt.Errorf("the answer's data is %w", err))
			return r
		}
	}
	r.data(data == nil, nil)
	sessionOK, statusOK := true, true
	text := func(name string, ok *bool) string {
		s, isText := data.text(name)
		*ok = *ok && isText
		return s
	}
	number := func(name string) json.Number {
		if data.missing(name) {
			return ""
		}
		n := json.Number(data[name])
		if s, isText := data.text(name); isText {
			n = json.Number(s)
		}
		if !isNumber(n) {
			sessionOK = false
		}
		return n
	}
	moment := func(name string) time.Time {
		s, _ := data.text(name)
		at, _ := json.Marshal(s)
		return object{{name, string(at)}}.moment(name)
	}
	session := &Session{
		Amount: number("originalAmount"), ExpiresAt: moment("expireTime"),
		SessionID: text("sessionId", &sessionOK), URL: text("url", &sessionOK), Currency: text("originalCurrency", &sessionOK),
		CustomerID: text("customerId", &sessionOK), MerchantReferenceID: text("merchantReferenceId", &sessionOK), UIMode: text("uiMode", &sessionOK),
	}
	status := &SessionStatus{
		ExpiresAt: moment("expire"),
		SessionID: text("sessionId", &statusOK), Status: text("status", &statusOK), PaymentStatus: text("paymentStatus", &statusOK),
		MerchantReferenceID: text("merchantReferenceId", &statusOK), Currency: text("originalCurrency", &statusOK),
	}
	if status.SessionID != "" && status.SessionID != "sess_1" || status.Status == "" {
		statusOK = false
	}
	if status.Status == "complete" {
		status.Status = "completed"
	}
	refused := func(ok bool) error {
		if ok {
			return nil
		}
		return errors.New("unreadable")
	}
	r.session(session, refused(sessionOK))
	r.status(status, refused(statusOK))
	return r
}

type unmarshalledObject map[string]json.RawMessage

func unmarshalled(raw []byte) (unmarshalledObject, error) {
	var o unmarshalledObject
	if err := json.Unmarshal(raw, &o); err != nil || o == nil {
		return nil, errNoObject
	}
	return o, nil
}

func (o unmarshalledObject) missing(name string) bool {
	return len(o[name]) == 0 || bytes.Equal(o[name], []byte("null"))
}

func (o unmarshalledObject) text(name string) (s string, ok bool) {
	if o.missing(name) {
		return "", true
	}
	err := json.Unmarshal(o[name], &s)
	return s, err == nil
}
