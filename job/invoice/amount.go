package invoice

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// maxWholeDigits keeps every amount, counted in 1/10,000, inside an int64.
const maxWholeDigits = 14

// readAmount reads a positive amount, written as a plain decimal or with thousands separators that leave no second
// reading, and returns it plain: 1234.50. The number of decimals is checked later, by [checkDecimals].
func readAmount(s string, decimalComma bool) (plain string, bad *Problem) {
	point, group := ".", ","
	if decimalComma {
		point, group = ",", "."
	}
	if at := strings.IndexFunc(s, notInAmount); at >= 0 {
		return "", foreignInAmount(s, at, point)
	}

	whole, decimals, hasPoint := strings.Cut(s, point)
	if strings.ContainsAny(decimals, ".,") {
		return "", misplacedSigns(s, point)
	}
	if strings.Contains(whole, group) {
		parts := strings.Split(whole, group)
		if !wellGrouped(parts) {
			return "", misplacedSigns(s, point)
		}
		if len(parts) == 2 && !hasPoint {
			return "", flaw(AmountAmbiguous, "could be read two ways", fmt.Sprintf("write %s, or %s%s00 if the %q separates thousands",
				strings.Join(parts, ""), strings.Join(parts, group), point, group), otherDecimal(decimalComma))
		}
		whole = strings.Join(parts, "")
	}

	switch {
	case whole == "":
		return "", flaw(AmountLeadingPoint, "begins with the decimal sign", "write a digit before it, as in 0"+point+"50")
	case hasPoint && decimals == "":
		return "", flaw(AmountTrailingPoint, "ends with the decimal sign", "write the decimals, or leave the sign out")
	case len(whole) > 1 && whole[0] == '0':
		return "", flaw(AmountLeadingZero, "begins with a needless 0", "write the amount without it; is this perhaps an account or invoice number?")
	case len(whole) > maxWholeDigits:
		return "", flaw(AmountTooLarge, fmt.Sprintf("has more than %d digits before the decimals", maxWholeDigits), "is this perhaps an account or invoice number?")
	case strings.Trim(whole+decimals, "0") == "":
		return "", flaw(AmountZero, "is zero", "an invoice needs an amount above zero; take the row out if nothing is due")
	}
	if hasPoint {
		return whole + "." + decimals, nil
	}
	return whole, nil
}

// wellGrouped reports whether the parts are 1 to 3 digits and then groups of three.
func wellGrouped(parts []string) bool {
	for i, part := range parts {
		if len(part) != 3 && (i > 0 || part == "" || len(part) > 3) {
			return false
		}
	}
	return len(parts) > 1
}

var (
	shapeWithPoint = regexp.MustCompile(`^([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?$`)
	shapeWithComma = regexp.MustCompile(`^([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$`)
)

// misplacedSigns tells an amount written under the other convention from one that no convention allows.
func misplacedSigns(s, point string) *Problem {
	switch {
	case point == "," && shapeWithPoint.MatchString(s):
		return flaw(AmountDecimalPoint, "has a decimal point, in a file that is read with decimal commas", "", otherDecimal(true))
	case point == "." && shapeWithComma.MatchString(s):
		return flaw(AmountDecimalComma, "has a decimal comma", "", otherDecimal(false))
	}
	return badGrouping(point)
}

func badGrouping(point string) *Problem {
	return flaw(AmountGrouping, "has thousands separators where none belong", "write the amount without them, as in 1234567"+point+"50")
}

// otherDecimal is the option to read the file with the other decimal sign.
func otherDecimal(decimalComma bool) Option {
	if decimalComma {
		return Option{Do: LeaveOut, Setting: "decimal", Value: "comma", When: "the whole file is written with a decimal point"}
	}
	return Option{Do: Add, Setting: "decimal", Value: "comma", When: "the whole file is written with a decimal comma"}
}

func notInAmount(r rune) bool {
	return (r < '0' || r > '9') && r != '.' && r != ','
}

// foreignInAmount says what is wrong with an amount whose byte i begins a character that no amount has.
func foreignInAmount(s string, i int, point string) *Problem {
	const plainly = "write digits and at most one decimal sign"
	r := []rune(s[i:])[0]
	switch {
	case strings.ContainsRune(" \u00a0\u202f\t\r\n", r) || unicode.IsSpace(r):
		return flaw(AmountSpace, fmt.Sprintf("has a space in it (U+%04X)", r), "write the amount without spaces")
	case isInvisible(r):
		return invisibleFlaw(r)
	case r == unicode.ReplacementChar:
		return damaged()
	case r == '-' && i > 0 && i < len(s)-1, r == '/' || r == ':':
		return flaw(AmountNotANumber, "is not an amount", plainly+"; is this perhaps a date?")
	case r == '-', r == '(':
		return flaw(AmountNegative, "is negative", "a credit note cannot become a payment link; take the row out")
	case r == '+':
		return flaw(AmountPlus, "has a plus sign", "write the amount without it")
	case unicode.Is(unicode.Pd, r), r == '\u2212', r == '\u207b':
		return flaw(AmountMinusSign, fmt.Sprintf("has a dash or minus sign (U+%04X)", r), "a credit note cannot become a payment link; take the row out")
	case r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' || r == '_':
		return badGrouping(point)
	case unicode.Is(unicode.Nd, r):
		return flaw(AmountDigits, fmt.Sprintf("has a digit that is not 0 to 9 (U+%04X)", r), "type the amount again with the digits 0 to 9")
	case (r == 'e' || r == 'E') && i > 0 && strings.Trim(s[i+1:], "+-0123456789") == "" && s[i+1:] != "":
		return flaw(AmountExponent, "is in scientific notation", "format the column as a number with decimals in the spreadsheet and save again: digits may be lost already")
	case unicode.Is(unicode.Sc, r), unicode.IsLetter(r) && strings.ContainsAny(s, "0123456789"): // not NaN, n/a, free
		return flaw(AmountCurrency, "has letters or a currency sign in it", "write the bare number; the currency has its own column")
	}
	return flaw(AmountNotANumber, "is not an amount", plainly)
}

// checkDecimals refuses more decimals than the currency has, zeros too: they say that the amount was meant otherwise.
func checkDecimals(plain, code string, digits int, decimalComma bool) *Problem {
	_, decimals, _ := strings.Cut(plain, ".")
	if len(decimals) <= digits {
		return nil
	}
	most := "no decimals"
	if digits > 0 {
		most = fmt.Sprintf("at most %d", digits)
	}
	bad := flaw(AmountDecimals, fmt.Sprintf("has too many decimals: %d, where %s has %s", len(decimals), code, most),
		"correct the amount, or the currency; nothing is ever rounded")
	if len(decimals) == 3 { // they may be thousands
		bad.Options = []Option{otherDecimal(decimalComma)}
	}
	return bad
}
