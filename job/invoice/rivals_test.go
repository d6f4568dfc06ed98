package invoice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRivals guards that no file is billed by one of two columns that could be the amount, unless they agree in every row.
func TestRivals(t *testing.T) {
	many := "email,currency,Amount,Amount Due\n" + strings.Repeat("a@example.com,USD,1.00,1\n", 10_000)
	tests := []struct {
		name, content string
		options       Options
		want          string // what is said of each; "" where the file is read
	}{
		{"gross and due", "email,currency,Amount,Amount Due\na@example.com,USD,5.00,5.00\na@example.com,USD,300.00,0.00\n", Options{},
			`in.csv:1: Amount: could be the amount, and so could "Amount Due", and they differ: line 3 has "300.00" and "0.00"; take the one that is not meant out of the file`},
		{"total and balance due", "email,currency,balance_due,TOTAL\na@example.com,USD,1,2\n", Options{},
			`in.csv:1: TOTAL: could be the amount, and so could "balance_due", and they differ: line 2 has "2" and "1"; take the one that is not meant out of the file`},
		{"each of the names", "email,currency,amount,original-amount,Invoice Amount Due,total,balance,open balance,OpenAmount,outstanding,amount open\n" +
			"a@example.com,USD,1,2,3,4,5,6,7,8,9\n", Options{}, strings.Join([]string{
			difference("original-amount", "2"), difference("Invoice Amount Due", "3"), difference("total", "4"), difference("balance", "5"),
			difference("open balance", "6"), difference("OpenAmount", "7"), difference("outstanding", "8"), difference("amount open", "9")}, "\n")},
		{"two of one spelling", "email,currency,amount,AMOUNT\na@example.com,USD,1,2\n", Options{}, difference("AMOUNT", "2")},
		{"in the last of many rows", many + "a@example.com,USD,1.00,0.99\n", Options{},
			`in.csv:1: Amount: could be the amount, and so could "Amount Due", and they differ: line 10002 has "1.00" and "0.99"; take the one that is not meant out of the file`},
		{"blank beside an amount", "email,currency,amount,total\na@example.com,USD,1,\n", Options{}, difference("total", "")},
		{"unreadable beside an amount", "email,currency,amount,total\na@example.com,USD,1,n/a\n", Options{}, difference("total", "n/a")},
		{"another decimal mark", "email,currency,amount,total\na@example.com,USD,1,\"1,00\"\n", Options{}, difference("total", "1,00")},
		{"five decimals", "email,currency,amount,total\na@example.com,USD,1,1.00001\n", Options{}, difference("total", "1.00001")},
		{"in a row that is bad", "email,currency,amount,total\n,USD,1,2\n", Options{}, difference("total", "2")},
		{"they agree", many + "a@example.com,USD,\"1,234.50\",1234.5\na@example.com,USD,,\" \"\na@example.com,USD,n/a,n/a\n", Options{}, ""},
		{"they agree with commas", "email;currency;amount;total\na@example.com;USD;1,50;1,5\n", Options{DecimalComma: true}, ""},
		{"a row that lacks cells is no difference", "email,currency,amount,total\na@example.com,USD,1\na@example.com,USD,1,1\n", Options{}, ""},
		{"the amount is mapped", "email,currency,amount,total\na@example.com,USD,1,2\n", Options{Map: map[string]string{"amount": "total"}}, ""},
		{"the other is mapped", "email,currency,amount,total\na@example.com,USD,1,2\n", Options{Map: map[string]string{"description": "total"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.content), tt.options)
			if got := withoutFolder(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if len(rows) == 0 {
				t.Error("no row was read: their own problems are to be said, too")
			}
		})
	}
	t.Run("a word is no amount", func(t *testing.T) {
		_, _, err := readAll(t, write(t, "email;currency;Betrag;Offen\na@example.com;EUR;1;ja\n"), Options{})
		want := []Option{mapped("amount", "Betrag"), mapped("amount", "Offen"), {Do: Add, Setting: "ignore", Value: "Offen", When: `"Offen" is no amount`}}
		if p, ok := errors.AsType[*Problem](err); !ok || !slices.Equal(p.Options, want) {
			t.Errorf("got %v with %+v", err, p.Options)
		}
		if _, rows, err := readAll(t, write(t, "email;currency;Betrag;Offen\na@example.com;EUR;1;ja\n"), Options{Ignore: []string{"Offen"}}); err != nil || len(rows[0].Problems) > 0 {
			t.Errorf("ignored: %v", err)
		}
	})
	for _, net := range []string{"Net amount", "Subtotal", "Nettobetrag", "Montant HT", "Base imponible", "Bedrag excl. btw", "小計", "Line Total", "gross_amount", "Umsatz (ohne Soll/Haben-Kz)"} {
		t.Run(net+" is no amount", func(t *testing.T) {
			_, _, err := readAll(t, write(t, "email,currency,"+net+"\na@example.com,USD,1\n"), Options{})
			if fileKinds(err) != string(ColumnMissing) {
				t.Errorf("alone: %v", err)
			}
			_, rows, err := readAll(t, write(t, "email,currency,"+net+",Total\na@example.com,USD,1,2\n"), Options{})
			if err != nil || rows[0].Invoice.AmountText != "2" {
				t.Errorf("beside a total: %v, %v", rows, err)
			}
		})
	}
	t.Run("what can be done", func(t *testing.T) {
		_, _, err := readAll(t, write(t, tests[0].content), Options{})
		want := []Option{mapped("amount", "Amount"), mapped("amount", "Amount Due")}
		if p, ok := errors.AsType[*Problem](err); !ok || p.Kind != AmountRivals || !slices.Equal(p.Options, want) {
			t.Errorf("got %v with %+v, want %+v", err, p.Options, want)
		}
	})
	for _, open := range []string{"Balance", "Open Balance", "Outstanding Balance", "Amount remaining", "Saldo", "Offen", "Offener Betrag", "Restbetrag",
		"Solde", "Reste à payer", "Pendiente", "Importe pendiente", "Openstaand", "Openstaand bedrag", "残高", "請求残高", "未入金額"} {
		t.Run(open+" alone is no amount", func(t *testing.T) {
			_, _, err := readAll(t, write(t, "email,currency,"+open+"\na@example.com,USD,1\n"), Options{})
			if p, ok := errors.AsType[*Problem](err); !ok || p.Kind != ColumnMissing || !slices.Equal(p.Options, []Option{mapped("amount", open)}) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// difference is what is said of a column that differs from amount, which is 1 on line 2.
func difference(header, value string) string {
	return fmt.Sprintf("in.csv:1: amount: could be the amount, and so could %q, and they differ: line 2 has \"1\" and %q; take the one that is not meant out of the file", header, value)
}

// withoutFolder is the error with the bare name of the file in each line.
func withoutFolder(err error) string {
	if err == nil {
		return ""
	}
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, line[strings.Index(line, "in.csv"):])
	}
	return strings.Join(lines, "\n")
}

// TestIDs guards which columns are named to somebody whose file has no invoice id.
func TestIDs(t *testing.T) {
	tests := []struct {
		name, header string
		rows         []string
		want         []string
	}{
		{"names", "Num,No.,Order #,Vorgangsnr.,Document number", []string{"1,1,A 1,R1,D-1", "2,2,A 2,R2,D-2"},
			[]string{"Num", "No.", "Order #", "Vorgangsnr.", "Document number"}},
		{"others follow", "code,Num", []string{"x1,1", "x2,2"}, []string{"Num", "code"}},
		{"twice the same", "Num,No.", []string{"1,1", "1,2"}, []string{"No."}},
		{"blank once", "Num,No.", []string{"1,1", ",2"}, []string{"No."}},
		{"texts, dates, amounts and addresses", "name,sent,fee,mail,web", []string{"Ann Lee,2026-01-02,1.50,x1@example.com,https://x.example/1", "Bo Ek,03.04.2026,2.50,x2@example.com,https://x.example/2"}, nil},
		{"numbers of something else", "Customer No,Phone,days overdue,Open Balance,Tax ID,Row", []string{"1,1,1,3,1,1", "2,2,2,3,2,2"}, nil},
		{"no rows that can be read", "Num", []string{"1,2,3"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := "email,amount,currency," + tt.header + "\n"
			for _, row := range tt.rows {
				content += "a@example.com,3,USD," + row + "\n"
			}
			r, _, err := readAll(t, write(t, content), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.IDs(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("what is taken", func(t *testing.T) {
		for header, want := range map[string]string{"invoice_id,Num": "[]", "reference_customer_id,Num": "[Num]"} {
			r, _, err := readAll(t, write(t, "email,amount,currency,"+header+"\na@example.com,3,USD,1,2\n"), Options{})
			if err != nil || fmt.Sprint(r.IDs()) != want {
				t.Errorf("%s: %v, %v", header, r.IDs(), err)
			}
		}
	})
	t.Run("the first 10,000 rows count", func(t *testing.T) {
		for again, want := range map[int]string{9_999: "[]", 10_000: "[Num]"} {
			var content strings.Builder
			content.WriteString("email,amount,currency,Num\n")
			for i := range 10_001 {
				if i == again {
					i = 0
				}
				fmt.Fprintf(&content, "a@example.com,3,USD,%d\n", i)
			}
			r, _, err := readAll(t, write(t, content.String()), Options{})
			if err != nil || fmt.Sprint(r.IDs()) != want || !r.KnowsIDs() {
				t.Errorf("row %d has the number of the first: %v, %v", again, r.IDs(), err)
			}
		}
	})
}
