package invoice

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// TestLibreOffice has the files that LibreOffice 7.4 wrote of one sheet, in its dialects: each reads to the same four
// invoices, or is refused. The amounts are numbers in the sheet, with two decimals and thousands separators.
func TestLibreOffice(t *testing.T) {
	invoices := []string{
		"2 0012 anna@example.com 1234.50 EUR Grün & Söhne first line\nsecond line",
		`4 0047583311587E590003 bob@example.com 0.99 EUR a "quoted" word semi;colon, comma | bar`,
		"5 INV-3 café@example.com 1234567.25 EUR Ærø plain",
		`6 INV-4 dora@example.com 20.00 EUR back\slash `,
	}
	comma := Options{DecimalComma: true}
	tests := []struct {
		file    string
		options Options
		refused Kind
	}{
		{"comma-utf8.csv", Options{}, ""},
		{"semicolon-quote-all.csv", Options{}, ""},
		{"tab-utf16.csv", Options{}, ""},
		{"tab-utf16-quote-all.csv", Options{}, ""},
		{"bar-not-as-shown.csv", Options{}, ""},
		{"comma-windows-1252.csv", Options{Encoding: "windows-1252"}, ""},
		{"comma-iso-8859-15.csv", Options{Encoding: "ISO-8859-15"}, ""},
		{"comma-macintosh.csv", Options{Encoding: "macintosh"}, ""},
		{"semicolon-decimal-comma.csv", comma, ""},
		{"comma-decimal-comma.csv", comma, ""},
		{"semicolon-not-as-shown.csv", comma, ""},
		{"semicolon-decimal-comma-windows-1252-quote-all.csv", Options{DecimalComma: true, Encoding: "windows-1252"}, ""},

		{"comma-windows-1252.csv", Options{}, EncodingInvalid},
		{"no-text-delimiter.csv", Options{}, QuoteStray},
		{"single-quotes.csv", Options{}, QuoteSingle},
		{"space-delimiter.csv", Options{}, DelimiterMissing},
	}
	tried := map[string]bool{}
	for _, tt := range tests {
		tried[tt.file] = true
		t.Run(tt.file, func(t *testing.T) {
			_, rows, err := readAll(t, filepath.Join("testdata", "libreoffice", tt.file), tt.options)
			if p, _ := errors.AsType[*Problem](err); tt.refused != "" {
				if p == nil || p.Kind != tt.refused {
					t.Errorf("got %v, want %s", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				inv := row.Invoice
				// the currency's decimals: 1234.5 and 1234.50 are the same amount
				amount := fmt.Sprintf("%d.%02d", inv.TenThousandths()/10000, inv.TenThousandths()%10000/100)
				got = append(got, fmt.Sprintf("%d %s %s %s %s %s %s%s",
					row.Line, inv.ID, inv.CustomerEmail, amount, inv.Amount.CurrencyCode(), inv.Description, row.Cells[5], kinds(row)))
			}
			if !slices.Equal(got, invoices) {
				t.Errorf("read %q,\nwant %q", got, invoices)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "libreoffice", "*"))
	if err != nil || len(files) != len(tried) {
		t.Errorf("%d files, %d of them tried (%v)", len(files), len(tried), err)
	}
}
