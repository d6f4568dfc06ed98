package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
)

// These guard promises 8 and 9: where the key goes, and who can read the files.

// leaks says where, in the texts and in all the files of the folder, a part of the key or a token stands.
func leaks(t *testing.T, folder string, texts ...string) (where []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) { // the program takes its journal away when it ends
			return nil
		}
		texts = append(texts, path+": "+string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, secret := range []string{testKey[8:18], testKey[22:], fmt.Sprintf("%x", testKey[8:18]), "tok_hush"} {
			if at := strings.Index(strings.ToLower(text), strings.ToLower(secret)); at >= 0 {
				where = append(where, fmt.Sprintf("%.80q … %q", text, text[max(0, at-60):min(len(text), at+60)]))
			}
		}
	}
	return where
}

// A server that says the key back, wherever it can, gets it into nothing that we write, while the run goes on and
// after it.
func TestKeyIsNowhere(t *testing.T) {
	field := func(name, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			data := map[string]any{
				"sessionId": "sess_1", "tokenValue": "tok_hush", "token": "tok_hush", "url": "https://checkout.example.com/pay",
			}
			data[name] = fmt.Sprintf(format, r.Header.Get("X-API-KEY"))
			answerJSON(w, data)
		}
	}
	page := func(status int, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, format, r.Header.Get("X-API-KEY"))
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		status int
		state  job.State
	}{
		{"header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Seen", r.Header.Get("X-API-KEY"))
			field("x", "%s")(w, r)
		}, exit.OK, job.Created},
		{"message of a refusal", page(422, `{"code":422,"msg":"bad key '%s'"}`), exit.Attention, job.Failed},
		{"message that is none", page(422, `{"code":422,"msg":{"tokenValue":"tok_hush","key":"%s"}}`), exit.Attention, job.Failed},
		{"message of a refused key", page(401, `{"code":401,"msg":"%s is revoked"}`), exit.Key, job.Pending},
		{"message of an outage", page(503, `{"code":503,"msg":"%s"}`), exit.Attention, job.Unknown},
		{"page", page(404, "<html>no such page for %s"), exit.Config, job.Pending},
		{"page with a token", page(200, "<html>tokenValue=tok_hush&key=%s"), exit.Attention, job.Unknown},
		{"page over the sample", page(502, strings.Repeat("x", 190)+"%s"), exit.Attention, job.Unknown},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://example.com/?key="+r.Header.Get("X-API-KEY"))
			w.WriteHeader(http.StatusFound)
		}, exit.Config, job.Pending},
		{"no HTTP", func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, r.Header.Get("X-API-KEY")+"\r\n\r\n")
			_ = conn.Close()
		}, exit.Attention, job.Unknown},
		{"session id", field("sessionId", "sess_%s"), exit.Attention, job.Failed},
		{"URL", field("url", "https://checkout.example.com/pay?key=%s"), exit.Attention, job.Failed},
		{"URL that is none", field("url", "%s"), exit.Attention, job.Failed},
		{"reference", field("merchantReferenceId", "%s"), exit.Attention, job.Failed},
		{"currency", field("originalCurrency", "%s"), exit.Attention, job.Failed},
		{"amount", field("originalAmount", "%s"), exit.Attention, job.Unknown},
		{"field that we do not read", field("debug", "%s"), exit.OK, job.Created},
	}
	for i, tt := range tests {
		format := []string{"text", "json"}[i%2]
		t.Run(tt.name+" with a log of "+format, func(t *testing.T) {
			t.Parallel()
			input := invoices(t, 1)
			ledger := beside(input, "ledger.db")
			process := make(chan *os.Process, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				running := <-process
				process <- running // the row may be sent again
				arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", running.Pid))
				if err != nil {
					t.Error(err)
				}
				if where := leaks(t, filepath.Dir(input), string(arguments)); where != nil {
					t.Errorf("while the request is on its way: %s", where)
				}
				tt.answer(w, r)
			}))
			defer server.Close()
			cmd, out, errs := paylinksCommand(t, map[string]string{"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": server.URL},
				"run", input, "--ledger", ledger, "--max-attempts", "1", "-v", "--log-format", format, "--json")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			process <- cmd.Process
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d: %s", got, errs)
			}
			if _, results, _ := onRecord(t, ledger); results[0].State != tt.state || (results[0].URL != "") != (tt.state == job.Created) {
				t.Errorf("on record: %+v", results[0])
			}
			shown := paylinksHere(t, nil, "show", "1", "--attempts", "--ledger", ledger)
			if where := leaks(t, filepath.Dir(input), out.String(), errs.String(), shown.out+shown.err); where != nil {
				t.Errorf("at the end: %s", where)
			}
		})
	}
}

// What the Go runtime prints of a program that dies has addresses in it, and no text.
func TestKeyIsNotInADump(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			for try := 1; ; try++ {
				dump := dumpOf(t, signal)
				if strings.Contains(dump, "goroutine ") && strings.Contains(dump, "CreateSession") {
					return
				}
				// The runtime cannot always print the stack of a thread that is in C code just then.
				if !strings.Contains(dump, "panic during panic") || try == 5 {
					t.Fatalf("no dump: %s", dump)
				}
			}
		})
	}
}

// dumpOf sends the signal to a run whose request is at the server, and returns what the run printed. The key must be nowhere.
func dumpOf(t *testing.T, signal os.Signal) string {
	t.Helper()
	input := invoices(t, 4)
	process := make(chan *os.Process, 1)
	gone := make(chan struct{})
	env, _ := serveLies(t, func(http.ResponseWriter, map[string]any) {
		dying := <-process
		_ = dying.Signal(signal)
		process <- dying
		<-gone
	})
	env["GOTRACEBACK"] = "system"
	cmd, out, errs := paylinksCommand(t, env, "run", input, "--ledger", beside(input, "ledger.db"), "--rate", "0")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process <- cmd.Process
	_ = cmd.Wait()
	close(gone)
	if where := leaks(t, filepath.Dir(input), out.String(), errs.String()); where != nil {
		t.Errorf("%s", where)
	}
	return errs.String()
}

// A person who puts a secret in the wrong place does not find it in the log.
func TestMisplacedSecretIsNotRepeated(t *testing.T) {
	input := invoices(t, 1)
	for name, env := range map[string]map[string]string{
		"key for the key's file":     {"PAYLINKS_API_KEY_FILE": testKey},
		"key after other letters":    {"PAYLINKS_API_KEY_FILE": "mine_" + testKey},
		"key for the address":        {"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": testKey},
		"password in the address":    {"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": "https://u:" + testKey + "@127.0.0.1"},
		"key in the address's query": {"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": "https://127.0.0.1/?key=" + testKey},
		"key with a remark":          {"CLINK_SECRET_KEY": testKey + " # mine"},
	} {
		t.Run(name, func(t *testing.T) {
			got := paylinksHere(t, env, "run", input, "--ledger", beside(input, "ledger.db"), "-v")
			if got.status != exit.Config || !strings.Contains(got.err, "hint: ") {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			if where := leaks(t, filepath.Dir(input), got.out, got.err); where != nil {
				t.Errorf("%s", where)
			}
		})
	}
}

func TestKeyDoesNotFollowARedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("%s came elsewhere, with the key %q", r.Method, r.Header.Get("X-API-KEY"))
			}))
			defer elsewhere.Close()
			env, _ := serveLies(t, func(w http.ResponseWriter, _ map[string]any) {
				w.Header().Set("Location", strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1))
				w.WriteHeader(status)
			})
			input := invoices(t, 3)
			ledger := beside(input, "ledger.db")
			got := paylinksHere(t, env, "run", input, "--ledger", ledger, "--concurrency", "1")
			if got.status != exit.Config || !strings.Contains(got.err, "leads on to") || !strings.Contains(got.err, "hint: ") {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			tally, _, attempts := onRecord(t, ledger)
			if tally.Items[job.Pending] != 3 || tally.PossibleOrphans() != 0 || len(attempts) != 3 {
				t.Errorf("on record: %v, %d attempts", tally.Items, len(attempts))
			}
		})
	}
}

// certificate is one that signs itself.
func certificate(t *testing.T, host string, until time.Time) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Nothing is sent to a server that is not the one of the base URL, or that whoever is in between can read along with;
// and what is printed, also under -q, says what to do.
func TestKeyGoesNowhereWithoutTLS(t *testing.T) {
	soon, past := time.Now().AddDate(0, 0, 2), time.Now().AddDate(0, 0, -2)
	const untrusted = "check that URL, this machine's clock, a proxy in between, and the certificate authorities, SSL_CERT_FILE"
	tests := []struct {
		name    string
		host    string // in the certificate; "" for a server without TLS
		until   time.Time
		trusted bool
		newest  uint16
		says    []string
	}{
		{"certificate of an unknown authority", "127.0.0.1", soon, false, 0, []string{"unknown authority", untrusted}},
		{"certificate for another host", "api.example.com", soon, true, 0, []string{"127.0.0.1", untrusted}},
		{"certificate that has run out", "127.0.0.1", past, true, 0, []string{"expired", untrusted}},
		{"TLS 1.1", "127.0.0.1", soon, true, tls.VersionTLS11, []string{"protocol version", "must speak TLS 1.2 or later"}},
		{"no TLS", "", soon, true, 0, []string{"no TLS at that port: check the base URL"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			env := map[string]string{"CLINK_SECRET_KEY": testKey}
			if tt.host == "" {
				server.Start()
			} else {
				own, authority := certificate(t, tt.host, tt.until)
				server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS10, MaxVersion: tt.newest}
				server.StartTLS()
				if tt.trusted {
					env["SSL_CERT_FILE"] = filepath.Join(t.TempDir(), "ca.pem")
					if err := os.WriteFile(env["SSL_CERT_FILE"], authority, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			defer server.Close()
			env["CLINK_BASE_URL"] = "https://" + server.Listener.Addr().String()
			input := invoices(t, 2)
			ledger := beside(input, "ledger.db")
			got := paylinksProcess(t, env, "run", input, "--ledger", ledger, "--give-up-after", "100ms", "-q")
			if got.status != exit.Unfinished || requests.Load() > 0 {
				t.Errorf("status %d, %d requests: %s", got.status, requests.Load(), got.err)
			}
			for _, words := range append(tt.says, "hint: no row was lost") {
				if !strings.Contains(got.err, words) {
					t.Errorf("%q is not in: %s", words, got.err)
				}
			}
			tally, _, _ := onRecord(t, ledger)
			if tally.Items[job.Pending] != 2 || tally.PossibleOrphans() != 0 || tally.Attempts[job.OutcomeNotSent] != tally.AllAttempts() {
				t.Errorf("on record: %v, %v", tally.Items, tally.Attempts)
			}
		})
	}
	for _, address := range []string{"http://192.0.2.1/api", "http://clink.example.com", "http://127.0.0.1.example.com", "http://[::ffff:192.0.2.1]"} {
		t.Run("plain http to "+address, func(t *testing.T) {
			input := invoices(t, 1)
			got := paylinksHere(t, map[string]string{"CLINK_SECRET_KEY": testKey, "CLINK_BASE_URL": address}, "run", input, "--ledger", beside(input, "ledger.db"))
			if got.status != exit.Config || !strings.Contains(got.err, "plain http") {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			if _, err := os.Stat(beside(input, "ledger.db")); err == nil {
				t.Error("a ledger was made")
			}
		})
	}
}

// Every file is its owner's alone, whatever the umask: while a run goes on, after it, and where there were files before.
func TestFilesArePrivate(t *testing.T) {
	for _, umask := range []string{"0", "022", "0777"} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			input := invoices(t, 2)
			file, err := os.OpenFile(input, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(file, "A-3,,1.00,USD\n"); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			private := func(names ...string) {
				for _, name := range names {
					info, err := os.Stat(beside(input, name))
					if err != nil {
						t.Error(err)
					} else if info.Mode().Perm() != 0o600 {
						t.Errorf("%s is %v", name, info.Mode())
					}
				}
			}
			env, posts := serveLies(t, func(w http.ResponseWriter, data map[string]any) {
				private("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock", "a.rejected.csv")
				answerJSON(w, data)
			})
			for _, status := range []int{exit.Unfinished, exit.Attention} {
				var errs bytes.Buffer
				cmd := exec.Command("sh", "-c", `umask "$0" && exec paylinks "$@"`, umask,
					"run", input, "--ledger", beside(input, "ledger.db"), "--skip-invalid", "--limit", "1", "--rate", "0")
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}
				for name, value := range env {
					cmd.Env = append(cmd.Env, name+"="+value)
				}
				cmd.Stderr = &errs
				_ = cmd.Run()
				if cmd.ProcessState.ExitCode() != status {
					t.Fatalf("status %d: %s", cmd.ProcessState.ExitCode(), &errs)
				}
				private("ledger.db", "ledger.db.lock", "a.links.csv", "a.rejected.csv")
				// A second run finds the files as a careless person has left them.
				for _, name := range []string{"ledger.db", "ledger.db.lock", "a.links.csv"} {
					if err := os.Chmod(beside(input, name), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			if posts.Load() != 2 {
				t.Errorf("%d posts", posts.Load())
			}
		})
	}
}
