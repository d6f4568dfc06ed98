package invoice

import "bytes"

// splitter splits the lines of one record into cells, as RFC 4180 and encoding/csv have it. Unlike that, it says of a line with a misplaced
// double quote where it is and leaves the lines below it alone, so that they can be read.
type splitter struct {
	comma byte
	lax   bool // take a misplaced quote as text

	text   []byte // of all cells, one after another
	spans  []span
	open   bool // the last cell is quoted, and goes on in the next line
	from   int  // where that cell begins in text
	closed int  // where it ended in the line that was added last; -1 where it has not, or no cell was open
}

type span struct {
	from, to int
	quoted   bool
}

func (s *splitter) reset() {
	s.text, s.spans, s.open = s.text[:0], s.spans[:0], false
}

// plain adds a line in which quotes have no meaning.
func (s *splitter) plain(line []byte) {
	from := len(s.text)
	s.text = append(s.text, line...)
	for {
		n := bytes.IndexByte(s.text[from:], s.comma)
		if n < 0 {
			s.spans = append(s.spans, span{from, len(s.text), false})
			return
		}
		s.spans = append(s.spans, span{from, from + n, false})
		from += n + 1
	}
}

// add adds a line, which is without its line break, and returns the place of the first quote in it that is misplaced, or -1. After that only
// reset makes sense.
func (s *splitter) add(line []byte) (stray int) {
	s.closed = -1
	at := 0
	switch {
	case s.open:
		s.text = append(s.text, '\n')
		if at, stray = s.quoted(line, 0); s.open || stray >= 0 {
			return stray
		}
		s.closed = at - 1
		if at == len(line) {
			return -1
		}
		at++
	case bytes.IndexByte(line, '"') < 0:
		s.plain(line)
		return -1
	}
	for ; ; at++ {
		if at < len(line) && line[at] == '"' {
			s.open, s.from = true, len(s.text)
			if at, stray = s.quoted(line, at+1); s.open || stray >= 0 {
				return stray
			}
		} else {
			end := len(line)
			if n := bytes.IndexByte(line[at:], s.comma); n >= 0 {
				end = at + n
			}
			if n := bytes.IndexByte(line[at:end], '"'); n >= 0 && !s.lax {
				return at + n
			}
			from := len(s.text)
			s.text = append(s.text, line[at:end]...)
			s.spans = append(s.spans, span{from, len(s.text), false})
			at = end
		}
		if at == len(line) {
			return -1
		}
	}
}

// quoted adds what of a quoted cell is in the line from at on. It returns where the line goes on, and a misplaced quote or -1.
func (s *splitter) quoted(line []byte, at int) (next, stray int) {
	for {
		n := bytes.IndexByte(line[at:], '"')
		if n < 0 {
			s.text = append(s.text, line[at:]...)
			return len(line), -1
		}
		s.text = append(s.text, line[at:at+n]...)
		at += n + 1
		switch {
		case at == len(line) || line[at] == s.comma:
			s.open = false
			s.spans = append(s.spans, span{s.from, len(s.text), true})
			return at, -1
		case line[at] == '"':
			s.text = append(s.text, '"')
			at++
		case s.lax:
			s.text = append(s.text, '"')
		default:
			return at, at - 1
		}
	}
}

// cells are those of the record.
func (s *splitter) cells() []string {
	text := string(s.text)
	cells := make([]string, len(s.spans))
	for i, span := range s.spans {
		cells[i] = text[span.from:span.to]
	}
	return cells
}
