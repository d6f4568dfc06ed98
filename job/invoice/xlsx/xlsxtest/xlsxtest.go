// Package xlsxtest writes small workbooks for tests: from a drawing of their sheets, or from parts that are wrong on purpose.
package xlsxtest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Book is a workbook to be written.
type Book struct {
	Sheets   []Sheet
	Formats  []string // number formats, by the style of a cell less 1: style 0 is the general one
	Shared   []string // shared strings, each the XML within its si
	Strict   bool     // the strict namespaces
	From1904 bool
	Outdated bool              // formulas are to be calculated when the book is opened
	Parts    map[string]string // parts that take the place of those that are written, or stand beside them; "-" leaves one out
}

// Sheet is one of its sheets.
type Sheet struct {
	Name   string
	State  string // "", hidden or veryHidden
	Rows   string // XML within sheetData
	Merged []string
}

const (
	transitional = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	strict       = "http://purl.oclc.org/ooxml/spreadsheetml/main"
	relations    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	strictRels   = "http://purl.oclc.org/ooxml/officeDocument/relationships"
	packageRels  = "http://schemas.openxmlformats.org/package/2006/relationships"
	declaration  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// Bytes is the workbook as a file.
func (b Book) Bytes() []byte {
	parts := b.parts()
	for name, text := range b.Parts {
		if text == "-" {
			delete(parts, name)
		} else {
			parts[name] = text
		}
	}
	return Zip(parts)
}

// Zip is an archive of these files, in the order of their names.
func Zip(files map[string]string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(files[name]))
		}
		if err != nil {
			panic(err) // a buffer takes all
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func (b Book) parts() map[string]string {
	main, rels := transitional, relations
	if b.Strict {
		main, rels = strict, strictRels
	}
	parts := map[string]string{}
	relation := func(id, kind, target string) string {
		return fmt.Sprintf(`<Relationship Id="%s" Type="%s/%s" Target="%s"/>`, id, rels, kind, target)
	}
	list := func(inner string) string {
		return declaration + `<Relationships xmlns="` + packageRels + `">` + inner + `</Relationships>`
	}
	parts["[Content_Types].xml"] = declaration + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	parts["_rels/.rels"] = list(relation("rId1", "officeDocument", "xl/workbook.xml"))

	var sheets, targets strings.Builder
	for i, sheet := range b.Sheets {
		state := ""
		if sheet.State != "" {
			state = fmt.Sprintf(` state="%s"`, sheet.State)
		}
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d"%s r:id="rId%d"/>`, Escape(sheet.Name), i+1, state, i+1)
		targets.WriteString(relation(fmt.Sprintf("rId%d", i+1), "worksheet", fmt.Sprintf("worksheets/sheet%d.xml", i+1)))
		merged := ""
		for _, block := range sheet.Merged {
			merged += `<mergeCell ref="` + block + `"/>`
		}
		if merged != "" {
			merged = "<mergeCells>" + merged + "</mergeCells>"
		}
		parts[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)] = declaration + `<worksheet xmlns="` + main + `"><sheetData>` + sheet.Rows + `</sheetData>` + merged + `</worksheet>`
	}
	targets.WriteString(relation("rIdS", "styles", "styles.xml") + relation("rIdT", "sharedStrings", "sharedStrings.xml"))
	parts["xl/_rels/workbook.xml.rels"] = list(targets.String())

	properties := ""
	if b.From1904 {
		properties = `<workbookPr date1904="1"/>`
	}
	calculation := ""
	if b.Outdated {
		calculation = `<calcPr fullCalcOnLoad="1"/>`
	}
	parts["xl/workbook.xml"] = declaration + `<workbook xmlns="` + main + `" xmlns:r="` + rels + `">` + properties + `<sheets>` + sheets.String() + `</sheets>` + calculation + `</workbook>`

	var codes, styles strings.Builder
	styles.WriteString(`<xf numFmtId="0"/>`)
	for i, code := range b.Formats {
		fmt.Fprintf(&codes, `<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, Escape(code))
		fmt.Fprintf(&styles, `<xf numFmtId="%d" applyNumberFormat="1"/>`, 164+i)
	}
	parts["xl/styles.xml"] = declaration + `<styleSheet xmlns="` + main + `"><numFmts>` + codes.String() + `</numFmts><cellXfs>` + styles.String() + `</cellXfs></styleSheet>`

	var shared strings.Builder
	for _, inner := range b.Shared {
		shared.WriteString("<si>" + inner + "</si>")
	}
	parts["xl/sharedStrings.xml"] = declaration + `<sst xmlns="` + main + `">` + shared.String() + `</sst>`
	return parts
}

// Escape is the text as XML has it.
func Escape(text string) string {
	var out strings.Builder
	if err := xml.EscapeText(&out, []byte(text)); err != nil {
		panic(err) // a builder takes all
	}
	return out.String()
}
