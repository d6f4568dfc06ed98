package clink

import (
	"encoding/json"
	"strconv"
	"strings"
)

// SameNumber says whether a and b are the same decimal number, exactly: 19.9, 19.90 and 1.99e1 are.
// A text that is no JSON number equals nothing, not even itself. The cost grows with the length of the texts, not with their exponents.
func SameNumber(a, b json.Number) bool {
	x, ok := parseNumber(a)
	if !ok {
		return false
	}
	y, ok := parseNumber(b)
	return ok && (x == y || x.decimal() == y.decimal())
}

// isNumber says whether it is a JSON number that can be compared.
func isNumber(n json.Number) bool {
	_, ok := parseNumber(n)
	return ok
}

// number is a JSON number by its parts, as they are written.
type number struct {
	negative        bool
	whole, fraction string // digits; the fraction may be empty
	exponent        int64
}

// parseNumber reads a JSON number. An exponent beyond 17 digits is refused, so that a sum with it cannot overflow.
func parseNumber(n json.Number) (p number, ok bool) {
	mantissa, negative := strings.CutPrefix(string(n), "-")
	p.negative = negative
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		if p.exponent, ok = parseExponent(mantissa[i+1:]); !ok {
			return number{}, false
		}
		mantissa = mantissa[:i]
	}
	var pointed bool
	p.whole, p.fraction, pointed = strings.Cut(mantissa, ".")
	if !isDigits(p.whole) || len(p.whole) > 1 && p.whole[0] == '0' || pointed && !isDigits(p.fraction) {
		return number{}, false
	}
	return p, true
}

// decimal is 0.digits × 10^exponent, with no zero at either end of digits. The zero value is 0.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

func (p number) decimal() decimal {
	all := p.whole + p.fraction
	significant := strings.TrimLeft(all, "0")
	if significant == "" {
		return decimal{}
	}
	return decimal{
		negative: p.negative,
		digits:   strings.TrimRight(significant, "0"),
		exponent: p.exponent + int64(len(p.whole)-(len(all)-len(significant))),
	}
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
