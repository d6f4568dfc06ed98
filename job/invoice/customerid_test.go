package invoice

import (
	"errors"
	"slices"
	"testing"
)

// TestForeignCustomerIDs guards that ids of another program are not sent as Clink's: the column is asked about, whatever else names the
// customer, unless it has exactly our name, holds Clink's ids alone, or is mapped or ignored.
func TestForeignCustomerIDs(t *testing.T) {
	const other = `in.csv:1: Customer ID: may be Clink's id of the customer or one of your own: line 3 has "4600000000000073035", and Clink's begin with cus_`
	mixed := "Customer ID,email,amount,currency\ncus_1,a@example.com,1,USD\n4600000000000073035,b@example.com,1,USD\n"
	tests := []struct {
		name, content string
		options       Options
		want          string
		sent          string // as Clink's id of the last row
	}{
		{"a foreign id", mixed, Options{}, other, "4600000000000073035"},
		{"without an email", "CustomerID,amount,currency\n7,1,USD\n", Options{},
			`in.csv:1: CustomerID: may be Clink's id of the customer or one of your own: line 2 has "7", and Clink's begin with cus_`, "7"},
		{"Clink's", "Customer ID,email,amount,currency\ncus_1,a@example.com,1,USD\nNULL,b@example.com,1,USD\ncus_2,b@example.com,1,USD\n", Options{}, "", "cus_2"},
		{"the exact name", "customer_id,amount,currency\n7,1,USD\n", Options{}, "", "7"},
		{"mapped", mixed, Options{Map: map[string]string{"customer_id": "Customer ID"}}, "", "4600000000000073035"},
		{"mapped as one's own", mixed, Options{Map: map[string]string{"reference_customer_id": "Customer ID"}}, "", ""},
		{"ignored", mixed, Options{Ignore: []string{"customer id"}}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.content), tt.options)
			if got := withoutFolder(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := rows[len(rows)-1].Invoice.CustomerID; got != tt.sent {
				t.Errorf("%q is sent, want %q", got, tt.sent)
			}
		})
	}
	t.Run("what can be done", func(t *testing.T) {
		_, _, err := readAll(t, write(t, mixed), Options{})
		want := []string{"reference_customer_id", "customer_id", ""}
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Kind != CustomerIDUnsure || len(p.Options) != len(want) {
			t.Fatalf("got %v", err)
		}
		for i, option := range p.Options {
			if option.Column != want[i] || option.Value != "Customer ID" {
				t.Errorf("option %d is %+v", i, option)
			}
		}
	})
}

// TestIgnore guards that an ignored column is nothing to the reader, and that a misspelt one is told.
func TestIgnore(t *testing.T) {
	const content = "invoice_id,email,amount,Balance,balance,currency\nA,a@example.com,5,4,3,USD\n"
	r, rows, err := readAll(t, write(t, content), Options{Ignore: []string{"Balance", "balance"}})
	if err != nil || rows[0].Invoice.AmountText != "5" || !slices.Equal(rows[0].Cells, []string{"A", "a@example.com", "5", "4", "3", "USD"}) {
		t.Errorf("got %v, %+v", err, rows)
	}
	if got := r.Header().Ignored; !slices.Equal(got, []string{"Balance", "balance"}) {
		t.Errorf("ignored are %q", got)
	}
	if r, _, err := readAll(t, write(t, content), Options{Ignore: []string{"BALANCE"}}); err != nil || len(r.Header().Ignored) != 2 {
		t.Errorf("in another spelling: %v", err)
	}
	for _, tt := range []struct {
		options Options
		want    Kind
	}{
		{Options{Ignore: []string{"Balances"}}, IgnoreUnknownHeader},
		{Options{Ignore: []string{"nothing alike"}}, IgnoreUnknownHeader},
		{Options{Ignore: []string{"amount"}, Map: map[string]string{"amount": "amount"}}, IgnoreMapped},
		{Options{Ignore: []string{"amount", "Balance", "balance"}}, ColumnMissing},
		{Options{Ignore: []string{"amount", "amount", "Balance", "balance"}}, ColumnMissing},
	} {
		_, _, err := readAll(t, write(t, content), tt.options)
		if got := fileKinds(err); got != string(tt.want) {
			t.Errorf("%+v: %s, want %s", tt.options, got, tt.want)
		}
	}
	_, _, err = readAll(t, write(t, content), Options{Ignore: []string{"Balances"}})
	if p, ok := errors.AsType[*Problem](err); !ok || !slices.Equal(p.Options, []Option{{Do: Replace, Setting: "ignore", Value: "Balance"}}) {
		t.Errorf("a misspelt one: %v", err)
	}
}
