package invoice

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	bufferSize = 64 << 10
	maxLine    = 1 << 20  // of a line, and of a record that spans several
	maxCell    = 64 << 10 // what one cell may hold
	maxColumns = 16384    // as many as a spreadsheet has
)

// text is the io.Reader under the CSV reader. It passes on whole lines of valid UTF-8 without NUL; a lone carriage return
// at the end of a line becomes a line feed. A line or record beyond maxLine is refused, so that no file can fill the
// memory. Its errors are *Problem, or those of the disk.
type text struct {
	file    string
	src     *bufio.Reader
	decoded bool // src had another encoding: U+FFFD stands for invalid bytes
	cr      bool // lines end in a lone carriage return

	line    int  // the physical line last read
	start   int  // the line on which its record starts
	size    int  // bytes of the record so far
	quoted  bool // the record goes on in the next line
	pending []byte
	long    []byte // a line that is larger than src's buffer
	err     error
}

func newText(file string, src *bufio.Reader, decoded bool) *text {
	return &text{file: file, src: src, decoded: decoded, cr: endsInCR(src)}
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

func (t *text) Read(p []byte) (int, error) {
	if len(t.pending) == 0 {
		t.pending, t.err = t.next()
		if t.err != nil {
			return 0, t.err
		}
	}
	n := copy(p, t.pending)
	t.pending = t.pending[n:]
	return n, nil
}

// next returns the next physical line, valid until the call after. An open quote at the end of the file is a *Problem.
func (t *text) next() ([]byte, error) {
	if t.err != nil {
		return nil, t.err
	}
	line, err := t.readLine()
	if len(line) == 0 && err == io.EOF {
		if t.quoted {
			return nil, t.unclosed("is never closed")
		}
		return nil, io.EOF
	}
	first := t.line + 1
	if !t.quoted {
		t.start, t.size = first, 0
	}
	t.size += len(line)
	if t.size > maxLine && t.start != first {
		return nil, t.unclosed("is not closed within 1 MiB")
	}
	if t.size > maxLine {
		return nil, t.problem(first, "", flaw(LineTooLong, "has a line of more than 1 MiB", "this is probably not an invoice list; export it again"))
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", t.file, err)
	}
	if bad := t.unsound(line, first); bad != nil {
		return nil, bad
	}
	t.line++
	if t.cr {
		t.line += bytes.Count(line[:len(line)-1], []byte("\n"))
	}
	if bytes.Count(line, []byte(`"`))%2 == 1 {
		t.quoted = !t.quoted
	}
	return line, nil
}

// readLine stops reading shortly after maxLine.
func (t *text) readLine() ([]byte, error) {
	end := byte('\n')
	if t.cr {
		end = '\r'
		if next, _ := t.src.Peek(1); t.line > 0 && string(next) == "\n" { // the rest of a CRLF among lone CRs
			t.src.Discard(1)
		}
	}
	line, err := t.src.ReadSlice(end)
	if err == bufio.ErrBufferFull {
		t.long = append(t.long[:0], line...)
		for err == bufio.ErrBufferFull && len(t.long) <= maxLine {
			line, err = t.src.ReadSlice(end)
			t.long = append(t.long, line...)
		}
		line = t.long
		if err == bufio.ErrBufferFull {
			err = nil // next reports that it is too long
		}
	}
	if n := len(line); t.cr && n > 0 && line[n-1] == '\r' {
		line[n-1] = '\n'
	}
	return line, err
}

func (t *text) unsound(line []byte, at int) error {
	if bytes.IndexByte(line, 0) >= 0 {
		return t.problem(at, "", flaw(NULByte, "has a NUL byte: this is binary data, or text in another encoding", "save the file as CSV UTF-8"))
	}
	if t.decoded {
		if i := bytes.Index(line, []byte("\ufffd")); i >= 0 {
			return t.problem(at, around(line, i), flaw(EncodingInvalid, "has bytes that are not valid in the encoding it is read in", "save the file as UTF-8",
				Option{Do: Replace, Setting: "encoding"}))
		}
		return nil
	}
	if !utf8.Valid(line) {
		i := invalidAt(line)
		return t.problem(at, around(line, i), flaw(EncodingInvalid, fmt.Sprintf("is not UTF-8: byte 0x%02X", line[i]), "save the file as CSV UTF-8",
			Option{Do: Add, Setting: "encoding", Value: "windows-1252", When: "it comes from an older Windows program"}))
	}
	return nil
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

func (t *text) unclosed(how string) error {
	return t.problem(t.start, "", flaw(QuoteUnclosed, "has a double quote in this row that "+how, `close the quote; a double quote inside a cell is written twice: ""`))
}

func (t *text) problem(line int, value string, bad *Problem) error {
	p := bad.at(t.file, line, "", value)
	t.err = &p
	return t.err
}
