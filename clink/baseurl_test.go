package clink

import (
	"net/netip"
	"strings"
	"testing"
)

func TestNormalizeBaseURL(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"as it should be", "https://api.clinkbill.com/api", "https://api.clinkbill.com/api"},
		{"trailing slash", "https://api.clinkbill.com/api/", "https://api.clinkbill.com/api"},
		{"trailing slashes", "https://api.clinkbill.com//", "https://api.clinkbill.com"},
		{"no path", "https://api.clinkbill.com", "https://api.clinkbill.com"},
		{"upper case", "HTTPS://API.ClinkBill.com/Api", "https://api.clinkbill.com/Api"},
		{"default port", "https://api.clinkbill.com:443/api", "https://api.clinkbill.com/api"},
		{"a name that says it is whole", "https://api.clinkbill.com./api", "https://api.clinkbill.com/api"},
		{"empty port", "https://api.clinkbill.com:/api", "https://api.clinkbill.com/api"},
		{"another port", "https://api.clinkbill.com:8443/api", "https://api.clinkbill.com:8443/api"},
		{"http's port under https", "https://api.clinkbill.com:80", "https://api.clinkbill.com:80"},
		{"spaces around", " https://api.clinkbill.com/api\n", "https://api.clinkbill.com/api"},
		{"escaped path", "https://api.clinkbill.com/a%2Fb", "https://api.clinkbill.com/a%2Fb"},
		{"http to 127.0.0.1", "http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api"},
		{"http to 127.1.2.3", "http://127.1.2.3", "http://127.1.2.3"},
		{"http to localhost", "http://LOCALHOST:80/", "http://localhost"},
		{"http to ::1", "http://[::1]:9/api", "http://[::1]:9/api"},
		{"http to a long ::1", "http://[0:0:0:0:0:0:0:1]:80/api", "http://[::1]/api"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NormalizeBaseURL(tt.raw)
			if err != nil || got != tt.want {
				t.Fatalf("got %q, %v, want %q", got, err, tt.want)
			}
			again, err := NormalizeBaseURL(got)
			if err != nil || again != got {
				t.Errorf("the normal form is not stable: got %q, %v", again, err)
			}
		})
	}
}

func TestNormalizeBaseURLRefuses(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"empty", "", "https://"},
		{"no scheme", "api.clinkbill.com/api", "https://"},
		{"a key in its place", "sk_live_secret", "https://"},
		{"another scheme", "ftp://api.clinkbill.com", "https://"},
		{"plain http", "http://api.clinkbill.com/api", "plain http"},
		{"plain http to a private address", "http://192.168.0.1", "plain http"},
		{"plain http to any address", "http://0.0.0.0", "plain http"},
		{"plain http to a name that begins like loopback", "http://127.0.0.1.example.com", "plain http"},
		{"plain http to a name under localhost", "http://a.localhost", "plain http"},
		{"user", "https://secret@api.clinkbill.com", "user name"},
		{"user and password", "https://u:secret@api.clinkbill.com", "user name"},
		{"loopback as a user", "http://127.0.0.1@api.clinkbill.com", "user name"},
		{"query", "https://api.clinkbill.com/api?secret=1", "query"},
		{"empty query", "https://api.clinkbill.com/api?", "query"},
		{"fragment", "https://api.clinkbill.com/api#secret", "fragment"},
		{"empty fragment", "https://api.clinkbill.com/api#", "fragment"},
		{"no host", "https:///api", "host"},
		{"only a port", "https://:443/api", "host"},
		{"opaque", "https:api.clinkbill.com", "host"},
		{"beyond ASCII", "https://äpi.clinkbill.com", "xn--"},
		{"zone", "http://[::1%25lo]", "character"},
		{"port 0", "https://api.clinkbill.com:0", "port"},
		{"port too high", "https://api.clinkbill.com:65536", "port"},
		{"port written oddly", "https://api.clinkbill.com:0443", "port"},
		{"port of letters", "https://u:secret", "not a URL"},
		{"space inside", "https://api.clink bill.com", "not a URL"},
		{"double slash", "https://api.clinkbill.com//api", "path"},
		{"dots", "https://api.clinkbill.com/api/../secret", "path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NormalizeBaseURL(tt.raw)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %q, %v, want an error about %q", got, err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats the value: %v", err)
			}
			if _, err := New(Config{BaseURL: tt.raw, Key: "sk_test_1"}); err == nil {
				t.Error("New took it")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	const base = "https://api.clinkbill.com/api"
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no key for another host", Config{BaseURL: base}, "key is empty"},
		{"line break after the key", Config{BaseURL: base, Key: "sk_secret\n"}, "key has"},
		{"space in the key", Config{BaseURL: base, Key: "sk secret"}, "key has"},
		{"letter beyond ASCII in the key", Config{BaseURL: base, Key: "sk_secretß"}, "key has"},
		{"line break in the version", Config{BaseURL: base, Key: "sk_secret", Version: "1\n2"}, "version"},
		{"negative connections", Config{BaseURL: base, Key: "sk_secret", Connections: -1}, "connections"},
		{"negative timeout", Config{BaseURL: base, Key: "sk_secret", Timeout: -1}, "timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error about %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
	for _, loopback := range []string{"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://127.0.0.1:1"} {
		if _, err := New(Config{BaseURL: loopback}); err != nil {
			t.Errorf("no key for %s: %v", loopback, err)
		}
	}
}

// A hosts file or a resolver can point localhost elsewhere: the key must not follow in the clear.
func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	tests := []struct {
		address string
		allowed bool
	}{
		{"127.0.0.1:80", true},
		{"[::1]:80", true},
		{netip.MustParseAddrPort("[::ffff:127.0.0.1]:80").String(), true},
		{"93.184.216.34:80", false},
		{"[2606:2800::1]:80", false},
		{"0.0.0.0:80", false},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			if err := loopbackOnly("tcp", tt.address, nil); (err == nil) != tt.allowed {
				t.Errorf("got %v", err)
			}
		})
	}
}
