package invoice

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/bojanz/currency"
)

func TestReadAmount(t *testing.T) {
	tests := []struct {
		in     string
		comma  bool
		plain  string
		reason Kind
	}{
		{"1", false, "1", ""},
		{"1234.50", false, "1234.50", ""},
		{"0.01", false, "0.01", ""},
		{"1,234.50", false, "1234.50", ""},
		{"1,234,567.00", false, "1234567.00", ""},
		{"1,234,567", false, "1234567", ""},
		{"90071992547409.93", false, "90071992547409.93", ""},
		{"1234,50", true, "1234.50", ""},
		{"1.234,50", true, "1234.50", ""},
		{"1.234.567,00", true, "1234567.00", ""},
		{"1.234.567", true, "1234567", ""},
		{"1234", true, "1234", ""},

		{"1,234", false, "", AmountAmbiguous},
		{"1.234", true, "", AmountAmbiguous},
		{"12,50", false, "", AmountDecimalComma},
		{"1.234,50", false, "", AmountDecimalComma},
		{"1.234.567", false, "", AmountDecimalComma},
		{"1.234.567,50", false, "", AmountDecimalComma},
		{"1234,5", false, "", AmountDecimalComma},
		{"1234,567", false, "", AmountDecimalComma},
		{"12.50", true, "", AmountDecimalPoint},
		{"1,234.50", true, "", AmountDecimalPoint},
		{"1234.567", true, "", AmountDecimalPoint},
		{"12,34,567.00", false, "1234567.00", ""},
		{"1,23.50", false, "", AmountGrouping},
		{",123.50", false, "", AmountGrouping},
		{"1,,234.50", false, "", AmountGrouping},
		{"1.2.3", false, "", AmountGrouping},
		{"1'234.50", false, "1234.50", ""},
		{"1’234.50", false, "1234.50", ""},
		{"1_000", false, "", AmountGrouping},
		{".5", false, "", AmountLeadingPoint},
		{".", false, "", AmountNotANumber},
		{",5", true, "", AmountLeadingPoint},
		{"5.", false, "", AmountTrailingPoint},
		{"007", false, "", AmountLeadingZero},
		{"00.50", false, "", AmountLeadingZero},
		{"0", false, "", AmountZero},
		{"0.00", false, "", AmountZero},
		{"-4.00", false, "", AmountNegative},
		{"4.00-", false, "", AmountNegative},
		{"(4.00)", false, "", AmountNegative},
		{"+4.00", false, "", AmountPlus},
		{"\u22124.00", false, "", AmountMinusSign},
		{"–4.00", false, "", AmountMinusSign},
		{"$5", false, "5", ""},
		{"5€", false, "", AmountCurrency},
		{"USD5", false, "5", ""},
		{"5.00EUR", false, "", AmountCurrency},
		{"1e3", false, "", AmountExponent},
		{"1.5E+05", false, "", AmountExponent},
		{" 5.00", false, "5.00", ""},
		{"5.00 ", false, "5.00", ""},
		{"1 234.50", false, "1234.50", ""},
		{"1\u00a0234.50", false, "1234.50", ""},
		{"1\u202f234.50", false, "1234.50", ""},
		{"5\t", false, "", AmountSpace},
		{"5\u200b", false, "", Invisible},
		{"\u202e5", false, "", Invisible},
		{"NaN", false, "", AmountNotANumber},
		{"Inf", false, "", AmountNotANumber},
		{"free", false, "", AmountNotANumber},
		{"5%", false, "", AmountPercent},
		{"24/03/2026", false, "", AmountNotANumber},
		{"2026-03-24", false, "", AmountNotANumber},
		{"٥", false, "", AmountDigits},
		{"５", false, "", AmountDigits},
		{"5\ufffd", false, "", DamagedText},
		{"100000000000000", false, "", AmountTooLarge},
		{"99999999999999.99", false, "99999999999999.99", ""},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			plain, _, bad := amountFormat{tt.comma, "USD", 2}.read(tt.in)
			if bad == nil {
				bad = &Problem{}
			}
			if plain != tt.plain || bad.Kind != tt.reason {
				t.Errorf("read %q (%s), want %q (%s)", plain, bad.Kind, tt.plain, tt.reason)
			}
			if bad.Kind != "" && (bad.What == "" || bad.Advice == "" && bad.Options == nil) {
				t.Errorf("refused without a word: %+v", bad)
			}
		})
	}
}

func TestReadCurrency(t *testing.T) {
	for _, tt := range []struct {
		in, code string
		digits   int
		reason   Kind
	}{
		{"USD", "USD", 2, ""}, {"usd", "USD", 2, ""}, {"JPY", "JPY", 0, ""}, {"KWD", "KWD", 3, ""}, {"ISK", "ISK", 0, ""},
		{"XAF", "XAF", 0, ""}, {"XOF", "XOF", 0, ""}, {"XPF", "XPF", 0, ""}, {"XCD", "XCD", 2, ""}, {"XCG", "XCG", 2, ""},
		{"USDT", "", 0, CurrencyUnknown}, {"$", "", 0, CurrencyUnknown}, {"US", "", 0, CurrencyUnknown}, {"Euro", "", 0, CurrencyUnknown},
		{"uſd", "", 0, CurrencyUnknown}, {"QQQ", "", 0, CurrencyUnknown}, {"BTC", "", 0, CurrencyUnknown},
		{"XAU", "", 0, CurrencyNotPayable}, {"XXX", "", 0, CurrencyNotPayable}, {"XTS", "", 0, CurrencyNotPayable}, {"XDR", "", 0, CurrencyNotPayable},
		{"CLF", "", 0, CurrencyNotPayable}, {"UYI", "", 0, CurrencyNotPayable}, {"CHE", "", 0, CurrencyNotPayable}, {"usn", "", 0, CurrencyNotPayable},
		{"XAD", "", 0, CurrencyNotPayable},
		{"DEM", "", 0, CurrencyWithdrawn}, {"HRK", "", 0, CurrencyWithdrawn}, {"ANG", "", 0, CurrencyWithdrawn}, {"BGN", "", 0, CurrencyWithdrawn},
	} {
		t.Run(tt.in, func(t *testing.T) {
			code, digits, bad := readCurrency(tt.in)
			if bad == nil {
				bad = &Problem{}
			}
			if code != tt.code || digits != tt.digits || bad.Kind != tt.reason {
				t.Errorf("read %q, %d (%s), want %q, %d (%s)", code, digits, bad.Kind, tt.code, tt.digits, tt.reason)
			}
		})
	}
}

// inForce are the currencies of ISO 4217 that people pay in, by their decimals, as amended until January 2026.
var inForce = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK " +
		"DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD " +
		"KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP " +
		"PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH " +
		"USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}

// TestEveryCurrency guards that each currency in force has its decimals, and that nothing else is money, whatever a new
// version of the currency library lists.
func TestEveryCurrency(t *testing.T) {
	decimals := map[string]int{}
	for n, codes := range inForce {
		for code := range strings.FieldsSeq(codes) {
			decimals[code] = n
		}
	}
	codes := slices.Concat(slices.Collect(maps.Keys(decimals)), currency.GetCurrencyCodes(),
		slices.Collect(maps.Keys(notPayable)), slices.Collect(maps.Keys(withdrawn)))
	for _, code := range codes {
		want, money := decimals[code]
		_, got, bad := readCurrency(code)
		if money != (bad == nil) || got != want {
			t.Errorf("%s: %d decimals (%v), want %d, money: %v", code, got, bad, want, money)
		}
	}
}

func TestTenThousandths(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0, "1": 10000, "1.5": 15000, "0.01": 100, "1.125": 11250, "90071992547409.93": 900719925474099300, "99999999999999.999": 999999999999999990,
	} {
		if got := (Invoice{AmountText: text}).TenThousandths(); got != want {
			t.Errorf("%q is %d ten-thousandths, want %d", text, got, want)
		}
	}
}

// FuzzAmount holds every accepted amount against math/big: no digit is lost, moved or added.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"1", "1234.50", "1,234.50", "1.234,50", "1,234", "0.00", "007", "-1", "1e3", "90071992547409.93", "1,234,567", ".5", "5.", "1\u00a0000", "(5)", "é", "\xff", "US$ 1'234.50", "12,34,567.00 Rs.", "1.234,--", "5.00 Cr", "kr.5"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, s string, comma bool) {
		plain, _, bad := amountFormat{decimalComma: comma}.read(s)
		if (plain == "") == (bad == nil) {
			t.Fatalf("%q: %q and %v", s, plain, bad)
		}
		if bad != nil {
			return
		}
		point := map[bool]byte{false: '.', true: ','}[comma]
		bare := ""
		for i := range len(s) {
			between := strings.ContainsAny(s[:i], "0123456789") && strings.ContainsAny(s[i:], "0123456789")
			switch {
			case isDigit(s[i]):
				bare += s[i : i+1]
			case s[i] == point && between:
				bare += "."
			}
		}
		want, ok := new(big.Rat).SetString(bare)
		got, _ := new(big.Rat).SetString(plain)
		if !ok || want.Cmp(got) != 0 || got.Sign() <= 0 {
			t.Fatalf("%q read as %s", s, plain)
		}
		if strings.Trim(plain, "0123456789.") != "" || plain[0] == '.' || len(plain) > 1 && plain[0] == '0' && plain[1] != '.' {
			t.Fatalf("%q gives %s, which is no JSON number", s, plain)
		}
		if _, decimals, _ := strings.Cut(plain, "."); len(decimals) <= 4 {
			units := new(big.Rat).SetFrac64(tenThousandths(plain), 10000)
			if units.Cmp(want) != 0 {
				t.Fatalf("%q counts as %s", s, units)
			}
		}
	})
}
