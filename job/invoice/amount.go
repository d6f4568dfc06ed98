package invoice

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWholeDigits keeps every amount, counted in 1/10,000, inside an int64.
const maxWholeDigits = 14

// amountFormat is how the amounts of a row are written: the decimal sign of the file and the currency of the row.
type amountFormat struct {
	decimalComma bool
	code         string // "" where the currency is not known: the decimals are not checked, and the sign of any currency may stand there
	digits       int    // how many decimals the currency has
}

// point is the decimal sign, and group the one of the two that separates thousands.
func (f amountFormat) point() string {
	if f.decimalComma {
		return ","
	}
	return "."
}

func (f amountFormat) group() string {
	if f.decimalComma {
		return "."
	}
	return ","
}

// number is an amount as it stands in the cell, without what stands around it.
type number struct {
	whole, decimals string
	point           bool  // it has a decimal sign, be it before decimals or before a dash
	grouped         bool  // its whole part has group separators
	ways            []Way // in which it is not written plainly
}

// read reads a positive amount that leaves no second reading. It returns the amount plain, as in 1234.50, with no more decimals than
// the currency has, and in which ways it was not written plainly.
func (f amountFormat) read(s string) (plain string, ways []Way, bad *Problem) {
	n, bad := f.parse(s)
	if bad != nil && bad.Kind == AmountGrouping {
		other := f
		other.decimalComma = !f.decimalComma
		if _, otherBad := other.parse(s); otherBad == nil {
			bad = f.otherSign()
		}
	}
	if bad == nil {
		bad = f.check(&n)
	}
	switch {
	case bad != nil:
		return "", nil, bad
	case n.decimals == "":
		return n.whole, n.ways, nil
	}
	return n.whole + "." + n.decimals, n.ways, nil
}

// isBare reports whether the cell has nothing but digits and the two signs that can be a decimal sign.
func isBare(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '.' && s[i] != ',' {
			return false
		}
	}
	return s != ""
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// parse takes the cell apart. An [AmountGrouping] from it may be an amount with the other decimal sign.
func (f amountFormat) parse(s string) (n number, bad *Problem) {
	if isBare(s) {
		return n, f.split(s, &n)
	}
	s, bad = evenSpaces(s)
	if bad != nil {
		return n, bad
	}
	first, last := strings.IndexAny(s, "0123456789"), strings.LastIndexAny(s, "0123456789")
	if first < 0 {
		return n, f.withoutDigits(s)
	}
	body, tail := s[first:last+1], s[last+1:]
	tail, noCents := f.cutNoCents(tail)
	before, after := f.affix(s[:first]), f.affix(tail)
	if bad := notInNumber(body); bad != nil {
		return n, bad
	}
	if bad := f.refused(before, after); bad != nil {
		return n, bad
	}
	n.point = noCents
	if bad := f.split(body, &n); bad != nil {
		return n, bad
	}
	if before.abbreviated && !f.decimalComma && !n.point {
		return n, flaw(AmountAmbiguous, fmt.Sprintf("could be read two ways, as %s or as 0.%s", n.whole, n.whole),
			"put a space behind the currency's sign, or leave the sign out")
	}
	for _, found := range []struct {
		found bool
		way   Way
	}{
		{s[0] == ' ' || s[len(s)-1] == ' ', Padded},
		{noCents, NoCents},
		{before.sign || after.sign, CurrencySign},
	} {
		if found.found {
			n.ways = append(n.ways, found.way)
		}
	}
	return n, nil
}

// evenSpaces makes no-break spaces plain, and refuses what nobody sees and white space that is in no number.
func evenSpaces(s string) (string, *Problem) {
	for _, r := range s {
		switch {
		case r == ' ', r == '\u00a0', r == '\u202f':
		case unicode.IsSpace(r):
			return "", flaw(AmountSpace, fmt.Sprintf("has a space in it (U+%04X) that no number has", r), "write the amount without it")
		case isInvisible(r):
			return "", invisibleFlaw(r)
		case r == unicode.ReplacementChar:
			return "", damaged()
		}
	}
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s), nil
}

func isDash(r rune) bool {
	return r == '-' || r == '\u2212' || r == '\u207b' || unicode.Is(unicode.Pd, r)
}

// cutNoCents takes off a decimal sign with one or two dashes behind it, which stand for no cents.
func (f amountFormat) cutNoCents(tail string) (rest string, found bool) {
	after, found := strings.CutPrefix(tail, f.point())
	if !found {
		return tail, false
	}
	rest = after
	for range 2 {
		if r, size := utf8.DecodeRuneInString(rest); isDash(r) {
			rest = rest[size:]
		}
	}
	if rest == after {
		return tail, false
	}
	return rest, true
}

// notInNumber says what is wrong with a number that has something else than separators between its digits.
func notInNumber(body string) *Problem {
	const plainly = "write digits and at most one decimal sign"
	for i, r := range body {
		switch {
		case isBare(string(r)), r == ' ', isApostrophe(r), r == '_', r == '`', r == '´':
		case isDash(r), r == '/', r == ':':
			return flaw(AmountNotANumber, "is not an amount", plainly+"; is this perhaps a date?")
		case unicode.Is(unicode.Nd, r):
			return foreignDigit(r)
		case (r == 'e' || r == 'E') && strings.Trim(body[i+1:], "+-0123456789") == "":
			return flaw(AmountExponent, "is in scientific notation", "format the column as a number with decimals in the spreadsheet and save again: digits may be lost already")
		default:
			return flaw(AmountNotANumber, "is not an amount: it has "+quote(string(r))+" between its digits", plainly)
		}
	}
	return nil
}

func foreignDigit(r rune) *Problem {
	return flaw(AmountDigits, fmt.Sprintf("has a digit that is not 0 to 9 (U+%04X)", r), "type the amount again with the digits 0 to 9")
}

// withoutDigits says what is wrong with a cell that has no digit.
func (f amountFormat) withoutDigits(s string) *Problem {
	if at := strings.IndexFunc(s, unicode.IsDigit); at >= 0 {
		return foreignDigit([]rune(s[at:])[0])
	}
	if m := f.affix(s); m.dash != 0 && m.foreign == "" {
		return flaw(AmountZero, "is a dash, which stands for nothing", "write what is due, or take the row out")
	}
	return flaw(AmountNotANumber, "is not an amount", "write digits and at most one decimal sign")
}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' }

// split divides the number at its decimal sign, unless that stands behind it already, and joins its groups.
func (f amountFormat) split(body string, n *number) *Problem {
	whole, decimals, found := strings.Cut(body, f.point())
	if found && n.point {
		return f.wrongGroups()
	}
	n.whole, n.decimals, n.point = whole, decimals, n.point || found
	switch {
	case n.whole == "" && n.decimals == "":
		return flaw(AmountNotANumber, "is not an amount", "write digits and at most one decimal sign")
	case !onlyDigits(n.decimals):
		return f.wrongGroups()
	case n.whole == "":
		return f.leadingPoint()
	case found && n.decimals == "":
		return f.trailingPoint()
	}
	if onlyDigits(n.whole) {
		return nil
	}
	parts := strings.FieldsFunc(n.whole, func(r rune) bool { return r < '0' || r > '9' })
	separator, separators := "", 0
	for _, r := range n.whole {
		switch {
		case r >= '0' && r <= '9':
			continue
		case r == '’':
			r = '\''
		}
		if separator != "" && separator != string(r) {
			return f.wrongGroups()
		}
		separator = string(r)
		separators++
	}
	indian := separator == "," && inIndianGroups(parts)
	if separators != len(parts)-1 || !isDigit(n.whole[0]) || !strings.Contains(f.group()+" '", separator) || !inThousands(parts) && !indian {
		return f.wrongGroups()
	}
	if len(parts) == 2 && separator == f.group() && !n.point {
		return f.twoWays(parts)
	}
	switch {
	case separator == " ":
		n.ways = append(n.ways, Spaces)
	case separator == "'":
		n.ways = append(n.ways, Apostrophes)
	case !inThousands(parts):
		n.ways = append(n.ways, IndianGroups)
	}
	n.whole, n.grouped = strings.Join(parts, ""), true
	return nil
}

// inThousands reports whether the parts are 1 to 3 digits and then groups of three.
func inThousands(parts []string) bool {
	for i, part := range parts {
		if len(part) != 3 && (i > 0 || len(part) > 3) {
			return false
		}
	}
	return len(parts) > 1
}

// inIndianGroups reports whether the parts are 1 or 2 digits, then groups of two, and three digits at last: 12,34,567.
func inIndianGroups(parts []string) bool {
	last := len(parts) - 1
	for i, part := range parts {
		switch {
		case i == last && len(part) != 3, i > 0 && i < last && len(part) != 2, i == 0 && len(part) > 2:
			return false
		}
	}
	return last > 1
}

// check refuses an amount that cannot be billed, and takes off zeros beyond the decimals of its currency, which change nothing.
func (f amountFormat) check(n *number) *Problem {
	switch {
	case len(n.whole) > 1 && n.whole[0] == '0':
		return flaw(AmountLeadingZero, "begins with a needless 0", "write the amount without it; is this perhaps an account or invoice number?")
	case len(n.whole) > maxWholeDigits:
		return flaw(AmountTooLarge, fmt.Sprintf("has more than %d digits before the decimals", maxWholeDigits), "is this perhaps an account or invoice number?")
	case strings.Trim(n.whole+n.decimals, "0") == "":
		return flaw(AmountZero, "is zero", "an invoice needs an amount above zero; take the row out if nothing is due")
	case f.code == "" || len(n.decimals) <= f.digits:
		return nil
	case strings.Trim(n.decimals[f.digits:], "0") != "":
		return f.tooManyDecimals(len(n.decimals))
	case len(n.decimals) == 3 && (n.grouped || len(n.whole) <= 3 && n.whole != "0"):
		return f.decimalsOrThousands(n)
	}
	n.decimals = n.decimals[:f.digits]
	n.ways = append(n.ways, Zeros)
	return nil
}
