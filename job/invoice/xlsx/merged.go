package xlsx

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

// Merged are the merged blocks of the sheet, by their first row. The file has them behind the rows: this looks for them there without
// reading the rows, whose reader compares them with what it finds.
func (b *Book) Merged(sheet Sheet) ([]Range, error) {
	p, err := b.archive.open(sheet.part, maxSheet)
	if err != nil {
		return nil, inSheet(err, sheet.Name, 0)
	}
	defer p.close()
	from, err := p.find("mergeCells")
	if err != nil || from == nil {
		return nil, inSheet(err, sheet.Name, 0)
	}
	var blocks []Range
	decoder := xml.NewDecoder(from)
	for {
		p.bound.token = 0
		token, err := decoder.RawToken()
		if err != nil {
			break // the reader of the rows says what is wrong
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "mergeCell" && len(blocks) < maxMerged {
			if block, ok := parseRange(attribute(e, "ref")); ok {
				blocks = append(blocks, block)
			}
		}
		if e, ok := token.(xml.EndElement); ok && e.Name.Local == "mergeCells" {
			break
		}
	}
	slices.SortStableFunc(blocks, func(a, b Range) int { return a.FirstRow - b.FirstRow })
	return blocks, nil
}

// find is the text of the part from the first tag of this name on; nil where there is none.
func (p *part) find(name string) (io.Reader, error) {
	const overlap = 256 // more than the tag's name with its prefix
	window := make([]byte, 0, bufferSize+overlap)
	for {
		p.bound.token = 0
		kept := copy(window[:overlap], window[max(0, len(window)-overlap):])
		window = window[:kept]
		n, err := p.bound.Read(window[kept : kept+bufferSize])
		window = window[:kept+n]
		for at := 0; ; {
			found := bytes.Index(window[at:], []byte(name))
			if found < 0 {
				break
			}
			at += found + len(name)
			tag := bytes.LastIndexByte(window[:at-len(name)], '<')
			if tag < 0 {
				continue
			}
			if prefix := string(window[tag+1 : at-len(name)]); prefix == "" || strings.IndexByte(prefix, ':') == len(prefix)-1 {
				return io.MultiReader(bytes.NewReader(window[tag:]), p.bound), nil
			}
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, p.failed(err)
		}
	}
}
