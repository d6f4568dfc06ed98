package invoice

import "testing"

// TestPaid guards that what was billed is not asked for again where another column says that some of it is paid.
func TestPaid(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		options       Options
		want          string // of the last row
	}{
		{"some is paid", "email,currency,Total,Amount Paid\na@example.com,USD,120.00,0.00\na@example.com,USD,120.00,50.00\n", Options{}, "Amount Paid amount-paid"},
		{"all is paid", "email,currency,Total,InvoiceAmountPaid\na@example.com,USD,120.00,$120.00\n", Options{}, "InvoiceAmountPaid amount-paid"},
		{"nothing is paid", "email,currency,Total,Amount Paid,Bezahlter Betrag\na@example.com,USD,120.00,0.00,\n", Options{}, ""},
		{"a date", "email,currency,Total,Amount Paid\na@example.com,USD,120.00,2026-01-02\n", Options{}, ""},
		{"what is due", "email,currency,Amount Due,Amount Paid\na@example.com,USD,70.00,50.00\n", Options{}, ""},
		{"what is due, in German", "email;currency;Fälliger Betrag;Bezahlter Betrag\na@example.com;EUR;70,00;50,00\n", Options{DecimalComma: true}, ""},
		{"the total is meant", "email,currency,Total,Amount Paid\na@example.com,USD,120.00,50.00\n", Options{Map: map[string]string{"amount": "Total"}}, ""},
		{"ignored", "email,currency,Total,Amount Paid\na@example.com,USD,120.00,50.00\n", Options{Ignore: []string{"Amount Paid"}}, ""},
		{"mapped", "email,currency,Total,Amount Paid\na@example.com,USD,120.00,50.00\n", Options{Map: map[string]string{"invoice_id": "Amount Paid"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.content), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(rows[len(rows)-1]); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
