package clink

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a server may ask for, so that adding it to a time is always safe.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads a Retry-After header, in seconds or as an HTTP date, as the time to wait from now.
// It is 0 when missing, unreadable or past, and at most a year.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if isDigits(header) {
		seconds, err := strconv.ParseInt(header, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// isDigits says whether s is made of ASCII digits, at least one.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
