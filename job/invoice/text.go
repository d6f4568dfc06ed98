package invoice

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	bufferSize = 64 << 10
	maxLine    = 1 << 20  // of a line, and of a record that spans several
	maxCell    = 64 << 10 // what one cell may hold
	maxColumns = 16384    // as many as a spreadsheet has
)

// text is the physical lines of a file, valid UTF-8 without NUL. A line beyond maxLine is refused, so that no file can fill the
// memory. Its errors are io.EOF, a *[Problem], or those of the disk, and they stay.
type text struct {
	file    string
	src     *bufio.Reader
	decoded bool             // src had another encoding: U+FFFD stands for invalid bytes
	western *charmap.Charmap // the encoding that src had, if it is one of westerns

	line   int      // the physical line that next returned last
	ahead  [][]byte // lines that were read and not returned yet
	long   []byte   // a line that is larger than src's buffer
	err    error    // what comes after ahead
	survey survey   // of the lines that are not ASCII
}

func newText(file string, src *bufio.Reader, encoding string) *text {
	if endsInCR(src) {
		src = bufio.NewReaderSize(&carriageReturns{src: src}, bufferSize)
	}
	return &text{file: file, src: src, decoded: encoding != utf8Name, western: westerns[encoding]}
}

// endsInCR reports whether the first line ends in a lone carriage return.
func endsInCR(src *bufio.Reader) bool {
	head, _ := src.Peek(bufferSize)
	quoted := false
	for i, c := range head {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return false
		case c == '\r':
			return i+1 == len(head) || head[i+1] != '\n'
		}
	}
	return false
}

// carriageReturns reads a file whose lines end in a lone carriage return. Each break becomes a line feed, one of both characters too.
type carriageReturns struct {
	src  io.Reader
	last byte
}

func (c *carriageReturns) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		switch {
		case b == '\r':
			kept = append(kept, '\n')
		case b != '\n' || c.last != '\r':
			kept = append(kept, b)
		}
		c.last = b
	}
	return len(kept), err
}

// next returns the next line with its line break, valid until the call after.
func (t *text) next() ([]byte, error) {
	if len(t.ahead) > 0 {
		line := t.ahead[0]
		t.ahead = t.ahead[1:]
		t.line++
		return line, nil
	}
	line, err := t.read(t.line + 1)
	if err == nil {
		t.line++
	}
	return line, err
}

// peek returns the next n lines, or fewer where they are long, without taking them; and the error that comes right after them, but for io.EOF.
func (t *text) peek(n int) (lines [][]byte, err error) {
	size := 0
	for len(lines) < n && size <= maxLine {
		if i := len(lines); i == len(t.ahead) {
			line, err := t.read(t.line + i + 1)
			if err == io.EOF {
				return lines, nil
			}
			if err != nil {
				return lines, err
			}
			t.ahead = append(t.ahead, bytes.Clone(line))
		}
		lines = t.ahead[:len(lines)+1]
		size += len(lines[len(lines)-1])
	}
	return lines, nil
}

// unread gives lines back that next has returned last. They must not be changed afterwards.
func (t *text) unread(lines [][]byte) {
	t.line -= len(lines)
	t.ahead = append(lines[:len(lines):len(lines)], t.ahead...)
}

// read reads the line with this number.
func (t *text) read(number int) ([]byte, error) {
	if t.err != nil {
		return nil, t.err
	}
	line, err := t.readLine()
	switch {
	case len(line) > maxLine:
		return nil, t.problem(number, "", flaw(LineTooLong, "has a line of more than 1 MiB", "this is probably not an invoice list; export it again"))
	case err == io.EOF && len(line) == 0:
		t.err = io.EOF
		return nil, t.err
	case err != nil && err != io.EOF:
		t.err = fmt.Errorf("read %s: %w", t.file, err)
		return nil, t.err
	}
	if bad := t.unsound(line, number); bad != nil {
		return nil, bad
	}
	return line, nil
}

// readLine stops reading shortly after maxLine.
func (t *text) readLine() ([]byte, error) {
	line, err := t.src.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		t.long = append(t.long[:0], line...)
		for err == bufio.ErrBufferFull && len(t.long) <= maxLine {
			line, err = t.src.ReadSlice('\n')
			t.long = append(t.long, line...)
		}
		line = t.long
	}
	return line, err
}

func (t *text) unsound(line []byte, at int) error {
	if bytes.IndexByte(line, 0) >= 0 {
		return t.problem(at, "", flaw(NULByte, "has a NUL byte: this is binary data, or text in another encoding", "save the file as CSV UTF-8"))
	}
	if isASCII(line) {
		return nil
	}
	if t.decoded {
		if i := bytes.Index(line, []byte("\ufffd")); i >= 0 {
			return t.problem(at, around(line, i), flaw(EncodingInvalid, "has bytes that are not valid in the encoding it is read in", "save the file as UTF-8",
				Option{Do: Replace, Setting: "encoding"}))
		}
		if t.western == nil {
			return nil
		}
		if word, meant := readTwice(line, t.western); word != "" {
			return t.problem(at, word, flaw(EncodingMixed, "is "+quote(meant)+" in UTF-8: the file, or lines of it, are not in the encoding that it is read in",
				"have the program that writes it write UTF-8 everywhere", Option{Do: LeaveOut, Setting: "encoding", When: "all of it is UTF-8"}))
		}
		return nil
	}
	if !utf8.Valid(line) {
		return t.notUTF8(line, at)
	}
	t.survey.utf8.add(at)
	return nil
}

func isASCII(line []byte) bool {
	const high = 0x8080808080808080
	for len(line) >= 8 {
		if binary.NativeEndian.Uint64(line)&high != 0 {
			return false
		}
		line = line[8:]
	}
	for _, b := range line {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func invalidAt(line []byte) int {
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(line) - 1
}

// around is the word at byte i of the line, for a person to search for.
func around(line []byte, i int) string {
	const ends = " ,;|\t\r\n\""
	from := bytes.LastIndexAny(line[max(0, i-30):i], ends) + 1 + max(0, i-30)
	to := min(len(line), i+30)
	if n := bytes.IndexAny(line[i:to], ends); n > 0 {
		to = i + n
	}
	return string(line[from:to])
}

func (t *text) problem(line int, value string, bad *Problem) error {
	p := bad.at(t.file, line, "", value)
	t.err = &p
	return t.err
}

// withoutBreak takes the line break off, and says whether there was one.
func withoutBreak(line []byte) (content []byte, broken bool) {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line, broken = line[:n-1], true
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, broken
}
