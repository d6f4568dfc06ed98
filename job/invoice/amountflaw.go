package invoice

import (
	"fmt"
	"strings"
)

// otherDecimal is the option to read the file with the other decimal sign.
func (f amountFormat) otherDecimal() Option {
	if f.decimalComma {
		return Option{Do: LeaveOut, Setting: "decimal", Value: "comma", When: "the whole file is written with a decimal point"}
	}
	return Option{Do: Add, Setting: "decimal", Value: "comma", When: "the whole file is written with a decimal comma"}
}

// otherSign refuses an amount that can only be read with the other decimal sign.
func (f amountFormat) otherSign() *Problem {
	if f.decimalComma {
		return flaw(AmountDecimalPoint, "has a decimal point, in a file that is read with decimal commas", "", f.otherDecimal())
	}
	return flaw(AmountDecimalComma, "has a decimal comma", "", f.otherDecimal())
}

func (f amountFormat) wrongGroups() *Problem {
	return flaw(AmountGrouping, "has thousands separators where none belong", "write the amount without them, as in 1234567"+f.point()+"50")
}

func (f amountFormat) leadingPoint() *Problem {
	return flaw(AmountLeadingPoint, "begins with the decimal sign", "write a digit before it, as in 0"+f.point()+"50")
}

func (f amountFormat) trailingPoint() *Problem {
	return flaw(AmountTrailingPoint, "ends with the decimal sign", "write the decimals, or leave the sign out")
}

// twoWays refuses a number whose one separator stands for thousands or for decimals.
func (f amountFormat) twoWays(parts []string) *Problem {
	thousands := strings.Join(parts, "")
	return flaw(AmountAmbiguous, fmt.Sprintf("could be read two ways, as %s or as %s", thousands, strings.Join(parts, f.point())),
		fmt.Sprintf("write %s if the %q separates thousands", thousands, f.group()), f.otherDecimal())
}

// decimalsOrThousands refuses a number that ends with a decimal sign and three zeros' worth of decimals, where the currency has fewer.
func (f amountFormat) decimalsOrThousands(n *number) *Problem {
	decimals := withoutZeros(n.whole + "." + n.decimals)
	thousands := n.whole + n.decimals
	return flaw(AmountAmbiguous, fmt.Sprintf("could be read two ways, as %s or as %s", strings.Replace(decimals, ".", f.point(), 1), thousands),
		"write it without zeros at its end, or without a separator", f.otherDecimal())
}

func (f amountFormat) tooManyDecimals(has int) *Problem {
	most := "no decimals"
	if f.digits > 0 {
		most = fmt.Sprintf("at most %d", f.digits)
	}
	bad := flaw(AmountDecimals, fmt.Sprintf("has too many decimals: %d, where %s has %s", has, f.code, most),
		"correct the amount, or the currency; nothing is ever rounded")
	if has == 3 { // they may be thousands
		bad.Options = []Option{f.otherDecimal()}
	}
	return bad
}
