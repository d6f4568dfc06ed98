package clink

import (
	"encoding/json"
	"strconv"
	"strings"
)

// SameNumber says whether a and b are the same decimal number, exactly: 19.9, 19.90 and 1.99e1 are.
// A text that is no JSON number equals nothing, not even itself. The cost grows with the length of the texts, not with their exponents.
func SameNumber(a, b json.Number) bool {
	x, ok := parseDecimal(a)
	if !ok {
		return false
	}
	y, ok := parseDecimal(b)
	return ok && x == y
}

// decimal is 0.digits × 10^exponent, with no zero at either end of digits. The zero value is 0.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parseDecimal reads a JSON number. An exponent beyond 17 digits is refused, so that the sum cannot overflow.
func parseDecimal(n json.Number) (d decimal, ok bool) {
	rest, negative := strings.CutPrefix(string(n), "-")
	mantissa, exponent := rest, int64(0)
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		if exponent, ok = parseExponent(rest[i+1:]); !ok {
			return decimal{}, false
		}
	}
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	if !isDigits(whole) || len(whole) > 1 && whole[0] == '0' || pointed && !isDigits(fraction) {
		return decimal{}, false
	}
	all := whole + fraction
	significant := strings.TrimLeft(all, "0")
	if significant == "" {
		return decimal{}, true
	}
	return decimal{
		negative: negative,
		digits:   strings.TrimRight(significant, "0"),
		exponent: exponent + int64(len(whole)-(len(all)-len(significant))),
	}, true
}

func parseExponent(s string) (int64, bool) {
	digits := s
	if s != "" && (s[0] == '+' || s[0] == '-') {
		digits = s[1:]
	}
	if !isDigits(digits) || len(strings.TrimLeft(digits, "0")) > 17 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// isDigits says whether s is made of ASCII digits, at least one.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
