package xlsx_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paylinks/job/invoice/xlsx"
	"paylinks/job/invoice/xlsx/xlsxtest"
)

// read is the sheet as text: a line a row, with its number, and each cell that is not blank with its kind where it is no text.
func read(file []byte, sheet int) (string, error) {
	book, err := xlsx.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return "", err
	}
	rows, err := book.Rows(book.Sheets()[sheet])
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out strings.Builder
	for {
		row, err := rows.Next()
		if err == io.EOF {
			for _, block := range rows.Merged() {
				fmt.Fprintf(&out, "merged %v\n", block)
			}
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		fmt.Fprint(&out, row.Number)
		if row.Hidden {
			out.WriteString(" hidden")
		}
		for i, c := range row.Cells {
			if c.Type == xlsx.Blank && !c.Stale {
				continue
			}
			kind := map[xlsx.Type]string{xlsx.Number: "number ", xlsx.Date: "date ", xlsx.Bool: "bool ", xlsx.Failed: "error "}[c.Type]
			if c.Stale {
				kind = "stale " + kind
			}
			fmt.Fprintf(&out, " %s=%s%q", xlsx.Reference(i, row.Number), kind, c.Text)
		}
		out.WriteByte('\n')
	}
}

// TestCells has each way in which a cell can stand in a sheet.
func TestCells(t *testing.T) {
	shared := []string{
		`<t>plain</t>`,
		`<r><rPr><b/></rPr><t>bold</t></r><r><t xml:space="preserve"> and not</t></r>`,
		`<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>`,
		`<t/>`,
		`<t>a_x000D_&#10;b _x005F_x0041_ _x0041_ _xD83D__xDE00_ _x0001_ _xZZZZ_</t>`,
		`<t><![CDATA[a < b]]> &amp; c</t>`,
	}
	tests := []struct{ name, rows, want string }{
		{"shared text", `<row r="1"><c r="A1" t="s"><v>0</v></c></row>`, `1 A1="plain"`},
		{"rich text has all its runs", `<row r="1"><c r="A1" t="s"><v>1</v></c></row>`, `1 A1="bold and not"`},
		{"a guide to the pronunciation is no text", `<row r="1"><c r="A1" t="s"><v>2</v></c></row>`, `1 A1="東京"`},
		{"an empty shared text is blank and counts", `<row r="1"><c r="A1" t="s"><v>3</v></c><c r="B1" t="s"><v>5</v></c></row>`, `1 B1="a < b & c"`},
		{"escapes", `<row r="1"><c r="A1" t="s"><v>4</v></c></row>`, `1 A1="a\r\nb _x0041_ A 😀 _x0001_ _xZZZZ_"`},
		{"inline text", `<row r="1"><c r="A1" t="inlineStr"><is><t> x </t></is></c></row>`, `1 A1=" x "`},
		{"inline rich text", `<row r="1"><c r="A1" t="inlineStr"><is><r><t>x</t></r><r><t>y</t></r></is></c></row>`, `1 A1="xy"`},
		{"inline text as a value", `<row r="1"><c r="A1" t="inlineStr"><v>x</v></c></row>`, `1 A1="x"`},
		{"digits as text", `<row r="1"><c r="A1" t="inlineStr"><is><t>0012</t></is></c></row>`, `1 A1="0012"`},
		{"numbers", `<row r="1"><c r="A1"><v>1234.5699999999999</v></c><c r="B1" t="n"><v> 12 </v></c></row>`, `1 A1=number "1234.57" B1=number "12"`},
		{"a comment within a value", `<row r="1"><c r="A1"><v>12<!-- 9 -->34</v></c></row>`, `1 A1=number "1234"`},
		{"bool", `<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c></row>`, `1 A1=bool "TRUE" B1=bool "FALSE"`},
		{"error", `<row r="1"><c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`, `1 A1=error "#DIV/0!"`},
		{"formula with its value", `<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>A1</f><v>two</v></c></row>`, `1 A1=number "2" B1="two"`},
		{"formula without a value", `<row r="1"><c r="A1"><f>1+1</f></c><c r="B1"><f>1</f><v></v></c><c r="C1" t="str"><f>1</f></c></row>`, `1 A1=stale "" B1=stale "" C1=stale ""`},
		{"formula whose value is an empty text", `<row r="1"><c r="A1" t="str"><f>1</f><v></v></c><c r="B1"><v>1</v></c></row>`, `1 B1=number "1"`},
		{"date as text", `<row r="1"><c r="A1" t="d"><v>2026-11-27T00:00:00.000</v></c><c r="B1" t="d"><v>2026-11-27T10:30:00</v></c></row>`, `1 A1=date "2026-11-27" B1=date "2026-11-27T10:30:00"`},
		{"cells without a name", `<row r="1"><c><v>1</v></c><c r="C1"><v>3</v></c><c><v>4</v></c></row>`, `1 A1=number "1" C1=number "3" D1=number "4"`},
		{"a blank cell takes its place", `<row r="1"><c/><c><v>2</v></c><c s="0"/></row>`, `1 B1=number "2"`},
		{"rows without a number", `<row><c><v>1</v></c></row><row r="5"><c><v>5</v></c></row><row><c><v>6</v></c></row>`, "1 A1=number \"1\"\n5 A5=number \"5\"\n6 A6=number \"6\""},
		{"rows without cells are left out", `<row r="1"/><row r="2"><c r="A2"/></row><row r="3"><c r="A3"><v>1</v></c></row>`, `3 A3=number "1"`},
		{"hidden rows", `<row r="1" hidden="1"><c><v>1</v></c></row><row r="2" hidden="true"><c><v>2</v></c></row><row r="3" ht="0" customHeight="1"><c><v>3</v></c></row><row r="4" hidden="0" ht="15"><c><v>4</v></c></row>`,
			"1 hidden A1=number \"1\"\n2 hidden A2=number \"2\"\n3 hidden A3=number \"3\"\n4 A4=number \"4\""},
		{"what other programs add is left out", `<row r="1" x:a="9" xmlns:x="urn:x"><x:c r="A1"><x:v>9</x:v></x:c><c r="A1"><v>1</v><x:v>8</x:v><extLst><ext><v>7</v></ext></extLst></c></row>`, `1 A1=number "1"`},
	}
	for _, test := range tests {
		for _, strict := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/strict=%v", test.name, strict), func(t *testing.T) {
				got, err := read(xlsxtest.Book{Strict: strict, Shared: shared, Sheets: []xlsxtest.Sheet{{Name: "S", Rows: test.rows}}}.Bytes(), 0)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, strings.TrimSpace(got)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestPrefixedNames has a workbook as some libraries write it: each element with a prefix, parts with an absolute name or a backslash.
func TestPrefixedNames(t *testing.T) {
	const main, rel = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	file := xlsxtest.Zip(map[string]string{
		"_rels/.rels":                  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="` + rel + `/officeDocument" Target="/XL/Workbook.xml"/></Relationships>`,
		`xl\workbook.xml`:              `<x:workbook xmlns:x="` + main + `"><x:sheets><x:sheet name="S" p:id="b" xmlns:p="` + rel + `"/></x:sheets></x:workbook>`,
		`xl/_rels/workbook.xml.rels`:   `<p:Relationships xmlns:p="http://schemas.openxmlformats.org/package/2006/relationships"><p:Relationship Id="b" Type="` + rel + `/worksheet" Target="worksheets\sheet.xml"/></p:Relationships>`,
		"xl/worksheets/sheet.xml":      "\ufeff" + `<x:worksheet xmlns:x="` + main + `"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>`,
		"xl/worksheets/unrelated.json": "{}",
	})
	got, err := read(file, 0)
	if err != nil || got != "1 A1=number \"1\"\n" {
		t.Error(got, err)
	}
}

// TestSheets has hidden sheets, and one that is a chart and is left out.
func TestSheets(t *testing.T) {
	book := xlsxtest.Draw("sheet One\n| a |\nhidden sheet Zwei & drei\n| b |\nmerge A1:B2\nmerge C3")
	book.Sheets = append(book.Sheets, xlsxtest.Sheet{Name: "Secret", State: "veryHidden"}, xlsxtest.Sheet{Name: "Chart"})
	file := book.Bytes()
	plain, err := xlsx.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(plain.Sheets()) != 4 {
		t.Fatal(plain, err)
	}
	rels := string(mustRead(t, file, "xl/_rels/workbook.xml.rels"))
	book.Parts = map[string]string{"xl/_rels/workbook.xml.rels": strings.Replace(rels, `Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"`,
		`Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/chartsheet"`, 1)}
	file = book.Bytes()
	opened, err := xlsx.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, sheet := range opened.Sheets() {
		got += fmt.Sprintf("%s %v\n", sheet.Name, sheet.Hidden)
	}
	if diff := cmp.Diff("One false\nZwei & drei true\nSecret true\n", got); diff != "" {
		t.Error(diff)
	}
	if rows, err := read(file, 1); err != nil || rows != "1 A1=\"b\"\nmerged A1:B2\nmerged C3:C3\n" {
		t.Error(rows, err)
	}
}

// TestOutdatedFormulas guards that the value of a formula is no value where the workbook itself says so.
func TestOutdatedFormulas(t *testing.T) {
	got, err := read(xlsxtest.Draw("outdated\nsheet S\n| #1 | =#2 | =three |").Bytes(), 0)
	if err != nil || got != "1 A1=number \"1\" B1=stale number \"2\" C1=stale \"three\"\n" {
		t.Error(got, err)
	}
}

func TestPlace(t *testing.T) {
	for _, test := range []struct{ sheet, want string }{
		{"Sheet1", "Sheet1!C7"}, {"Rechnungen_2026", "Rechnungen_2026!C7"}, {"請求書", "請求書!C7"},
		{"Open invoices", "'Open invoices'!C7"}, {"it's", "'it''s'!C7"}, {"2026", "'2026'!C7"}, {"Q1", "'Q1'!C7"}, {"a-b", "'a-b'!C7"},
	} {
		if got := xlsx.Place(test.sheet, xlsx.Reference(2, 7)); got != test.want {
			t.Errorf("%s: %s, want %s", test.sheet, got, test.want)
		}
	}
	for column, want := range map[int]string{0: "A1", 25: "Z1", 26: "AA1", 701: "ZZ1", 702: "AAA1", xlsx.MaxColumns - 1: "XFD1"} {
		if got := xlsx.Reference(column, 1); got != want {
			t.Errorf("column %d is %s, want %s", column, got, want)
		}
	}
}
