package store

import (
	"testing"
	"time"
)

// FuzzParseStamp holds what is read digit by digit against what time.Parse makes of it.
func FuzzParseStamp(f *testing.F) {
	for _, text := range []string{
		"2026-03-01T12:00:00.000Z", "2026-12-31T23:59:59.999Z", "2024-02-29T00:00:00.001Z", "2026-02-29T00:00:00.000Z", "2026-04-31T00:00:00.000Z",
		"2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
		"2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01T00:00:00,000Z", "2026-01-01 00:00:00.000Z", "2026-01-01T00:00:00.00Z",
		"2026-01-01T00:00:00.000+", "2026/01-01T00:00:00.000Z", "2026-01/01T00:00:00.000Z", "2026-01-01T00.00:00.000Z", "2026-01-01T00:00.00.000Z",
		"202 -01-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z", "2026-01-01T00:00:00.-01Z", "2026-:1-01T00:00:00.000Z", "x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseStamp(text)
		want, wantErr := time.Parse(timeLayout, text)
		if text == "" {
			wantErr = nil
		}
		if (err == nil) != (wantErr == nil) || !got.Equal(want) || got.Location() != want.Location() {
			t.Errorf("%q is read as %s, %v; want %s, %v", text, got, err, want, wantErr)
		}
	})
}
