package invoice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTotals guards that no total is billed, that a row without an id is refused where others have one, and that only totals that
// add up are left out.
func TestTotals(t *testing.T) {
	const header = "Customer,Num,Amount,Currency\n"
	options := Options{Map: map[string]string{"reference_customer_id": "Customer", "invoice_id": "Num"}}
	tests := []struct {
		name, rows string
		want       []string
		leftOut    []int // with SkipTotals
	}{
		{"groups and all", "A,1,100.00,EUR\nA,2,50.00,EUR\nTotal for A,,150.00,EUR\nB,3,20.00,EUR\nTotal for B,,20.00,EUR\nTOTAL,,170.00,EUR\n",
			[]string{"2 1", "3 2", "4 Num row-is-total", "5 3", "6 Num row-is-total", "7 Num row-is-total"}, []int{4, 6, 7}},
		{"groups of groups", "A,1,1,EUR\nTotal A,,1,EUR\nB,2,2,EUR\nTotal B,,2,EUR\nNorth total,,3,EUR\nC,3,4,EUR\nTotal C,,4,EUR\nSouth total,,4,EUR\nGrand total,,7,EUR\n",
			[]string{"2 1", "3 Num row-is-total", "4 2", "5 Num row-is-total", "6 Num row-is-total", "7 3", "8 Num row-is-total", "9 Num row-is-total", "10 Num row-is-total"},
			[]int{3, 5, 6, 8, 9}},
		{"by currency, with nothing but the figures", "A,1,1,EUR\nA,2,2,USD\nA,3,3,EUR\nA,4,5,USD\n,,4,EUR\n,,7,USD\n",
			[]string{"2 1", "3 2", "4 3", "5 4", "6 Num row-is-total", "7 Num row-is-total"}, []int{6, 7}},
		{"without a currency", "A,1,1,EUR\nA,2,2,EUR\nSumme,,3.00,\n", []string{"2 1", "3 2", "4 Num row-is-total"}, []int{4}},
		{"with a credit", "A,1,10,EUR\nA,2,-3,EUR\nA,3,(1.00),EUR\nSumme,,6.00,EUR\n",
			[]string{"2 1", "3 Amount amount-negative", "4 Amount amount-negative", "5 Num row-is-total"}, []int{5}},
		{"one that does not add up", "A,1,100,EUR\nTotal,,150,EUR\n", []string{"2 1", "3 Num row-is-total"}, nil},
		{"below an amount that cannot be read", "A,1,100,EUR\nA,2,x,EUR\nTotal,,100,EUR\n", []string{"2 1", "3 Amount amount-not-a-number", "4 Num row-is-total"}, nil},
		{"the amount of the row above is no sum", "A,1,100,EUR\nB,,100,EUR\n", []string{"2 1", "3 Num id-missing"}, nil},
		{"an id forgotten, and its total", "A,1,100,EUR\nB,,7,EUR\nTotal,,107,EUR\n", []string{"2 1", "3 Num id-missing", "4 Num row-is-total"}, []int{4}},
		{"before the first id", "B,,7,EUR\nA,1,100,EUR\n", []string{"2 Num id-missing", "3 1"}, nil},
		{"a customer with such a name has an id", "A,1,100,EUR\nTotal Energies,2,100,EUR\n", []string{"2 1", "3 2"}, nil},
		{"no ids at all", "A,,7,EUR\nB,,100,EUR\nC,,100,EUR\n", []string{"2 ", "3 ", "4 "}, nil},
		{"no ids at all, and a total", "A,,7,EUR\nB,,100,EUR\nAll in total,,107,EUR\n", []string{"2 ", "3 ", "4 Num row-is-total"}, []int{4}},
		{"short, at the end of the file", "A,1,1,EUR\nA,2,2,EUR\nTotal,,3.00\nTOTAL,,3.00", []string{"2 1", "3 2", "4 Num row-is-total", "5 Num row-is-total"}, []int{4, 5}},
		{"short, and no total", "A,1,1,EUR\nA,2,2,EUR\nTotal,,4.00\n,,5.00\n", []string{"2 1", "3 2", "4 cells-too-few", "5 cells-too-few"}, nil},
		{"an empty group", "A,1,7,EUR\nTotal A,,7,EUR\nTotal B,,0.00,EUR\n", []string{"2 1", "3 Num row-is-total", "4 Num row-is-total"}, []int{3, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, header+tt.rows)
			_, rows, err := readAll(t, path, options)
			if got := placed(rows); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("read %q, %v; want %q", got, err, tt.want)
			}
			skip := options
			skip.SkipTotals = true
			r, rows, err := readAll(t, path, skip)
			if err != nil {
				t.Fatal(err)
			}
			left := r.Notes().Totals
			if !slices.Equal(left.First, tt.leftOut[:min(len(tt.leftOut), linesNamed)]) || left.Count != len(tt.want)-len(rows) {
				t.Errorf("left out %s of %d, want %v", left, left.Count, tt.leftOut)
			}
			allow := options
			allow.AllowNoID = true
			_, rows, err = readAll(t, path, allow)
			if got := strings.Join(placed(rows), ", "); err != nil || strings.Contains(got, "row-is-total") && !strings.HasPrefix(tt.name, "short") || strings.Contains(got, "id-missing") {
				t.Errorf("where that is allowed: %s, %v", got, err)
			}
		})
	}
}

// TestTotalsInEveryLanguage guards the words by which a row is called a total.
func TestTotalsInEveryLanguage(t *testing.T) {
	for _, text := range []string{"TOTAL", "Total for North Pier", "Sub-total", "sous-total", "Gesamtsumme:", "Zwischensumme EUR", "Suma", "Totaal", "合計", "小計（税込）", "Итого"} {
		if totalText([]string{"x", text}) != text {
			t.Errorf("%q is no total", text)
		}
	}
	for _, text := range []string{"Totality", "Subtotaller", "Summer", "Resume", ""} {
		if totalText([]string{text}) != "" {
			t.Errorf("%q is a total", text)
		}
	}
}

// TestManyGroups guards that memory does not grow with the groups of a file, and that the last total is still known.
func TestManyGroups(t *testing.T) {
	const groups = 1000
	var b strings.Builder
	b.WriteString("email,invoice_id,amount,currency\n")
	for i := range groups {
		fmt.Fprintf(&b, "a@example.com,%d,%d.00,EUR\nTotal,,%d.00,EUR\n", i, 1+i, 1+i)
	}
	fmt.Fprintf(&b, "Total,,%d.00,EUR\n", groups*(groups+1)/2)
	r, rows, err := readAll(t, write(t, b.String()), Options{SkipTotals: true})
	if err != nil || len(rows) != groups || r.Notes().Totals.Count != groups+1 || len(r.totals.groups) > groupsKept+1 {
		t.Errorf("%d rows, %+v, %d groups kept, %v", len(rows), r.Notes(), len(r.totals.groups), err)
	}
}

// TestTotalIsNoRival guards that another figure in a total, which is refused, does not refuse the file.
func TestTotalIsNoRival(t *testing.T) {
	content := "email,invoice_id,amount,balance,currency\na@example.com,1,1,1,EUR\na@example.com,2,2,2,EUR\nTotal,,3,,EUR\n"
	_, rows, err := readAll(t, write(t, content), Options{})
	if got := placed(rows); err != nil || !slices.Equal(got, []string{"2 1", "3 2", "4 invoice_id row-is-total"}) {
		t.Errorf("read %q, %v", got, err)
	}
}
