package simulator

import (
	"errors"
	"strconv"
	"strings"
)

// maxExponent is beyond any real amount and keeps an exponent from being turned into endless zeros.
const maxExponent = 18

// minorUnits reads the text of a JSON number, without any float, as a positive whole number of the
// currency's smallest unit: "19.99" with 2 digits is 1999. More decimals than digits are refused
// unless they are zeros, and so is what needs more than 18 figures.
func minorUnits(number string, digits int) (int64, error) {
	if strings.HasPrefix(number, "-") {
		return 0, errors.New("must be above 0")
	}
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	exponent := 0
	if exponentText != "" {
		var err error
		exponent, err = strconv.Atoi(exponentText)
		if err != nil || exponent < -maxExponent || exponent > maxExponent {
			return 0, errors.New("has an exponent out of range")
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	figures := strings.TrimLeft(whole+fraction, "0")
	if figures == "" {
		return 0, errors.New("must be above 0")
	}
	zeros := digits + exponent - len(fraction) // to append; to take away when negative
	for ; zeros < 0; zeros++ {
		var isZero bool
		if figures, isZero = strings.CutSuffix(figures, "0"); !isZero {
			return 0, errors.New("has more decimals than its currency")
		}
	}
	if len(figures)+zeros > 18 {
		return 0, errors.New("is too large")
	}
	return strconv.ParseInt(figures+strings.Repeat("0", zeros), 10, 64)
}

// majorUnits is the inverse of minorUnits, with every decimal of the currency: 1990 with 2 digits is "19.90".
func majorUnits(minor int64, digits int) string {
	text := strconv.FormatInt(minor, 10)
	if digits == 0 {
		return text
	}
	if missing := digits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	point := len(text) - digits
	return text[:point] + "." + text[point:]
}
