package invoice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"paylinks/job/invoice/xlsx/xlsxtest"
)

// utf16Of is s in UTF-16, little or big endian, without a mark.
func utf16Of(s string, big bool) string {
	var b bytes.Buffer
	for _, unit := range utf16.Encode([]rune(s)) {
		if big {
			b.Write([]byte{byte(unit >> 8), byte(unit)})
		} else {
			b.Write([]byte{byte(unit), byte(unit >> 8)})
		}
	}
	return b.String()
}

// TestDialects has the same two invoices in every dress: all must read the same.
func TestDialects(t *testing.T) {
	plain := plainHeader + "A-1,a@example.com,10.00,EUR,Grün\nA-2,b@example.com,20.00,EUR,Tea\n"
	swap := func(old, new string) string { return strings.ReplaceAll(plain, old, new) }
	quoted := `"invoice_id"` + strings.TrimPrefix(plain, "invoice_id")
	tests := []struct {
		name, content string
		options       Options
	}{
		{"plain", plain, Options{}},
		{"BOM", "\ufeff" + plain, Options{}},
		{"BOM before a quoted header", "\ufeff" + quoted, Options{}},
		{"quoted header", quoted, Options{}},
		{"UTF-16 LE", "\xff\xfe" + utf16Of(plain, false), Options{}},
		{"UTF-16 BE", "\xfe\xff" + utf16Of(plain, true), Options{}},
		{"UTF-16 LE, quoted header", "\xff\xfe" + utf16Of(quoted, false), Options{}},
		{"UTF-16 named", utf16Of(plain, true), Options{Encoding: "UTF-16BE"}},
		{"UTF-16 named and marked", "\xff\xfe" + utf16Of(plain, false), Options{Encoding: "utf-16"}},
		{"UTF-8 named and marked", "\ufeff" + plain, Options{Encoding: "utf-8"}},
		{"windows-1252", swap("ü", "\xfc"), Options{Encoding: "Windows-1252"}},
		{"iso-8859-15 by an alias", swap("ü", "\xfc"), Options{Encoding: "Latin-9"}},
		{"IBM850", swap("ü", "\x81"), Options{Encoding: "IBM850"}},
		{"semicolons", swap(",", ";"), Options{}},
		{"tabs", swap(",", "\t"), Options{}},
		{"bars", swap(",", "|"), Options{}},
		{"CRLF", swap("\n", "\r\n"), Options{}},
		{"lone CR", swap("\n", "\r"), Options{}},
		{"no line end at the end", strings.TrimSuffix(plain, "\n"), Options{}},
		{"lone CR, none at the end", strings.TrimSuffix(swap("\n", "\r"), "\r"), Options{}},
		{"blank cells too many", swap("Grün\n", "Grün,,\n"), Options{}},
		{"blank headers at the end", strings.NewReplacer("description\n", "description,,\n", "Grün\n", "Grün,,\n", "Tea\n", "Tea,,\n").Replace(plain), Options{}},
		{"other spellings", swap(plainHeader, "Invoice Number,E-Mail,AMOUNT_DUE,Currency-Code,Product name\n"), Options{}},
		{"mapped", swap(plainHeader, "Beleg,Post,Honorar,Waehrung,Text\n"), Options{Map: map[string]string{
			"invoice_id": "Beleg", "customer_email": "Post", "amount": "Honorar", "currency": "waehrung", "description": "Text"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.content), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				inv := row.Invoice
				got = append(got, fmt.Sprint(row.Line, inv.ID, inv.CustomerEmail, inv.Amount, inv.Description, kinds(row)))
			}
			want := []string{"2A-1a@example.com10.00 EURGrün", "3A-2b@example.com20.00 EURTea"}
			if !slices.Equal(got, want) {
				t.Errorf("read %q, want %q", got, want)
			}
		})
	}
}

// TestLines guards that row is the physical line on which the record starts, whatever lies above it.
func TestLines(t *testing.T) {
	tests := []struct {
		name, content string
		want          []int
	}{
		{"blank lines and lines of delimiters", plainHeader + "\n,,,,\nA,a@example.com,1,EUR,\n , ,,,\n\nB,a@example.com,1,EUR,\n,,,,\n", []int{4, 7}},
		{"blank lines above the header", "\n,,\n" + plainHeader + "A,a@example.com,1,EUR,\n", []int{4}},
		{"line breaks in cells", plainHeader + "A,a@example.com,1,EUR,\"x\n\ny\"\nB,a@example.com,1,EUR,\n", []int{2, 5}},
		{"line breaks in the header", "invoice_id,customer_email,amount,currency,\"my\nnote\"\nA,a@example.com,1,EUR,\nB,a@example.com,1,EUR,\n", []int{3, 4}},
		{"CRLF in cells", strings.ReplaceAll(plainHeader+"A,a@example.com,1,EUR,\"x\n\ny\"\nB,a@example.com,1,EUR,\n", "\n", "\r\n"), []int{2, 5}},
		{"lone CR with line feeds in cells", strings.ReplaceAll(plainHeader, "\n", "\r") + "A,a@example.com,1,EUR,\"x\ny\"\rB,a@example.com,1,EUR,\r", []int{2, 4}},
		{"lone CR with a CRLF among them", strings.ReplaceAll(plainHeader, "\n", "\r") + "A,a@example.com,1,EUR,\r\nB,a@example.com,1,EUR,\r", []int{2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, tt.content), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, row := range rows {
				got = append(got, row.Line)
				if len(row.Problems) > 0 {
					t.Errorf("line %d: %v", row.Line, row.Problems)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("rows start on %v, want %v", got, tt.want)
			}
		})
	}
}

// TestRefusedWhole has every way in which a file cannot be read, each with its line and a hint. Rows above the place are
// still given, so that their problems are reported too.
func TestRefusedWhole(t *testing.T) {
	row := "A,a@example.com,1,EUR,\n"
	tests := []struct {
		name, content string
		options       Options
		want          Kind
		line          int
	}{
		{"nothing", "", Options{}, FileEmpty, 0},
		{"only a mark", "\ufeff", Options{}, FileEmpty, 0},
		{"only blank lines", "\n \n,,,\n", Options{}, FileEmpty, 0},
		{"header only", plainHeader, Options{}, NoRows, 1},
		{"header and blank rows", plainHeader + ",,,,\n\n", Options{}, NoRows, 1},
		{"no header", "A-1,a@example.com,10.00,EUR,x\nA-2,a@example.com,10.00,EUR,x\n", Options{}, NoHeader, 1},
		{"the top of a workbook", "PK\x03\x04\x14\x00\x06\x00", Options{}, WorkbookDamaged, 0},
		{"xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", Options{}, FileForeign, 0},
		{"PDF", "%PDF-1.7\n", Options{}, FileForeign, 0},
		{"gzip", "\x1f\x8b\x08\x00", Options{}, FileForeign, 0},
		{"sqlite", "SQLite format 3\x00", Options{}, FileForeign, 0},
		{"web page", "\n <!DOCTYPE html><html>", Options{}, FileForeign, 0},
		{"web page behind a mark", "\ufeff<html>", Options{}, FileForeign, 0},
		{"JSON", "[{\"amount\": 1}]", Options{}, FileForeign, 0},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", Options{}, EncodingInvalid, 0},
		{"UTF-16 without its mark", utf16Of(plainHeader+row, false), Options{}, EncodingInvalid, 0},
		{"UTF-16 BE without its mark", utf16Of(plainHeader+row, true), Options{}, EncodingInvalid, 0},
		{"half a UTF-16 unit", "\xff\xfe" + utf16Of(plainHeader+row, false) + "x", Options{}, EncodingInvalid, 3},
		{"windows-1252", plainHeader + row + "B,a@example.com,1,EUR,Gr\xfcn\n", Options{}, EncodingInvalid, 3},
		{"windows-1252 in the header", "invoice_id,email,amount,currency,Gr\xfcn\n", Options{}, EncodingInvalid, 1},
		{"wrong encoding named", plainHeader + "A,a@example.com,1,EUR,\xff\xff\n", Options{Encoding: "gbk"}, EncodingInvalid, 2},
		{"unknown encoding", plainHeader + row, Options{Encoding: "klingon"}, EncodingUnknown, 0},
		{"encoding against the mark", "\ufeff" + plainHeader + row, Options{Encoding: "windows-1252"}, EncodingConflict, 0},
		{"NUL", plainHeader + row + "B,a@example.com,1,EUR,\x00\n", Options{}, NULByte, 3},
		{"unclosed quote in a line with fewer cells", plainHeader + row + "B,a@example.com,\"x\n" + row, Options{}, QuoteUnclosed, 3},
		{"unclosed quote above a line with fewer cells", plainHeader + row + "B,a@example.com,1,EUR,\"x\nand so on\n", Options{}, QuoteUnclosed, 3},
		{"stray quote in a line with more cells", plainHeader + row + "B,a@example.com,1,EUR,5\" pipe, long\n", Options{}, QuoteStray, 3},
		{"another delimiter than we know", "sep=:\ninvoice_id:email:amount:currency\n", Options{}, DelimiterUnknown, 1},
		{"space before a quote", plainHeader + row + "B,a@example.com,1,EUR, \"a, b\"\n", Options{}, QuoteStray, 3},
		{"stray quote in the header", "invoice_id,email,amo\"unt,currency\n" + row, Options{}, QuoteStray, 1},
		{"stray quotes in the header", "invoice_id,email,my \"amount\",currency\n" + row, Options{}, QuoteStray, 1},
		{"long line", plainHeader + row + "B,a@example.com,1,EUR," + strings.Repeat("x", 1<<20) + "\n", Options{}, LineTooLong, 3},
		{"long header", strings.Repeat("x", 1<<20+1), Options{}, LineTooLong, 1},
		{"too many columns", strings.Repeat("x,", 17000) + "\n", Options{}, ColumnsTooMany, 1},
		{"single quotes", "'invoice_id','email','amount','currency'\n" + row, Options{}, QuoteSingle, 1},
		{"spaces between the columns", "invoice_id email amount currency\n" + row, Options{}, DelimiterMissing, 1},
		{"colons between the columns", "\n\"invoice_id\":\"email\":\"amount\":\"currency\"\n", Options{}, QuoteStray, 2},
		{"two delimiters", "amount;currency;email;x,amount,currency,email\n", Options{}, DelimiterAmbiguous, 1},
		{"no amount", "invoice_id,email,ammount,currency\n" + row, Options{}, ColumnMissing, 1},
		{"no currency", "invoice_id,email,amount,note\n" + row, Options{}, ColumnMissing, 1},
		{"no customer", "invoice_id,name,amount,currency\n" + row, Options{}, ColumnMissing, 1},
		{"a column twice", "invoice_id,email,Email,amount,currency\n" + row, Options{}, ColumnTwice, 1},
		{"a name twice", "invoice_id,email,amount,currency,note,note\n" + row, Options{}, ColumnTwice, 1},
		{"a column read and twice", "invoice_id,email,amount,amount,currency\n" + row, Options{}, ColumnTwice, 1},
		{"a mapped column twice", "invoice_id,email,X,X,currency\n" + row, Options{Map: map[string]string{"amount": "X"}}, ColumnTwice, 1},
		{"map of an unknown name", plainHeader + row, Options{Map: map[string]string{"ammount": "amount"}}, MapUnknownName, 1},
		{"map to no header", plainHeader + row, Options{Map: map[string]string{"amount": "Honorar"}}, MapUnknownHeader, 1},
		{"a mapped header is spoken for", plainHeader + row, Options{Map: map[string]string{"description": "amount"}}, ColumnMissing, 1},
		{"two maps to one header", plainHeader + row, Options{Map: map[string]string{"quantity": "amount", "amount": "amount"}}, MapTwice, 1},
		{"wrong job-wide currency", "email,amount\na@example.com,1\n", Options{Defaults: map[string]string{"currency": "EURO"}}, CurrencyUnknown, 0},
		{"wrong job-wide address", plainHeader + row, Options{Defaults: map[string]string{"success_url": "paid.html"}}, URLInvalid, 0},
		{"unknown job-wide value", plainHeader + row, Options{Defaults: map[string]string{"colour": "red"}}, DefaultUnknown, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, rows, err := readAll(t, write(t, tt.content), tt.options)
			p, ok := errors.AsType[*Problem](err)
			if !ok || p.Kind != tt.want || p.Line != tt.line || p.Advice == "" && p.Options == nil {
				t.Fatalf("got %v (%s), want %s on line %d with a hint", err, fileKinds(err), tt.want, tt.line)
			}
			if r != nil && tt.line > 2 && len(rows) != tt.line-2 {
				t.Errorf("%d rows before line %d", len(rows), tt.line)
			}
			if r != nil {
				if _, again := r.Next(); again == nil || again == io.EOF {
					t.Errorf("reading on after a refusal gives %v", again)
				}
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		if _, err := Open(t.TempDir(), Options{}); fileKinds(err) != string(FileFolder) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such file", func(t *testing.T) {
		if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

// TestMessages guards that a message names the place, what is wrong there, and what to do in the file.
func TestMessages(t *testing.T) {
	row := "A,a@example.com,1,EUR,\n"
	tests := []struct {
		name, content string
		options       Options
		want          string
	}{
		{"near amount", "invoice_id,email,ammount,currency\n" + row, Options{}, `; if "ammount" is that column, rename it to amount`},
		{"headers found", "invoice_id,email,Honorar,currency\n" + row, Options{}, `its columns are "invoice_id", "email", "Honorar", "currency"; rename the column that has it to amount`},
		{"encoding", plainHeader + "A,a@example.com,1,EUR,Gr\xfcn\n", Options{}, `in.csv:2: "Gr\xfcn": is not UTF-8: byte 0xFC; its words read as windows-1252: Grün; as windows-1250: Grün; as windows-1251: Grьn; as gb18030: Gr黱; as big5: Gr𤦂; save the file as CSV UTF-8`},
		{"unknown encoding", plainHeader + row, Options{Encoding: "klingon"}, `in.csv: encoding: "klingon": is not the name of a known encoding`},
		{"unknown name in a map", plainHeader + row, Options{Map: map[string]string{"sum": "amount"}}, `in.csv:1: map: "sum=amount": "sum" is not a column that can be mapped; the names are amount, `},
		{"unknown header in a map", plainHeader + row, Options{Map: map[string]string{"amount": "Honorar"}}, `in.csv:1: map: "amount=Honorar": the file has no column "Honorar"; the file has "invoice_id", `},
		{"ods", zipOf("mimetype", "content.xml", "META-INF/manifest.xml"), Options{}, `in.csv: is a workbook of LibreOffice (.ods); open it in a spreadsheet program and save it as .xlsx, or its sheet as "CSV UTF-8"`},
		{"zip", zipOf("invoices.csv"), Options{}, `in.csv: is a zip archive without a workbook; unpack it first`},
		{"empty zip", zipOf(), Options{}, `is a zip archive without a workbook; unpack it first`},
		{"xls", oleMark + strings.Repeat("\x00", 8000), Options{}, `is an old Excel workbook (.xls); open it in a spreadsheet program and save it as .xlsx`},
		{"xlsx with a password", withPassword(), Options{}, `is protected by a password; open it in a spreadsheet program, take the password off`},
		{"one column", "invoice_id email amount\n", Options{}, `in.csv:1: has only one column, "invoice_id email amount"; put a comma, semicolon, tab or vertical bar between the columns`},
		{"a name twice", "invoice_id,email,amount,currency,note,,note,\n" + row, Options{}, `in.csv:1: note: stands in the header as column 5 and as column 7; rename or delete one of them`},
		{"a job-wide value", plainHeader + row, Options{Defaults: map[string]string{"success_url": "x"}}, `in.csv: success_url: "x": is not a web address`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := readAll(t, write(t, tt.content), tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant … %s …", err, tt.want)
			}
		})
	}
}

func mapped(column, header string) Option {
	return Option{Do: Add, Setting: "map", Column: column, Value: header}
}

// TestOptions guards that a problem carries the settings that would solve it.
func TestOptions(t *testing.T) {
	row := "A,a@example.com,1,EUR,\n"
	meant := []Option{{Do: Replace, Setting: "map", Column: "amount", Value: "amount"}}
	for _, tt := range []struct {
		name, content string
		options       Options
		want          []Option
	}{
		{"no amount", "invoice_id,email,Honorar,currency\n" + row, Options{}, []Option{mapped("amount", "")}},
		{"near amount", "invoice_id,email,Amount Dues,currency\n" + row, Options{}, []Option{mapped("amount", "Amount Dues")}},
		{"near email", "invoice_id,e_mial,amount,currency\n" + row, Options{}, []Option{mapped("customer_email", "e_mial")}},
		{"currency for the job", "invoice_id,email,amount\n" + row, Options{},
			[]Option{mapped("currency", ""), {Do: Add, Setting: "currency", When: "all invoices have the same one"}}},
		{"near name in a map", plainHeader + row, Options{Map: map[string]string{"ammount": "amount"}}, meant},
		{"alias in a map", plainHeader + row, Options{Map: map[string]string{"total": "amount"}}, meant},
		{"near header in a map", plainHeader + row, Options{Map: map[string]string{"amount": "Amuont"}}, meant},
		{"encoding", plainHeader + "A,a@example.com,1,EUR,Gr\xfcn\n", Options{},
			[]Option{{Do: Add, Setting: "encoding", When: "one of these is right"}}},
		{"wrong encoding", plainHeader + "A,a@example.com,1,EUR,\x81\n", Options{Encoding: "shift_jis"}, []Option{{Do: Replace, Setting: "encoding"}}},
		{"needless encoding", "\ufeff" + plainHeader + row, Options{Encoding: "windows-1252"}, []Option{{Do: LeaveOut, Setting: "encoding"}}},
		{"UTF-16", utf16Of(plainHeader, false), Options{}, []Option{{Do: Add, Setting: "encoding", Value: "utf-16le"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readAll(t, write(t, tt.content), tt.options)
			if p, ok := errors.AsType[*Problem](err); !ok || !slices.Equal(p.Options, tt.want) {
				t.Errorf("got %v with %+v, want %+v", err, p.Options, tt.want)
			}
		})
	}
}

// TestCustomerColumn guards that nobody is led to send names or addresses as ids: the rows below the header count.
func TestCustomerColumn(t *testing.T) {
	holds := func(column, header, what string) Option {
		return Option{Do: Add, Setting: "map", Column: column, Value: header, When: `"` + header + `" holds ` + what}
	}
	clinks := holds("customer_id", "customer", "ids that Clink gave")
	tests := []struct {
		name, headers, row string
		want               []Option
	}{
		{"names beside addresses", "mail,customer", "a@example.com,Ann Lee", []Option{mapped("customer_email", "mail")}},
		{"addresses", "customer", "a@example.com", []Option{mapped("customer_email", "customer")}},
		{"a few addresses", "customer", "\n1,EUR,a@example.com", []Option{mapped("customer_email", "customer")}},
		{"names", "customer", "Ann Lee", []Option{mapped("customer_email", "")}},
		{"names in several rows", "customer", "Lee\n1,EUR,Ann Lee", []Option{mapped("customer_email", "")}},
		{"ids", "customer", "cus_1", []Option{clinks}},
		{"no rows", "customer,mail", "", []Option{clinks, holds("customer_email", "mail", "email addresses")}},
		{"no addresses", "mail", "Rosenweg", []Option{mapped("customer_email", "")}},
		{"ids of one's own", "reference_customer_it", "7", []Option{holds("reference_customer_id", "reference_customer_it", "ids of your own")}},
		{"a customer's order number", "Customer Reference", "PO-1001", []Option{mapped("customer_email", "")}},
	}
	for _, tt := range tests {
		for end, name := range map[string]string{"\n": tt.name, "\r": tt.name + ", lines that end in a carriage return"} {
			t.Run(name, func(t *testing.T) {
				content := strings.ReplaceAll("amount,currency,"+tt.headers+"\n1,EUR,"+tt.row+"\n", "\n", end)
				_, _, err := readAll(t, write(t, content), Options{})
				if p, ok := errors.AsType[*Problem](err); !ok || !slices.Equal(p.Options, tt.want) {
					t.Errorf("got %v with %+v, want %+v", err, p.Options, tt.want)
				}
			})
		}
	}
}

// zipOf is a zip archive of empty files.
func zipOf(names ...string) string {
	files := map[string]string{}
	for _, name := range names {
		files[name] = ""
	}
	return string(xlsxtest.Zip(files))
}

// withPassword is a workbook as programs keep it that protect it by a password: in the container of older ones, in a stream of this name.
func withPassword() string {
	file := make([]byte, 8000)
	copy(file, oleMark)
	file[30] = 9 // sectors of 512 bytes
	file[48] = 3 // the directory's
	copy(file[4*512:], "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")
	return string(file)
}

// TestNear guards that a slip in an optional column's name is found, and that other people's columns are left alone.
func TestNear(t *testing.T) {
	const row = "A,a@example.com,1,EUR,x\n"
	tests := []struct {
		column  string // beside invoice_id, email, amount and currency
		options Options
		want    []Near
	}{
		{"sucess_url", Options{}, []Near{{"sucess_url", "success_url"}}},
		{"Desciption", Options{}, []Near{{"Desciption", "description"}}},
		{"desrciption", Options{}, []Near{{"desrciption", "description"}}},
		{"promotion codes", Options{}, []Near{{"promotion codes", "promotion_code"}}},
		{"sucess_url", Options{Defaults: map[string]string{"success_url": "https://example.com"}}, nil},
		{"sucess_url", Options{Map: map[string]string{"success_url": "sucess_url"}}, nil},
		{"product", Options{}, nil},
		{"price", Options{}, nil},
		{"customer", Options{}, nil},
		{"Customer ID.", Options{}, nil}, // an email is there
		{"Quantity", Options{}, nil},
		{"reference", Options{}, nil},
		{"item", Options{}, nil},
		{"invoice_idd", Options{}, nil}, // an id is there
		{"", Options{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.column, func(t *testing.T) {
			r, err := Open(write(t, "invoice_id,email,amount,currency,"+tt.column+"\n"+row), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if got := r.Header().Near; !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("no id", func(t *testing.T) {
		r, err := Open(write(t, "Invoice Nr,email,amount,currency,x\n"+row), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := r.Header().Near; !slices.Equal(got, []Near{{"Invoice Nr", "invoice_id"}}) {
			t.Errorf("got %v", got)
		}
	})
}

// endless is a file of any size that takes no room.
type endless struct {
	head, body string
	left       int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, e.body)
	e.left -= n
	return n, nil
}

// TestNothingIsSwallowed guards that neither an endless line nor an open quote is read to its end.
func TestNothingIsSwallowed(t *testing.T) {
	const size = 1 << 40
	tests := []struct {
		name, head, body string
		want             Kind
	}{
		{"line", plainHeader + "A,", "x", LineTooLong},
		{"open quote", plainHeader + "A,\"", "x\n", QuoteUnclosed},
		{"open quote above blank lines", plainHeader + "A,\"", "\n", QuoteUnclosed},
		{"header", "A,", "x", LineTooLong},
		{"open quote in the header", "A,\"", "x\n", QuoteUnclosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := newReader("endless", &endless{tt.head, strings.Repeat(tt.body, 4096), size}, Options{})
			if err == nil {
				_, err = r.Next()
			}
			if fileKinds(err) != string(tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestDiskError guards that what the disk refuses is not taken for a fault of the file, nor for its end.
func TestDiskError(t *testing.T) {
	broken := errors.New("input/output error")
	rows := strings.Repeat("A,a@example.com,1,EUR,\n", 10_000)
	for name, content := range map[string]string{"at once": "", "in the first row": plainHeader + "A,a@", "later": plainHeader + rows + "B,a@"} {
		src := io.MultiReader(strings.NewReader(content), brokenReader{broken})
		r, err := newReader("f.csv", src, Options{})
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the disk's error", name, err)
		}
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// TestColumnsInTableOrder guards that of two headers for one column the table's first is taken and the other passes.
func TestColumnsInTableOrder(t *testing.T) {
	tests := []struct{ header, column, want, others string }{
		{"total,amount_due,original_amount,currency,email", "amount", "original_amount", "[{total amount} {amount_due amount}]"},
		{"Total,InvoiceAmountDue,currency,email", "amount", "InvoiceAmountDue", "[{Total amount}]"},
		{"total,Total,amount,currency,email", "amount", "amount", "[{total amount} {Total amount}]"},
		{"amount,currency_code,currency,email", "currency", "currency", "[{currency_code currency}]"},
		{"amount,currency,email_address,email", "customer_email", "email", "[{email_address customer_email}]"},
		{"amount,currency,email,reference_id,invoice_no,Reference ID", "invoice_id", "invoice_no", "[{reference_id invoice_id} {Reference ID invoice_id}]"},
		{"amount,currency,email,Quantity,UNIT_AMOUNT,imageUrl", "quantity", "", "[]"},
		{"amount,currency,email,quantity,unit_amount,image_url", "quantity", "quantity", "[]"},
		{"amount,currency,email,product_name,item_name", "description", "item_name", "[{product_name description}]"},
		{"amount,currency,email,Customer Reference", "reference_customer_id", "", "[]"},
		{"amount,currency,email,number,Rechnungsnummer,Factuurnummer", "invoice_id", "Rechnungsnummer", "[{Factuurnummer invoice_id}]"},
		{"Offener Betrag,Rechnungsbetrag,Währung,E-Mail", "amount", "Rechnungsbetrag", "[{Offener Betrag amount}]"},
		{"Wa\u0308hrung,Betrag,E-Mail-Adresse", "currency", "Wa\u0308hrung", "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			r, err := Open(write(t, tt.header+"\n"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if got := r.Header().Taken[tt.column]; got != tt.want {
				t.Errorf("%s is taken from %q, want %q", tt.column, got, tt.want)
			}
			if got := strings.Join(r.Header().Columns, ","); got != tt.header {
				t.Errorf("columns are %s, want them as they stand", got)
			}
			if got := fmt.Sprint(r.Header().Others); got != tt.others {
				t.Errorf("the others are %s, want %s", got, tt.others)
			}
		})
	}
}

func TestColumnsAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, c := range Columns() {
		if c.About == "" {
			t.Errorf("%s says nothing about itself", c.Name)
		}
		for _, s := range spellings[c.Name] {
			if other := seen[s.normal]; other != "" {
				t.Errorf("%s could be %s and %s", s.header, c.Name, other)
			}
			seen[s.normal] = c.Name
		}
	}
	for _, s := range besideAmounts {
		if other := seen[s.normal]; other != "" {
			t.Errorf("%s is taken for %s, and is an amount that is never taken by itself", s.header, other)
		}
	}
}

func TestFedBack(t *testing.T) {
	guarded := Guard("=1+1")
	tests := []struct {
		name, header, row string
		wantColumns, want string
		fedBack           bool
	}{
		{"links file",
			"invoice_id,email,amount,currency,note,row,status,session_id,url,expires_at,created_at,attempts,error_code,error",
			"A,a@example.com,1.00,USD," + guarded + ",2,created,sess_1,https://x.example/1,,,1,,",
			"invoice_id,email,amount,currency,note", "A,a@example.com,1.00,USD,=1+1", true},
		{"links file with the user's own status",
			"invoice_id,email,amount,currency,status,row,paylinks_status,session_id,url,expires_at,created_at,attempts,error_code,error",
			"A,a@example.com,1.00,USD,Awaiting,2,created,sess_1,https://x.example/1,,,1,,",
			"invoice_id,email,amount,currency,status", "A,a@example.com,1.00,USD,Awaiting", true},
		{"links file with the user's own session_id",
			"invoice_id,email,amount,currency,session_id,row,status,paylinks_session_id,url,expires_at,created_at,attempts,error_code,error",
			"A,a@example.com,1.00,USD,mine,2,created,sess_1,https://x.example/1,,,1,,",
			"invoice_id,email,amount,currency,session_id", "A,a@example.com,1.00,USD,mine", true},
		{"refreshed links file with the user's own checked_at",
			"invoice_id,email,amount,currency,checked_at,row,status,session_id,url,expires_at,created_at,attempts,error_code,error,link_status,paylinks_checked_at",
			"A,a@example.com,1.00,USD,by me,2,created,sess_1,https://x.example/1,,,1,,,paid,",
			"invoice_id,email,amount,currency,checked_at", "A,a@example.com,1.00,USD,by me", true},
		{"links file, never refreshed, with the user's own link_status",
			"invoice_id,email,amount,currency,link_status,checked_at,row,status,session_id,url,expires_at,created_at,attempts,error_code,error",
			"A,a@example.com,1.00,USD,mine,mine,2,created,sess_1,https://x.example/1,,,1,,",
			"invoice_id,email,amount,currency,link_status,checked_at", "A,a@example.com,1.00,USD,mine,mine", true},
		{"a guarded header",
			"invoice_id,email,amount,currency,'=x,''=y,row,error_column,error",
			"A,a@example.com,1.00,USD,1,2,2,amount,is zero",
			"invoice_id,email,amount,currency,=x,'=y", "A,a@example.com,1.00,USD,1,2", true},
		{"rejected file keeps the user's status and url",
			"invoice_id,email,amount,currency,status,url,row,error_column,error",
			"A,a@example.com,1.00,USD,Awaiting,https://mine.example,2,amount,is zero",
			"invoice_id,email,amount,currency,status,url", "A,a@example.com,1.00,USD,Awaiting,https://mine.example", true},
		{"rejected file with the user's own row and error",
			"invoice_id,email,amount,currency,row,error,paylinks_row,error_column,paylinks_error",
			"A,a@example.com,1.00,USD,7,none,2,amount,is zero",
			"invoice_id,email,amount,currency,row,error", "A,a@example.com,1.00,USD,7,none", true},
		{"a links file whose user has status and paylinks_status",
			"email,amount,currency,status,paylinks_status,row,paylinks_paylinks_status,session_id,url,expires_at,created_at,attempts,error_code,error",
			"a@example.com,1.00,USD,x,y,2,created,sess_1,https://x.example/1,,,1,,",
			"email,amount,currency,status,paylinks_status", "a@example.com,1.00,USD,x,y", true},
		{"the user's own session_id is the user's",
			"invoice_id,email,amount,currency,session_id,url,status,created_at",
			"A,a@example.com,1.00,USD," + guarded + ",https://mine.example,open,2026",
			"invoice_id,email,amount,currency,session_id,url,status,created_at", "A,a@example.com,1.00,USD," + guarded + ",https://mine.example,open,2026", false},
		{"all of ours but one", "email,amount,currency,row,status,session_id,url,expires_at,created_at,attempts,error",
			"a@example.com,1.00,USD,1,2,3,4,5,6,7,8",
			"email,amount,currency,row,status,session_id,url,expires_at,created_at,attempts,error", "a@example.com,1.00,USD,1,2,3,4,5,6,7,8", false},
		{"all of ours, in another order", "email,amount,currency,row,error,error_column", "a@example.com,1.00,USD,1,2,3",
			"email,amount,currency,row,error,error_column", "a@example.com,1.00,USD,1,2,3", false},
		{"all of ours, and a column behind them", "email,amount,currency,row,error_column,error,note", "a@example.com,1.00,USD,1,2,3,4",
			"email,amount,currency,row,error_column,error,note", "a@example.com,1.00,USD,1,2,3,4", false},
		{"other spellings of ours", "email,amount,currency,Row,Error_Column,Error", "a@example.com,1.00,USD,1,2,3",
			"email,amount,currency,Row,Error_Column,Error", "a@example.com,1.00,USD,1,2,3", false},
		{"a file of the user's own keeps everything",
			"invoice_id,email,amount,currency,row,status,url,error,note",
			"A,a@example.com,1.00,USD,1,2,3,4," + guarded,
			"invoice_id,email,amount,currency,row,status,url,error,note", "A,a@example.com,1.00,USD,1,2,3,4," + guarded, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, rows, err := readAll(t, write(t, tt.header+"\n"+tt.row+"\n"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			h := r.Header()
			if got := strings.Join(h.Columns, ","); got != tt.wantColumns || h.FedBack != tt.fedBack {
				t.Errorf("columns %s (fed back: %v), want %s (%v)", got, h.FedBack, tt.wantColumns, tt.fedBack)
			}
			if got := strings.Join(rows[0].Cells, ","); got != tt.want || kinds(rows[0]) != "" {
				t.Errorf("cells %s (%s), want %s", got, kinds(rows[0]), tt.want)
			}
		})
	}
}
