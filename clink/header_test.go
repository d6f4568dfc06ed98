package clink

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A header that requests share tells each of them its own time, and stays as it is for those that have it already.
func TestHeadersTellTheTime(t *testing.T) {
	h := &headers{timeless: http.Header{"User-Agent": {"paylinks"}}}
	start := time.UnixMilli(1_772_359_200_000)
	given := map[int64]http.Header{}
	for _, after := range []time.Duration{0, 999 * time.Microsecond, time.Millisecond, time.Hour, 0, time.Hour + time.Microsecond} {
		now := start.Add(after)
		given[now.UnixMilli()] = h.at(now)
		for millis, got := range given {
			want := http.Header{"User-Agent": {"paylinks"}, "X-Timestamp": {strconv.FormatInt(millis, 10)}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s after the start, at %d (-want +got)\n%s", after, millis, diff)
			}
		}
	}
	if len(given) != 3 || len(h.timeless) != 1 {
		t.Errorf("%d times, and %v for all", len(given), h.timeless)
	}
}
