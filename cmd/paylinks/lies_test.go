package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
)

// These guard promise 7: what is published is what was asked for, whatever a server says.

// honest is what Clink would answer to the POST, for a test to make a lie of.
func honest(t *testing.T, r *http.Request, number int64) map[string]any {
	t.Helper()
	var asked map[string]any
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		t.Errorf("the request: %v", err)
	}
	return map[string]any{
		"sessionId":           fmt.Sprintf("sess_%d", number),
		"tokenValue":          "tok_hush",
		"originalAmount":      asked["originalAmount"],
		"originalCurrency":    asked["originalCurrency"],
		"merchantReferenceId": asked["merchantReferenceId"],
		"url":                 fmt.Sprintf("https://checkout.example.com/pay/sess_%d", number),
		"expireTime":          "2099-01-02T03:04:05Z",
	}
}

func answerJSON(w io.Writer, data any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"code": 200, "msg": "success", "data": data})
}

// serveLies is an address at which answer answers, given what Clink would.
func serveLies(t *testing.T, answer func(w http.ResponseWriter, data map[string]any)) (env map[string]string, posts *atomic.Int64) {
	t.Helper()
	posts = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, honest(t, r, posts.Add(1)))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return map[string]string{"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": server.URL}, posts
}

func TestLiesAreNotPublished(t *testing.T) {
	with := func(name string, value any) func(http.ResponseWriter, map[string]any) {
		return func(w http.ResponseWriter, data map[string]any) {
			data[name] = value
			answerJSON(w, data)
		}
	}
	without := func(name string) func(http.ResponseWriter, map[string]any) {
		return func(w http.ResponseWriter, data map[string]any) {
			delete(data, name)
			answerJSON(w, data)
		}
	}
	wholly := func(body string) func(http.ResponseWriter, map[string]any) {
		return func(w http.ResponseWriter, _ map[string]any) { _, _ = io.WriteString(w, body) }
	}
	const host = "https://checkout.example.com/"
	mismatch, unknown := job.OutcomeMismatch, job.OutcomeUnknown
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, map[string]any)
		want   job.Outcome
	}{
		{"amount", with("originalAmount", json.Number("1.51")), mismatch},
		{"amount as text", with("originalAmount", "150"), mismatch},
		{"amount without end", with("originalAmount", json.Number("1"+strings.Repeat("0", 1000))), mismatch},
		{"amount with an exponent without end", with("originalAmount", json.Number("1e"+strings.Repeat("9", 17))), mismatch},
		{"amount below zero", with("originalAmount", json.Number("-1.50")), mismatch},
		{"currency", with("originalCurrency", "EUR"), mismatch},
		{"reference", with("merchantReferenceId", "A-7"), mismatch},
		{"no URL", without("url"), mismatch},
		{"URL null", with("url", nil), mismatch},
		{"http", with("url", "http://checkout.example.com/pay"), mismatch},
		{"http to a name that begins like loopback", with("url", "http://127.0.0.1.example.com/pay"), mismatch},
		{"script", with("url", "javascript:alert(1)//https://"), mismatch},
		{"data", with("url", "data:text/html,https://"), mismatch},
		{"formula", with("url", `=HYPERLINK("https://evil.example.com")`), mismatch},
		{"no scheme", with("url", "//checkout.example.com/pay"), mismatch},
		{"no host", with("url", "https:///pay"), mismatch},
		{"port only", with("url", "https://:443/pay"), mismatch},
		{"long URL", with("url", host+strings.Repeat("x", 2049-len(host))), mismatch},
		{"URL with a line break", with("url", host+"\r\nA-1"), mismatch},
		{"URL with a terminal escape", with("url", host+"\x1b[2J"), mismatch},
		{"URL that reads backwards", with("url", host+"\u202etxt"), mismatch},
		{"URL with a look-alike letter", with("url", "https://ch\u0435ckout.example.com/"), mismatch},
		{"URL with a user name", with("url", "https://checkout.example.com@evil.example.com/"), mismatch},
		{"URL with a backslash", with("url", `https://checkout.example.com\@evil.example.com/`), mismatch},
		{"no session id", without("sessionId"), mismatch},
		{"session id with a control character", with("sessionId", "sess_\x1b]0;x\x07"), mismatch},
		{"session id that is a formula", with("sessionId", "=1+1"), mismatch},
		{"session id that is a path", with("sessionId", "../../secrets"), mismatch},
		{"session id with a query", with("sessionId", "sess?x=1"), mismatch},
		{"long session id", with("sessionId", strings.Repeat("s", 256)), mismatch},
		{"URL twice", wholly(`{"code":200,"data":{"sessionId":"sess_1","url":"https://a.example.com/","url":"http://b.example.com/"}}`), mismatch},
		{"URL is a list", with("url", []string{host}), unknown},
		{"amount is no number", with("originalAmount", "1,50"), unknown},
		{"data is a list", wholly(`{"code":200,"data":[]}`), unknown},
		{"no JSON", wholly("<html>welcome</html>"), unknown},
		{"deep JSON", wholly(`{"code":200,"data":` + strings.Repeat(`{"x":`, 100_000) + "1" + strings.Repeat("}", 100_001)), unknown},
		{"deep lists without end", wholly(strings.Repeat("[", 1_000_000)), unknown},
		{"two answers", func(w http.ResponseWriter, data map[string]any) {
			answerJSON(w, data)
			answerJSON(w, data)
		}, unknown},
		{"header flood", func(w http.ResponseWriter, data map[string]any) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-Flood-%d", i), strings.Repeat("x", 1000))
			}
			answerJSON(w, data)
		}, unknown},
		{"header lines without end", func(w http.ResponseWriter, _ map[string]any) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			for _, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"); err == nil; {
				_, err = io.WriteString(conn, "X-Flood: "+strings.Repeat("x", 1000)+"\r\n")
			}
		}, unknown},
		{"news without end", func(w http.ResponseWriter, _ map[string]any) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			for err == nil {
				_, err = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n")
			}
		}, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env, posts := serveLies(t, tt.answer)
			input := invoices(t, 2)
			ledger := beside(input, "ledger.db")
			got := paylinksHere(t, env, "run", input, "--ledger", ledger, "--rate", "0", "--max-attempts", "1", "-v")
			if got.status != exit.Attention {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			if posts.Load() != 2 {
				t.Errorf("%d posts", posts.Load())
			}
			state := map[job.Outcome]job.State{mismatch: job.Failed, unknown: job.Unknown}[tt.want]
			tally, results, attempts := onRecord(t, ledger)
			for _, r := range results {
				if r.State != state || r.URL != "" || r.ErrorCode != string(tt.want) || r.Error == "" {
					t.Errorf("on record: %+v", r)
				}
			}
			for _, a := range attempts {
				if a.Outcome != tt.want || a.Message == "" {
					t.Errorf("on record: %+v", a)
				}
			}
			if tally.PossibleOrphans() != 2 {
				t.Errorf("%d possible orphans", tally.PossibleOrphans())
			}
			for _, row := range publishedLinks(t, input) {
				if row["status"] != string(state) || row["url"] != "" || row["expires_at"] != "" || row["error_code"] != string(tt.want) || row["error"] == "" {
					t.Errorf("published: %q", row)
				}
				if id := row["session_id"]; id != "" && !strings.HasPrefix(id, "sess_") || strings.ContainsRune(id, '\x1b') {
					t.Errorf("published the session id %q", id)
				}
			}
			shown := paylinksHere(t, env, "show", "1", "--attempts", "--ledger", ledger)
			if all := got.err + shown.out; strings.ContainsAny(all, "\x1b\x07\r") {
				t.Errorf("printed: %q", all)
			}
			if len(got.err)+len(shown.out) > 20_000 {
				t.Errorf("printed %d bytes", len(got.err)+len(shown.out))
			}
		})
	}
}

func TestExpiryThatCannotBeReadIsAWarning(t *testing.T) {
	for _, expiry := range []any{nil, "", "tomorrow", "0001-01-01T00:00:00Z", "2026-13-45T00:00:00Z", 1893456000, []int{1}, strings.Repeat("9", 1000)} {
		t.Run(fmt.Sprintf("%.30v", expiry), func(t *testing.T) {
			t.Parallel()
			env, _ := serveLies(t, func(w http.ResponseWriter, data map[string]any) {
				data["expireTime"] = expiry
				answerJSON(w, data)
			})
			input := invoices(t, 1)
			got := paylinksHere(t, env, "run", input, "--ledger", beside(input, "ledger.db"))
			if got.status != exit.OK {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			row := publishedLinks(t, input)[0]
			if row["status"] != "created" || row["url"] != "https://checkout.example.com/pay/sess_1" || row["expires_at"] != "" || !strings.Contains(row["error"], "no readable expiry") {
				t.Errorf("published: %q", row)
			}
		})
	}
}

// An answer without end costs what is read of it, even where every worker has one at the same time.
func TestMemoryIsBounded(t *testing.T) {
	const workers, size = 16, 64 << 20
	var arrived sync.WaitGroup
	arrived.Add(workers)
	block := []byte(strings.Repeat(" ", 1<<16))
	env, posts := serveLies(t, func(w http.ResponseWriter, _ map[string]any) {
		arrived.Done()
		arrived.Wait()
		_, _ = io.WriteString(w, `{"code":200,"data":{"sessionId":"sess_1","url":"https://checkout.example.com/","x":"`)
		for range size / len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `"}}`)
	})
	input := invoices(t, workers)
	ledger := beside(input, "ledger.db")
	cmd, out, errs := paylinksCommand(t, env, "run", input, "--ledger", ledger, "--rate", "0", "--concurrency", fmt.Sprint(workers), "--max-attempts", "1")
	_ = cmd.Run()
	if status := cmd.ProcessState.ExitCode(); status != exit.Attention || posts.Load() != workers {
		t.Fatalf("status %d after %d posts: %s%s", status, posts.Load(), out, errs)
	}
	tally, _, _ := onRecord(t, ledger)
	if tally.Items[job.Unknown] != workers {
		t.Errorf("on record: %v", tally.Items)
	}
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	t.Logf("%d MiB at the most", peak>>20)
	if peak > 400<<20 {
		t.Errorf("%d MiB at the most", peak>>20)
	}
	if info, err := os.Stat(ledger); err != nil || info.Size() > 1<<20 {
		t.Errorf("the ledger: %v, %v", info.Size(), err)
	}
}

// A cache in between answers every POST with the first one's session, and nothing in the answer says whose it is.
func TestOneLinkIsNotPublishedForTwoInvoices(t *testing.T) {
	var first sync.Map
	env, _ := serveLies(t, func(w http.ResponseWriter, data map[string]any) {
		delete(data, "merchantReferenceId")
		delete(data, "originalAmount")
		kept, _ := first.LoadOrStore("answer", data)
		answerJSON(w, kept)
	})
	input := invoices(t, 3)
	got := paylinksHere(t, env, "run", input, "--ledger", beside(input, "ledger.db"), "--concurrency", "1")
	if got.status != exit.Attention {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	published := 0
	for _, row := range publishedLinks(t, input) {
		if row["url"] != "" {
			published++
		} else if row["status"] != "failed" || row["error_code"] != "mismatch" {
			t.Errorf("published: %q", row)
		}
	}
	if published != 1 {
		t.Errorf("one link is published for %d invoices", published)
	}
}
