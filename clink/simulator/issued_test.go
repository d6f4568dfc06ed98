package simulator

import (
	"testing"
	"time"
)

// TestIssued guards that a real session is not taken for one of a rehearsal: a links file that holds real ones is not replaced.
func TestIssued(t *testing.T) {
	of := func(at time.Time) string {
		return sessionID{issued: at.UnixMilli(), number: 7, nonce: newNonce()}.String()
	}
	for _, tt := range []struct {
		name, id, link string
		want           bool
	}{
		{"of now", of(time.Now()), "", true},
		{"of last year", of(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)), "", true},
		{"of a time before there was a simulator", of(time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC)), "", false},
		{"of a time to come", of(time.Now().AddDate(1, 0, 0)), "", false},
		{"another form", "sess_8f4e2a9c71b04d5e", "", false},
		{"its form by chance", "sess_8f4e2a9c71b04d5e8f4e2a9c", "", false},
		{"none", "", "", false},
		{"with its link", "sess_1", New(Config{}).payURL(sessionID{}), true},
		{"with another link", of(time.Now()), "https://checkout.clinkbill.com/pay/sess_1", false},
		{"with a link that begins alike", of(time.Now()), nowhere + ".test/pay/sess_1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Issued(tt.id, tt.link); got != tt.want {
				t.Errorf("%s, %q: %v", tt.id, tt.link, got)
			}
		})
	}
}
