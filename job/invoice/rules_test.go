package invoice

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bojanz/currency"
)

// TestRows has a subtest for each rule of a row: the columns and cells that differ from a good row, and its problems.
func TestRows(t *testing.T) {
	tests := []struct {
		cells string // name=value, separated by &
		want  string
	}{
		{"", ""},
		{"invoice_id=0012", ""},
		{"invoice_id=0047583311587E590003", ""},
		{"invoice_id=12E34", ""},
		{"invoice_id=4.687E+11", "invoice_id id-damaged"},
		{"invoice_id=4,687E+11", "invoice_id id-damaged"},
		{"invoice_id=5E+05", "invoice_id id-damaged"},
		{"invoice_id= A", "invoice_id space-at-end"},
		{"invoice_id=A ", "invoice_id space-at-end"},
		{"invoice_id=A B", ""},
		{"invoice_id=Ä-1", ""},
		{"invoice_id=A\u00a0B", "invoice_id invisible-character"},
		{"invoice_id=A\u200b", "invoice_id invisible-character"},
		{"invoice_id=\u202eA", "invoice_id invisible-character"},
		{"invoice_id=A\tB", "invoice_id invisible-character"},
		{"invoice_id=A\ufffd", "invoice_id damaged-text"},
		{"invoice_id==A1", "invoice_id formula"},
		{"invoice_id=@A1", "invoice_id formula"},
		{"invoice_id=-A1", "invoice_id formula"},
		{"invoice_id=-1", ""},
		{"invoice_id=#REF!", "invoice_id spreadsheet-error"},
		{"invoice_id=#12", ""},
		{"invoice_id=#BEZUG!", "invoice_id spreadsheet-error"},
		{"invoice_id=#¡DIV/0!", "invoice_id spreadsheet-error"},
		{"invoice_id=Err:502", "invoice_id spreadsheet-error"},
		{"invoice_id=Err:1", ""},
		{"invoice_id=#WOW!", ""},
		{"invoice_id=#", ""},
		{"customer_email=#N/A", "customer_email spreadsheet-error"},
		{"reference_customer_id=#NV", "reference_customer_id spreadsheet-error"},
		{"currency=#REF!", "currency spreadsheet-error"},
		{"amount=#VALEUR!", "amount spreadsheet-error"},
		{"description=#NAAM?", "description spreadsheet-error"},
		{"quantity=#REF!", "quantity spreadsheet-error"},
		{"unit_amount=#REF!", "unit_amount spreadsheet-error"},
		{"success_url=#REF!", "success_url spreadsheet-error"},
		{"promotion_code=#REF!&allow_promotion_codes=1", "promotion_code spreadsheet-error"},
		{"note=#REF!", ""},
		{"invoice_id=NULL", "invoice_id id-nothing"},
		{"invoice_id=null", "invoice_id id-nothing"},
		{"invoice_id= N/A ", "invoice_id id-nothing"},
		{`invoice_id=\N`, "invoice_id id-nothing"},
		{"invoice_id=-", "invoice_id id-nothing"},
		{"invoice_id=none", "invoice_id id-nothing"},
		{"invoice_id=NaN", "invoice_id id-nothing"},
		{"invoice_id=NA", "invoice_id id-nothing"},
		{"invoice_id=na", ""},
		{"invoice_id=NULL-1", ""},
		{"customer_email=NULL", "customer_email customer-missing"},
		{"customer_email=(null)&reference_customer_id=7", ""},
		{"amount=NULL", "amount amount-not-a-number"},
		{"amount=-", "amount amount-zero"},
		{"currency=N/A", "currency currency-unknown"},
		{"quantity=-&unit_amount=n/a&image_url=None&success_url=NULL&payment_method_type=nan&allow_promotion_codes=NULL&promotion_code=--", ""},
		{"product_id=NULL&price_id=NULL", ""},
		{"customer_id==A1", "customer_id formula"},
		{"reference_customer_id=A\u200b", "reference_customer_id invisible-character"},

		{"customer_email=o'neil+x@mail.example.co.uk", ""},
		{"customer_email=jörg@münchen.example", ""},
		{"customer_email=a@b@example.com", "customer_email email-invalid"},
		{"customer_email=a@example", "customer_email email-invalid"},
		{"customer_email=@example.com", "customer_email formula"},
		{"customer_email=a@", "customer_email email-invalid"},
		{"customer_email=a@example..com", "customer_email email-invalid"},
		{"customer_email=a@-x.com", "customer_email email-invalid"},
		{"customer_email=a@exa_mple.com", "customer_email email-invalid"},
		{"customer_email=a..b@example.com", "customer_email email-invalid"},
		{"customer_email=Ann <a@example.com>", "customer_email email-invalid"},
		{"customer_email=a@example.com;b@example.com", "customer_email email-invalid"},
		{"customer_email=mailto:a@example.com", "customer_email email-invalid"},
		{"customer_email=a@example.com ", "customer_email space-at-end"},
		{"customer_email=a\u200b@example.com", "customer_email invisible-character"},
		{"customer_email==a@example.com", "customer_email formula"},
		{"customer_email=" + strings.Repeat("a", 243) + "@example.com", "customer_email email-invalid"},
		{"customer_email=" + strings.Repeat("a", 242) + "@example.com", ""},
		{"customer_email=", "customer_email customer-missing"},
		{"customer_email=&customer_id=", "customer-missing"},
		{"customer_email=&customer_id=C1", ""},
		{"customer_email=&reference_customer_id=7", ""},

		{"amount=", "amount amount-missing"},
		{"amount= ", "amount amount-missing"},
		{"amount=#VALUE!", "amount spreadsheet-error"},
		{"amount=########", "amount spreadsheet-error"},
		{"currency=", "currency currency-missing"},
		{"currency=usd", ""},
		{"currency=USD ", "currency space-at-end"},
		{"currency=U\u200bSD", "currency invisible-character"},
		{"currency=JPY&amount=1.5", "amount amount-decimals"},
		{"currency=KWD&amount=1.555", ""},
		{"currency=QQQ&amount=1.555", "currency currency-unknown"},
		{"currency=QQQ&amount=x&customer_email=y", "customer_email email-invalid, currency currency-unknown, amount amount-not-a-number"},

		{"description=a\ufffd", "description damaged-text"},
		{"description==HYPERLINK()", ""},
		{"description= anything at all, ☕ ", ""},
		{"description=" + strings.Repeat("x", 64<<10), ""},
		{"description=" + strings.Repeat("x", 64<<10+1), "description cell-too-long"},
		{"note=" + strings.Repeat("x", 64<<10+1), "note cell-too-long"},
		{"note=\ufffd \u200b", ""},

		{"quantity=1", ""},
		{"quantity=2", "quantity unit-amount-missing"},
		{"quantity=0", "quantity quantity-invalid"},
		{"quantity=1.0", "quantity quantity-invalid"},
		{"quantity=-1", "quantity quantity-invalid"},
		{"quantity=1000000000", "quantity quantity-invalid"},
		{"quantity=4&unit_amount=2.50", ""},
		{"quantity=3&unit_amount=2.50", "unit_amount quantity-mismatch"},
		{"quantity=999999999&unit_amount=99999999999999.99", "unit_amount quantity-mismatch"},
		{"quantity=268435456&unit_amount=171798691.85&amount=2684354.56", "unit_amount quantity-mismatch"}, // equal but for 2^64
		{"unit_amount=10", ""},
		{"unit_amount=2.50", "unit_amount quantity-mismatch"},
		{"quantity=4&unit_amount=2.500", "unit_amount amount-ambiguous"},
		{"quantity=x&unit_amount=2.50", "quantity quantity-invalid"},

		{"image_url=https://example.com/a.png", ""},
		{"success_url=http://example.com", ""},
		{"success_url=example.com/paid", "success_url url-invalid"},
		{"success_url=javascript:alert(1)", "success_url url-invalid"},
		{"success_url=https://", "success_url url-invalid"},
		{"success_url=https:///path", "success_url url-invalid"},
		{"success_url=https://exa mple.com", "success_url url-invalid"},
		{"success_url=https://example.com/a b", "success_url url-invalid"},
		{"success_url=https://example.com/\u200b", "success_url invisible-character"},
		{"cancel_url=https://example.com/" + strings.Repeat("x", 2048-20), ""},
		{"cancel_url=https://example.com/" + strings.Repeat("x", 2048-19), "cancel_url url-invalid"},
		{"return_url=https://example.com/?s={ELEMENTS_SESSION_ID}", ""},

		{"product_id=p&price_id=q", ""},
		{"product_id=p&price_id=", "product_id product-incomplete"},
		{"product_id=&price_id=q", "price_id product-incomplete"},
		{"product_id=p&price_id=q&quantity=1", "quantity product-and-item"},
		{"product_id=p&price_id=q&unit_amount=10.00", "unit_amount product-and-item"},
		{"product_id=p&price_id=q&image_url=https://example.com/a", "image_url product-and-item"},

		{"ui_mode=hostedPage", ""},
		{"ui_mode=popup", "ui_mode choice-unknown"},
		{"ui_mode=elements", "ui_mode return-url-missing"},
		{"ui_mode=elements&return_url=https://example.com/", ""},
		{"ui_mode=elements&return_url=nowhere", "return_url url-invalid"},
		{"payment_method_type=card", ""},
		{"payment_method_type=CASH", "payment_method_type choice-unknown"},
		{"payment_method_type_black_list=CARD; PIX;", ""},
		{"payment_method_type_black_list=CARD,PIX", "payment_method_type_black_list choice-unknown"},
		{"payment_method_type=PIX&payment_method_type_black_list=CARD;pix", "payment_method_type_black_list method-excluded"},
		{"direct_payment_qr_code_payment_method_type=CASHAPP&payment_method_type=CASHAPP", ""},
		{"direct_payment_qr_code_payment_method_type=CASHAPP", "direct_payment_qr_code_payment_method_type qr-code-mismatch"},
		{"direct_payment_qr_code_payment_method_type=CASHAPP&payment_method_type=CARD", "direct_payment_qr_code_payment_method_type qr-code-mismatch"},
		{"direct_payment_qr_code_payment_method_type=PIX&payment_method_type=PIX", "direct_payment_qr_code_payment_method_type choice-unknown"},
		{"allow_promotion_codes=Yes&promotion_code=X", ""},
		{"allow_promotion_codes=maybe", "allow_promotion_codes choice-unknown"},
		{"allow_promotion_codes=no&promotion_code=X", "promotion_code promotion-not-allowed"},
		{"promotion_code=X", "promotion_code promotion-not-allowed"},
	}
	for _, tt := range tests {
		name := tt.cells
		if len(name) > 80 {
			name = name[:80]
		}
		t.Run(name, func(t *testing.T) {
			row := oneRow(t, tt.cells, Options{})
			if got := kinds(row); got != tt.want {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
			for _, p := range row.Problems {
				if p.What == "" || p.Advice == "" && p.Options == nil || p.Line != 2 || p.File == "" {
					t.Errorf("says too little: %+v", p)
				}
			}
		})
	}
}

// oneRow reads a file of one row: a good invoice but for these cells, "name=value&name=value".
func oneRow(t *testing.T, cells string, o Options) Row {
	t.Helper()
	names := []string{"invoice_id", "customer_email", "amount", "currency"}
	values := []string{"A-1", "a@example.com", "10.00", "USD"}
	for pair := range strings.SplitSeq(cells, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if i := slices.Index(names, name); i >= 0 {
			values[i] = value
		} else {
			names, values = append(names, name), append(values, value)
		}
	}
	for i, value := range values {
		values[i] = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	_, rows, err := readAll(t, write(t, strings.Join(names, ",")+"\n"+strings.Join(values, ",")+"\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

func TestInvisibleIsNamed(t *testing.T) {
	for cell, want := range map[string]string{"A\u00a0B": "U+00A0 (no-break space)", "A\u200bB": "U+200B (zero width space)", "A\x01": "U+0001", "A\u3164": "U+3164"} {
		row := oneRow(t, "invoice_id="+cell, Options{})
		if len(row.Problems) != 1 || !strings.Contains(row.Problems[0].What, want) {
			t.Errorf("%q: %v, want %s named", cell, row.Problems, want)
		}
	}
}

// TestNothingIsEmpty guards that a word for nothing is as good as an empty cell, and that it is told.
func TestNothingIsEmpty(t *testing.T) {
	content := "invoice_id,customer_email,reference_customer_id,amount,currency,description,success_url\n" +
		"A,a@example.com,NULL,1.00,USD,None,\\N\nB,b@example.com,7,1.00,USD,Tea,https://s.example\n"
	r, rows, err := readAll(t, write(t, content), Options{Defaults: map[string]string{"item_name": "Wholesale"}})
	if err != nil || len(rows[0].Problems)+len(rows[1].Problems) > 0 {
		t.Fatal(err, rows)
	}
	if inv := rows[0].Invoice; inv.ReferenceCustomerID != "" || inv.Description != "Wholesale" || inv.SuccessURL != "" {
		t.Errorf("got %+v", inv)
	}
	if rows[0].Cells[2] != "NULL" {
		t.Errorf("the cell has become %q: it passes through as it stands", rows[0].Cells[2])
	}
	want := []Reading{{Nothing, 3, 2, "reference_customer_id", "NULL", ""}}
	if got := r.Readings(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestLookAlikes guards that whoever has a column of such a name for something else is told how to say so.
func TestLookAlikes(t *testing.T) {
	for cells, want := range map[string]string{
		"quantity=3": "quantity", "Product ID=77": "Product ID", "quantity=x": "quantity", "unit_amount=2": "unit_amount",
	} {
		row := oneRow(t, cells, Options{})
		option := Option{Do: Add, Setting: "ignore", Value: want, When: quote(want) + " means something else"}
		if len(row.Problems) != 1 || !slices.Contains(row.Problems[0].Options, option) {
			t.Errorf("%s: %+v, want the option to ignore it", cells, row.Problems)
		}
		if row := oneRow(t, cells, Options{Ignore: []string{want}}); len(row.Problems) > 0 || row.Invoice.Quantity != 0 || row.Invoice.ProductID != "" {
			t.Errorf("%s is ignored, and still: %+v", cells, row)
		}
	}
}

// TestValuta guards that who has a value date where others have the currency is told how to say so.
func TestValuta(t *testing.T) {
	_, rows, err := readAll(t, write(t, "email,amount,Valuta\na@example.com,1,2026-01-02\n"), Options{})
	want := Option{Do: Add, Setting: "ignore", Value: "Valuta", When: `"Valuta" means something else`}
	if err != nil || kinds(rows[0]) != "Valuta currency-unknown" || !slices.Contains(rows[0].Problems[0].Options, want) {
		t.Errorf("got %v, %+v", err, rows)
	}
}

// TestThreeDecimals guards that an amount with thousands of the other convention is not only called too exact.
func TestThreeDecimals(t *testing.T) {
	for comma, want := range map[bool]Change{false: Add, true: LeaveOut} {
		row := oneRow(t, "amount="+map[bool]string{false: "1.234", true: "1234,567"}[comma], Options{DecimalComma: comma})
		if len(row.Problems) != 1 || row.Problems[0].Kind != AmountDecimals || len(row.Problems[0].Options) != 1 ||
			row.Problems[0].Options[0].Do != want || row.Problems[0].Options[0].Setting != "decimal" {
			t.Errorf("comma %v: %+v, want the option %v", comma, row.Problems, want)
		}
	}
}

func TestInvoiceIsFilled(t *testing.T) {
	row := oneRow(t, "customer_id=C&reference_customer_id=R&description= x &quantity=4&unit_amount=2.5&image_url=https://i.example/1"+
		"&ui_mode=ELEMENTS&return_url=https://r.example&success_url=https://s.example&cancel_url=https://c.example&payment_method_type=cashapp"+
		"&payment_method_type_black_list=card;PIX;CARD&direct_payment_qr_code_payment_method_type=cashapp&allow_promotion_codes=1&promotion_code=P", Options{})
	if len(row.Problems) > 0 {
		t.Fatal(row.Problems)
	}
	inv := row.Invoice
	got := strings.Join([]string{inv.ID, inv.AmountText, inv.Amount.String(), inv.CustomerID, inv.CustomerEmail, inv.ReferenceCustomerID, inv.Description,
		inv.UnitAmount, inv.ImageURL, inv.UIMode, inv.ReturnURL, inv.SuccessURL, inv.CancelURL, inv.PaymentMethodType,
		strings.Join(inv.PaymentMethodBlackList, "+"), inv.DirectPaymentQRCode, inv.PromotionCode}, "|")
	want := "A-1|10.00|10.00 USD|C|a@example.com|R| x |2.5|https://i.example/1|elements|https://r.example|https://s.example|https://c.example|CASHAPP|CARD+PIX|CASHAPP|P"
	if got != want || inv.Quantity != 4 || inv.AllowPromotionCodes == nil || !*inv.AllowPromotionCodes {
		t.Errorf("got  %s (%d)\nwant %s (4)", got, inv.Quantity, want)
	}
	registered := oneRow(t, "product_id=p&price_id=q", Options{}).Invoice
	if registered.ProductID != "p" || registered.PriceID != "q" || registered.AllowPromotionCodes != nil {
		t.Errorf("got %+v", registered)
	}
	if blank := oneRow(t, "allow_promotion_codes=", Options{}).Invoice.AllowPromotionCodes; blank == nil || *blank {
		t.Error("a blank allow_promotion_codes is not false")
	}
}

// TestDefaults guards that a job-wide value stands in for a column the file lacks, and for nothing else.
func TestDefaults(t *testing.T) {
	defaults := map[string]string{"currency": "eur", "item_name": "Wholesale", "success_url": "https://s.example", "allow_promotion_codes": "true"}
	_, rows, err := readAll(t, write(t, "email,amount\na@example.com,5\n"), Options{Defaults: defaults})
	if err != nil || len(rows[0].Problems) > 0 {
		t.Fatal(err, rows)
	}
	inv := rows[0].Invoice
	if inv.Amount.String() != "5 EUR" || inv.Description != "Wholesale" || inv.SuccessURL != "https://s.example" || !*inv.AllowPromotionCodes {
		t.Errorf("got %+v", inv)
	}
	row := oneRow(t, "currency=&success_url=&description=", Options{Defaults: defaults})
	if got := kinds(row); got != "currency currency-missing" {
		t.Errorf("blank cells: problems %q, want the currency missing", got)
	} else if advice := row.Problems[0].Advice; !strings.Contains(advice, "counts only where the file has no such column") {
		t.Errorf("blank cells: advice %q, want to be told why the job-wide value does not count", advice)
	}
	if row.Invoice.SuccessURL != "" || row.Invoice.Description != "Wholesale" {
		t.Errorf("blank cells: success URL %q, want none; description %q, want the item name", row.Invoice.SuccessURL, row.Invoice.Description)
	}
	_, rows, err = readAll(t, write(t, "email,amount\na@example.com,5.5\n"), Options{Defaults: map[string]string{"currency": "USD", "unit_amount": "5"}})
	if err != nil || kinds(rows[0]) != "unit_amount quantity-mismatch" || rows[0].Problems[0].Setting != "unit_amount" {
		t.Errorf("got %v, %v; want the setting named", rows, err)
	}
}

func TestRaggedRows(t *testing.T) {
	content := plainHeader + "A,a@example.com,12,50,EUR,x\nB,a@example.com,1.00\nB,a@example.com,1.00,EUR,\n"
	_, rows, err := readAll(t, write(t, content), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := kinds(rows[0]); got != "cells-too-many" || !slices.Equal(rows[0].Surplus, []string{"x"}) || len(rows[0].Cells) != 5 {
		t.Errorf("too many: %s, surplus %q, cells %q", got, rows[0].Surplus, rows[0].Cells)
	}
	if got := kinds(rows[1]); got != "cells-too-few" || len(rows[1].Cells) != 5 {
		t.Errorf("too few: %s, cells %q", got, rows[1].Cells)
	}
	if got := kinds(rows[2]); got != "" {
		t.Errorf("a row beside ragged ones: %s", got)
	}
}

// TestIdentity guards what makes an invoice the same in another file.
func TestIdentity(t *testing.T) {
	identity := func(content string, o Options) [16]byte {
		t.Helper()
		_, rows, err := readAll(t, write(t, content), o)
		if err != nil {
			t.Fatal(err)
		}
		return rows[0].Invoice.Identity
	}
	plain := identity("email,amount,currency,description,note\na@example.com,1,EUR,\"x\ny\",30 days\n", Options{})
	named := identity("invoice_id,email,amount,currency\nA,a@example.com,1,EUR\n", Options{})
	accented := identity("invoice_id,email,amount,currency\nR\u00e9-1,a@example.com,1,EUR\n", Options{})
	cafe := identity("email,amount,currency,description\na@example.com,1,EUR,Caf\u00e9\n", Options{})
	tests := []struct {
		name, content string
		options       Options
		same          [16]byte
		want          bool
	}{
		{"other order", "note,currency,description,email,amount\n30 days,EUR,\"x\ny\",a@example.com,1\n", Options{}, plain, true},
		{"another cell of the user's own", "email,amount,currency,description,note\na@example.com,1,EUR,\"x\ny\",31 days\n", Options{}, plain, true},
		{"a column less", "email,amount,currency,description\na@example.com,1,EUR,\"x\ny\"\n", Options{}, plain, true},
		{"empty columns added", "email,amount,invoice_id,currency,description,success_url,quantity,\na@example.com,1,,EUR,\"x\ny\",,,\n", Options{}, plain, true},
		{"other spelling of the headers", "Email Address,Total,CURRENCY,Item name\na@example.com,1,EUR,\"x\ny\"\n", Options{}, plain, true},
		{"mapped", "Post,amount,currency,description\na@example.com,1,EUR,\"x\ny\"\n", Options{Map: map[string]string{"customer_email": "Post"}}, plain, true},
		{"for the whole job", "email,amount,description\na@example.com,1,\"x\ny\"\n", Options{Defaults: map[string]string{"currency": "EUR"}}, plain, true},
		{"other line ends", "email,amount,currency,description\r\na@example.com,1,EUR,\"x\r\ny\"\r\n", Options{}, plain, true},
		{"fed back", "email,amount,currency,description,row,error_column,error\na@example.com,1,EUR,\"x\ny\",2,amount,no\n", Options{}, plain, true},
		{"the amount in another way", "email,amount,currency,description\na@example.com,1.00,eur,\"x\ny\"\n", Options{}, plain, true},
		{"the email in another way", "email,amount,currency,description\nA@Example.com,1,EUR,\"x\ny\"\n", Options{}, plain, true},
		{"the item spelled out", "email,amount,currency,description,quantity,unit_amount\na@example.com,1,EUR,\"x\ny\",1,1.00\n", Options{}, plain, true},
		{"sent back to another place", "email,amount,currency,description,success_url,cancel_url\na@example.com,1,EUR,\"x\ny\",https://s.example,https://c.example\n", Options{}, plain, true},
		{"sent back to another place, for the whole job", "email,amount,currency,description\na@example.com,1,EUR,\"x\ny\"\n",
			Options{Defaults: map[string]string{"success_url": "https://s.example"}}, plain, true},
		{"shown in another way", "email,amount,currency,description,ui_mode,return_url\na@example.com,1,EUR,\"x\ny\",elements,https://r.example\n", Options{}, plain, true},
		{"paid in another way", "email,amount,currency,description,payment_method_type,payment_method_type_black_list,allow_promotion_codes,promotion_code\n" +
			"a@example.com,1,EUR,\"x\ny\",CARD,PIX,yes,TEA\n", Options{}, plain, true},
		{"a registered product", "email,amount,currency,product_id,price_id\na@example.com,1,EUR,prod_1,price_1\n", Options{}, plain, false},
		{"another amount", "email,amount,currency,description\na@example.com,2,EUR,\"x\ny\"\n", Options{}, plain, false},
		{"another item", "email,amount,currency,description\na@example.com,1,EUR,x y\n", Options{}, plain, false},
		{"value in another column", "reference_customer_id,amount,currency,description\na@example.com,1,EUR,\"x\ny\"\n", Options{}, plain, false},
		{"an accent of its own in the id", "invoice_id,email,amount,currency\nRe\u0301-1,a@example.com,1,EUR\n", Options{}, accented, true},
		{"no accent in the id", "invoice_id,email,amount,currency\nRe-1,a@example.com,1,EUR\n", Options{}, accented, false},
		{"an accent of its own in a cell", "email,amount,currency,description\na@example.com,1,EUR,Cafe\u0301\n", Options{}, cafe, true},
		{"other letters", "invoice_id,email,amount,currency\na,a@example.com,1,EUR\n", Options{}, named, false},
		{"by id alone", "amount,currency,invoice_no,customer_id\n7,USD,A,C\n", Options{}, named, true},
		{"other id", "invoice_id,email,amount,currency\nB,a@example.com,1,EUR\n", Options{}, named, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := identity(tt.content, tt.options) == tt.same; got != tt.want {
				t.Errorf("the same invoice: %v, want %v", got, tt.want)
			}
		})
	}
}

// TestContent guards that whatever is sent tells invoices apart, each field of an Invoice by itself.
func TestContent(t *testing.T) {
	content := func(inv Invoice) [16]byte {
		var id identifier
		id.identify(&inv)
		return inv.Content
	}
	full := func() Invoice {
		amount, err := currency.NewAmount("6.00", "EUR")
		if err != nil {
			t.Fatal(err)
		}
		yes := true
		return Invoice{
			ID: "A", Series: "2026", Amount: amount, AmountText: "6.00", CustomerID: "cus_1", CustomerEmail: "a@example.com", ReferenceCustomerID: "7",
			Description: "Tea", Quantity: 2, UnitAmount: "3.00", ImageURL: "https://i.example", Lines: []Line{{UnitAmount: "6.00"}}, UIMode: "elements", ReturnURL: "https://r.example",
			SuccessURL: "https://s.example", CancelURL: "https://c.example", PaymentMethodType: "CASHAPP", PaymentMethodBlackList: []string{"CARD", "PIX"},
			DirectPaymentQRCode: "CASHAPP", AllowPromotionCodes: &yes, PromotionCode: "TEA",
		}
	}
	seen := map[[16]byte]string{content(full()): "nothing"}
	for i := range reflect.TypeFor[Invoice]().NumField() {
		inv := full()
		field := reflect.ValueOf(&inv).Elem().Field(i)
		name := reflect.TypeFor[Invoice]().Field(i).Name
		switch name {
		case "ID", "Series", "Identity", "Content":
			field.SetZero()
			if content(inv) != content(full()) {
				t.Errorf("%s tells invoices apart by what is sent", name)
			}
			continue
		case "Amount":
			inv.Amount, _ = currency.NewAmount("6.00", "USD")
		case "AmountText":
			field.SetString("6.01")
		case "ProductID", "PriceID":
			field.SetString("prod_1")
		default:
			field.SetZero()
		}
		got := content(inv)
		if other := seen[got]; other != "" {
			t.Errorf("another %s is taken for another %s", name, other)
		}
		seen[got] = name
	}
	shuffled := full()
	slices.Reverse(shuffled.PaymentMethodBlackList)
	if content(shuffled) != content(full()) {
		t.Error("the order of a list tells invoices apart")
	}
}

func TestCanonicalOptions(t *testing.T) {
	base := Options{Encoding: "windows-1252", Map: map[string]string{"amount": "A", "currency": "C"}, Defaults: map[string]string{"success_url": "https://s.example"}}
	want := `{"encoding":"windows-1252","map":{"amount":"A","currency":"C"},"defaults":{"success_url":"https://s.example"}}`
	if got := base.Canonical(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, o := range map[string]Options{"alias": base, "repeats": base} {
		if name == "alias" {
			o.Encoding = "CP1252"
		} else {
			o.AllowRepeats = true
		}
		if got := o.Canonical(); got != want {
			t.Errorf("%s: %s, want no difference", name, got)
		}
	}
	ignoring, again := Options{Ignore: []string{"b", "a", "b"}}, Options{Ignore: []string{"a", "b"}}
	if ignoring.Canonical() != again.Canonical() || ignoring.Canonical() != `{"ignore":["a","b"]}` {
		t.Errorf("ignored columns are %s and %s", ignoring.Canonical(), again.Canonical())
	}
	if read, err := ReadOptions(ignoring.Canonical()); err != nil || !slices.Equal(read.Ignore, again.Ignore) {
		t.Errorf("they are read as %+v, %v", read, err)
	}
	base.Series = "2026"
	if got := SeriesOf(base.Canonical()); got != "2026" || base.Canonical() == want {
		t.Errorf("the series of %s is %q", base.Canonical(), got)
	}
	if got := SeriesOf(want); got != "" {
		t.Errorf("no series reads %q", got)
	}
	if got := (Options{}).Canonical(); got != "{}" {
		t.Errorf("zero options are %s", got)
	}
	if (Options{DecimalComma: true}).Canonical() == "{}" {
		t.Error("the decimal comma makes no difference")
	}
}
