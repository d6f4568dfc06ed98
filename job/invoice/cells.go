package invoice

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// isBlank reports whether a cell holds only spaces: it counts as not given.
func isBlank(cell string) bool { return strings.TrimSpace(cell) == "" }

// checkExact is for values that Clink or the ledger compares: no space around them, no invisible character in them.
func checkExact(cell string) *Problem {
	if bad := unseen(cell); bad != nil {
		return bad
	}
	if cell[0] == ' ' || cell[len(cell)-1] == ' ' {
		return flaw(SpaceAtEnd, "has a space before or after it", "take the space out")
	}
	return checkSpreadsheetError(cell)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var scientific = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$`)

func checkID(cell string) *Problem {
	if bad := checkExact(cell); bad != nil {
		return bad
	}
	if isDigit(cell[0]) && scientific.MatchString(cell) {
		return flaw(IDDamaged, "is an id that a spreadsheet has turned into a number", "some digits are lost: export it again with the column formatted as text")
	}
	return checkFormula(cell)
}

// checkInvoiceID checks the id by which the invoice is known in other files.
func checkInvoiceID(cell string) *Problem {
	if bad := checkNothing(cell); bad != nil {
		return bad
	}
	return checkID(cell)
}

func checkFormula(cell string) *Problem {
	if isFormula(cell) {
		return flaw(Formula, "begins like a spreadsheet formula", "no id or email begins with "+cell[:1]+": write the value itself")
	}
	return nil
}

// checkEmail refuses what is certain to bounce or is not one address. It does not know whether the address exists.
func checkEmail(cell string) *Problem {
	if bad := checkExact(cell); bad != nil {
		return bad
	}
	if bad := checkFormula(cell); bad != nil {
		return bad
	}
	local, domain, _ := strings.Cut(cell, "@")
	switch {
	case strings.Count(cell, "@") > 1:
		return flaw(EmailInvalid, "is more than one email address", "write a single address")
	case local == "" || strings.ContainsAny(cell, " ,;:<>()[]\\\"|") || !isDomain(domain):
		return flaw(EmailInvalid, "is not an email address", "write it plainly, as in name@example.com")
	case local[0] == '.' || strings.HasSuffix(local, ".") || strings.Contains(local, ".."):
		return flaw(EmailInvalid, "is not an email address: a dot is out of place", "write it plainly, as in name@example.com")
	case len(cell) > 254:
		return flaw(EmailInvalid, "is longer than the 254 characters an email address can have", "write a single address")
	}
	return nil
}

func isDomain(domain string) bool {
	labels := 0
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || strings.HasSuffix(label, "-") || strings.ContainsFunc(label, notInDomain) {
			return false
		}
		labels++
	}
	return labels > 1
}

func notInDomain(r rune) bool {
	if r >= 'a' && r <= 'z' {
		return false
	}
	return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
}

// maxURL is a length that browsers and mail programs handle.
const maxURL = 2048

func checkURL(cell string) *Problem {
	if bad := checkExact(cell); bad != nil {
		return bad
	}
	u, err := url.Parse(cell)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Contains(cell, " ") {
		return flaw(URLInvalid, "is not a web address", "write all of it, as in https://example.com/paid")
	}
	if len(cell) > maxURL {
		return flaw(URLInvalid, "is longer than 2048 characters", "use a shorter address")
	}
	return nil
}

// checkText is for text that people read: it refuses only what was damaged before.
func checkText(cell string) *Problem {
	if strings.ContainsRune(cell, unicode.ReplacementChar) {
		return damaged()
	}
	return checkSpreadsheetError(cell)
}

var paymentMethods = []string{
	"CARD", "CASHAPP", "WECHAT", "KAKAO", "PIX", "ALIPAY", "UPI", "PAYPAL", "GOOGLEPAY", "APPLEPAY", "QRIS", "GCASH",
}

func checkMethod(cell string) *Problem { return checkChoice(cell, paymentMethods...) }

func checkMethods(cell string) *Problem {
	for _, method := range splitMethods(cell) {
		if bad := checkMethod(method); bad != nil {
			return bad
		}
	}
	return nil
}

// splitMethods takes a list apart at its semicolons, without repeats, known ones as Clink spells them.
func splitMethods(cell string) []string {
	var methods []string
	for method := range strings.SplitSeq(cell, ";") {
		method = strings.Trim(method, " ")
		if known := choice(method, paymentMethods...); known != "" {
			method = known
		}
		if method != "" && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	return methods
}

func checkQRCode(cell string) *Problem { return checkChoice(cell, "CASHAPP") }

func checkUIMode(cell string) *Problem { return checkChoice(cell, uiModes...) }

var uiModes = []string{"hostedPage", "elements"}

var yes, no = []string{"true", "yes", "y", "1"}, []string{"false", "no", "n", "0"}

func checkBool(cell string) *Problem { return checkChoice(cell, append(slices.Clip(yes), no...)...) }

// checkChoice accepts one of the words, whatever its case.
func checkChoice(cell string, words ...string) *Problem {
	if bad := checkExact(cell); bad != nil {
		return bad
	}
	if choice(cell, words...) == "" {
		return flaw(ChoiceUnknown, "is not a word that this column takes", "write "+strings.Join(words, ", ")+", or leave the cell empty")
	}
	return nil
}

// choice is the word as Clink spells it, or "" when the cell is none of them.
func choice(cell string, words ...string) string {
	if cell == "" {
		return ""
	}
	for _, word := range words {
		if strings.EqualFold(cell, word) {
			return word
		}
	}
	return ""
}

// maxQuantityDigits keeps quantity × unit amount away from where it could overflow for any sensible order.
const maxQuantityDigits = 9

func checkQuantity(cell string) *Problem {
	if bad := checkExact(cell); bad != nil {
		return bad
	}
	if strings.Trim(cell, "0123456789") != "" || cell[0] == '0' || len(cell) > maxQuantityDigits {
		return flaw(QuantityInvalid, "is not a whole number of at least 1", "write a plain whole number, or leave the cell empty")
	}
	return nil
}
