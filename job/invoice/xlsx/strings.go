package xlsx

import (
	"encoding/binary"
	"encoding/xml"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	chunkSize      = 1 << 20
	chunkOfStarts  = 1 << 15
	maxStringBytes = 512 << 20 // of all shared strings, which stay in memory
)

// stringTable keeps the shared strings of a workbook one after the other, since a million small strings of their own take several times
// the memory. Each is its length and its bytes, within one chunk.
type stringTable struct {
	chunks [][]byte
	starts [][]uint32 // chunk × chunkSize + offset
	count  int
}

// add appends a string, and refuses what the memory is not meant for.
func (t *stringTable) add(s []byte) error {
	need := len(s) + binary.MaxVarintLen32
	if need > chunkSize {
		return tooLarge("has a text of more than 1 MiB")
	}
	last := len(t.chunks) - 1
	if last < 0 || len(t.chunks[last])+need > chunkSize {
		if (last+2)*chunkSize > maxStringBytes {
			return tooLarge("holds more than 512 MiB of text")
		}
		t.chunks = append(t.chunks, make([]byte, 0, chunkSize))
		last++
	}
	if t.count%chunkOfStarts == 0 {
		t.starts = append(t.starts, make([]uint32, chunkOfStarts))
	}
	chunk := t.chunks[last]
	t.starts[t.count/chunkOfStarts][t.count%chunkOfStarts] = uint32(last*chunkSize + len(chunk))
	chunk = binary.AppendUvarint(chunk, uint64(len(s)))
	t.chunks[last] = append(chunk, s...)
	t.count++
	return nil
}

// at is the string with this number, which must be below count.
func (t *stringTable) at(i int) string {
	start := t.starts[i/chunkOfStarts][i%chunkOfStarts]
	rest := t.chunks[start/chunkSize][start%chunkSize:]
	n, used := binary.Uvarint(rest)
	return string(rest[used : used+int(n)])
}

// readStrings reads the shared strings. Empty ones count, too: cells refer to them by number.
func (b *Book) readStrings(name string) error {
	p, err := b.archive.open(name, maxStrings)
	if err != nil {
		return err
	}
	defer p.close()
	root, err := p.begin()
	if err != nil {
		return err
	}
	if root.Name.Local != "sst" || !isMain(root.Name.Space) {
		return damaged("has shared strings that are none (" + name + ")")
	}
	var text []byte
	for p.depth > 0 {
		token, err := p.next()
		if err != nil {
			return err
		}
		e, begins := token.(xml.StartElement)
		switch {
		case !begins:
		case e.Name.Space == p.space && e.Name.Local == "si":
			if text, err = p.richText(text[:0]); err != nil {
				return err
			}
			if err := b.strings.add(text); err != nil {
				return err
			}
		default:
			if err := p.skip(); err != nil {
				return err
			}
		}
	}
	return p.end()
}

// richText adds the text of a string that has just begun: its own or that of its runs, without the guide to its pronunciation.
func (p *part) richText(to []byte) ([]byte, error) {
	outer, run := p.depth-1, false
	for p.depth > outer {
		token, err := p.next()
		if err != nil {
			return to, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			run = false
		case xml.StartElement:
			own := token.Name.Space == p.space
			switch {
			case own && token.Name.Local == "t":
				from := len(to)
				if to, err = p.text(to); err != nil {
					return to, err
				}
				to = unescape(to, from)
			case own && token.Name.Local == "r" && !run:
				run = true
			default:
				if err := p.skip(); err != nil {
					return to, err
				}
			}
		}
	}
	return to, nil
}

// unescape resolves the escapes of workbooks, such as _x000D_ for a carriage return, in the text from there on. One that stands for a
// character that no text has stays as it is.
func unescape(text []byte, from int) []byte {
	at := from
	for read := from; read < len(text); {
		r, n := escaped(text[read:])
		if utf16.IsSurrogate(r) {
			low, more := escaped(text[read+n:])
			r, n = utf16.DecodeRune(r, low), n+more
		}
		if n == 0 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError || r >= 0xfffe && r <= 0xffff {
			text[at] = text[read]
			at, read = at+1, read+1
			continue
		}
		at += utf8.EncodeRune(text[at:at+utf8.UTFMax], r)
		read += n
	}
	return text[:at]
}

// escaped is the character of the escape that the text begins with, and the escape's length: 0 where it begins with none.
func escaped(text []byte) (r rune, n int) {
	const length = len("_x000D_")
	if len(text) < length || text[0] != '_' || text[1] != 'x' || text[length-1] != '_' {
		return 0, 0
	}
	for _, c := range text[2 : length-1] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, 0
		}
	}
	return r, length
}
