package clink

import (
	"encoding/json"

	"github.com/cockroachdb/apd/v3"
)

// maxCompared is the length in bytes of the longest number that is compared: no amount comes near it.
const maxCompared = 1000

// SameNumber says whether a and b are the same decimal number, exactly: 19.9, 19.90 and 1.99e1 are. A text that is no JSON
// number equals nothing, not even itself; nor does one of more than 1,000 bytes or beyond 10^±100,000, so comparing is cheap.
func SameNumber(a, b json.Number) bool {
	x, y := parseDecimal(a), parseDecimal(b)
	return x != nil && y != nil && x.Cmp(y) == 0
}

// parseDecimal returns nil for what [SameNumber] does not compare.
func parseDecimal(n json.Number) *apd.Decimal {
	if len(n) > maxCompared || !isNumber(n) {
		return nil
	}
	d, _, err := apd.NewFromString(string(n)) // it refuses larger exponents
	if err != nil {
		return nil
	}
	return d
}

// isNumber says whether n is a number as JSON has them, with nothing around it.
func isNumber(n json.Number) bool {
	var read json.Number
	return json.Unmarshal([]byte(n), &read) == nil && read == n
}
