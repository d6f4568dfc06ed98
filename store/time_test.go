package store

import (
	"math/rand/v2"
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

// Times are compared as texts, so each must be written in the one layout.
func TestStampIsInTheLayout(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	year := func(n int) int64 { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC).Unix() }
	from, to := year(0), year(10_000)
	times := []time.Time{
		time.Unix(from, 0), time.Unix(to, -1), time.Unix(0, 999_999), time.Unix(0, 1_000_000), time.Unix(0, 999_999_999), time.Unix(0, 10_999_999),
	}
	for range 100_000 {
		zone := time.FixedZone("", random.IntN(86_400)-43_200)
		times = append(times, time.Unix(from+random.Int64N(to-from), random.Int64N(1_000_000_000)).In(zone))
	}
	for _, at := range times {
		want := at.UTC().Format(timeLayout)
		if got := stamp(at); got != want {
			t.Fatalf("%v is written %s, want %s", at, got, want)
		}
		var read time.Time
		if err := timeOf(&read).Scan(want); err != nil || !read.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%s is read as %v, %v", want, read, err)
		}
	}
	if got := stamp(time.Time{}); got != "" {
		t.Errorf("no time is written %q", got)
	}
}

func BenchmarkStamp(b *testing.B) {
	b.ReportAllocs()
	for at := time.Now(); b.Loop(); {
		stamp(at)
	}
}
