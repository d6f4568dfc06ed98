package invoice

import (
	"strings"
	"unicode"

	"paylinks/job/invoice/xlsx"
)

// readSigned reads what a line comes to: it may be zero or, with a mark that says so, a discount.
func (f *finding) readSigned(name, cell string, format amountFormat) string {
	return f.readAmount(name, cell, func(typed *xlsx.Cell) (string, []Way, *Problem) {
		if typed != nil {
			plain, bad := format.readSignedNumber(*typed)
			return plain, nil, bad
		}
		return format.readSigned(cell)
	})
}

// readSigned reads an amount that may be zero, or negative by one mark: -5.00, 5.00-, (5.00) and 5.00 CR.
func (f amountFormat) readSigned(s string) (plain string, ways []Way, bad *Problem) {
	plain, ways, bad = f.read(s)
	if bad == nil {
		return plain, ways, nil
	}
	first, last := strings.IndexAny(s, "0123456789"), strings.LastIndexAny(s, "0123456789")
	switch bad.Kind {
	case AmountZero:
		if first < 0 { // a dash may stand for nothing, or for a cell that was forgotten
			return "", nil, bad
		}
		return "0", nil, nil
	case AmountNegative, AmountCredit, AmountMinusSign:
	default:
		return "", nil, bad
	}
	if first < 0 {
		return "", nil, bad
	}
	tail, _ := f.cutNoCents(s[last+1:])
	end := len(s) - len(tail)
	before, marks := withoutMarks(s[:first])
	after, more := withoutMarks(tail)
	if !marks.beside(more) {
		return "", nil, bad
	}
	plain, ways, bad = f.read(before + s[first:end] + after)
	switch {
	case bad == nil:
		return "-" + plain, ways, nil
	case bad.Kind == AmountZero:
		return "0", nil, nil
	}
	return "", nil, bad
}

// readSignedNumber reads a number of a workbook that may be zero or below it.
func (f amountFormat) readSignedNumber(c xlsx.Cell) (plain string, bad *Problem) {
	sign := ""
	if positive, negative := strings.CutPrefix(c.Text, "-"); negative {
		shown := c.Format.Show(c.Text)
		for _, text := range shown.Signs {
			rest, _ := withoutMarks(withoutNoCents(text))
			if bad := f.refused(f.affix(rest), affix{}); bad != nil {
				return "", bad.inFormat(shown.Text)
			}
		}
		if !sameDecimal(shown.Number, positive) {
			return "", flaw(ShownOtherwise, "is shown as "+quote(shown.Text)+" and kept as the number "+c.Text,
				"show all its decimals in the spreadsheet, or correct the number")
		}
		c.Text, sign = positive, "-"
	}
	plain, bad = f.readNumber(c)
	switch {
	case bad == nil:
		return sign + plain, nil
	case bad.Kind == AmountZero:
		return "0", nil
	}
	return "", bad
}

// minusMarks counts what makes an amount negative on one side of its digits.
type minusMarks struct{ dashes, open, shut, credits int }

// beside says whether the marks on both sides are one: two of them could take each other back.
func (m minusMarks) beside(after minusMarks) bool {
	dashes, credits := m.dashes+after.dashes, m.credits+after.credits
	if m.open == 0 && m.shut == 0 && after.open == 0 && after.shut == 0 {
		return dashes+credits == 1
	}
	return m.open == 1 && m.shut == 0 && after.open == 0 && after.shut == 1 && dashes+credits == 0
}

// withoutMarks takes out what makes an amount negative.
func withoutMarks(text string) (rest string, m minusMarks) {
	var b strings.Builder
	for text != "" {
		word := leadingWord(text)
		switch {
		case strings.EqualFold(word, "CR"):
			m.credits++
		case word != "":
			b.WriteString(word)
		}
		if text = text[len(word):]; text == "" {
			break
		}
		r := []rune(text)[0]
		switch {
		case isDash(r):
			m.dashes++
		case r == '(':
			m.open++
		case r == ')':
			m.shut++
		case !unicode.IsLetter(r):
			b.WriteRune(r)
		}
		text = text[len(string(r)):]
	}
	return b.String(), m
}

// LineAmount is what the row comes to if it is a line, in 1/10,000 of the currency's major unit: it may be zero or below it. Where the
// cell is blank it is blank; an amount that cannot be read is not readable.
func (r *Reader) LineAmount(row *Row) (amount int64, blank, readable bool) {
	at, taken := r.head.taken["amount"]
	if row.ragged || !taken {
		return 0, false, false
	}
	if isBlank(row.Cells[at]) {
		return 0, true, true
	}
	format, plain, bad := r.amountFormat(row), "", (*Problem)(nil)
	if row.typed != nil && row.typed.cells[at].Type == xlsx.Number {
		plain, bad = format.readSignedNumber(row.typed.cells[at])
	} else {
		plain, _, bad = format.readSigned(row.Cells[at])
	}
	return signedTenThousandths(plain), false, bad == nil
}
