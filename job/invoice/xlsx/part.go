package xlsx

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	bufferSize = 64 << 10
	maxToken   = 1 << 20 // of one tag or one stretch of text; a cell holds at most 32,767 characters
	maxDepth   = 64      // elements within each other
)

// part is an XML part of a workbook, read token by token. Its errors are those of [archive.failed].
type part struct {
	archive *archive
	name    string
	body    io.ReadCloser
	bound   *bound
	decoder *xml.Decoder
	depth   int
	space   string // the namespace of the root; other elements are not of the workbook
}

// mainSpaces are the namespaces of workbooks, transitional and strict.
var mainSpaces = []string{
	"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
	"http://purl.oclc.org/ooxml/spreadsheetml/main",
}

func isMain(space string) bool { return slices.Contains(mainSpaces, space) }

func newPart(a *archive, name string, body io.ReadCloser, packed, most int64) *part {
	p := &part{archive: a, name: name, body: body, bound: &bound{src: body, packed: packed, most: most}}
	p.decoder = xml.NewDecoder(bufio.NewReaderSize(p.bound, bufferSize))
	return p
}

func (p *part) close() { p.body.Close() }

// bound is the unpacked text of a part. It refuses one that would fill the memory or never end.
type bound struct {
	src          io.Reader
	packed, most int64
	read         int64
	token        int64 // read since the last token began
}

func (b *bound) Read(to []byte) (int, error) {
	n, err := b.src.Read(to)
	b.read += int64(n)
	b.token += int64(n)
	switch {
	case b.token > maxToken+bufferSize:
		return n, tooLarge("has a text or tag of more than 1 MiB")
	case b.read > b.most:
		return n, tooLarge(fmt.Sprintf("unpacks to more than %d MiB", b.most>>20))
	case b.read > ratioFrom && b.read/maxRatio > b.packed:
		return n, tooLarge(fmt.Sprintf("unpacks to more than %d times its size", maxRatio))
	}
	return n, err
}

// token is the next token; its texts are valid until the next call. io.EOF is the end of the part, whose checksum is right then.
func (p *part) token() (xml.Token, error) {
	p.bound.token = 0
	token, err := p.decoder.Token()
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		return nil, p.failed(err)
	}
	switch token.(type) {
	case xml.StartElement:
		if p.depth++; p.depth > maxDepth {
			return nil, damaged("nests its elements too deeply (" + p.name + ")")
		}
	case xml.EndElement:
		p.depth--
	case xml.Directive: // an entity of its own could mean anything
		return nil, damaged("has a document type, which no workbook has (" + p.name + ")")
	}
	return token, nil
}

// next is the next token before the end of the part.
func (p *part) next() (xml.Token, error) {
	token, err := p.token()
	if err == io.EOF {
		err = p.failed(errCut)
	}
	return token, err
}

var errCut = errors.New("its text ends in the middle")

func (p *part) failed(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok && strings.Contains(syntax.Msg, "EOF") {
		err = errCut
	}
	return p.archive.failed(p.name, err)
}

// begin reads up to the root element.
func (p *part) begin() (xml.StartElement, error) {
	for {
		token, err := p.next()
		if err != nil {
			return xml.StartElement{}, err
		}
		if root, ok := token.(xml.StartElement); ok {
			p.space = root.Name.Space
			return root, nil
		}
	}
}

// end reads what follows the root element, so that a part that is cut off or damaged there is found, too.
func (p *part) end() error {
	for {
		token, err := p.token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, more := token.(xml.StartElement); more {
			return damaged("goes on after its end (" + p.name + ")")
		}
	}
}

// skip reads to the end of the element that has just begun.
func (p *part) skip() error {
	for outer := p.depth - 1; p.depth > outer; {
		if _, err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// each calls visit for the elements below the root, with their place: the names of the elements around them and their own, after a / each.
// Elements of other namespaces are left out. It ends with the root.
func (p *part) each(visit func(place string, e xml.StartElement) error) error {
	var within []string
	for outer := p.depth; p.depth >= outer; {
		token, err := p.next()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Space != p.space {
				if err := p.skip(); err != nil {
					return err
				}
				continue
			}
			within = append(within, token.Name.Local)
			if err := visit(strings.Join(within, "/"), token); err != nil {
				return err
			}
		case xml.EndElement:
			if len(within) > 0 {
				within = within[:len(within)-1]
			}
		}
	}
	return nil
}

// text adds the text of the element that has just begun, to its end.
func (p *part) text(to []byte) ([]byte, error) {
	for {
		token, err := p.next()
		if err != nil {
			return to, err
		}
		switch token := token.(type) {
		case xml.CharData:
			if to = append(to, token...); len(to) > maxToken {
				return to, tooLarge("has a text of more than 1 MiB")
			}
		case xml.StartElement:
			if err := p.skip(); err != nil {
				return to, err
			}
		case xml.EndElement:
			return to, nil
		}
	}
}

// attribute is the value of the element's own attribute, or "".
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

func isTrue(value string) bool { return value == "1" || value == "true" }
