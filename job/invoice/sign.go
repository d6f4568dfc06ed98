package invoice

import (
	"strings"

	"github.com/bojanz/currency"
)

// currencySigns are the signs of each currency in the CLDR, those of any language and the narrow ones, beside its code. Of $ the
// CLDR says that it is also the peso's of several countries: here it is a dollar's alone. 円 is how Japan writes ¥.
var currencySigns = map[string][]string{
	"AED": {"د.إ."},
	"AFN": {"؋"},
	"ALL": {"Lekë"},
	"AMD": {"֏"},
	"AOA": {"Kz"},
	"ARS": {"$AR"},
	"AUD": {"A$", "$", "$AU", "$ AU", "AU$"},
	"AWG": {"Afl", "Afl."},
	"AZN": {"₼"},
	"BAM": {"KM", "КМ"},
	"BBD": {"$", "Bds$"},
	"BDT": {"৳"},
	"BHD": {"د.ب."},
	"BIF": {"FBu"},
	"BMD": {"$", "$BM", "BM$"},
	"BND": {"$", "$BN"},
	"BOB": {"Bs"},
	"BRL": {"R$", "BR$"},
	"BSD": {"$", "BS$"},
	"BWP": {"P"},
	"BYN": {"Br", "р."},
	"BZD": {"$", "$BZ", "BZ$"},
	"CAD": {"CA$", "$", "$CA", "C$", "KA$"},
	"CDF": {"FC"},
	"CLP": {"$CL"},
	"CNY": {"CN¥", "¥", "¥CN", "元"},
	"COP": {"$CO"},
	"CRC": {"₡"},
	"CZK": {"Kč"},
	"DJF": {"Fdj"},
	"DKK": {"Dkr", "kr.", "kr"},
	"DOP": {"RD$"},
	"DZD": {"DA", "د.ج."},
	"EGP": {"EG£", "ج.م.", "E£"},
	"ERN": {"Nfk"},
	"ETB": {"Br", "ብር"},
	"EUR": {"€"},
	"FJD": {"$", "$FJ", "FJ$"},
	"FKP": {"£", "£FK"},
	"GBP": {"£", "GB£", "UK£", "£GB"},
	"GEL": {"₾"},
	"GHS": {"GH₵"},
	"GIP": {"£", "£GI"},
	"GMD": {"D"},
	"GNF": {"FG"},
	"GTQ": {"Q"},
	"GYD": {"$"},
	"HKD": {"HK$", "$HK", "$ HK", "$"},
	"HNL": {"L"},
	"HTG": {"G"},
	"HUF": {"Ft"},
	"IDR": {"Rp"},
	"ILS": {"₪", "NIS"},
	"INR": {"₹", "Rs"},
	"IRR": {"ر.إ.", "ریال"},
	"ISK": {"Ikr", "kr.", "kr"},
	"JMD": {"$", "JM$"},
	"JOD": {"د.أ."},
	"JPY": {"¥", "JP¥", "￥", "円"},
	"KES": {"Ksh"},
	"KGS": {"сом"},
	"KHR": {"៛"},
	"KMF": {"CF"},
	"KPW": {"₩"},
	"KRW": {"₩", "￦"},
	"KWD": {"د.ك."},
	"KYD": {"$"},
	"KZT": {"₸"},
	"LAK": {"₭"},
	"LBP": {"£LB", "ل.ل.", "L£"},
	"LKR": {"Rs.", "රු.", "Rs"},
	"LRD": {"$"},
	"LSL": {"ЛСЛ", "ឡូទី"},
	"LYD": {"د.ل."},
	"MAD": {"د.م."},
	"MDL": {"L"},
	"MGA": {"Ar"},
	"MKD": {"den", "ден."},
	"MMK": {"K"},
	"MNT": {"₮"},
	"MOP": {"MOP$"},
	"MRU": {"UM", "أ.م."},
	"MUR": {"Rs"},
	"MVR": {"Rf"},
	"MWK": {"MK"},
	"MXN": {"MX$", "$MX"},
	"MYR": {"RM"},
	"MZN": {"MTn"},
	"NAD": {"$", "$NA"},
	"NGN": {"₦"},
	"NIO": {"C$"},
	"NOK": {"Nkr", "kr"},
	"NPR": {"नेरू", "Rs"},
	"NZD": {"NZ$", "$", "$NZ", "$ NZ"},
	"OMR": {"ر.ع."},
	"PAB": {"B/."},
	"PEN": {"S/"},
	"PGK": {"K"},
	"PHP": {"₱"},
	"PKR": {"Rs"},
	"PLN": {"zł"},
	"PYG": {"Gs.", "₲"},
	"QAR": {"ر.ق."},
	"RON": {"रॉन", "lei"},
	"RSD": {"din."},
	"RUB": {"₽"},
	"RWF": {"RF"},
	"SAR": {"ر.س."},
	"SBD": {"$", "$SB", "SI$"},
	"SCR": {"Rs", "SR"},
	"SDG": {"ج.س."},
	"SEK": {"kr"},
	"SGD": {"$", "$SG", "$ SG", "S$"},
	"SHP": {"£"},
	"SLE": {"Le"},
	"SOS": {"S"},
	"SRD": {"$", "$SR"},
	"SSP": {"£"},
	"STN": {"Db"},
	"SYP": {"LS", "ل.س.", "£"},
	"SZL": {"E"},
	"THB": {"฿"},
	"TMT": {"ТМТ"},
	"TND": {"DT", "د.ت."},
	"TOP": {"T$"},
	"TRY": {"₺"},
	"TTD": {"$", "$TT", "TT$"},
	"TWD": {"NT$", "$"},
	"TZS": {"TSh"},
	"UAH": {"₴"},
	"UGX": {"USh"},
	"USD": {"$", "$US", "$ US", "US$", "щ.д."},
	"UYU": {"$UY"},
	"UZS": {"soʻm"},
	"VES": {"Bs.S"},
	"VND": {"₫"},
	"VUV": {"VT"},
	"WST": {"$WS", "WS$"},
	"XAF": {"FCFA"},
	"XCD": {"EC$", "$", "$EC"},
	"XCG": {"Cg.", "Cf", "Cg", "Kg.", "ƒ"},
	"XOF": {"F CFA", "فرانک CFA", "සිෆ්එ"},
	"XPF": {"CFPF", "FCFP", "CFP"},
	"YER": {"ر.ي."},
	"ZAR": {"R"},
	"ZMW": {"K", "ZK"},
	"ZWG": {"ZiG"},
	"IQD": {"د.ع."},
}

// currencySign is the sign or code of the row's currency with which the text begins, the longest of several; "" is none. Without a
// currency any will do.
func (f amountFormat) currencySign(text string) (sign string) {
	if f.code != "" {
		return longestSign(text, f.code, "")
	}
	for _, code := range currency.GetCurrencyCodes() {
		sign = longestSign(text, code, sign)
	}
	return sign
}

// longestSign is the longest sign of the currency with which the text begins, or sign where that is longer.
func longestSign(text, code, sign string) string {
	if len(text) >= len(code) && len(code) > len(sign) && strings.EqualFold(text[:len(code)], code) {
		sign = text[:len(code)]
	}
	for _, s := range currencySigns[code] {
		if len(s) > len(sign) && strings.HasPrefix(text, s) {
			sign = s
		}
	}
	return sign
}
