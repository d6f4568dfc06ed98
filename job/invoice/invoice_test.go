package invoice

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plainHeader = "invoice_id,customer_email,amount,currency,description\n"

// write puts the bytes into a file and returns its path.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll returns the rows and what ended them: nil at the file's end.
func readAll(t testing.TB, path string, o Options) (*Reader, []Row, error) {
	t.Helper()
	r, err := Open(path, o)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { r.Close() })
	var rows []Row
	for {
		row, err := r.Next()
		if err == io.EOF {
			return r, rows, nil
		}
		if err != nil {
			return r, rows, err
		}
		rows = append(rows, row)
	}
}

// kinds says what is wrong with a row, as "column kind, setting kind".
func kinds(row Row) string {
	var list []string
	for _, p := range row.Problems {
		list = append(list, strings.TrimSpace(cmp.Or(p.Column, p.Setting)+" "+string(p.Kind)))
	}
	return strings.Join(list, ", ")
}

// fileKinds says why a file was refused as a whole.
func fileKinds(err error) string {
	switch err := err.(type) {
	case nil:
		return ""
	case Problems:
		var list []string
		for _, p := range err {
			list = append(list, string(p.Kind))
		}
		return strings.Join(list, ", ")
	case *Problem:
		return string(err.Kind)
	default:
		return "not a problem: " + err.Error()
	}
}

// TestFilesAsUsersHaveThem guards promise 5 on whole files: each line is read exactly, or refused for the right reason.
func TestFilesAsUsersHaveThem(t *testing.T) {
	type line struct {
		at      int
		invoice string // id|email|amount|description
		bad     string
	}
	good := func(at int, invoice string) line { return line{at: at, invoice: invoice} }
	bad := func(at int, kinds string) line { return line{at: at, bad: kinds} }
	tests := []struct {
		file      string
		options   Options
		delimiter rune
		encoding  string
		rows      int
		lines     []line
	}{
		{"blank-rows-at-end.csv", Options{}, ',', "utf-8", 4, []line{
			good(2, "B-000|accounts+0@shop0.example.com|659.884 KWD|North Pier Bakery"),
			good(3, "B-001|accounts+1@shop1.example.com|689.45 GBP|Lantern Books"),
			good(4, "B-002|accounts+2@shop2.example.com|2064.42 EUR|Grüne Werkstatt GmbH"),
			good(5, "B-003|accounts+3@shop3.example.com|3111.24 EUR|Café Méridien"),
		}},
		{"multi-line-cells.csv", Options{}, ',', "utf-8", 3, []line{
			good(2, "L-1|a@example.com|10.00 USD|first line\nsecond line"),
			good(4, "L-2|b@example.com|20.00 USD|a \"quoted\" word, and a comma"),
			good(6, "L-3|c@example.com|30.00 USD|plain"),
		}},
		{"spreadsheet-semicolons-decimal-comma.csv", Options{DecimalComma: true}, ';', "utf-8", 10, []line{
			good(2, "S-000|accounts+0@shop0.example.com|1310.16 EUR|Leistung 0"),
			good(11, "S-009|accounts+9@shop9.example.com|856.78 EUR|Leistung 9"),
		}},
		{"spreadsheet-semicolons-decimal-comma.csv", Options{}, ';', "utf-8", 10, []line{
			bad(2, "amount amount-decimal-comma"), bad(11, "amount amount-decimal-comma"),
		}},
		{"spreadsheet-utf16-tabs.txt", Options{}, '\t', "utf-16le", 10, []line{
			good(2, "U-000|accounts+0@shop0.example.com|2795.57 USD|North Pier Bakery"),
			good(6, "U-004|accounts+4@shop4.example.com|65578 JPY|O'Neil & Partners"),
			good(10, "U-008|accounts+8@shop8.example.com|2418.23 EUR|Ōmori Tea"),
		}},
		{"windows-1252.csv", Options{Encoding: "windows-1252"}, ',', "windows-1252", 0, []line{
			good(2, "W-000|accounts+0@shop0.example.com|19970 JPY|North Pier Bakery"),
			good(4, "W-002|accounts+2@shop2.example.com|63466 JPY|Grüne Werkstatt GmbH"),
			good(5, "W-003|accounts+3@shop3.example.com|1965.88 USD|Café Méridien"),
		}},
		{"accounting-export.csv", Options{}, ',', "utf-8", 25, []line{
			good(2, "INV-1000|accounts+0@shop0.example.com|2671.06 NZD|Wholesale, March"),
			good(4, "INV-1002|accounts+2@shop2.example.com|2083.27 NZD|Wholesale, March"),
		}},
		{"problems-of-every-kind.csv", Options{}, ',', "utf-8", 16, []line{
			bad(2, "amount amount-zero"),
			bad(3, "amount amount-negative"),
			bad(4, "amount amount-decimals"),
			bad(5, "amount amount-decimals"),
			bad(6, "amount amount-decimal-comma"),
			bad(7, "amount amount-currency"),
			bad(8, "amount amount-exponent"),
			bad(9, "customer_email email-invalid"),
			bad(10, "customer_email customer-missing"),
			bad(11, "currency currency-unknown"),
			bad(12, "amount amount-missing"),
			bad(13, "currency currency-missing"),
			bad(14, "invoice_id id-damaged"),
			good(15, "P-14|a@example.com|5.00 USD|fine"),
			good(16, "P-14|a@example.com|6.00 USD|the same invoice twice"),           // TestRepeats of intake is about repeated ids
			good(17, `P-15|a@example.com|5.00 USD|=HYPERLINK("http://example.com")`), // guarded in what we write
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			r, rows, err := readAll(t, filepath.Join("testdata", tt.file), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if h := r.Header(); h.Delimiter != tt.delimiter || h.Encoding != tt.encoding {
				t.Errorf("read as %q in %s, want %q in %s", h.Delimiter, h.Encoding, tt.delimiter, tt.encoding)
			}
			if tt.rows > 0 && len(rows) != tt.rows {
				t.Errorf("%d rows, want %d", len(rows), tt.rows)
			}
			byLine := map[int]Row{}
			for _, row := range rows {
				byLine[row.Line] = row
			}
			for _, want := range tt.lines {
				row, ok := byLine[want.at]
				if !ok {
					t.Errorf("no row on line %d", want.at)
					continue
				}
				if got := kinds(row); got != want.bad {
					t.Errorf("line %d: problems %q, want %q", want.at, got, want.bad)
				}
				inv := row.Invoice
				if got := strings.Join([]string{inv.ID, inv.CustomerEmail, inv.Amount.String(), inv.Description}, "|"); want.bad == "" && got != want.invoice {
					t.Errorf("line %d: %s, want %s", want.at, got, want.invoice)
				}
			}
			sum, err := Digest(filepath.Join("testdata", tt.file))
			if err != nil || r.Digest() != sum {
				t.Errorf("digest %x, want that of the file %x (%v)", r.Digest(), sum, err)
			}
		})
	}
}

// TestAccountingExport guards that dates, postcodes and look-alike columns pass through untouched.
func TestAccountingExport(t *testing.T) {
	r, rows, err := readAll(t, "testdata/accounting-export.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := r.Header()
	if len(h.Columns) != 44 || h.Columns[0] != "ContactName" {
		t.Errorf("%d columns, the first %q, want 44 and ContactName", len(h.Columns), h.Columns[0])
	}
	want := map[string]string{"amount": "InvoiceAmountDue", "currency": "Currency", "customer_email": "EmailAddress", "invoice_id": "InvoiceNumber", "description": "Description"}
	for name, header := range want {
		if h.Taken[name] != header {
			t.Errorf("%s is taken from %q, want %q", name, h.Taken[name], header)
		}
	}
	if len(h.Taken) != len(want) {
		t.Errorf("took %v, want only %v", h.Taken, want)
	}
	for header, value := range map[string]string{"POPostalCode": "0710", "InvoiceDate": "24/03/2026", "AccountCode": "0200", "Quantity": "1.0000"} {
		for i, c := range h.Columns {
			if c == header && rows[0].Cells[i] != value {
				t.Errorf("%s is %q, want %q", header, rows[0].Cells[i], value)
			}
		}
	}
	if rows[0].Invoice.Quantity != 0 || rows[0].Invoice.UnitAmount != "" {
		t.Errorf("took the look-alikes Quantity and UnitAmount: %+v", rows[0].Invoice)
	}
}

func TestProblemSaysWhereAndWhat(t *testing.T) {
	_, rows, err := readAll(t, "testdata/problems-of-every-kind.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `testdata/problems-of-every-kind.csv:2: amount: "0.00": is zero; an invoice needs an amount above zero; take the row out if nothing is due`
	if got := rows[0].Problems[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	long := Problem{File: "f.csv", Line: 3, Value: strings.Repeat("é", 100), What: "is long"}
	if got, want := long.String(), `f.csv:3: "`+strings.Repeat("é", 60)+`…": is long`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
