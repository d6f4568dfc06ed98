package job_test

import (
	"math/big"
	"testing"

	"paylinks/job"
)

func TestFormatAmount(t *testing.T) {
	tests := []struct {
		tenThousandths, currency, want string
	}{
		{"199000", "USD", "19.90"},
		{"0", "USD", "0.00"},
		{"100", "USD", "0.01"},
		{"9900", "USD", "0.99"},
		{"-9900", "USD", "-0.99"},
		{"-199000", "USD", "-19.90"},
		{"199050", "USD", "19.905"},
		{"1", "USD", "0.0001"},
		{"12000000", "JPY", "1200"},
		{"125000", "JPY", "12.5"},
		{"0", "JPY", "0"},
		{"12340", "KWD", "1.234"},
		{"10000", "KWD", "1.000"},
		{"12345", "CLF", "1.2345"},
		{"10000", "CLF", "1.0000"},
		{"199000", "XXQ", "19.9000"},
		{"123456789012345678901234500", "USD", "12345678901234567890123.45"},
	}
	for _, tt := range tests {
		t.Run(tt.tenThousandths+" "+tt.currency, func(t *testing.T) {
			count, _ := new(big.Int).SetString(tt.tenThousandths, 10)
			if got := job.FormatAmount(count, tt.currency); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if count.String() != tt.tenThousandths {
				t.Error("the amount was changed")
			}
		})
	}
}
