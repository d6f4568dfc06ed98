package clink

import (
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// One line per line of the design's table of ends, in its order, and one per detail that could be got wrong.
func TestClassify(t *testing.T) {
	const ok = `{"code":200,"msg":"success","data":{"sessionId":"sess_1"}}`
	reset := error(syscall.ECONNRESET)
	tests := []struct {
		name string
		end  response
		want Class
		code int
	}{
		{"no connection", response{err: syscall.ECONNREFUSED}, NotSent, 0},
		{"headers never written", response{err: reset}, NotSent, 0},
		{"reset after the headers", response{err: reset, written: true}, Unknown, 0},
		{"answer of a success cut off", response{err: reset, written: true, status: 200}, Unknown, 0},
		{"answer of a 429 cut off", response{err: reset, written: true, status: 429}, Unknown, 0},
		{"answer of a 400 cut off", response{err: reset, written: true, status: 400}, Unknown, 0},

		{"429", response{status: 429}, Throttled, 0},
		{"429 with an envelope", response{status: 429, body: []byte(`{"code":1234}`)}, Throttled, 1234},
		{"401", response{status: 401}, Unauthorized, 0},
		{"403 from a gateway", response{status: 403, body: []byte("<html>")}, Unauthorized, 0},
		{"300", response{status: 300}, Redirected, 0},
		{"301", response{status: 301}, Redirected, 0},
		{"304", response{status: 304}, Redirected, 0},
		{"308 with a success in it", response{status: 308, body: []byte(ok)}, Redirected, 200},
		{"399", response{status: 399}, Redirected, 0},
		{"408", response{status: 408, body: []byte(`{"code":400}`)}, Unknown, 400},
		{"500", response{status: 500}, Unknown, 0},
		{"500 with a success in it", response{status: 500, body: []byte(ok)}, Unknown, 200},
		{"503 with an envelope's 400", response{status: 503, body: []byte(`{"code":400}`)}, Unknown, 400},
		{"599", response{status: 599}, Unknown, 0},
		{"404 without an envelope", response{status: 404, body: []byte("404 page not found")}, Misdirected, 0},
		{"404 without a body", response{status: 404}, Misdirected, 0},
		{"404 with a gateway's JSON", response{status: 404, body: []byte(`{"message":"no route"}`)}, Misdirected, 0},
		{"404 with a code that is a string", response{status: 404, body: []byte(`{"code":"404"}`)}, Misdirected, 0},
		{"404 with a list", response{status: 404, body: []byte(`[{"code":404}]`)}, Misdirected, 0},
		{"407 without an envelope", response{status: 407}, Misdirected, 0},
		{"400 with an envelope", response{status: 400, body: []byte(`{"code":400,"msg":"CUSTOMER_NOT_FOUND"}`)}, Rejected, 400},
		{"422 with an envelope's 429", response{status: 422, body: []byte(`{"code":429}`)}, Rejected, 429},
		{"409 with a success in it", response{status: 409, body: []byte(ok)}, Rejected, 200},

		{"a documented name under 500", response{status: 500, body: []byte(`{"code":500,"msg":"CUSTOMER_NOT_FOUND"}`)}, Rejected, 500},
		{"a documented name under 403", response{status: 403, body: []byte(`{"code":403,"msg":"CUSTOMER_NOT_FOUND"}`)}, Rejected, 403},
		{"a documented name under 429", response{status: 429, body: []byte(`{"code":429,"msg":"CUSTOMER_IDENTIFIER_NOT_MATCHED"}`)}, Rejected, 429},
		{"a documented name under 302", response{status: 302, body: []byte(`{"code":302,"msg":"CUSTOMER_NOT_FOUND"}`)}, Rejected, 302},
		{"a documented name among words", response{status: 503, body: []byte(`{"code":1,"msg":"error CUSTOMER_NOT_FOUND: no such id"}`)}, Rejected, 1},
		{"a documented name in a gateway's page", response{status: 502, body: []byte("<html>CUSTOMER_NOT_FOUND")}, Unknown, 0},
		{"code 500 with a documented name", response{status: 200, body: []byte(`{"code":500,"msg":"CUSTOMER_IDENTIFIER_NOT_MATCHED"}`)}, Rejected, 500},
		{"code 401 with a documented name", response{status: 200, body: []byte(`{"code":401,"msg":"CUSTOMER_NOT_FOUND"}`)}, Rejected, 401},
		{"code 200 with a documented name alone", response{status: 200, body: []byte(`{"code":200,"msg":"CUSTOMER_NOT_FOUND","data":null}`)}, Rejected, 200},
		{"code 200 with a documented name and a session", response{status: 200, body: []byte(`{"code":200,"msg":"CUSTOMER_NOT_FOUND","data":{"sessionId":"sess_1"}}`)}, "", 200},

		{"code 429", response{status: 200, body: []byte(`{"code":429}`)}, Throttled, 429},
		{"code 401", response{status: 200, body: []byte(`{"code":401}`)}, Unauthorized, 401},
		{"code 403", response{status: 201, body: []byte(`{"code":403}`)}, Unauthorized, 403},
		{"code 408", response{status: 200, body: []byte(`{"code":408}`)}, Unknown, 408},
		{"code 500", response{status: 200, body: []byte(`{"code":500}`)}, Unknown, 500},
		{"code 599", response{status: 200, body: []byte(`{"code":599}`)}, Unknown, 599},
		{"code 400", response{status: 200, body: []byte(`{"code":400}`)}, Rejected, 400},
		{"code 302", response{status: 200, body: []byte(`{"code":302}`)}, Rejected, 302},
		{"code 201", response{status: 200, body: []byte(`{"code":201}`)}, Rejected, 201},
		{"code 0", response{status: 200, body: []byte(`{"code":0}`)}, Rejected, 0},
		{"code 600", response{status: 200, body: []byte(`{"code":600}`)}, Rejected, 600},
		{"code -1", response{status: 200, body: []byte(`{"code":-1}`)}, Rejected, -1},
		{"code 40001", response{status: 200, body: []byte(`{"code":40001}`)}, Rejected, 40001},
		{"code 400 with odd data", response{status: 200, body: []byte(`{"code":400,"data":"oops"}`)}, Rejected, 400},
		{"code 400 with an odd message", response{status: 200, body: []byte(`{"code":400,"msg":{"a":1}}`)}, Rejected, 400},

		{"2xx without a body", response{status: 204}, Unknown, 0},
		{"2xx that is no JSON", response{status: 200, body: []byte("<html>")}, Unknown, 0},
		{"2xx that is half a JSON", response{status: 200, body: []byte(ok[:40])}, Unknown, 0},
		{"2xx with something after the JSON", response{status: 200, body: []byte(ok + ok)}, Unknown, 0},
		{"2xx that is null", response{status: 200, body: []byte("null")}, Unknown, 0},
		{"2xx that is a list", response{status: 200, body: []byte("[" + ok + "]")}, Unknown, 0},
		{"2xx without a code", response{status: 200, body: []byte(`{"data":{}}`)}, Unknown, 0},
		{"2xx with code null", response{status: 200, body: []byte(`{"code":null}`)}, Unknown, 0},
		{"2xx with a code that is a string", response{status: 200, body: []byte(`{"code":"200"}`)}, Unknown, 0},
		{"2xx with a fractional code", response{status: 200, body: []byte(`{"code":200.5}`)}, Unknown, 0},
		{"2xx with a code beyond integers", response{status: 200, body: []byte(`{"code":99999999999999999999}`)}, Unknown, 0},
		{"2xx whose code has another name", response{status: 200, body: []byte(`{"Code":200}`)}, Unknown, 0},
		{"2xx nested beyond reason", response{status: 200, body: []byte(`{"code":200,"x":` + strings.Repeat("[", 100_000))}, Unknown, 0},
		{"2xx over the bound", response{status: 200, body: []byte(ok), tooLong: true}, Unknown, 0},
		{"2xx whose data is a list", response{status: 200, body: []byte(`{"code":200,"data":[]}`)}, Unknown, 200},
		{"2xx whose data is a string", response{status: 200, body: []byte(`{"code":200,"data":"sess_1"}`)}, Unknown, 200},

		{"code 200", response{status: 200, body: []byte(ok)}, "", 200},
		{"code 200 under 201", response{status: 201, body: []byte(" \r\n" + ok + "\n")}, "", 200},
		{"code 200 without data", response{status: 200, body: []byte(`{"code":200}`)}, "", 200},
		{"code 200 with data null", response{status: 200, body: []byte(`{"code":200,"data":null}`)}, "", 200},
		{"code 200 with an odd message", response{status: 200, body: []byte(`{"code":200,"msg":7}`)}, "", 200},

		{"101", response{status: 101}, Unknown, 0},
		{"status 0", response{status: 0}, Unknown, 0},
		{"status 600", response{status: 600}, Unknown, 0},
		{"status 999 with a success in it", response{status: 999, body: []byte(ok)}, Unknown, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := classify(tt.end)
			if got.class != tt.want || got.code != tt.code {
				t.Errorf("got %q, code %d, want %q, code %d (reason: %v)", got.class, got.code, tt.want, tt.code, got.reason)
			}
			if tt.end.err != nil && !errors.Is(got.reason, tt.end.err) {
				t.Errorf("the reason %v lost the cause %v", got.reason, tt.end.err)
			}
		})
	}
}

func TestClassifyKeepsClinksWords(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"as they came", `{"code":400,"msg":" CUSTOMER_NOT_FOUND:\t\"é\" "}`, " CUSTOMER_NOT_FOUND:\t\"é\" "},
		{"missing", `{"code":400}`, ""},
		{"null", `{"code":400,"msg":null}`, ""},
		{"no string", `{"code":400,"msg":{"why":1}}`, `{"why":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, status := range []int{200, 400, 401, 500} {
				if got := classify(response{status: status, body: []byte(tt.body)}); got.message != tt.want {
					t.Errorf("status %d: got %q, want %q", status, got.message, tt.want)
				}
			}
		})
	}
}

func TestRedirectSaysWhere(t *testing.T) {
	got := classify(response{status: 302, header: http.Header{"Location": {"https://example.com/login"}}})
	if got.reason == nil || !strings.Contains(got.reason.Error(), "https://example.com/login") {
		t.Errorf("got %v", got.reason)
	}
}
