package xlsx

import (
	"regexp"
	"strconv"
	"strings"
)

// digits are how many decimal digits of a number a spreadsheet keeps and shows; the stored double has some more, which are noise.
const digits = 15

var numberShape = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$`)

// plain is the shortest decimal of the double that a cell stores, at 15 significant digits: 1234.5699999999999 is 1234.57. A number of
// more than 20 digits before or after the point is left in scientific notation.
func plain(stored string) (decimal string, value float64, ok bool) {
	if !numberShape.MatchString(stored) {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return "", 0, false // beyond what a double can be
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(value, 'e', digits-1, 64), "e")
	sign := ""
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	all := strings.TrimRight(mantissa[:1]+mantissa[2:], "0")
	if all == "" {
		return "0", 0, true
	}
	e, _ := strconv.Atoi(exponent) // FormatFloat wrote it
	switch point := e + 1; {
	case point > 20 || point-len(all) < -20:
		return sign + strings.TrimSuffix(all[:1]+"."+all[1:], ".") + "E" + exponent, value, true
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + all, value, true
	case point >= len(all):
		return sign + all + strings.Repeat("0", point-len(all)), value, true
	default:
		return sign + all[:point] + "." + all[point:], value, true
	}
}
