package clink

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSameNumber(t *testing.T) {
	tests := []struct {
		a, b json.Number
		want bool
	}{
		{"19.9", "19.90", true},
		{"19.9", "1.99e1", true},
		{"19.9", "199E-1", true},
		{"100", "1e2", true},
		{"100", "1e+2", true},
		{"0.001", "1e-3", true},
		{"0.10", "0.1", true},
		{"0", "0.00", true},
		{"0", "-0", true},
		{"0e5", "0", true},
		{"1e007", "10000000", true},
		{"120400.00", "120400", true},
		{"9007199254740993", "9007199254740993.0", true},
		{"1e100000", "10e99999", true},
		{"-5", "-5.0", true},

		{"19.9", "19.91", false},
		{"19.9", "-19.9", false},
		{"1", "10", false},
		{"1", "0.1", false},
		{"0.01", "0.1", false},
		{"9007199254740993", "9007199254740992", false}, // alike as floats
		{"0.1", "0.1000000000000000055511151231257827", false},
		{"1e1000000000", "1e-1000000000", false},
		{"1e1000000000", "1e1000000001", false},

		{"", "", false},
		{"", "0", false},
		{"abc", "abc", false},
		{"1,5", "1,5", false},
		{"+1", "1", false},
		{"01", "1", false},
		{".5", "0.5", false},
		{"5.", "5", false},
		{"-", "-", false},
		{"1e", "1", false},
		{"1e+", "1", false},
		{"1e1.5", "1e1.5", false},
		{"0x10", "16", false},
		{" 1", "1", false},
		{"NaN", "NaN", false},
		{"null", "null", false},
		{`"1"`, "1", false},

		// Beyond what is compared: as numbers these would take gigabytes.
		{"1e1000000000", "1e1000000000", false},
		{"1e999999999", "10e999999998", false},
		{"1e-999999999", "1e-999999999", false},
		{"1e99999999999999999999", "1e99999999999999999999", false},
	}
	for _, tt := range tests {
		t.Run(string(tt.a)+" and "+string(tt.b), func(t *testing.T) {
			if got := SameNumber(tt.a, tt.b); got != tt.want {
				t.Errorf("got %v", got)
			}
			if got := SameNumber(tt.b, tt.a); got != tt.want {
				t.Errorf("the other way round: got %v", got)
			}
		})
	}
}

func TestSameNumberOfLongTexts(t *testing.T) {
	long := json.Number(strings.Repeat("9", 900))
	if !SameNumber(long, long+".0") || SameNumber(long, long+".01") {
		t.Error("a number of 900 digits is not itself, or is another")
	}
	if tooLong := json.Number(strings.Repeat("9", 1<<20)); SameNumber(tooLong, tooLong) {
		t.Error("a number of 1 MiB was compared")
	}
}
