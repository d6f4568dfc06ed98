package invoice

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paylinks/job/invoice/xlsx/xlsxtest"
)

// drawn writes the workbook of a drawing; see [xlsxtest.Draw].
func drawn(t testing.TB, drawing string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.xlsx")
	if err := os.WriteFile(path, xlsxtest.Draw(drawing).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readDrawn is what is read of the workbook: a line for each good row and each problem.
func readDrawn(t testing.TB, path string, o Options) string {
	t.Helper()
	var out strings.Builder
	say := func(p Problem) {
		p.File = filepath.Base(p.File)
		fmt.Fprintln(&out, p)
	}
	_, rows, err := readAll(t, path, o)
	for _, row := range rows {
		for _, p := range row.Problems {
			say(p)
		}
		if len(row.Problems) == 0 {
			fmt.Fprintf(&out, "%d %s %s %s %s\n", row.Line, row.Invoice.ID, row.Invoice.AmountText, row.Invoice.Amount.CurrencyCode(), row.Invoice.CustomerEmail)
		}
	}
	switch err := err.(type) {
	case nil:
	case Problems:
		for _, p := range err {
			say(p)
		}
	case *Problem:
		say(*err)
	default:
		t.Fatal(err)
	}
	return out.String()
}

const sheetHeader = "| invoice_id | customer_email | amount | currency | note |\n"

// TestWorkbook reads a sheet as it reads a text with the same rows: titles, blank rows, short rows, and the problems with their cells.
func TestWorkbook(t *testing.T) {
	path := drawn(t, `sheet Open invoices
		| Acme Ltd |
		-
		`+sheetHeader+`
		| A-1 | a@example.com | #1234.5699999999999 | EUR | #46353 {yyyy-mm-dd} |
		| A-2 | b@example.com | #20 {#,##0.00} | EUR |
		-
		| | | | | |
		| A-3 | c@example.com | 12.50 | EUR | #0.19 {0%} |
		| A-4 | nobody | #0 | EUR | x |
		| A-5 | e@example.com | 1,234 | | | y |
		| #17 | f@example.com | #3 | EUR | !#REF! |`)
	want := `4 A-1 1234.57 EUR a@example.com
5 A-2 20 EUR b@example.com
8 A-3 12.50 EUR c@example.com
book.xlsx: 'Open invoices'!B9: customer_email: "nobody": is not an email address; write it plainly, as in name@example.com
book.xlsx: 'Open invoices'!C9: amount: "0": is zero; an invoice needs an amount above zero; take the row out if nothing is due
book.xlsx: 'Open invoices'!10:10: "y": has something in F10, right of the last column that has a name; write a name above it, or empty it
11 17 3 EUR f@example.com
`
	if diff := cmp.Diff(want, readDrawn(t, path, Options{})); diff != "" {
		t.Error(diff)
	}
	r, rows, err := readAll(t, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0].Cells, " | "); got != "A-1 | a@example.com | 1234.57 | EUR | 2026-11-27" {
		t.Error(got)
	}
	if got := strings.Join(rows[2].Cells, " | "); got != "A-3 | c@example.com | 12.50 | EUR | 0.19" {
		t.Error(got)
	}
	h := r.Header()
	if h.Sheet != "Open invoices" || h.Line != 3 || h.Encoding != "xlsx" || h.Delimiter != ',' || !cmp.Equal(h.Titles, []string{"Acme Ltd"}) {
		t.Errorf("%+v", h)
	}
	digest, err := Digest(path)
	if err != nil || r.Digest() != digest {
		t.Error("the digest is not the file's", err)
	}
}

// TestNumbersOfSheets guards that a number is billed as it is kept, whatever the decimal sign of texts, and only where a person sees the
// same amount in the same currency.
func TestNumbersOfSheets(t *testing.T) {
	tests := []struct{ cell, currency, want string }{
		{"#1234.5", "EUR", "1234.5"},
		{"#1.234", "KWD", "1.234"},
		{"#1.234", "EUR", "amount amount-decimals"},
		{"#1234.567 {0.00}", "EUR", "amount amount-decimals"},
		{"#1234.5699999999999 {0.00}", "EUR", "1234.57"},
		{"#5000", "JPY", "5000"},
		{"#5000 {0.00}", "JPY", "5000"},
		{"#12.5 {General}", "EUR", "12.5"},
		{`#12.5 {#,##0.00\ "€"}`, "EUR", "12.5"},
		{`#12.5 {#,##0.00\ "€"}`, "USD", "amount amount-currency"},
		{`#12.5 {[$€-407] #,##0.00}`, "EUR", "12.5"},
		{`#12.5 {[$EUR] 0.00}`, "EUR", "12.5"},
		{`#12.5 {[$EUR] 0.00}`, "USD", "amount amount-currency"},
		{`#12.5 {"$"#,##0.00}`, "USD", "12.5"},
		{`#12.5 {"$"#,##0.00}`, "EUR", "amount amount-currency"},
		{`#12.5 {"£"#,##0.00}`, "USD", "amount amount-currency"},
		{`#12.5 {_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)}`, "USD", "12.5"},
		{`#12 {0",-"}`, "EUR", "12"},
		{`#12.5 {0.00" CR"}`, "EUR", "amount amount-credit"},
		{`#12.5 {(0.00)}`, "EUR", "amount amount-negative"},
		{`#12.5 {-0.00}`, "EUR", "amount amount-negative"},
		{`#12.5 {0.0"k"}`, "EUR", "amount amount-currency"},
		{"#0.19 {0%}", "EUR", "amount amount-percent"},
		{`#19 {0"%"}`, "EUR", "amount amount-percent"},
		{"#12.5 {0}", "EUR", "amount shown-otherwise"},
		{"#12000 {0,}", "EUR", "amount shown-otherwise"},
		{"#12 {;;;}", "EUR", "amount shown-otherwise"},
		{"#12 {0.00E+00}", "EUR", "amount amount-plus"},
		{"#-12.5", "EUR", "amount amount-negative"},
		{"#-12.5 {0.00;0.00}", "EUR", "amount amount-negative"},
		{"#0", "EUR", "amount amount-zero"},
		{"#123456789012345", "EUR", "amount amount-too-large"},
		{"#1E+300", "EUR", "amount amount-not-a-number"},
		{"#46353 {yyyy-mm-dd}", "EUR", "amount amount-not-a-number"},
		{"=#12.5", "EUR", "12.5"},
		{"=", "EUR", "amount formula-not-calculated"},
		{"!#REF!", "EUR", "amount spreadsheet-error"},
		{"", "EUR", "amount amount-missing"},
	}
	for _, test := range tests {
		for _, comma := range []bool{false, true} {
			path := drawn(t, "sheet S\n"+sheetHeader+"| A | a@example.com | "+test.cell+" | "+test.currency+" |")
			_, rows, err := readAll(t, path, Options{DecimalComma: comma})
			if err != nil || len(rows) != 1 {
				t.Fatal(test.cell, err)
			}
			got := kinds(rows[0])
			if got == "" {
				got = rows[0].Invoice.AmountText
			}
			if got != test.want {
				t.Errorf("%s in %s, decimal comma %v: %s, want %s", test.cell, test.currency, comma, got, test.want)
			}
		}
	}
}

// TestTextsOfSheets guards that an amount that a sheet keeps as text is read as a text file's is.
func TestTextsOfSheets(t *testing.T) {
	path := drawn(t, "sheet S\n"+sheetHeader+"| A | a@example.com | 1.234,50 | EUR |\n| B | a@example.com | #1234.5 | EUR |")
	want := "2 A 1234.50 EUR a@example.com\n3 B 1234.5 EUR a@example.com\n"
	if diff := cmp.Diff(want, readDrawn(t, path, Options{DecimalComma: true})); diff != "" {
		t.Error(diff)
	}
}

// TestIDsOfSheets guards that an id is taken only as a person sees it.
func TestIDsOfSheets(t *testing.T) {
	for _, test := range []struct{ cell, want string }{
		{"0012", "0012"},
		{"#12", "12"},
		{"#123456789012345", "123456789012345"},
		{"#123456789012345 {0}", "123456789012345"},
		{"#1234567890123456", "invoice_id id-damaged"},
		{"#1234567890123456 {0}", "invoice_id id-damaged"},
		{"#1E+30", "invoice_id id-damaged"},
		{"#123 {00000}", "invoice_id shown-otherwise"},
		{"#12345 {00000}", "12345"},
		{`#12 {"INV-"0000}`, "invoice_id shown-otherwise"},
		{"#12345 {#,##0}", "invoice_id shown-otherwise"},
		{"#12345 {0.00}", "invoice_id shown-otherwise"},
		{"#46053 {d-mmm}", "invoice_id id-damaged"},
		{"=", "invoice_id formula-not-calculated"},
		{"=#12", "12"},
		{"=INV-1", "INV-1"},
		{"!#N/A", "invoice_id spreadsheet-error"},
	} {
		path := drawn(t, "sheet S\n"+sheetHeader+"| "+test.cell+" | a@example.com | #1 | EUR |")
		_, rows, err := readAll(t, path, Options{})
		if err != nil || len(rows) != 1 {
			t.Fatal(test.cell, err)
		}
		got := kinds(rows[0])
		if got == "" {
			got = rows[0].Invoice.ID
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.cell, got, test.want)
		}
	}
}

// TestFormulas guards that the value of a formula is not taken where the workbook says itself that it is out of date; and that a row of
// formulas alone is no blank row.
func TestFormulas(t *testing.T) {
	outdated := drawn(t, "outdated\nsheet S\n"+sheetHeader+"| A | a@example.com | =#5 | EUR | =#5 |\n| B | a@example.com | #5 | EUR | =#5 |")
	want := `book.xlsx: S!C2: amount: "5": is a formula, and the workbook says itself that its value may be out of date; open the workbook in a spreadsheet program and save it: the program that wrote it does not calculate
3 B 5 EUR a@example.com
`
	if diff := cmp.Diff(want, readDrawn(t, outdated, Options{})); diff != "" {
		t.Error(diff)
	}
	alone := drawn(t, "sheet S\n"+sheetHeader+"| A | a@example.com | #5 | EUR | x |\n| = | = | = | = | = |")
	if got := readDrawn(t, alone, Options{}); !strings.Contains(got, "book.xlsx: S!A3: invoice_id: is a formula, and the file does not have its value") {
		t.Error(got)
	}
}

// TestMergedCells guards that a block of merged cells, which keeps one value for all of them, is told wherever it can mean two things.
func TestMergedCells(t *testing.T) {
	rows := "| Acme | Acme |\n" + sheetHeader + "| A | a@example.com | #1 | EUR | x |\n| B | | #2 | EUR | y |\n| C | c@example.com | #3 | EUR | z |"
	for _, test := range []struct{ merged, want string }{
		{"merge A1:E1", ""},
		{"merge E3:E4", ""},
		{"merge D5:E5", ""},
		{"merge B3:B4", "S!B3 cell-merged, S!B4 cell-merged"},
		{"merge B4:B3", "damaged"},
		{"merge B5:C5", "S!C5 cell-merged"},
		{"merge A3:A3\nmerge C3:C5\nmerge C3:C5", "S!C3 cell-merged, S!C4 cell-merged, S!C5 cell-merged"},
	} {
		_, read, err := readAll(t, drawn(t, "sheet S\n"+strings.ReplaceAll(rows, "| B | |", "| B | b@example.com |")+"\n"+test.merged), Options{})
		var got []string
		for _, row := range read {
			for _, p := range row.Problems {
				got = append(got, p.Cell+" "+string(p.Kind))
			}
		}
		if fileKinds(err) == string(WorkbookDamaged) {
			got = []string{"damaged"}
		} else if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
			t.Error(test.merged, diff)
		}
	}
}

// TestPaidInSheets guards that a number that says how much is paid is read as one, and that the problem has its cell.
func TestPaidInSheets(t *testing.T) {
	path := drawn(t, "sheet S\n| invoice_id | email | Total | Amount Paid | currency |\n| A | a@example.com | #120 | #0 | USD |\n| B | b@example.com | #120 | #50.5 | USD |")
	got := readDrawn(t, path, Options{DecimalComma: true})
	if !strings.Contains(got, "2 A 120 USD") || !strings.Contains(got, `book.xlsx: S!D3: Amount Paid: "50.5": says that 50.5 is paid`) {
		t.Error(got)
	}
}

// TestWorkbookMemory guards that memory does not grow with the rows of a sheet.
func TestWorkbookMemory(t *testing.T) {
	const rows = 30_000
	var drawing strings.Builder
	drawing.WriteString("<row>")
	for _, header := range []string{"invoice_id", "customer_email", "amount", "currency", "a", "b", "c", "d"} {
		fmt.Fprintf(&drawing, `<c t="inlineStr"><is><t>%s</t></is></c>`, header)
	}
	drawing.WriteString("</row>")
	for i := range rows {
		fmt.Fprintf(&drawing, `<row><c t="inlineStr"><is><t>INV-%d</t></is></c><c t="inlineStr"><is><t>accounts+%d@shop.example.com</t></is></c><c><v>%d.5</v></c><c t="inlineStr"><is><t>EUR</t></is></c>`, i, i, i)
		drawing.WriteString(`<c><v>1</v></c><c><v>2</v></c><c t="inlineStr"><is><t>a longer text of the user</t></is></c><c><v>4</v></c></row>`)
	}
	file := xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Name: "S", Rows: drawing.String()}}}.Bytes()
	drawing.Reset()
	r, err := OpenAt("book.xlsx", bytes.NewReader(file), int64(len(file)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	early := 0
	for n := 1; ; n++ {
		if _, err := r.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch n {
		case rows / 10:
			early = heap()
		case rows - 2000:
			if grown := heap() - early; grown > 7<<20 { // what is read ahead varies; all rows are some 12 MB
				t.Errorf("%d bytes more after %d rows", grown, n)
			}
		}
	}
}

// TestTotalsOfSheets guards that a total is told by its number, whatever the decimal sign of texts.
func TestTotalsOfSheets(t *testing.T) {
	path := drawn(t, "sheet S\n"+sheetHeader+"| A | a@example.com | #1.5 | EUR |\n| B | b@example.com | 2,25 | EUR |\n| | | #3.75 | EUR |\nmerge A4:B4")
	r, rows, err := readAll(t, path, Options{DecimalComma: true, SkipTotals: true})
	if err != nil || len(rows) != 2 || r.Notes().Totals.Count != 1 {
		t.Errorf("%d rows, %+v, %v", len(rows), r.Notes(), err)
	}
	if got := readDrawn(t, path, Options{DecimalComma: true}); !strings.Contains(got, "book.xlsx: S!A4: invoice_id: is a total: ") {
		t.Error(got)
	}
}

// TestHiddenRows guards that rows that nobody sees are not billed, nor left out, without somebody's word.
func TestHiddenRows(t *testing.T) {
	path := drawn(t, "sheet S\nhidden | Acme |\n"+sheetHeader+"| A | a@example.com | #1 | EUR |\nhidden | B | b@example.com | #2 | EUR |\nhidden | | |\nhidden | C | c@example.com | #3 | EUR |")
	for _, test := range []struct {
		hidden HiddenRows
		want   string
	}{
		{HiddenIncluded, "3 A 1 EUR a@example.com\n4 B 2 EUR b@example.com\n6 C 3 EUR c@example.com\n"},
		{HiddenSkipped, "3 A 1 EUR a@example.com\n"},
		{HiddenRefused, "3 A 1 EUR a@example.com\n4 B 2 EUR b@example.com\n6 C 3 EUR c@example.com\n" +
			"book.xlsx: S!4:4: has 2 hidden rows below the column names, the first of them here; show all rows, or delete the hidden ones\n"},
	} {
		if diff := cmp.Diff(test.want, readDrawn(t, path, Options{HiddenRows: test.hidden})); diff != "" {
			t.Error(test.hidden, diff)
		}
	}
}

// TestChoosesSheet guards that the sheet with the invoices is taken by itself only where no other could be meant.
func TestChoosesSheet(t *testing.T) {
	full := sheetHeader + "| A | a@example.com | #1 | EUR |\n"
	few := "| invoice_id | amount |\n| A | #1 |\n"
	for _, test := range []struct{ name, book, sheet, want string }{
		{"the only one", "sheet One\n" + full, "", "One"},
		{"the only one, of which columns are missing", "sheet One\n" + few, "", "column-missing, column-missing"},
		{"the only visible one", "hidden sheet Old\n" + full + "sheet New\n" + full, "", "New"},
		{"the only one that fits", "sheet Notes\n| Dear all |\nsheet Blank\nsheet Data\n" + full, "", "Data"},
		{"the only one that fits, below titles", "sheet Few\n" + few + "sheet Data\n| Acme |\n-\n" + full, "", "Data"},
		{"the only one that fits, beside one with more columns that are read",
			"sheet Many\n| invoice_id | email | amount | description | promotion_code | ui_mode | return_url |\n| A | a@example.com | #1 |\nsheet Data\n" + full, "", "Data"},
		{"two that fit", "sheet One\n" + full + "sheet Two\n" + full, "", "sheet-unclear One Two"},
		{"two that fit, one named", "sheet One\n" + full + "sheet Two\n" + full, "Two", "Two"},
		{"named in other letters", "sheet One\n" + full + "sheet Two\n" + full, "two", "Two"},
		{"a hidden one named", "hidden sheet Old\n" + full + "sheet New\n" + full, "Old", "Old"},
		{"one that is not there", "sheet One\n" + full, "Two", "sheet-unknown"},
		{"all hidden", "hidden sheet One\n" + full + "hidden sheet Two\n" + full, "", "sheet-unclear One Two"},
		{"none fits, one is nearest", "sheet Notes\n| Dear all |\nsheet Few\n" + few, "", "column-missing, column-missing"},
		{"none fits", "sheet One\n" + few + "sheet Two\n" + few, "", "sheet-unclear One Two"},
		{"no header at all", "sheet One\nsheet Two\n", "", "sheet-unclear One Two"},
		{"blank", "sheet One\n", "", "file-empty"},
		{"no sheet", "", "", "sheet-unclear"},
	} {
		r, _, err := readAll(t, drawn(t, test.book), Options{Sheet: test.sheet})
		got := fileKinds(err)
		if ps, ok := err.(Problems); ok {
			for _, o := range ps[0].Options {
				if o.Setting == "sheet" {
					got += " " + o.Value
				}
			}
		}
		if err == nil {
			got = r.Header().Sheet
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestWorkbookProblems guards that what is wrong with the file itself is told with its place.
func TestWorkbookProblems(t *testing.T) {
	good := xlsxtest.Draw("sheet S\n" + sheetHeader + "| A | a@example.com | #1 | EUR |")
	sheet := func(text string) string {
		b := good
		b.Parts = map[string]string{"xl/worksheets/sheet1.xml": `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + text}
		return string(b.Bytes())
	}
	for _, test := range []struct{ name, file, want string }{
		{"cut off in a row", sheet(good.Sheets[0].Rows + `<row r="3"><c r="A3">`), "in.csv: S!3:3: the sheet is cut off or damaged (xl/worksheets/sheet1.xml: its text ends in the middle), at or below this row; export it again"},
		{"a broken reference", sheet(good.Sheets[0].Rows + `<row r="3"><c r="A3" t="s"><v>7</v></c></row></sheetData></worksheet>`), `in.csv: S!A3: refers to text "7", which the workbook lacks; export it again`},
		{"cut off in the header", sheet(`<row r="1"><c`), "in.csv: S!1:1: the sheet is cut off"},
		{"another part", sheet(`</sheetData></worksheet><x/>`), `the sheet "S" goes on after its end`},
		{"cut off file", string(good.Bytes()[:300]), "in.csv: is cut off, or is no zip archive; export it again"},
	} {
		_, _, err := readAll(t, write(t, test.file), Options{})
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), filepath.Dir(write(t, "")), ""), strings.TrimPrefix(test.want, "in.csv: ")) {
			t.Errorf("%s:\ngot  %v\nwant %s", test.name, err, test.want)
		}
	}
}

// TestOwnerFiles guards that what a spreadsheet program leaves beside an open workbook is told: *.xlsx names it, too.
func TestOwnerFiles(t *testing.T) {
	for _, name := range []string{"~$book.xlsx", ".~lock.book.xlsx#"} {
		content := "\x04Anna"
		_, err := OpenAt("inbox/"+name, strings.NewReader(content), int64(len(content)), Options{})
		if err == nil || !strings.Contains(err.Error(), name+": is the mark of a workbook that is open") {
			t.Error(name, err)
		}
	}
}

// TestRivalsOfSheets guards that a number and a text are compared as amounts: 1.234 as a number is no 1.234 of a text with decimal commas.
func TestRivalsOfSheets(t *testing.T) {
	header := "| invoice_id | customer_email | amount | total | currency |\n"
	for _, test := range []struct {
		cells string
		comma bool
		want  string
	}{
		{"#5 | #5", false, ""}, {"#5 | 5.00", false, ""}, {"#5 | #6", false, "amount-rivals"},
		{"#12.5 | 12,50", true, ""}, {"#1.234 | 1.234", true, "amount-rivals"}, {"#1.5 | #1.5 {0.00}", true, ""},
	} {
		_, _, err := readAll(t, drawn(t, "sheet S\n"+header+"| A | a@example.com | "+test.cells+" | KWD |"), Options{DecimalComma: test.comma})
		if got := fileKinds(err); got != test.want {
			t.Errorf("%s: %s, want %s", test.cells, got, test.want)
		}
	}
}

// TestRejectedCells guards that a row that was refused for what only the workbook knows is refused as well when its rejected file is run, which is a
// text; and that a sound number is the same there.
func TestRejectedCells(t *testing.T) {
	for _, cells := range []string{
		"A | a@example.com | #5 {0%} | USD", "A | a@example.com | #5 {[$€-407]0.00} | USD", "A | a@example.com | #12.5 {0} | USD", "A | a@example.com | #5 {0.0\"k\"} | USD",
		"#123 {00000} | a@example.com | #5 | USD", "#46353 {d-mmm} | a@example.com | #5 | USD", "#1234567890123456 | a@example.com | #5 | USD",
		"= | a@example.com | #5 | USD", "=A | = | #5 | USD", "A | a@example.com | = | USD", "A | a@example.com | #5 | =",
	} {
		for _, comma := range []bool{false, true} {
			o := Options{DecimalComma: comma}
			_, rows, err := readAll(t, drawn(t, "sheet S\n"+sheetHeader+"| "+cells+" |"), o)
			if err != nil || len(rows) != 1 || len(rows[0].Problems) == 0 {
				t.Fatal(cells, err, rows)
			}
			path := write(t, plainHeader+strings.Join(rows[0].RejectedCells(), ",")+"\n")
			_, again, err := readAll(t, path, o)
			if err != nil || len(again) != 1 || len(again[0].Problems) == 0 {
				t.Errorf("%s: %q is taken, %v", cells, rows[0].RejectedCells(), err)
			}
		}
	}
	path := drawn(t, "sheet S\n| invoice_id | email | amount | currency | note |\n| A | nobody | #1234.5 {#,##0.00} | EUR | #0.5 |")
	for comma, want := range map[bool]string{false: "1234.5", true: "1234,5"} {
		_, rows, err := readAll(t, path, Options{DecimalComma: comma})
		if err != nil || rows[0].RejectedCells()[2] != want || rows[0].RejectedCells()[4] != "0.5" || rows[0].Cells[2] != "1234.5" {
			t.Error(err, rows[0].RejectedCells(), rows[0].Cells)
		}
	}
}

// FuzzWorkbook reads any cells in a workbook: each row is bad, or its amount is a plain decimal above zero.
func FuzzWorkbook(f *testing.F) {
	f.Add("#12.5 {0.00}", "A-1", "EUR")
	f.Add(`#12.5 {[>1]0,"k";0}`, "#123 {00000}", "USD")
	f.Add("=#1", "=", "!#REF!")
	f.Fuzz(func(t *testing.T, amount, id, code string) {
		if strings.ContainsAny(amount+id+code, "|\r\n") {
			return
		}
		file := xlsxtest.Draw("sheet S\n" + sheetHeader + "| " + id + " | a@example.com | " + amount + " | " + code + " | x |").Bytes()
		r, err := OpenAt("book.xlsx", bytes.NewReader(file), int64(len(file)), Options{})
		if err != nil {
			return
		}
		defer r.Close()
		for {
			row, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				return
			}
			if len(row.Problems) == 0 && (strings.Trim(row.Invoice.AmountText, "0123456789.") != "" || strings.Trim(row.Invoice.AmountText, "0.") == "") {
				t.Fatalf("amount %q", row.Invoice.AmountText)
			}
		}
	})
}
