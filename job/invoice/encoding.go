package invoice

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
)

const utf8Name = "utf-8"

// foreign are kinds of files that people give instead of CSV, with the bytes that they begin with.
var foreign = []struct {
	mark string
	bad  *Problem
}{
	{"%PDF-", flaw(FileForeign, "is a PDF, not CSV", "export the invoices as CSV from where the PDF was made")},
	{"\x1f\x8b", flaw(FileForeign, "is compressed with gzip", "unpack it first: gunzip")},
	{"BZh", flaw(FileForeign, "is compressed with bzip2", "unpack it first: bunzip2")},
	{"\xfd7zXZ\x00", flaw(FileForeign, "is compressed with xz", "unpack it first: unxz")},
	{"\x28\xb5\x2f\xfd", flaw(FileForeign, "is compressed with zstd", "unpack it first: unzstd")},
	{"SQLite format 3\x00", flaw(FileForeign, "is a SQLite database, not CSV; is it perhaps the ledger?", "name the invoice file")},
	{"{\\rtf", flaw(FileForeign, "is a text document (.rtf), not CSV", "copy its table into a spreadsheet and save the sheet as \"CSV UTF-8\"")},
	{"\x00\x00\xfe\xff", flaw(EncodingInvalid, "is UTF-32, which no spreadsheet writes by itself", "save it as UTF-8")},
	{"\xff\xfe\x00\x00", flaw(EncodingInvalid, "is UTF-32, which no spreadsheet writes by itself", "save it as UTF-8")},
}

// markup is how web pages, XML and JSON begin, in lower case and after spaces.
var markup = []struct{ mark, name string }{
	{"<!doctype", "a web page"}, {"<html", "a web page"}, {"<head", "a web page"}, {"<table", "a web page"}, {"<meta", "a web page"},
	{"<?xml", "an XML file"}, {"{\"", "a JSON file"}, {"{\n", "a JSON file"}, {"[{", "a JSON file"}, {"[\n", "a JSON file"},
}

func foreignBytes(head []byte) *Problem {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.mark)) {
			return f.bad
		}
	}
	return nil
}

func foreignText(head []byte) *Problem {
	head = bytes.ToLower(bytes.TrimSpace(head))
	for _, m := range markup {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return flaw(FileForeign, "is "+m.name+", not CSV", "export the invoices again as CSV; often a login page was saved instead of the file")
		}
	}
	return nil
}

type byteMark struct{ mark, name string }

// marks are the byte order marks with the encoding each stands for.
var marks = []byteMark{
	{"\xef\xbb\xbf", utf8Name},
	{"\xff\xfe", "utf-16le"},
	{"\xfe\xff", "utf-16be"},
}

// decoded returns the file's text as UTF-8 without its byte order mark, and the encoding's name. Invalid bytes become
// U+FFFD, except in UTF-8, which is not checked here.
func decoded(raw *bufio.Reader, wanted string) (text *bufio.Reader, name string, bad *Problem, err error) {
	head, err := raw.Peek(512)
	if err != nil && err != io.EOF {
		return nil, "", nil, err
	}
	if bad := foreignBytes(head); bad != nil {
		return nil, "", bad, nil
	}
	name = utf8Name
	var enc encoding.Encoding
	if wanted != "" {
		if enc, name = lookUp(wanted); enc == nil {
			return nil, "", flaw(EncodingUnknown, "is not the name of a known encoding", "well-known ones are windows-1252, iso-8859-1, iso-8859-15, utf-16le, shift_jis, gbk"), nil
		}
	}
	marked := ""
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			marked = m.name
			break
		}
	}
	switch {
	case marked == "" && wanted == "":
		if bad := unmarkedUTF16(head); bad != nil {
			return nil, "", bad, nil
		}
	case marked != "" && wanted != "" && marked != name && (name != "utf-16" || marked == utf8Name):
		return nil, "", flaw(EncodingConflict, "has the byte order mark of "+strings.ToUpper(marked)+", but is to be read as "+wanted, "",
			Option{Do: LeaveOut, Setting: "encoding"}), nil
	case marked != "":
		name = marked
	}

	switch name {
	case "utf-16le":
		enc = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		enc = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	text = raw
	if name != utf8Name {
		text = bufio.NewReaderSize(enc.NewDecoder().Reader(raw), bufferSize)
	}
	if first, _ := text.Peek(3); string(first) == "\ufeff" {
		text.Discard(3)
	}
	return text, name, nil, nil
}

// Marked says whether what is written of the file is to begin with a byte order mark, so that a spreadsheet shows it right: the file has one,
// is not UTF-8, or is a workbook.
func Marked(src io.ReaderAt, o Options) (bool, error) {
	head := make([]byte, 4)
	n, err := src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	head = head[:n]
	name := canonicalEncoding(o.Encoding)
	return name != "" && name != utf8Name || isZip(head) || slices.ContainsFunc(marks, func(m byteMark) bool { return bytes.HasPrefix(head, []byte(m.mark)) }), nil
}

// lookUp finds an encoding by its IANA name or by the names that browsers know it by, such as cp1252.
func lookUp(wanted string) (encoding.Encoding, string) {
	wanted = strings.ToLower(strings.TrimSpace(wanted))
	if wanted == utf8Name || wanted == "utf8" {
		return encoding.Nop, utf8Name
	}
	enc, err := ianaindex.IANA.Encoding(wanted)
	if err != nil || enc == nil {
		if enc, err = htmlindex.Get(wanted); err != nil {
			return nil, ""
		}
	}
	name, err := ianaindex.MIME.Name(enc) // iso-8859-1, where IANA's own name is ISO_8859-1:1987
	if err != nil || enc == encoding.Replacement {
		return nil, ""
	}
	return enc, strings.ToLower(name)
}

// canonicalEncoding maps all names of one encoding to one spelling; an unknown name stays as it is.
func canonicalEncoding(wanted string) string {
	if _, name := lookUp(wanted); name != "" {
		return name
	}
	return wanted
}

// unmarkedUTF16 recognises UTF-16 without a byte order mark by the zero byte in nearly every pair.
func unmarkedUTF16(head []byte) *Problem {
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	for i, name := range []string{"utf-16be", "utf-16le"} {
		if zeros[i] > len(head)/4 && zeros[1-i] == 0 {
			return flaw(EncodingInvalid, "is UTF-16 without a byte order mark", "", Option{Do: Add, Setting: "encoding", Value: name})
		}
	}
	return nil
}
