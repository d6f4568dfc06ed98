package invoice

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// affix is what stands before or behind the digits of an amount.
type affix struct {
	sign        bool   // a sign or the code of the row's currency
	abbreviated bool   // the sign ends with a dot, right before the digits
	dash        rune   // a minus sign, or another dash
	bracket     bool   // a round bracket
	plus        bool   // a plus sign
	percent     bool   // a percent sign
	credit      string // CR
	debit       string // DR
	foreign     string // the rest, from the first that is none of these
}

// affix takes apart what stands before or behind the digits.
func (f amountFormat) affix(text string) (m affix) {
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == ' ':
		case isDash(r):
			m.dash = r
		case r == '(' || r == ')':
			m.bracket = true
		case r == '+':
			m.plus = true
		case strings.ContainsRune("%‰％﹪", r):
			m.percent = true
		default:
			word := leadingWord(text)
			sign := f.currencySign(text)
			switch {
			case strings.EqualFold(word, "CR"):
				m.credit, size = word, len(word)
			case strings.EqualFold(word, "DR"):
				m.debit, size = word, len(word)
			case sign != "" && !m.sign:
				m.sign, size = true, len(sign)
			default:
				m.foreign = text
				return m
			}
			if dotted := strings.HasPrefix(text[size:], ".") && word != ""; dotted || text[size-1] == '.' {
				if dotted {
					size++
				}
				m.abbreviated = text[size:] == ""
			}
		}
		text = text[size:]
	}
	return m
}

// leadingWord is the letters with which the text begins.
func leadingWord(text string) string {
	if end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
		return text[:end]
	}
	return text
}

// creditNote says what becomes of a credit.
const creditNote = "a credit note cannot become a payment link; take the row out"

// refused refuses an amount for what stands around it: credits first, since who only takes the mark out would bill a credit.
func (f amountFormat) refused(before, after affix) *Problem {
	credit, debit, dash := cmp.Or(before.credit, after.credit), cmp.Or(before.debit, after.debit), cmp.Or(before.dash, after.dash)
	switch {
	case before.percent || after.percent:
		return flaw(AmountPercent, "is a percentage, not an amount", "write the amount that it comes to")
	case credit != "":
		return flaw(AmountCredit, "is a credit: it is marked "+quote(credit), creditNote)
	case before.bracket || after.bracket:
		return flaw(AmountNegative, "is a credit: brackets stand for a minus sign", creditNote)
	case dash == '-':
		return flaw(AmountNegative, "is a credit: it has a minus sign", creditNote)
	case dash != 0:
		return flaw(AmountMinusSign, fmt.Sprintf("is a credit: it has a dash or minus sign (U+%04X)", dash), creditNote)
	case debit != "":
		return flaw(AmountDebit, "is marked as a debit: "+quote(debit),
			"a debit is due in a customer's account: if it is so here, write the amount without the mark")
	case before.plus || after.plus:
		return flaw(AmountPlus, "has a plus sign", "write the amount without it")
	}
	if before.foreign == f.point() {
		return f.leadingPoint()
	}
	if strings.HasPrefix(after.foreign, f.point()) {
		return f.trailingPoint()
	}
	if foreign := cmp.Or(before.foreign, after.foreign); foreign != "" {
		return f.foreignMark(strings.TrimSpace(foreign))
	}
	return nil
}

// foreignMark refuses what stands beside an amount and is no sign of its currency.
func (f amountFormat) foreignMark(mark string) *Problem {
	first, _ := utf8.DecodeRuneInString(mark)
	switch {
	case strings.ContainsRune(".,'’_`´", first):
		return f.wrongGroups()
	case strings.ContainsFunc(mark, func(r rune) bool { return unicode.Is(unicode.Nd, r) }):
		return foreignDigit([]rune(mark[strings.IndexFunc(mark, unicode.IsDigit):])[0])
	case f.code != "" && (strings.ContainsFunc(mark, isCurrencySign) || amountFormat{}.currencySign(mark) == mark):
		return flaw(AmountCurrency, fmt.Sprintf("has %s beside it, and the row's currency is %s", quote(mark), f.code),
			"correct the one that is wrong; if the currency is right, leave the sign out")
	case strings.ContainsFunc(mark, unicode.IsLetter), strings.ContainsFunc(mark, isCurrencySign):
		return flaw(AmountCurrency, "has "+quote(mark)+" beside it", "write the bare number; the currency has its own column")
	}
	return flaw(AmountNotANumber, "is not an amount: it has "+quote(mark)+" beside its digits", "write digits and at most one decimal sign")
}

func isCurrencySign(r rune) bool { return unicode.Is(unicode.Sc, r) }
