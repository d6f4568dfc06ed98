package report

import (
	"encoding/json"
	"testing"
	"time"
)

// TestSeconds guards that a summary says milliseconds, and no digits that nobody has measured.
func TestSeconds(t *testing.T) {
	for took, want := range map[time.Duration]string{
		1247 * time.Millisecond: `1.247`, 1246600 * time.Microsecond: `1.247`, 0: `0`, time.Hour + time.Millisecond: `3600.001`,
	} {
		if got, err := json.Marshal(inSeconds(took)); err != nil || string(got) != want {
			t.Errorf("%s: got %s, want %s", took, got, want)
		}
	}
}
