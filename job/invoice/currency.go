package invoice

import (
	"strings"

	"github.com/bojanz/currency"
)

// notPayable are the ISO 4217 codes of funds, indexed units, accounting units and metals, which nobody pays in, each with
// the currency that is paid in instead, if there is one.
var notPayable = map[string]string{
	"BOV": "BOB", "CHE": "CHF", "CHW": "CHF", "CLF": "CLP", "COU": "COP", "MXV": "MXN", "USN": "USD",
	"UYI": "UYU", "UYW": "UYU", "XAD": "", "XAG": "", "XAU": "", "XBA": "", "XBB": "", "XBC": "", "XBD": "",
	"XDR": "", "XPD": "", "XPT": "", "XSU": "", "XTS": "", "XUA": "", "XXX": "", "ZZZ": "",
}

// withdrawn are former currencies that files still have, each with its successor.
var withdrawn = map[string]string{
	"ATS": "EUR", "BEF": "EUR", "BGN": "EUR", "CYP": "EUR", "DEM": "EUR", "EEK": "EUR", "ESP": "EUR", "FIM": "EUR",
	"FRF": "EUR", "GRD": "EUR", "HRK": "EUR", "IEP": "EUR", "ITL": "EUR", "LTL": "EUR", "LUF": "EUR", "LVL": "EUR",
	"MTL": "EUR", "NLG": "EUR", "PTE": "EUR", "SIT": "EUR", "SKK": "EUR", "XEU": "EUR",
	"ANG": "XCG", "BYR": "BYN", "CUC": "CUP", "GHC": "GHS", "MRO": "MRU", "MZM": "MZN", "ROL": "RON", "RUR": "RUB",
	"SLL": "SLE", "STD": "STN", "TRL": "TRY", "VEF": "VES", "ZMK": "ZMW", "ZWD": "ZWG", "ZWL": "ZWG",
}

// readCurrency returns the code in capitals and how many decimals it has. Lower case is accepted; nothing else is corrected.
func readCurrency(s string) (code string, digits int, bad *Problem) {
	code = strings.ToUpper(s)
	if instead, no := notPayable[code]; no {
		advice := "write the currency that the customer pays in"
		if instead != "" {
			advice += ", such as " + instead
		}
		return "", 0, flaw(CurrencyNotPayable, "is a fund, a metal or a unit of account, which nobody can pay in", advice)
	}
	if instead, no := withdrawn[code]; no {
		return "", 0, flaw(CurrencyWithdrawn, "is a currency that is no longer used", "convert the amount to "+instead+", which took its place, and write that")
	}
	n, ok := currency.GetDigits(code)
	if !ok || len(s) != 3 {
		return "", 0, flaw(CurrencyUnknown, "is not a currency code", "write the three letters of ISO 4217, such as USD, EUR or JPY")
	}
	return code, int(n), nil
}
