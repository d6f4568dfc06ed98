package invoice

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"paylinks/job/invoice/xlsx"
)

// workbookName is what Header.Encoding says of a workbook.
const workbookName = "xlsx"

// saveAsXLSX is the advice for a workbook of another kind.
const saveAsXLSX = "open it in a spreadsheet program and save it as .xlsx, or its sheet as \"CSV UTF-8\""

// oleMark begins workbooks of old, and those with a password.
const oleMark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// isZip reports whether a file that begins so is a zip archive, as workbooks are.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// isOwnerFile reports whether a spreadsheet program keeps the file beside a workbook as long as that is open.
func isOwnerFile(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, "~$") || strings.HasPrefix(base, ".~lock.")
}

// oldWorkbook says what a file is that begins with oleMark.
func oldWorkbook(src io.ReaderAt) *Problem {
	head := make([]byte, 512)
	if _, err := src.ReadAt(head, 0); err == nil {
		sector := int64(1) << (binary.LittleEndian.Uint16(head[30:]) & 15)
		directory := make([]byte, 4096)
		n, _ := src.ReadAt(directory, (int64(binary.LittleEndian.Uint32(head[48:]))+1)*sector)
		if bytes.Contains(directory[:n], []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
			return flaw(FileProtected, "is protected by a password", "open it in a spreadsheet program, take the password off and save it")
		}
	}
	return flaw(FileForeign, "is an old Excel workbook (.xls)", saveAsXLSX)
}

// openWorkbook reads the sheet with the invoices. If the workbook is wrong, the error is a [Problems].
func openWorkbook(file string, src io.ReaderAt, size int64, o Options) (*Reader, error) {
	book, err := xlsx.Open(src, size)
	if err != nil {
		return nil, workbookProblem(file, err)
	}
	rows, err := chooseSheet(file, book, o)
	if err != nil {
		return nil, workbookProblem(file, err)
	}
	r := &Reader{file: file, source: rows, open: []io.Closer{rows}, sheet: rows}
	r.digest = func() ([32]byte, error) { return DigestOf(io.NewSectionReader(src, 0, math.MaxInt64)) }
	if err := r.start(o, workbookName); err != nil {
		rows.Close()
		return nil, r.located(err)
	}
	r.head.Sheet, r.head.Delimiter = rows.sheet.Name, ','
	return r, nil
}

// chooseSheet opens the sheet that the options name; else the only visible one, or the only visible one whose first rows have the needed
// columns. Where none has them, it is the one with the most columns that are read, so that what is missing can be said of it.
func chooseSheet(file string, book *xlsx.Book, o Options) (*sheetRows, error) {
	all := book.Sheets()
	if o.Sheet != "" {
		for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
			if at := slices.IndexFunc(all, func(s xlsx.Sheet) bool { return same(s.Name, o.Sheet) }); at >= 0 {
				return newSheetRows(file, book, all[at], o)
			}
		}
		return nil, Problems{flaw(SheetUnknown, "the workbook has no sheet of this name", "its sheets are "+quoteList(sheetNames(all))).
			atSetting(file, 0, "sheet", o.Sheet)}
	}
	visible := slices.DeleteFunc(slices.Clone(all), func(s xlsx.Sheet) bool { return s.Hidden })
	var candidates []*sheetRows
	var chosen *sheetRows
	defer func() {
		for _, c := range candidates {
			if c != chosen {
				c.Close()
			}
		}
	}()
	best, most, several := -1, -1, false
	var fitting []string
	for i, sheet := range visible {
		rows, err := newSheetRows(file, book, sheet, o)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, rows)
		found, err := findHeader(file, rows, o)
		switch {
		case rows.failure() != nil:
			return nil, rows.failure()
		case err != nil: // a blank sheet, or one without any column that is known
			continue
		case fits(found.row().cells, o):
			fitting = append(fitting, sheet.Name)
			found.known += maxColumns
		}
		several = found.known == most || several && found.known < most
		if found.known > most {
			best, most = i, found.known
		}
	}
	switch {
	case len(fitting) > 1:
		return nil, sheetUnclear(file, "has more than one sheet that could have the invoices", fitting)
	case len(all) == 0:
		return nil, sheetUnclear(file, "has no sheet with cells", nil)
	case len(visible) == 0:
		return nil, sheetUnclear(file, "has no visible sheet", sheetNames(all))
	case len(visible) == 1:
		chosen = candidates[0]
	case best < 0:
		return nil, sheetUnclear(file, "has no sheet whose first rows name columns that are read", sheetNames(visible))
	case several && len(fitting) == 0:
		return nil, sheetUnclear(file, "has no sheet with all needed columns", sheetNames(visible))
	default:
		chosen = candidates[best]
	}
	return chosen, nil
}

func sheetNames(sheets []xlsx.Sheet) []string {
	names := make([]string, len(sheets))
	for i, s := range sheets {
		names[i] = s.Name
	}
	return names
}

// sheetUnclear refuses a workbook of which a person has to say which sheet is meant.
func sheetUnclear(file, what string, sheets []string) Problems {
	const most = 8
	bad := flaw(SheetUnclear, what, "")
	for _, name := range sheets[:min(len(sheets), most)] {
		bad.Options = append(bad.Options, Option{Do: Add, Setting: "sheet", Value: name})
	}
	if len(sheets) == 0 {
		bad.Advice = "check the export that writes it"
	}
	return Problems{bad.at(file, 0, "", "")}
}

// workbookProblem makes a [Problems] of what is wrong with a workbook; other errors stay.
func workbookProblem(file string, err error) error {
	bad, ok := errors.AsType[*xlsx.Error](err)
	if !ok {
		return err
	}
	p := flaw(WorkbookDamaged, bad.What, "export it again: a program that repairs it may leave rows out")
	switch bad.Kind {
	case xlsx.TooLarge:
		p.Kind, p.Advice = WorkbookTooLarge, "save the sheet with the invoices as \"CSV UTF-8\" and give that"
	case xlsx.Protected:
		p.Kind, p.Advice = FileProtected, "save it without the password"
	case xlsx.Foreign:
		p.Kind, p.Advice = FileForeign, saveAsXLSX
		if strings.Contains(bad.What, "zip") {
			p.Advice = "unpack it first, and name the file in it"
		}
	}
	if bad.Sheet == "" {
		return Problems{p.at(file, 0, "", "")}
	}
	placed := p.at(file, bad.Row, "", "")
	switch {
	case bad.Cell != "":
		placed.Cell = xlsx.Place(bad.Sheet, bad.Cell)
	case bad.Row > 0:
		placed.Cell, placed.What = rowOf(bad.Sheet, bad.Row), "the sheet "+bad.What+", at or below this row"
	default:
		placed.What = fmt.Sprintf("the sheet %s %s", quote(bad.Sheet), bad.What)
	}
	return Problems{placed}
}

// rowOf is what a workbook calls a row: Sheet1!7:7.
func rowOf(sheet string, row int) string { return xlsx.Place(sheet, fmt.Sprintf("%d:%d", row, row)) }
