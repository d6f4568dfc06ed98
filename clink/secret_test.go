package clink_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"paylinks/clink"
)

// Whoever echoes the request back must not get the key into our logs or our ledger.
func TestKeyIsRedacted(t *testing.T) {
	var everyByte strings.Builder
	for i := range len(testKey) {
		fmt.Fprintf(&everyByte, "%%%02X", testKey[i])
	}
	underscored := func(with string) string { return strings.ReplaceAll(testKey, "_", with) }
	echoes := map[string]string{
		"as it is":            testKey,
		"in a sentence":       "invalid key '" + testKey + "'!",
		"twice":               testKey + testKey,
		"escaped for a URL":   url.QueryEscape(testKey),
		"every byte escaped":  everyByte.String(),
		"lower-case escapes":  underscored("%5f"),
		"escaped twice":       underscored("%255F"),
		"escaped for JSON":    underscored(`\u005f`),
		"escaped for HTML":    underscored("&#95;") + underscored("&#x5F;"),
		"at the sample's end": strings.Repeat("x", 170) + testKey,
	}
	const secret = "4eC39HqLyjWDarjtT1zdp7dc"
	leaks := func(s string) bool {
		s = strings.ToLower(s)
		return strings.Contains(s, strings.ToLower(secret[:8])) || strings.Contains(s, "%34%65%43")
	}
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			quoted, _ := json.Marshal(echo)
			for place, handler := range map[string]http.HandlerFunc{
				"message":     answer(401, `{"code":401,"msg":`+string(quoted)+`}`),
				"odd message": answer(400, `{"code":400,"msg":[`+string(quoted)+`]}`),
				"refusal":     answer(404, "<p>"+echo),
				"success":     answer(200, "<p>"+echo),
				"data":        answer(200, `{"code":200,"data":{"url":[`+string(quoted)+`]}}`),
				"location":    func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", echo); w.WriteHeader(302) },
				"no HTTP":     raw(echo + "\r\n\r\n"),
				"status line": raw("HTTP/1.1 " + echo + "\r\n\r\n"),
				"header":      raw("HTTP/1.1 200 OK\r\n" + echo + "\r\n\r\n"),
				"chunk":       raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + echo + "\r\n"),
				"encoding":    raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echo + "\r\n\r\n"),
				"length":      raw("HTTP/1.1 200 OK\r\nContent-Length: " + echo + "\r\n\r\n"),
			} {
				_, err := newClient(t, handler).CreateSession(t.Context(), smallRequest)
				got := asError(t, err)
				texts := []string{fmt.Sprintf("%v %+v %#v %q", err, got, got, got), got.Message, got.Sample}
				for cause := got.Err; cause != nil; cause = errors.Unwrap(cause) {
					texts = append(texts, fmt.Sprintf("%v %+v %#v", cause, cause, cause))
				}
				for _, text := range texts {
					if leaks(text) {
						t.Errorf("%s: the key is in %s", place, text)
					}
				}
			}
		})
	}
}

// raw answers with these bytes and closes the connection.
func raw(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(s))
		_ = conn.Close()
	}
}

// What is left of an id or a link without the key is none: it must not be taken for one.
func TestSessionThatRepeatsTheKey(t *testing.T) {
	for _, tt := range []struct{ name, key, want string }{
		{"key", testKey, "[redacted]"},
		{"key too short to be one", "pay", "https://checkout.example.com/pay?key=pay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(answer(200, `{"code":200,"data":{"sessionId":"sess_1","url":"https://checkout.example.com/pay?key=`+tt.key+`"}}`))
			defer server.Close()
			got, err := clientOf(t, clink.Config{BaseURL: server.URL, Key: tt.key}).CreateSession(t.Context(), smallRequest)
			if err != nil || got.URL != tt.want || got.SessionID != "sess_1" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestRestOfTheMessageStays(t *testing.T) {
	client := newClient(t, answer(401, `{"code":401,"msg":"key `+testKey+` is revoked"}`))
	_, err := client.CreateSession(t.Context(), smallRequest)
	if got := asError(t, err).Message; got != "key [redacted] is revoked" {
		t.Errorf("got %q", got)
	}
}

func TestWhatOpensACheckoutIsNotInASample(t *testing.T) {
	for _, body := range []string{
		`{"code":200,"data":{"sessionId":7,"tokenValue":"tok_hush"}}`,
		`{"code":200,"data":{"sessionId":7,"token" : "tok_hush","x":1}}`,
		`{"code":200,"data":{"sessionId":7,"tokenValue":"a\/tok_hush"}}`,
		`{"code":200,"data":{"sessionId":7,"token":{"value":"tok_hush"}}}`,
		`{"code":200,"data":{"sessionId":7,"tokenValue":"tok_hush`,
		`{"code":200,"data":"{\"tokenValue\":\"tok_hush\"}"}`,
		`<a href="/pay?token=tok_hush">`,
		`{"code":200,"TOKEN_VALUE":"tok_hush"`,
		`{"code":"200","data":{"sessionId":"sess_1","url":"https://checkout.example.com/pay/hush"}}`,
		`{"code":200,"data":"{\"url\" : \"https://checkout.example.com/pay/hush\"}"}`,
	} {
		t.Run(body, func(t *testing.T) {
			for _, handler := range []http.HandlerFunc{answer(200, body), answer(404, "["+body), raw(body)} {
				_, err := newClient(t, handler).CreateSession(t.Context(), smallRequest)
				got := asError(t, err)
				if strings.Contains(got.Sample+got.Error(), "hush") {
					t.Errorf("it is in %v", got)
				}
			}
		})
	}
}

func TestSampleIsShortAndPrintable(t *testing.T) {
	for name, body := range map[string]string{
		"page":            "<html>\r\n\t<title>Bad gateway</title>" + strings.Repeat("é", 500),
		"terminal escape": "\x1b[31mred\x07\x00",
		"bad UTF-8":       strings.Repeat("\xff", 500),
		"reversed text":   "\u202egnirts\u2028",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, answer(404, body)).CreateSession(t.Context(), smallRequest)
			got := asError(t, err)
			if got.Sample == "" || len(got.Sample) > 200 {
				t.Errorf("got %d bytes", len(got.Sample))
			}
			for _, r := range got.Sample + got.Error() {
				if !unicode.IsPrint(r) {
					t.Errorf("%q is in %q", r, got.Error())
				}
			}
		})
	}
}

func TestPrintingShowsNoKey(t *testing.T) {
	cfg := clink.Config{BaseURL: "https://api.clinkbill.com/api", Key: testKey}
	client, err := clink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	misplaced := clink.Config{BaseURL: testKey, Key: testKey}
	var out bytes.Buffer
	for _, v := range []any{cfg, &cfg, client, *client, misplaced, []any{cfg, *client}, struct{ C clink.Config }{cfg}} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d\n", v, v, v, v, v, v, v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("made", "it", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "it", v)
	}
	if strings.Contains(out.String(), testKey[:12]) || strings.Contains(out.String(), fmt.Sprintf("%x", testKey[:12])) {
		t.Errorf("the key is in:\n%s", &out)
	}
	for _, v := range []any{cfg, client, *client} {
		out.Reset()
		slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "it", v)
		if !strings.Contains(out.String(), "https://api.clinkbill.com/api") {
			t.Errorf("nothing useful in %s", &out)
		}
	}
}
