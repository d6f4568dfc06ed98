package invoice

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTitles guards that a header below titles is found where it is certain, and that it is asked for where it is not.
func TestTitles(t *testing.T) {
	const header, row = "Invoice No,Email,Amount Due,Currency\n", "INV-1,ann@example.com,10.00,USD\n"
	const table = header + row
	many := strings.Repeat("a line\n", 28)
	titles := []string{"Acme Ltd", "Open Invoices", "As of 30 November 2026"}
	tests := []struct {
		name, content string
		options       Options
		line          int
		titles        []string
		want          string // kinds, where it is refused
		lines         string // the options' header lines
	}{
		{"none", table, Options{}, 1, nil, "", ""},
		{"a report", "Acme Ltd\nOpen Invoices\nAs of 30 November 2026\n\n" + table, Options{}, 5, titles, "", ""},
		{"lines filled up", "\"Acme, v4.5 - December 19, 2026\",,,,\n,,,,\nINVOICES,,,,\n" + table, Options{}, 4, []string{"Acme, v4.5 - December 19, 2026", "INVOICES"}, "", ""},
		{"two cells", "Company,Acme Ltd\nDate,2026-11-30\n" + table, Options{}, 3, []string{"Company, Acme Ltd", "Date, 2026-11-30"}, "", ""},
		{"three cells", "Company,Acme Ltd,Berlin\n" + table, Options{}, 0, nil, "header-unclear", "2"},
		{"three cells, and the line is named", "Company,Acme Ltd,Berlin\n" + table, Options{HeaderLine: 2}, 2, []string{"Company, Acme Ltd, Berlin"}, "", ""},
		{"with misplaced quotes", "\"Acme\" Ltd\n5\" pipes\n\"unclosed\n" + table, Options{}, 4, []string{"\"Acme\" Ltd", "5\" pipes", "\"unclosed"}, "", ""},
		{"quotes that take in lines", "\"Acme\nLtd\"\n" + table, Options{}, 3, []string{"Acme\nLtd"}, "", ""},
		{"on line 30", "a line\n" + many + table, Options{}, 30, strings.Split(strings.TrimSpace("a line\n"+many), "\n"), "", ""},
		{"on line 31", "a line\na line\n" + many + table, Options{}, 0, nil, "delimiter-missing", ""},
		{"on line 31, which is named", "a line\na line\n" + many + table, Options{HeaderLine: 31}, 31, strings.Split(strings.TrimSpace("a line\na line\n"+many), "\n"), "", ""},
		{"two headers", "Acme Ltd\n" + table + "Paid\nInvoice No,Email,Total,Currency\n" + row, Options{}, 0, nil, "header-unclear", "2,5"},
		{"two headers, one is named", "Acme Ltd\n" + table + "Paid\nInvoice No,Email,Total,Currency\n" + row, Options{HeaderLine: 5}, 5,
			[]string{"Acme Ltd", "Invoice No, Email, Amount Due, Currency", "INV-1, ann@example.com, 10.00, USD", "Paid"}, "", ""},
		{"the same header twice", "Acme Ltd\n" + table + header, Options{}, 2, []string{"Acme Ltd"}, "", ""},
		{"a mapped column", "Acme Ltd\nInvoice No,Email,Betrag,Currency\n" + row, Options{Map: map[string]string{"amount": "Betrag"}}, 2, []string{"Acme Ltd"}, "", ""},
		{"a column that is to be mapped", "Acme Ltd\nInvoice No,Email,Honorar,Currency\n" + row, Options{}, 0, nil, "column-missing", ""},
		{"columns that are all to be mapped", "Acme Ltd\nNummer;Adresse;Soll;Haben\nINV-1;ann;10.00;USD\n", Options{}, 0, nil, "column-missing, column-missing, column-missing", ""},
		{"a currency for all", "Acme Ltd\nInvoice No;Email;Total\nINV-1;ann@example.com;10.00\n", Options{Defaults: map[string]string{"currency": "EUR"}}, 2, []string{"Acme Ltd"}, "", ""},
		{"two delimiters below a title", "Acme Ltd\namount;currency;email;x,amount,currency,email\n", Options{}, 0, nil, "delimiter-ambiguous", ""},
		{"nothing there", table, Options{HeaderLine: 9}, 0, nil, "header-line-blank", ""},
		{"a blank line", "Acme\n\n" + table, Options{HeaderLine: 2}, 0, nil, "header-line-blank", ""},
		{"ours, whatever the input had", "Invoice No,Email,Amount Due,Currency,row,error_column,error\nINV-1,ann@example.com,10.00,USD,7,,\n", Options{HeaderLine: 5}, 1, nil, "", ""},
		{"sep=", "sep=;\r\n" + strings.ReplaceAll(table, ",", ";"), Options{}, 2, nil, "", ""},
		{"sep= in quotes, by which others are text", "\"SEP=\t\"\n" + strings.ReplaceAll("Invoice No,Email,Amount Due,Currency,\"Paid, open; or | other\"\nINV-1,ann@example.com,10.00,USD,x\n", ",", "\t"), Options{}, 2, nil, "", ""},
		{"sep= above titles", "sep=;\nAcme; Ltd\n" + strings.ReplaceAll(table, ",", ";"), Options{}, 3, []string{"Acme, Ltd"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Open(write(t, tt.content), tt.options)
			if got := fileKinds(err); got != tt.want {
				t.Fatalf("got %v (%s), want %s", err, got, tt.want)
			}
			if problems, ok := err.(Problems); ok {
				var lines []string
				for _, o := range problems[0].Options {
					if o.Setting == "header_line" && o.Value != "" {
						lines = append(lines, o.Value)
					}
				}
				if got := strings.Join(lines, ","); got != tt.lines {
					t.Errorf("offers lines %s, want %s", got, tt.lines)
				}
				return
			}
			defer r.Close()
			if h := r.Header(); h.Line != tt.line || !slices.Equal(h.Titles, tt.titles) {
				t.Errorf("found on line %d below %q, want %d and %q", h.Line, h.Titles, tt.line, tt.titles)
			}
			row, err := r.Next()
			if err != nil || row.Line != tt.line+1 || row.Invoice.ID != "INV-1" || len(row.Problems) > 0 {
				t.Errorf("first row: %+v, %v", row, err)
			}
		})
	}
}

// TestHeaderAgain guards that another table in the file ends it, and that the header of this one again is a row to take out.
func TestHeaderAgain(t *testing.T) {
	const row = "A,a@example.com,1,EUR,x\n"
	for _, tt := range []struct {
		name, again string
		want        []string
		end         string
	}{
		{"the same", plainHeader, []string{"2 A", "3 row-is-header", "4 A"}, ""},
		{"other columns", "invoice_id,customer_email,description,amount,currency\n", []string{"2 A"}, "header-again"},
		{"fewer columns", "Credit Note,Email,Amount\n", []string{"2 A"}, "header-again"},
		{"more columns", "Credit Note,Email,Amount,Currency,Note,Other\n", []string{"2 A"}, "header-again"},
		{"other columns, one of them known", "Payment no,Date,Amount,Invoice,Method\n", []string{"2 A"}, "header-again"},
		{"other columns, none of them known", "Belegnr.,Kunde,Saldo,Whg,Text\n", []string{"2 A"}, "header-again"},
		{"words for nothing are none", "B,Kunde,n/a,Whg,Text\n", []string{"2 A", "3 customer_email email-invalid, currency currency-unknown, amount amount-not-a-number", "4 A"}, ""},
		{"a currency is none", "B,Kunde,offen,EUR,Text\n", []string{"2 A", "3 customer_email email-invalid, amount amount-not-a-number", "4 A"}, ""},
		{"the same word again is none", "B,offen,offen,offen,Text\n", []string{"2 A", "3 customer_email email-invalid, currency currency-unknown, amount amount-not-a-number", "4 A"}, ""},
		{"one name among figures is none", "Payment 1,Date,Amount,Invoice,Method\n", []string{"2 A", "3 customer_email email-invalid, currency currency-unknown, amount amount-not-a-number", "4 A"}, ""},
		{"one name is none", "Amount,x,,,\n", []string{"2 A", "3 customer_email email-invalid, currency currency-missing, amount amount-missing", "4 A"}, ""},
		{"a row with figures is none", "Total,Amount,1,,x\n", []string{"2 A", "3 customer_email email-invalid, currency currency-missing", "4 A"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, plainHeader+row+tt.again+row), Options{})
			if got := placed(rows); !slices.Equal(got, tt.want) || fileKinds(err) != tt.end {
				t.Errorf("read %q and then %s, want %q and %s", got, fileKinds(err), tt.want, tt.end)
			}
		})
	}
	t.Run("far below", func(t *testing.T) {
		_, rows, err := readAll(t, write(t, plainHeader+strings.Repeat(row, 1000)+"Credit Note,Email,Amount\n"+strings.Repeat(row, 1000)), Options{})
		if p := problemOf(err); len(rows) != 1000 || p == nil || p.Kind != HeaderAgain || p.Line != 1002 {
			t.Errorf("%d rows, and then %v", len(rows), err)
		}
	})
}

// TestShortAndLongRows guards that a row may lack only what nobody reads, and have only blank cells too many; and that no amount is billed
// that a comma has divided.
func TestShortAndLongRows(t *testing.T) {
	const header = "invoice_id,email,amount,currency,note,other\n"
	comma := Options{DecimalComma: true, Defaults: map[string]string{"currency": "EUR"}}
	for _, tt := range []struct {
		name, header, row string
		options           Options
		want              string
	}{
		{"whole", header, "A,a@example.com,1,EUR,x,y\n", Options{}, "2 A"},
		{"lacks what nobody reads", header, "A,a@example.com,1,EUR\n", Options{}, "2 A"},
		{"lacks the currency", header, "A,a@example.com,1\n", Options{}, "2 cells-too-few"},
		{"lacks a description", "invoice_id,email,amount,currency,description\n", "A,a@example.com,1,EUR\n", Options{}, "2 cells-too-few"},
		{"lacks another amount", "invoice_id,email,amount,currency,balance\n", "A,a@example.com,1,EUR\n", Options{}, "2 cells-too-few"},
		{"ends with the file", header, "A,a@example.com,1,EUR", Options{}, "2 row-cut-off"},
		{"whole, and ends with the file", header, "A,a@example.com,1,EUR,x,y", Options{}, "2 A"},
		{"blank cells too many", header, "A,a@example.com,1,EUR,x,y, ,\n", Options{}, "2 A"},
		{"cells too many", header, "A,a@example.com,1,EUR,x,y,z\n", Options{}, "2 cells-too-many"},
		{"an amount in two", header, "A,a@example.com,1,234.50,EUR,\n", Options{}, "2 amount amount-cut"},
		{"an amount in two in a short row", header, "A,a@example.com,1,234.50,EUR\n", Options{}, "2 amount amount-cut"},
		{"an amount in two in a long row", header, "A,a@example.com,1,234.50,EUR,,\n", Options{}, "2 amount amount-cut"},
		{"an amount in two, whatever else there is", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,1,234.50\n", Options{}, "2 amount amount-cut"},
		{"an amount in three", header, "A,a@example.com,1,234,567.50,EUR\n", Options{}, "2 amount amount-cut"},
		{"a fee", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,1.00,234.50\n", Options{}, "2 A"},
		{"a fee without decimals", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,1,234\n", Options{}, "2 A"},
		{"an amount in quotes", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,\"1\",234.50\n", Options{}, "2 A"},
		{"a fee in quotes", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,1,\"234.50\"\n", Options{}, "2 A"},
		{"four digits", "invoice_id,email,currency,amount,fee\n", "A,a@example.com,EUR,1000,234.50\n", Options{}, "2 A"},
		{"another delimiter", "invoice_id;email;currency;amount;fee\n", "A;a@example.com;EUR;1;234.50\n", Options{}, "2 A"},
		{"decimals in a cell of their own", "invoice_id,email,amount,note\n", "A,a@example.com,12,50,\n", comma, "2 amount amount-cut"},
		{"a note of two digits", "invoice_id,email,amount,note\n", "A,a@example.com,12,50\n", comma, "2 A"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.header+tt.row), tt.options)
			if got := strings.Join(placed(rows), ", "); err != nil || got != tt.want {
				t.Fatalf("read %s, %v; want %s", got, err, tt.want)
			}
			if columns := strings.Count(tt.header, ",") + 1; len(rows[0].Cells) != columns && columns > 1 {
				t.Errorf("%s cells, want %d", strconv.Itoa(len(rows[0].Cells)), columns)
			}
		})
	}
}

// TestNoRows guards that a file without rows is refused unless it is expected.
func TestNoRows(t *testing.T) {
	for _, content := range []string{plainHeader, "Acme Ltd\n" + plainHeader + ",,,,\n\n"} {
		if _, _, err := readAll(t, write(t, content), Options{}); fileKinds(err) != string(NoRows) {
			t.Errorf("%q: %v", content, err)
		}
		if _, rows, err := readAll(t, write(t, content), Options{AllowEmpty: true}); err != nil || len(rows) > 0 {
			t.Errorf("%q, where that is allowed: %d rows, %v", content, len(rows), err)
		}
	}
}
