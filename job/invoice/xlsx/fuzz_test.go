package xlsx_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"paylinks/job/invoice/xlsx"
	"paylinks/job/invoice/xlsx/xlsxtest"
)

// FuzzSheet reads any rows, shared strings and format: they are refused as damaged, or each row comes after the one before, with cells of
// valid text whose numbers can be shown.
func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" s="1"><v>1234.5699999999999</v></c></row>`, `<si><t>a</t></si>`, `#,##0.00\ "€"`)
	f.Add(`<row hidden="1"><c t="inlineStr"><is><r><t>x</t></r></is></c><c><f>1</f></c></row>`, `<si><r><t>_x000D_</t></r></si>`, `[>=1000]0,"k";0`)
	f.Add(`<row r="1048576"><c r="XFD1048576" s="1"><v>-0.5E-7</v></c></row>`, "", `yyyy-mm-dd;@`)
	f.Add(`</sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells><sheetData>`, `<si/>`, `000-00-0000;;"x`)
	f.Add(`<row><c s="1"><v>1e15</v></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c><c t="d"><v>2026-01-01</v></c></row>`, `<t/>`, `#?/?_`)
	f.Fuzz(func(t *testing.T, rows, shared, format string) {
		file := xlsxtest.Book{
			Sheets:  []xlsxtest.Sheet{{Name: "S", Rows: rows}},
			Formats: []string{format},
			Parts:   map[string]string{"xl/sharedStrings.xml": `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + shared + `</sst>`},
		}.Bytes()
		checkRead(t, file)
	})
}

// FuzzFile reads any bytes as a workbook.
func FuzzFile(f *testing.F) {
	whole := xlsxtest.Draw("sheet S\n| a | #1 {0.00} | =#2 | !#REF! |\nmerge A1:B2").Bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)-30])
	f.Add(whole[100:])
	f.Add(xlsxtest.Zip(map[string]string{"content.xml": "", "META-INF/manifest.xml": ""}))
	f.Add(manyFiles(3))
	f.Fuzz(checkRead)
}

func checkRead(t *testing.T, file []byte) {
	err := readAll(t, file)
	if err == nil {
		return
	}
	if bad, ok := errors.AsType[*xlsx.Error](err); !ok || bad.What == "" {
		t.Fatalf("refused without a word: %#v", err)
	}
}

func readAll(t *testing.T, file []byte) error {
	book, err := xlsx.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return err
	}
	for _, sheet := range book.Sheets() {
		rows, err := book.Rows(sheet)
		if err != nil {
			return err
		}
		defer rows.Close()
		for last := 0; ; {
			row, err := rows.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if row.Number <= last || row.Number > xlsx.MaxRows || len(row.Cells) == 0 || len(row.Cells) > xlsx.MaxColumns {
				t.Fatalf("row %d after %d, with %d cells", row.Number, last, len(row.Cells))
			}
			last = row.Number
			for _, c := range row.Cells {
				if !utf8.ValidString(c.Text) || strings.ContainsRune(c.Text, 0) || c.Text != "" && c.Type == xlsx.Blank {
					t.Fatalf("cell %+v", c)
				}
				if c.Type == xlsx.Number {
					if shown := c.Format.Show(c.Text); strings.Trim(shown.Number, ".0123456789") != "" {
						t.Fatalf("%s is shown as %+v by %q", c.Text, shown, c.Format.Code)
					}
				}
			}
		}
	}
	return nil
}
