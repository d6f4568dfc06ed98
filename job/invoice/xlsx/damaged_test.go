package xlsx_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"paylinks/job/invoice/xlsx"
	"paylinks/job/invoice/xlsx/xlsxtest"
)

func mustRead(t *testing.T, file []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestDamagedSheets guards that a sheet is read whole or not at all: what is cut off or refers to nothing is refused, with the row.
func TestDamagedSheets(t *testing.T) {
	const main = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`
	const first = `<sheetData><row r="1"><c r="A1"><v>1</v></c></row>`
	tests := []struct {
		name, sheet string
		row         int
		want        string
	}{
		{"cut in a row", main + first + `<row r="2"><c r="A2"><v>2</v></c>`, 2, "ends in the middle"},
		{"cut between rows", main + first, 1, "ends in the middle"},
		{"cut behind the rows", main + first + `</sheetData>`, 1, "ends in the middle"},
		{"cut in a tag", main + first + `<row r="2"><c r="A`, 2, "ends in the middle"},
		{"nothing at all", "", 0, "ends in the middle"},
		{"goes on after its end", main + first + `</sheetData></worksheet><more/>`, 1, "goes on after its end"},
		{"not well formed", main + `<sheetData></row></sheetData></worksheet>`, 0, "is cut off or damaged"},
		{"of another namespace", `<worksheet xmlns="urn:x"><sheetData/></worksheet>`, 0, "is no sheet"},
		{"another root", `<chartsheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`, 0, "is no sheet"},
		{"a document type", `<!DOCTYPE x [<!ENTITY a "1">]>` + main + `<sheetData/></worksheet>`, 0, "document type"},
		{"an entity of its own", main + `<sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>`, 1, "entity"},
		{"nested too deeply", main + strings.Repeat("<a>", 100), 0, "too deeply"},
		{"no number", main + `<sheetData><row r="3"><c r="B3"><v>1,5</v></c></row></sheetData></worksheet>`, 3, `cell B3 is said to be a number and is "1,5"`},
		{"hexadecimal", main + `<sheetData><row r="3"><c r="B3"><v>0x1p4</v></c></row></sheetData></worksheet>`, 3, "is said to be a number"},
		{"infinite", main + `<sheetData><row r="3"><c r="B3"><v>1e999</v></c></row></sheetData></worksheet>`, 3, "is said to be a number"},
		{"a text that is lacking", main + `<sheetData><row r="3"><c r="B3" t="s"><v>1</v></c></row></sheetData></worksheet>`, 3, `cell B3 refers to text "1"`},
		{"a text before the first", main + `<sheetData><row r="3"><c r="B3" t="s"><v>-1</v></c></row></sheetData></worksheet>`, 3, `refers to text "-1"`},
		{"a style that is lacking", main + `<sheetData><row r="3"><c r="B3" s="1"><v>1</v></c></row></sheetData></worksheet>`, 3, `cell B3 refers to style "1"`},
		{"an unknown kind", main + `<sheetData><row r="3"><c r="B3" t="z"><v>1</v></c></row></sheetData></worksheet>`, 3, `cell B3 is of a kind`},
		{"two values", main + `<sheetData><row r="3"><c r="B3"><v>1</v><v>2</v></c></row></sheetData></worksheet>`, 3, `cell B3 has two values`},
		{"a cell of another row", main + `<sheetData><row r="3"><c r="B4"><v>1</v></c></row></sheetData></worksheet>`, 3, `cell called "B4"`},
		{"a cell twice", main + `<sheetData><row r="3"><c r="B3"/><c r="B3"/></row></sheetData></worksheet>`, 3, `cell called "B3"`},
		{"cells out of order", main + `<sheetData><row r="3"><c r="B3"/><c r="A3"/></row></sheetData></worksheet>`, 3, `cell called "A3"`},
		{"a cell without a row", main + `<sheetData><row r="3"><c r="B"/></row></sheetData></worksheet>`, 3, `cell called "B"`},
		{"a cell beyond the last column", main + `<sheetData><row r="3"><c r="XFE3"/></row></sheetData></worksheet>`, 3, `cell called "XFE3"`},
		{"more cells than columns", main + `<sheetData><row r="3"><c r="XFD3"/><c><v>1</v></c></row></sheetData></worksheet>`, 3, "more columns"},
		{"a row twice", main + `<sheetData><row r="3"/><row r="3"/></sheetData></worksheet>`, 3, `row that is called "3"`},
		{"rows out of order", main + `<sheetData><row r="3"/><row r="2"/></sheetData></worksheet>`, 3, `row that is called "2"`},
		{"a row beyond the last", main + `<sheetData><row r="1048577"/></sheetData></worksheet>`, 0, `row that is called "1048577"`},
		{"more rows than there are", main + `<sheetData><row r="1048576"/><row/></sheetData></worksheet>`, 1048576, "more rows"},
		{"a merged block that is none", main + `<mergeCells><mergeCell ref="B2:A1"/></mergeCells></worksheet>`, 0, `"B2:A1"`},
		{"a huge text", main + `<sheetData><row r="3"><c><v>` + strings.Repeat("1", 2<<20) + `</v></c></row></sheetData></worksheet>`, 3, "more than 1 MiB"},
		{"a huge text in pieces", main + `<sheetData><row r="3"><c t="str"><v>` + strings.Repeat(strings.Repeat("1", 1<<16)+"<!-- -->", 17) + `</v></c></row></sheetData></worksheet>`, 3, "more than 1 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Name: "S"}}, Parts: map[string]string{"xl/worksheets/sheet1.xml": test.sheet}}.Bytes(), 0)
			bad, ok := errors.AsType[*xlsx.Error](err)
			if !ok || bad.Sheet != "S" || bad.Row != test.row || !strings.Contains(strings.TrimSpace("cell "+bad.Cell+" "+bad.What), test.want) {
				t.Errorf("%v; want row %d and %q", err, test.row, test.want)
			}
		})
	}
}

// TestDamagedBooks has what is wrong with the workbook around its sheets.
func TestDamagedBooks(t *testing.T) {
	one := xlsxtest.Draw("sheet S\n| a |")
	with := func(part, text string) []byte {
		b := one
		b.Parts = map[string]string{part: text}
		return b.Bytes()
	}
	whole := one.Bytes()
	const ns = "http://schemas.openxmlformats.org/"
	tests := []struct {
		name string
		file []byte
		kind xlsx.Kind
		want string
	}{
		{"empty", nil, xlsx.Damaged, "no zip archive"},
		{"no archive", []byte("invoice_id,amount\n"), xlsx.Damaged, "no zip archive"},
		{"cut off", whole[:len(whole)/2], xlsx.Damaged, "is cut off"},
		{"cut off at the end", whole[:len(whole)-1], xlsx.Damaged, "is cut off"},
		{"an archive of something", xlsxtest.Zip(map[string]string{"a.csv": "x"}), xlsx.Foreign, "without a workbook"},
		{"LibreOffice", xlsxtest.Zip(map[string]string{"content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), xlsx.Foreign, "LibreOffice (.ods)"},
		{"Numbers", xlsxtest.Zip(map[string]string{"Index/Document.iwa": "x"}), xlsx.Foreign, "Numbers"},
		{"a text document", with("xl/workbook.xml", `<w:document xmlns:w="`+ns+`wordprocessingml/2006/main"/>`), xlsx.Foreign, "another document"},
		{"a binary workbook", with("_rels/.rels", `<Relationships xmlns="`+ns+`package/2006/relationships"><Relationship Id="a" Type="`+ns+`officeDocument/2006/relationships/officeDocument" Target="xl/workbook.bin"/></Relationships>`), xlsx.Foreign, "(.xlsb)"},
		{"no list of parts", with("_rels/.rels", "-"), xlsx.Damaged, "lacks a list of its parts"},
		{"no workbook", with("xl/workbook.xml", "-"), xlsx.Damaged, "lacks its part xl/workbook.xml"},
		{"no sheet", with("xl/worksheets/sheet1.xml", "-"), xlsx.Damaged, "lacks its part xl/worksheets/sheet1.xml"},
		{"no styles", with("xl/styles.xml", "-"), xlsx.Damaged, "lacks its part xl/styles.xml"},
		{"a sheet that nothing names", with("xl/_rels/workbook.xml.rels", `<Relationships xmlns="`+ns+`package/2006/relationships"/>`), xlsx.Damaged, `no part for its sheet "S"`},
		{"shared strings cut off", with("xl/sharedStrings.xml", `<sst xmlns="`+ns+`spreadsheetml/2006/main"><si><t>a</t></si>`), xlsx.Damaged, "ends in the middle"},
		{"shared strings that are none", with("xl/sharedStrings.xml", `<x/>`), xlsx.Damaged, "shared strings that are none"},
		{"a part twice", xlsxtest.Zip(map[string]string{"XL/a": "1", "xl/a": "2"}), xlsx.Damaged, "twice"},
		{"two sheets of one name", xlsxtest.Draw("sheet S\n| a |\nsheet s\n| b |").Bytes(), xlsx.Damaged, "two sheets"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(test.file, 0)
			bad, ok := errors.AsType[*xlsx.Error](err)
			if !ok || bad.Kind != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}

// TestChecksum guards that a sheet whose bytes were changed on the way is refused, though it is well formed.
func TestChecksum(t *testing.T) {
	rows := `<row r="1"><c r="A1"><v>100</v></c></row>`
	file := stored(t, xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Name: "S", Rows: rows}}}.Bytes())
	at := bytes.Index(file, []byte("<v>100</v>"))
	if _, err := read(file, 0); err != nil || at < 0 {
		t.Fatal(err, at)
	}
	file[at+3] = '9'
	_, err := read(file, 0)
	if bad, ok := errors.AsType[*xlsx.Error](err); !ok || bad.Kind != xlsx.Damaged {
		t.Errorf("read with a byte changed: %v", err)
	}
}

// stored is the archive without compression.
func stored(t *testing.T, file []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		to.Write(mustRead(t, file, f.Name))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBombs guards that no workbook can fill the memory or the night: by what it unpacks to, by its list of files, or by a password.
func TestBombs(t *testing.T) {
	tests := []struct {
		name string
		file []byte
		kind xlsx.Kind
		want string
	}{
		{"a sheet that unpacks to a thousand times its size", packed(t, "xl/worksheets/sheet1.xml",
			`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`, "<row/>                                   ", 1<<20), xlsx.TooLarge, "times its size"},
		{"shared strings likewise", packed(t, "xl/sharedStrings.xml",
			`<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`, "<si><t>                                </t></si>", 1<<20), xlsx.TooLarge, "times its size"},
		{"styles without end", packed(t, "xl/styles.xml",
			`<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>`, `<xf numFmtId="1"/>              `, 3<<20), xlsx.TooLarge, "unpacks to more than"},
		{"a list of files without end", manyFiles(200_000), xlsx.TooLarge, "lists more files"},
		{"a password", withFlag(t, "xl/worksheets/sheet1.xml", 1), xlsx.Protected, "password"},
		{"an unknown packing", withMethod(t, "xl/worksheets/sheet1.xml", 99), xlsx.Damaged, "packed in a way"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if len(test.file) > 32<<20 {
				t.Fatalf("the test's file has %d bytes", len(test.file))
			}
			_, err := read(test.file, 0)
			bad, ok := errors.AsType[*xlsx.Error](err)
			if !ok || bad.Kind != test.kind || !strings.Contains(bad.What, test.want) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}

// packed is a workbook, one part of which is begin and then times more, so often. The part is not written out in memory.
func packed(t *testing.T, part, begin, more string, times int) []byte {
	t.Helper()
	var squeezed bytes.Buffer
	w, err := flate.NewWriter(&squeezed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	sum := crc32.NewIEEE()
	out := io.MultiWriter(w, sum)
	io.WriteString(out, begin)
	block := strings.Repeat(more, 1024)
	for range times / 1024 {
		io.WriteString(out, block)
	}
	w.Close()
	return replaced(t, &zip.FileHeader{
		Name: part, Method: zip.Deflate, CRC32: sum.Sum32(),
		CompressedSize64: uint64(squeezed.Len()), UncompressedSize64: uint64(len(begin) + times*len(more)),
	}, squeezed.Bytes())
}

// replaced is a workbook with one part as it stands in the archive.
func replaced(t *testing.T, header *zip.FileHeader, raw []byte) []byte {
	t.Helper()
	file := xlsxtest.Draw("sheet S\n| a |").Bytes()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		if f.Name == header.Name {
			continue
		}
		if err := w.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	to, err := w.CreateRaw(header)
	if err != nil {
		t.Fatal(err)
	}
	to.Write(raw)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func withFlag(t *testing.T, part string, flag uint16) []byte {
	return replaced(t, &zip.FileHeader{Name: part, Method: zip.Store, Flags: flag, CompressedSize64: 1, UncompressedSize64: 1}, []byte("x"))
}

func withMethod(t *testing.T, part string, method uint16) []byte {
	return replaced(t, &zip.FileHeader{Name: part, Method: method, CompressedSize64: 1, UncompressedSize64: 1}, []byte("x"))
}

// manyFiles is an archive that lists so many files of the same few bytes, and says at its end that it has few.
func manyFiles(n int) []byte {
	var out bytes.Buffer
	header := make([]byte, 46)
	copy(header, "PK\x01\x02")
	binary.LittleEndian.PutUint16(header[28:], 10) // the length of the name
	for i := range n {
		out.Write(header)
		fmt.Fprintf(&out, "%010d", i)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(out.Len()))
	out.Write(end)
	return out.Bytes()
}

// TestDiskErrors guards that an error of the disk is told as one: the workbook may be sound.
func TestDiskErrors(t *testing.T) {
	file := xlsxtest.Draw("sheet S\n| a |").Bytes()
	broken := errors.New("input/output error")
	for at := range len(file) {
		_, err := xlsx.Open(failing{bytes.NewReader(file), int64(at), broken}, int64(len(file)))
		if err != nil && !errors.Is(err, broken) {
			t.Fatalf("the disk fails at byte %d: %v", at, err)
		}
	}
}

type failing struct {
	r    io.ReaderAt
	from int64
	err  error
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at <= f.from && f.from < at+int64(len(p)) {
		return 0, f.err
	}
	return f.r.ReadAt(p, at)
}
