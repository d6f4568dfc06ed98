package clink

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 10, 21, 7, 28, 0, 0, time.UTC)
	tests := []struct {
		name, header string
		want         time.Duration
	}{
		{"missing", "", 0},
		{"seconds", "120", 2 * time.Minute},
		{"spaces", " 7 ", 7 * time.Second},
		{"zero", "0", 0},
		{"negative", "-5", 0},
		{"fraction", "1.5", 0},
		{"plus sign", "+5", 0},
		{"words", "soon", 0},
		{"a year and more", "31536001", 365 * 24 * time.Hour},
		{"more than a duration holds", "9300000000", 365 * 24 * time.Hour},
		{"more than an integer holds", "99999999999999999999999", 365 * 24 * time.Hour},
		{"date", "Tue, 21 Oct 2025 07:29:30 GMT", 90 * time.Second},
		{"date in RFC 850's form", "Tuesday, 21-Oct-25 07:29:30 GMT", 90 * time.Second},
		{"date in C's form", "Tue Oct 21 07:29:30 2025", 90 * time.Second},
		{"date past", "Tue, 21 Oct 2025 07:27:00 GMT", 0},
		{"date now", "Tue, 21 Oct 2025 07:28:00 GMT", 0},
		{"date far away", "Fri, 31 Dec 9999 23:59:59 GMT", 365 * 24 * time.Hour},
		{"date long ago", "Sat, 01 Jan 0001 00:00:00 GMT", 0},
		{"date of no calendar", "Tue, 31 Feb 2026 07:28:00 GMT", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := retryAfter(tt.header, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
