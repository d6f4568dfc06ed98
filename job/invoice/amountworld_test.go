package invoice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/bojanz/currency"
)

// locales stand for all ways in which the CLDR groups digits, sets decimals and places a currency's sign.
var locales = strings.Fields("af ar-AE bg bn ca cs da de de-AT de-CH de-LI el en en-AU en-CA en-CH en-GB en-IN en-ZA es es-AR es-CL es-CR es-MX " +
	"et eu fa fi fil fr fr-CA fr-CH gu he hi hr hu hy id is it it-CH ja ka kn ko lt lv mk ml mr ms my nb ne nl pa pl pt pt-PT ro ru sk sl sr sv " +
	"sw ta te th tr uk ur uz vi zh zh-Hant zu")

// eachCurrency calls f with each currency that people pay in, and its decimals.
func eachCurrency(f func(code string, digits int)) {
	for digits, codes := range inForce {
		for code := range strings.FieldsSeq(codes) {
			f(code, digits)
		}
	}
}

// TestAmountsOfTheWorld guards that an amount as any language writes it, in any currency, is read to exactly its value, or refused for
// the one reason that it has.
func TestAmountsOfTheWorld(t *testing.T) {
	read, refused := 0, map[Kind]int{}
	eachCurrency(func(code string, digits int) {
		for _, id := range locales {
			locale := currency.NewLocale(id)
			formatter := currency.NewFormatter(locale)
			format := amountFormat{decimalCommaOf(locale), code, digits}
			for _, whole := range []string{"1", "123", "1234", "12345678"} {
				for _, decimals := range []string{"", "." + "505"[:digits]} {
					plain := strings.TrimSuffix(whole+decimals, ".")
					amount, err := currency.NewAmount(plain, code)
					if err != nil {
						t.Fatal(err)
					}
					for _, display := range []currency.Display{currency.DisplaySymbol, currency.DisplayCode, currency.DisplayNone} {
						formatter.CurrencyDisplay, formatter.MinDigits = display, uint8(len(strings.TrimPrefix(decimals, ".")))
						text := formatter.Format(amount)
						want := worldRefusal(text, format, locale, display)
						got, _, bad := format.read(text)
						kind := Kind("")
						if bad != nil {
							kind = bad.Kind
						}
						if kind != want || kind == "" && withoutZeros(got) != withoutZeros(plain) {
							t.Fatalf("%s in %s: %q read as %q (%s), want %s (%s)", code, id, text, got, kind, plain, want)
						}
						if kind == "" {
							read++
						} else {
							refused[kind]++
						}
					}
				}
			}
			formatter.CurrencyDisplay = currency.DisplayCode
			for _, formatter.AccountingStyle = range []bool{false, true} {
				credit, _ := currency.NewAmount("-1234", code)
				if got, _, bad := format.read(formatter.Format(credit)); bad == nil {
					t.Fatalf("%s in %s: the credit %q is read as %s", code, id, formatter.Format(credit), got)
				}
			}
		}
	})
	if read < 120_000 {
		t.Errorf("%d amounts were read, and refused were %v: is too much refused?", read, refused)
	}
}

// decimalCommaOf says whether the language writes a decimal comma.
func decimalCommaOf(locale currency.Locale) bool {
	formatter := currency.NewFormatter(locale)
	formatter.CurrencyDisplay = currency.DisplayNone
	half, _ := currency.NewAmount("1.5", "USD")
	return strings.Contains(formatter.Format(half), ",")
}

// worldRefusal is why an amount as a language writes it has to be refused, or "".
func worldRefusal(text string, format amountFormat, locale currency.Locale, display currency.Display) Kind {
	for _, r := range text {
		if r != '\u00a0' && r != '\u202f' && isInvisible(r) && r != ' ' {
			return Invisible
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsDigit(r) && r > '9' }) {
		return AmountDigits
	}
	symbol, _ := currency.GetSymbol(format.code, locale)
	symbol = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(symbol)
	if display == currency.DisplaySymbol && symbol != format.code && !slices.Contains(currencySigns[format.code], symbol) {
		return AmountCurrency
	}
	body := text[strings.IndexAny(text, "0123456789") : strings.LastIndexAny(text, "0123456789")+1]
	behindDot := strings.HasPrefix(text, symbol+body[:1]) && strings.HasSuffix(symbol, ".") && !format.decimalComma
	if behindDot && !strings.Contains(body, ".") {
		return AmountAmbiguous
	}
	if strings.Count(body, format.group()) == 1 && !strings.Contains(body, format.point()) {
		return AmountAmbiguous
	}
	return ""
}

// TestSignsAreTheCLDRs guards that the sign which a language gives a currency is taken, but for $ where it is no dollar, and codes of
// others.
func TestSignsAreTheCLDRs(t *testing.T) {
	eachCurrency(func(code string, _ int) {
		for _, id := range locales {
			symbol, _ := currency.GetSymbol(code, currency.NewLocale(id))
			if strings.ContainsFunc(symbol, func(r rune) bool { return r != '\u00a0' && r != '\u202f' && isInvisible(r) }) {
				continue
			}
			even, _ := evenSpaces(symbol)
			taken := (amountFormat{code: code}).currencySign(even) == even
			peso := symbol == "$" && strings.Contains("ARS CLP COP CUP MXN UYU", code)
			if taken == peso {
				t.Errorf("%q of %s in %s: taken %v", symbol, code, id, taken)
			}
		}
	})
	for code, want := range map[string]string{"USD": "$", "TWD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "SEK": "kr", "ZAR": "R", "INR": "₹"} {
		if !slices.Contains(currencySigns[code], want) {
			t.Errorf("%s is no sign of %s", want, code)
		}
	}
}

// TestSignsOfOthers guards that a sign of another currency is refused beside every amount.
func TestSignsOfOthers(t *testing.T) {
	eachCurrency(func(code string, digits int) {
		format := amountFormat{code: code, digits: digits}
		for other, signs := range currencySigns {
			for _, sign := range append(signs, other) {
				own := format.currencySign(sign) == sign || format.currencySign(sign)+"." == sign
				for _, text := range []string{sign + " 7", "7 " + sign} {
					if got, _, bad := format.read(text); (bad == nil) != own {
						t.Fatalf("%s: %q is read as %q (%v)", code, text, got, bad)
					}
				}
			}
		}
	})
}

// TestZerosBeyondTheCurrency guards, in every currency, that zeros beyond its decimals change nothing, except where the decimals could
// be thousands.
func TestZerosBeyondTheCurrency(t *testing.T) {
	eachCurrency(func(code string, digits int) {
		for _, comma := range []bool{false, true} {
			format := amountFormat{comma, code, digits}
			for _, whole := range []string{"0", "5", "12", "123", "1250", "98765", "1 250", "1" + format.group() + "250", "1'250"} {
				for decimals := range 8 {
					text := whole + format.point() + ("7" + strings.Repeat("0", 7))[:decimals]
					if decimals == 0 {
						text = strings.TrimSuffix(text, format.point())
						if whole == "0" || strings.Contains(whole, format.group()) {
							continue
						}
					}
					want := Kind("")
					bare := strings.Map(func(r rune) rune {
						if r < '0' || r > '9' {
							return -1
						}
						return r
					}, whole)
					thousands := bare != whole || len(whole) < 4 && whole != "0"
					switch {
					case digits == 0 && decimals > 0:
						want = AmountDecimals
					case decimals > digits && decimals == 3 && thousands:
						want = AmountAmbiguous
					}
					value := strings.TrimSuffix(bare+"."+"7"[:min(decimals, 1)], ".")
					zeros := strings.Replace(text, "7", "0", 1)
					check(t, format, text, value, want)
					switch {
					case decimals == 0 || bare == "0" || !strings.Contains(text, "7") || strings.Contains(whole, "7"):
					case decimals == 3 && digits != 3 && thousands:
						check(t, format, zeros, "", AmountAmbiguous)
					default:
						check(t, format, zeros, bare, "")
					}
				}
			}
		}
	})
}

func check(t *testing.T, format amountFormat, text, value string, want Kind) {
	t.Helper()
	plain, _, bad := format.read(text)
	kind := Kind("")
	if bad != nil {
		kind = bad.Kind
	}
	if kind != want || kind == "" && withoutZeros(plain) != value {
		t.Fatalf("%s %q: read as %q (%s), want %q (%s)", format.code, text, plain, kind, value, want)
	}
	if _, decimals, _ := strings.Cut(plain, "."); len(decimals) > format.digits {
		t.Fatalf("%s %q: %q has more decimals than the currency", format.code, text, plain)
	}
}

// TestForms guards how single forms are read, and what is feared where they are not.
func TestForms(t *testing.T) {
	usd, jpy, kwd, eur := amountFormat{false, "USD", 2}, amountFormat{false, "JPY", 0}, amountFormat{false, "KWD", 3}, amountFormat{true, "EUR", 2}
	inr, sek, mxn := amountFormat{false, "INR", 2}, amountFormat{true, "SEK", 2}, amountFormat{false, "MXN", 2}
	for _, tt := range []struct {
		format amountFormat
		in     string
		want   string // the plain amount and its ways, or what is said
	}{
		{usd, "1250.0000", "1250.00 [zeros]"},
		{usd, "98765.430", "98765.43 [zeros]"},
		{usd, "0.500", "0.50 [zeros]"},
		{jpy, "5000.00", "5000 [zeros]"},
		{usd, "12.340", "could be read two ways, as 12.34 or as 12340"},
		{usd, "1,234.500", "could be read two ways, as 1234.5 or as 1234500"},
		{jpy, "5.000", "could be read two ways, as 5 or as 5000"},
		{kwd, "12.340", "12.340 []"},
		{kwd, "12.3400", "12.340 [zeros]"},
		{kwd, "1,234", "could be read two ways, as 1234 or as 1.234"},
		{eur, "1.234", "could be read two ways, as 1234 or as 1,234"},
		{usd, "12.345", "has too many decimals: 3, where USD has at most 2"},
		{usd, "1 234 567.50", "1234567.50 [spaces]"},
		{eur, "1\u202f234,50 €", "1234.50 [spaces currency-sign]"},
		{usd, "1 23.50", "has thousands separators where none belong"},
		{usd, "1  234.50", "has thousands separators where none belong"},
		{usd, "1,234'567.50", "has thousands separators where none belong"},
		{usd, "1 234", "1234 [spaces]"},
		{usd, "1’234’567", "1234567 [apostrophes]"},
		{inr, "1,00,000.00", "100000.00 [indian-groups]"},
		{inr, "12,34,567", "1234567 [indian-groups]"},
		{inr, "123,45,678", "has thousands separators where none belong"},
		{inr, "1 00 000.00", "has thousands separators where none belong"},
		{eur, "1.00.000,00", "has thousands separators where none belong"},
		{eur, "12.34.567", "has thousands separators where none belong"},
		{usd, "1'234,50", "has a decimal comma"},
		{usd, "1.234,-", "has a decimal comma"},
		{eur, "1,23,456.00", "has a decimal point, in a file that is read with decimal commas"},
		{eur, "1.234,-", "1234 [no-cents]"},
		{eur, "1.234,--", "1234 [no-cents]"},
		{eur, "€ 1.234,–", "1234 [no-cents currency-sign]"},
		{usd, "1234.-", "1234 [no-cents]"},
		{eur, "1.234,---", "is a credit: it has a minus sign"},
		{eur, "1.234,50,-", "has thousands separators where none belong"},
		{eur, "1.234-", "is a credit: it has a minus sign"},
		{usd, "-1,234.50", "is a credit: it has a minus sign"},
		{usd, "$ -5.00", "is a credit: it has a minus sign"},
		{usd, "5.00 -", "is a credit: it has a minus sign"},
		{usd, "($5.00)", "is a credit: brackets stand for a minus sign"},
		{usd, "\u22125.00", "is a credit: it has a dash or minus sign (U+2212)"},
		{inr, "250.00 Cr", `is a credit: it is marked "Cr"`},
		{inr, "250.00Cr.", `is a credit: it is marked "Cr"`},
		{inr, "CR 250.00", `is a credit: it is marked "CR"`},
		{usd, "-€5.00", "is a credit: it has a minus sign"},
		{inr, "250.00 DR", `is marked as a debit: "DR"`},
		{inr, "Dr 250.00-", "is a credit: it has a minus sign"},
		{usd, "5 %", "is a percentage, not an amount"},
		{usd, "€5.00", `has "€" beside it, and the row's currency is USD`},
		{usd, "5.00 EUR", `has "EUR" beside it, and the row's currency is USD`},
		{usd, "5.00 net", `has "net" beside it`},
		{usd, "CA$5.00", `has "CA$" beside it, and the row's currency is USD`},
		{mxn, "$5.00", `has "$" beside it, and the row's currency is MXN`},
		{mxn, "MX$5.00", "5.00 [currency-sign]"},
		{usd, "US$5.00", "5.00 [currency-sign]"},
		{usd, "$5.00 usd", "5.00 [currency-sign]"},
		{usd, "$$5.00", `has "$" beside it, and the row's currency is USD`},
		{usd, "$ 1,234.50 ", "1234.50 [padded currency-sign]"},
		{usd, " - ", "is a dash, which stands for nothing"},
		{usd, "$ -", "is a dash, which stands for nothing"},
		{sek, "1 234,50 kr.", "1234.50 [spaces currency-sign]"},
		{inr, "Rs.500", "could be read two ways, as 500 or as 0.500"},
		{inr, "Rs. 500", "500 [currency-sign]"},
		{inr, "Rs.500.00", "500.00 [currency-sign]"},
		{jpy, "1,234,567円", "1234567 [currency-sign]"},
		{usd, "$.50", "begins with the decimal sign"},
		{usd, "5. $", "ends with the decimal sign"},
		{usd, "24.12.2026", "has thousands separators where none belong"},
		{usd, "2026-12-24", "is not an amount"},
		{usd, "5 000,00 or 6", `is not an amount: it has "o" between its digits`},
	} {
		plain, ways, bad := tt.format.read(tt.in)
		got := fmt.Sprintf("%s %v", plain, ways)
		if bad != nil {
			got = bad.What
			if bad.Advice == "" && bad.Options == nil {
				t.Errorf("%q: %s: and what is to be done?", tt.in, got)
			}
		}
		if got != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.format.code, tt.in, got, tt.want)
		}
	}
}
