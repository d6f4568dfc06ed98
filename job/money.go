package job

import (
	"math/big"
	"strings"

	"github.com/bojanz/currency"
)

// scaleDigits is how many decimals an amount in the ledger has: as many as the finest currency of ISO 4217.
const scaleDigits = 4

// FormatAmount writes a count of 1/10,000 of the major unit as a plain decimal with the currency's own number
// of decimals, or with more where the amount has more.
func FormatAmount(tenThousandths *big.Int, code string) string {
	digits, known := currency.GetDigits(code)
	if !known {
		digits = scaleDigits
	}
	sign := ""
	if tenThousandths.Sign() < 0 {
		sign = "-"
	}
	text := new(big.Int).Abs(tenThousandths).String()
	if missing := scaleDigits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	whole, part := text[:len(text)-scaleDigits], text[len(text)-scaleDigits:]
	for len(part) > int(digits) && part[len(part)-1] == '0' {
		part = part[:len(part)-1]
	}
	if part != "" {
		part = "." + part
	}
	return sign + whole + part
}
