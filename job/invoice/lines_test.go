package invoice

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bojanz/currency"
)

// readLines reads a text whose rows are lines, as a check does: all rows, and then once more.
func readLines(t testing.TB, text string, o Options) (rows []Row, err error) {
	t.Helper()
	open := func() *Reader {
		r, openErr := OpenAt("in.csv", strings.NewReader(text), int64(len(text)), o)
		if openErr != nil {
			err = openErr
			return nil
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	r := open()
	if r == nil {
		return nil, err
	}
	v := NewInvoices(r)
	for {
		row, err := r.Next()
		if err != nil {
			if err.Error() != "EOF" {
				return nil, err
			}
			break
		}
		v.Add(&row)
	}
	if err := v.End(); err != nil {
		return nil, err
	}
	if r = open(); r == nil {
		return nil, err
	}
	again := v.Read(r)
	for {
		row, err := again.Next()
		if err != nil {
			if err.Error() != "EOF" {
				return rows, err
			}
			return rows, nil
		}
		rows = append(rows, row)
	}
}

// told is each row in a few words: line, amount and lines of the first ones, - of a further one, kinds of problems of a bad one.
func told(rows []Row) []string {
	var all []string
	for _, row := range rows {
		text := fmt.Sprint(row.Line)
		switch {
		case len(row.Problems) > 0:
			for _, p := range row.Problems {
				text += " " + string(p.Kind)
			}
		case row.Further:
			text += " -"
		default:
			text += fmt.Sprintf(" %s %s", row.Invoice.AmountText, row.Invoice.Amount.CurrencyCode())
			if d := row.Invoice.Description; d != "" {
				text += " " + d
			}
			for _, line := range row.Invoice.Lines {
				text += fmt.Sprintf(" [%s %d×%s]", line.Description, line.Quantity, line.UnitAmount)
			}
		}
		all = append(all, text)
	}
	return all
}

// TestInvoicesOfSeveralRows guards what rows of one id come to, either way.
func TestInvoicesOfSeveralRows(t *testing.T) {
	const columns = "invoice_id,email,amount,currency,description\n"
	tests := []struct {
		name  string
		mode  LinesMode
		text  string
		want  string // as told
		other Options
	}{
		{"a sum", LinesSum, columns + "A,a@x.de,1.10,EUR,tea\nA,,2.2,,pot\n", "2 3.30 EUR [tea 0×1.10] [pot 0×2.2];3 -", Options{}},
		{"a single row", LinesSum, columns + "A,a@x.de,1.10,EUR,tea\n", "2 1.10 EUR tea", Options{}},
		{"rows apart", LinesSum, columns + "A,a@x.de,1.00,EUR,tea\nB,a@x.de,5,EUR,\nA,,2.00,EUR,pot\nB,,6,EUR,cup\nA,a@x.de,4,EUR,\n",
			"2 7.00 EUR [tea 0×1.00] [pot 0×2.00] [ 0×4];3 11.00 EUR [ 0×5] [cup 0×6];4 -;5 -;6 -", Options{}},
		{"a blank currency apart from its row", LinesSum, columns + "A,a@x.de,1.00,KWD,\nB,a@x.de,5,EUR,\nA,,2.125,,\n", "2 3.125 KWD [ 0×1.00] [ 0×2.125];3 5.00 EUR;4 -", Options{}},
		{"one that is wrong", LinesSum, columns + "A,a@x.de,1.00,XX,\nA,,2.00,,\nB,b@x.de,1,,\nB,,2,,\n", "2 currency-unknown;3 line-refused;4 currency-missing;5 line-refused", Options{}},
		{"zero lines", LinesSum, columns + "A,a@x.de,0.00,EUR,tea\nA,,2.00,,pot\nA,,0,,x\n", "2 2.00 EUR pot;3 -;4 -", Options{}},
		{"a discount", LinesSum, columns + "A,a@x.de,10.00,EUR,tea\nA,,-2.50,,less\n", "2 7.50 EUR;3 -", Options{}},
		{"a discount, by brackets", LinesSum, columns + "A,a@x.de,10.00,EUR,tea\nA,,(2.50),,tea\n", "2 7.50 EUR tea;3 -", Options{}},
		{"a credit behind it", LinesSum, columns + "A,a@x.de,10.00,EUR,tea\nA,,2.50 CR,,tea\nA,,1.00-,,tea\n", "2 6.50 EUR tea;3 -;4 -", Options{}},
		{"two marks", LinesSum, columns + "A,a@x.de,10.00,EUR,\nA,,(-2.50),,\n", "2 line-refused;3 amount-negative", Options{}},
		{"a dash for nothing", LinesSum, columns + "A,a@x.de,10.00,EUR,\nA,,-,,\n", "2 line-refused;3 amount-zero", Options{}},
		{"a debit", LinesSum, columns + "A,a@x.de,10.00,EUR,\nA,,2.50 DR,,\n", "2 line-refused;3 amount-debit", Options{}},
		{"a blank line", LinesSum, columns + "A,a@x.de,10.00,EUR,\nA,,,,only a text\n", "2 line-refused;3 amount-missing", Options{}},
		{"nothing due", LinesSum, columns + "A,a@x.de,10.00,EUR,\nA,,-10,,\n", "2 lines-worthless;3 line-refused", Options{}},
		{"less than nothing", LinesSum, columns + "A,a@x.de,-10.00,EUR,\n", "2 lines-worthless", Options{}},
		{"too much", LinesSum, columns + strings.Repeat("A,a@x.de,90000000000000,EUR,\n", 2) + "A,a@x.de,1,EUR,\n", "2 amount-too-large;3 line-refused;4 line-refused", Options{}},
		{"another customer", LinesSum, columns + "A,a@x.de,1,EUR,\nA,A@X.de,2,EUR,\nA,b@x.de,3,EUR,\n", "2 line-refused;3 line-refused;4 line-differs", Options{}},
		{"no customer", LinesSum, columns + "A,,1,EUR,\nA,a@x.de,2,EUR,\n", "2 customer-missing;3 line-differs", Options{}},
		{"another currency", LinesSum, columns + "A,a@x.de,1,EUR,\nA,,2,USD,\n", "2 line-refused;3 line-differs", Options{}},
		{"a short row", LinesSum, columns + "A,a@x.de,1,EUR,\nA,,2\nB,a@x.de,3,EUR,\n", "2 line-refused;3 cells-too-few;4 3.00 EUR", Options{}},
		{"a row without an id", LinesSum, columns + "A,a@x.de,1,EUR,\n,a@x.de,2,EUR,\nA,,3,EUR,\n", "2 line-refused;3 id-missing;4 line-refused", Options{}},
		{"a row without an id below", LinesSum, columns + "Z,z@x.de,9,EUR,\nA,a@x.de,1,EUR,\n,,2,,\nB,b@x.de,3,EUR,\nC,c@x.de,4,EUR,\n",
			"2 9.00 EUR;3 line-refused;4 id-missing;5 line-refused;6 4.00 EUR", Options{}},
		{"an id that is none", LinesSum, columns + "A,a@x.de,1,EUR,\nA ,a@x.de,2,EUR,\nB,b@x.de,3,EUR,\nC,c@x.de,4,EUR,\n", "2 line-refused;3 space-at-end;4 line-refused;5 4.00 EUR", Options{}},
		{"a word for no id", LinesSum, columns + "A,a@x.de,1,EUR,\nNULL,a@x.de,2,EUR,\n", "2 line-refused;3 id-nothing", Options{}},
		{"of a total", LinesTotal, columns + "A,a@x.de,3,EUR,\n,,3,,\n", "2 3 EUR;3 id-missing", Options{}},
		{"a row without an id where lines stand apart", LinesSum, columns + "A,a@x.de,1,EUR,\nB,b@x.de,2,EUR,\nA,,3,EUR,\n,,4,,\nC,c@x.de,5,EUR,\nD,d@x.de,6,EUR,\n",
			"2 line-refused;3 line-refused;4 line-refused;5 id-missing;6 line-refused;7 line-refused", Options{}},
		{"a total that does not stay", LinesSum, columns + "A,a@x.de,1,EUR,\nA,,2,,\nB,b@x.de,2,EUR,\n,,5,,total\n", "2 3.00 EUR [ 0×1] [ 0×2];3 -;4 2.00 EUR;5 row-is-total", Options{}},
		{"an id in another column", LinesSum, "email,amount,currency,description,invoice_id\na@x.de,1,EUR,,A\na@x.de,2,EUR,tea, pot,A\nb@x.de,3,EUR,,B\nc@x.de,4,EUR,,C\n",
			"2 line-refused;3 cells-too-many;4 line-refused;5 4.00 EUR", Options{}},
		{"that is meant", LinesSum, columns + "A,a@x.de,1,EUR,\n,b@x.de,2,EUR,\n", "2 1.00 EUR;3 2.00 EUR", Options{AllowNoID: true}},
		{"totals that are left out", LinesSum, columns + "A,a@x.de,1,EUR,\nA,,2,,\nB,b@x.de,2,EUR,\n,,5,,total\n", "2 3.00 EUR [ 0×1] [ 0×2];3 -;4 2.00 EUR", Options{SkipTotals: true}},
		{"totals of totals", LinesTotal, columns + "A,a@x.de,3,EUR,\nA,,3,,\nA,,,,\nB,b@x.de,2,EUR,\n,,5,,total\n", "2 3 EUR;3 -;4 -;5 2 EUR", Options{SkipTotals: true}},
		{"a total", LinesTotal, columns + "A,a@x.de,3.00,EUR,tea\nA,,3,,pot\nA,,,,\n", "2 3.00 EUR;3 -;4 -", Options{}},
		{"a total of the same item", LinesTotal, columns + "A,a@x.de,3.00,EUR,tea\nA,,3.0,,tea\n", "2 3.00 EUR tea;3 -", Options{}},
		{"an item for all", LinesTotal, columns + "A,a@x.de,3.00,EUR,tea\nA,,3.0,,pot\n", "2 3.00 EUR Services;3 -", Options{Defaults: map[string]string{"item_name": "Services"}}},
		{"another total", LinesTotal, columns + "A,a@x.de,3.00,EUR,\nA,,3.01,,\n", "2 line-refused;3 line-differs", Options{}},
		{"a total below", LinesTotal, columns + "A,a@x.de,,EUR,\nA,,3.01,,\n", "2 amount-missing;3 line-differs", Options{}},
		{"a total that is negative", LinesTotal, columns + "A,a@x.de,-3,EUR,\nA,,-3,,\n", "2 amount-negative;3 amount-negative", Options{}},
		{"quantities", LinesSum, "invoice_id,email,amount,currency,quantity,unit_amount\nA,a@x.de,6.00,EUR,3,2.00\nA,,5,,1,\nA,,0,,0,0\nA,,-1,,-1,1\nB,b@x.de,6,EUR,3,2\nB,,7,EUR,,\n",
			"2 10.00 EUR;3 -;4 -;5 -;6 13.00 EUR [ 3×2] [ 0×7];7 -", Options{}},
		{"a quantity that does not fit", LinesSum, "invoice_id,email,amount,currency,quantity,unit_amount\nA,a@x.de,6.00,EUR,3,2.10\n", "2 quantity-mismatch", Options{}},
		{"quantities of a total pass", LinesTotal, "invoice_id,email,amount,currency,quantity,unit_amount\nA,a@x.de,6.00,EUR,x,y\n", "2 6.00 EUR", Options{}},
		{"both", LinesSum, "invoice_id,email,total,currency,line_amount\nA,a@x.de,6.00,EUR,2\nA,a@x.de,6,EUR,4\nB,b@x.de,6,EUR,6\n", "2 6.00 EUR [ 0×2] [ 0×4];3 -;4 6.00 EUR", Options{}},
		{"both, a total", LinesTotal, "invoice_id,email,total,currency,line_amount\nA,a@x.de,6.00,EUR,2\nA,,,,4\n", "2 6.00 EUR;3 -", Options{}},
		{"both, and they differ", LinesTotal, "invoice_id,email,total,currency,line_amount\nA,a@x.de,6.00,EUR,2\nA,,,,3\nB,b@x.de,1,EUR,1\n", "2 lines-beside-total;3 line-refused;4 1 EUR", Options{}},
		{"lines alone", LinesSum, "invoice_id,email,currency,line_amount\nA,a@x.de,EUR,2\nA,,,2\n", "2 4.00 EUR [ 0×2] [ 0×2];3 -", Options{}},
		{"a way to pay", LinesSum, "invoice_id,email,currency,amount,success_url\nA,a@x.de,EUR,2,https://a.de\nA,,,1,\nB,a@x.de,EUR,2,https://a.de\nB,,,1,https://b.de\n",
			"2 3.00 EUR [ 0×2] [ 0×1];3 -;4 line-refused;5 line-differs", Options{}},
		{"a product", LinesSum, "invoice_id,email,currency,amount,product_id,price_id\nA,a@x.de,EUR,2,p,q\nA,,,1,,\nB,b@x.de,EUR,2,p,q\n", "2 lines-and-product;3 line-refused;4 2.00 EUR", Options{}},
		{"an amount cut in two", LinesSum, "invoice_id,email,currency,line_amount,note\nA,a@x.de,EUR,1,234.50\n", "2 amount-cut", Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.other
			o.Lines = tt.mode
			rows, err := readLines(t, tt.text, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(told(rows), ";"); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestLinesOfAWholeFile guards what refuses a file for all its rows.
func TestLinesOfAWholeFile(t *testing.T) {
	const columns = "invoice_id,email,amount,currency\n"
	const equal = columns + "A,a@x.de,10,EUR\nA,,10,\nA,,10,\nB,b@x.de,5,EUR\n"
	for _, tt := range []struct {
		name, text string
		o          Options
		want       string // of the error; "" is none
	}{
		{"equal", equal, Options{Lines: LinesSum}, `in.csv:1: amount: is the same in all rows of each invoice that has several (1 of them), and so may be its total: that of line 2 is 10.00 EUR if it is, and 30.00 EUR if each row has the amount of its line`},
		{"one that is not", equal + "C,c@x.de,1,EUR\nC,,2,\n", Options{Lines: LinesSum}, ""},
		{"equal, and mapped", equal, Options{Lines: LinesSum, Map: map[string]string{"line_amount": "amount"}}, ""},
		{"equal, and the amount is mapped", equal, Options{Lines: LinesSum, Map: map[string]string{"amount": "amount"}}, "is the same in all rows"},
		{"rivals", "invoice_id,email,amount,currency,total\nA,a@x.de,1,EUR,3\nA,,2,,3\n", Options{Lines: LinesSum}, "could be the amount"},
		{"rivals, and one is the line's", "invoice_id,email,amount,currency,total\nA,a@x.de,1,EUR,3\nA,,2,,3\n", Options{Lines: LinesSum, Map: map[string]string{"line_amount": "amount"}}, ""},
		{"equal, by its name", strings.Replace(equal, "amount", "line_amount", 1), Options{Lines: LinesSum}, ""},
		{"equal totals", equal, Options{Lines: LinesTotal}, ""},
		{"single rows", columns + "A,a@x.de,10,EUR\nB,,10,\n", Options{Lines: LinesSum}, ""},
		{"no id", "email,amount,currency\na@x.de,1,EUR\n", Options{Lines: LinesSum}, "has no column invoice_id, which says to which invoice a line belongs"},
		{"a line's column without lines", columns + "A,a@x.de,1,EUR\n", Options{Map: map[string]string{"line_amount": "amount"}}, "line_amount is only read where an invoice may have several rows"},
		{"a line's column in a total", columns + "A,a@x.de,1,EUR\n", Options{Lines: LinesTotal, Map: map[string]string{"quantity": "amount"}}, "quantity says what a line is made of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readLines(t, tt.text, tt.o)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestTooManyLines guards the length of what Clink is sent.
func TestTooManyLines(t *testing.T) {
	text := "invoice_id,email,amount,currency\nA,a@x.de,2,EUR\n" + strings.Repeat("A,,1,\n", mostLines-1)
	rows, err := readLines(t, text, Options{Lines: LinesSum})
	if err != nil || len(rows) != mostLines || len(rows[0].Invoice.Lines) != mostLines || rows[0].Invoice.AmountText != "1001.00" {
		t.Fatalf("%d rows, %v: %+v", len(rows), err, told(rows[:1]))
	}
	rows, err = readLines(t, text+"A,,1,\n", Options{Lines: LinesSum})
	if err != nil || len(rows[0].Problems) != 1 || rows[0].Problems[0].Kind != LinesTooMany || rows[mostLines].Problems[0].Kind != LineRefused {
		t.Errorf("one more: %v, %v", err, told(rows[:1]))
	}
	rows, err = readLines(t, text+"A,,-1,\n", Options{Lines: LinesSum})
	if err != nil || rows[0].Invoice.AmountText != "1000.00" || rows[0].Invoice.Lines != nil {
		t.Errorf("one more, and a single item: %v, %v", err, told(rows[:1]))
	}
}

// TestLinesThatChange guards that an invoice is never made of rows that the first reading has not added up.
func TestLinesThatChange(t *testing.T) {
	const columns = "invoice_id,email,amount,currency\n"
	reader := func(text string) *Reader {
		r, err := OpenAt("in.csv", strings.NewReader(text), int64(len(text)), Options{Lines: LinesSum})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	first := reader(columns + "A,a@x.de,1,EUR\nA,,2,\nB,a@x.de,4,EUR\n")
	v := NewInvoices(first)
	for {
		row, err := first.Next()
		if err != nil {
			break
		}
		v.Add(&row)
	}
	for _, rows := range []string{
		"A,a@x.de,1,EUR\nA,,3,\nB,a@x.de,4,EUR\n", "A,a@x.de,1,EUR\nB,a@x.de,4,EUR\nA,,2,\n", "A,a@x.de,1,EUR\n", "C,a@x.de,1,EUR\n", "A,a@x.de,3,EUR\nA,,0,\nB,,5,EUR\n",
	} {
		again, err := v.Read(reader(columns+rows)), error(nil)
		for err == nil {
			_, err = again.Next()
		}
		if err != ErrChanged {
			t.Errorf("%q ends with %v", rows, err)
		}
	}
}

// TestSumsOfLines guards that a sum is exact: over currencies with 0, 2, 3 and 4 decimals, with rows in any order, what is sent is what
// big integers say, and its lines add up to it.
func TestSumsOfLines(t *testing.T) {
	var codes []string
	for _, code := range currency.GetCurrencyCodes() {
		if _, _, bad := readCurrency(code); bad == nil {
			codes = append(codes, code)
		}
	}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		var text bytes.Buffer
		out := csv.NewWriter(&text)
		_ = out.Write([]string{"invoice_id", "email", "currency", "line_amount", "quantity", "unit_amount", "description"})
		type invoice struct {
			code string
			sum  *big.Int // in units of the currency's last decimal
			some bool
			neg  bool
		}
		all := map[string]*invoice{}
		var rows [][]string
		for n := range 1 + random.IntN(30) {
			id, inv := fmt.Sprintf("I-%d", n), &invoice{code: codes[random.IntN(len(codes))], sum: new(big.Int)}
			all[id] = inv
			digits, _ := currency.GetDigits(inv.code)
			write := func(amount *big.Int) string {
				sign, plain := "", new(big.Int).Abs(amount).String()
				if amount.Sign() < 0 {
					sign = "-"
				}
				for len(plain) <= int(digits) {
					plain = "0" + plain
				}
				if at := len(plain) - int(digits); digits > 0 {
					plain = plain[:at] + "." + plain[at:]
				}
				return sign + plain
			}
			for range 1 + random.IntN(6) {
				unit := big.NewInt(random.Int64N([]int64{2, 1000, 1e6, 1e13}[random.IntN(4)]))
				if random.IntN(12) == 0 {
					unit.Neg(unit)
				}
				quantity := random.Int64N(3) + 1
				amount := new(big.Int).Mul(unit, big.NewInt(quantity))
				inv.sum.Add(inv.sum, amount)
				inv.some, inv.neg = inv.some || amount.Sign() != 0, inv.neg || amount.Sign() < 0
				rows = append(rows, []string{id, "a@x.de", inv.code, write(amount), fmt.Sprint(quantity), write(unit), "x"})
			}
		}
		if seed%2 == 0 {
			random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
		_ = out.WriteAll(rows)
		read, err := readLines(t, text.String(), Options{Lines: LinesSum})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(read) != len(rows) {
			t.Fatalf("seed %d: %d rows of %d", seed, len(read), len(rows))
		}
		for _, row := range read {
			if row.Further {
				continue
			}
			want := all[row.Invoice.ID]
			if want == nil {
				t.Fatalf("seed %d: %s has two first rows", seed, row.Invoice.ID)
			}
			delete(all, row.Invoice.ID)
			if (want.sum.Sign() <= 0) != (len(row.Problems) > 0) {
				t.Errorf("seed %d: %s of %s: %v", seed, row.Invoice.ID, want.sum, row.Problems)
			}
			if len(row.Problems) > 0 {
				continue
			}
			digits, _ := currency.GetDigits(want.code)
			scaled := new(big.Int).Mul(want.sum, new(big.Int).Exp(big.NewInt(10), big.NewInt(4-int64(digits)), nil))
			if got := row.Invoice.TenThousandths(); scaled.Cmp(big.NewInt(got)) != 0 || row.Invoice.Amount.CurrencyCode() != want.code {
				t.Errorf("seed %d: %s is %s, want %s", seed, row.Invoice.ID, row.Invoice.Amount, want.sum)
			}
			sum, _ := currency.NewAmount("0", want.code)
			for _, line := range row.Invoice.Lines {
				unit, err := currency.NewAmount(line.UnitAmount, want.code)
				if err == nil {
					unit, err = unit.Mul(fmt.Sprint(max(line.Quantity, 1)))
				}
				if err == nil {
					sum, err = sum.Add(unit)
				}
				if err != nil || !unit.IsPositive() {
					t.Errorf("seed %d: line %+v: %v", seed, line, err)
				}
			}
			if row.Invoice.Lines != nil && (!sum.Equal(row.Invoice.Amount) || want.neg) {
				t.Errorf("seed %d: the lines of %s add up to %s, and it is %s", seed, row.Invoice.ID, sum, row.Invoice.Amount)
			}
		}
	}
}

// TestContentOfLines guards that an invoice of one line is the same invoice as without, and that other lines are something else to send.
func TestContentOfLines(t *testing.T) {
	const columns = "invoice_id,email,amount,currency,description\n"
	content := func(rows string, mode LinesMode) [16]byte {
		t.Helper()
		read, err := readLines(t, columns+rows, Options{Lines: mode})
		if err != nil || len(read[0].Problems) > 0 {
			t.Fatal(err, told(read))
		}
		return read[0].Invoice.Content
	}
	one := content("A,a@x.de,3,EUR,tea\n", LinesSum)
	if content("A,a@x.de,3.00,EUR,tea\nA,,0,,pot\n", LinesSum) != one || content("A,a@x.de,3,EUR,tea\nA,,,,tea\n", LinesTotal) != one {
		t.Error("one item is another one in a file with lines")
	}
	two := []string{"A,a@x.de,1,EUR,tea\nA,,2,,pot\n", "A,a@x.de,2,EUR,tea\nA,,1,,pot\n", "A,a@x.de,1,EUR,tea\nA,,2,,cup\n"}
	for i, rows := range two {
		if got := content(rows, LinesSum); got == one || slices.ContainsFunc(two[:i], func(other string) bool { return content(other, LinesSum) == got }) {
			t.Errorf("%q is the same as others", rows)
		}
	}
}

// FuzzSignedAmounts guards that what is read as a line's amount is what is read as an amount, but for its sign.
func FuzzSignedAmounts(f *testing.F) {
	for _, seed := range []string{"-1.234,-", "(5.00)", "5.00 CR", "$-5.00", "5.00-", "-0", "(-1)", "CR", "- 5.00", "−5", "(5", "5)", "-5-", "1 234.50 CR"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, s string, comma bool) {
		format := amountFormat{decimalComma: comma, code: "USD", digits: 2}
		plain, _, bad := format.readSigned(s)
		positive, _, badPositive := format.read(s)
		switch {
		case badPositive == nil:
			if bad != nil || plain != positive {
				t.Errorf("%q is %s, and with a sign %s (%v)", s, positive, plain, bad)
			}
		case bad != nil:
		case plain == "0":
			if strings.ContainsAny(s, "123456789") {
				t.Errorf("%q is read as nothing", s)
			}
		case plain[0] != '-':
			t.Errorf("%q is refused as %s, and read as %s", s, badPositive.Kind, plain)
		default:
			if badPositive.Kind != AmountNegative && badPositive.Kind != AmountCredit && badPositive.Kind != AmountMinusSign {
				t.Errorf("%q is refused as %s, and read as %s", s, badPositive.Kind, plain)
			}
			var digits strings.Builder
			for _, r := range s {
				if r >= '0' && r <= '9' {
					digits.WriteRune(r)
				}
			}
			if got := strings.ReplaceAll(plain[1:], ".", ""); !strings.HasPrefix(digits.String(), got) || strings.Trim(digits.String()[len(got):], "0") != "" {
				t.Errorf("%q is read as %s", s, plain)
			}
		}
	})
}
