package job

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	tests := []struct {
		n           int
		most, least time.Duration
	}{
		{1, time.Second, 750 * time.Millisecond},
		{2, 2 * time.Second, 1500 * time.Millisecond},
		{3, 4 * time.Second, 3 * time.Second},
		{6, 32 * time.Second, 24 * time.Second},
		{7, time.Minute, 45 * time.Second},
		{8, time.Minute, 45 * time.Second},
		{1_000_000, time.Minute, 45 * time.Second},
	}
	for _, tt := range tests {
		if got := Backoff(tt.n, 0); got != tt.most {
			t.Errorf("Backoff(%d, 0) = %s, want %s", tt.n, got, tt.most)
		}
		if got := Backoff(tt.n, 1); got != tt.least {
			t.Errorf("Backoff(%d, 1) = %s, want %s", tt.n, got, tt.least)
		}
	}
}

func TestDoubled(t *testing.T) {
	tests := []struct {
		first time.Duration
		n     int
		most  time.Duration
		want  time.Duration
	}{
		{time.Second, -1, time.Minute, time.Second},
		{time.Second, 0, time.Minute, time.Second},
		{time.Second, 5, time.Minute, 32 * time.Second},
		{time.Second, 6, time.Minute, time.Minute},
		{time.Second, 1_000, time.Minute, time.Minute},
		{2 * time.Minute, 0, time.Minute, time.Minute},
	}
	for _, tt := range tests {
		if got := doubled(tt.first, tt.n, tt.most); got != tt.want {
			t.Errorf("doubled(%s, %d, %s) = %s, want %s", tt.first, tt.n, tt.most, got, tt.want)
		}
	}
}
