package links

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"net/url"
	"os"
	"slices"

	"paylinks/clink"
	"paylinks/clink/simulator"
	"paylinks/job/invoice"
)

// delimiters are those that an invoice file, and so its links file, can have.
var delimiters = []rune{',', ';', '\t', '|'}

// Session is a session that a links file names, with its link where it has one.
type Session struct{ ID, URL string }

// Rehearsed says whether the session is a simulator's, which nobody can pay: its link is nowhere or on this machine.
func (s Session) Rehearsed() bool { return simulator.Issued(s.ID, s.URL) || OnThisMachine(s.URL) }

// OnThisMachine says whether the address leads to a server on this machine.
func OnThisMachine(address string) bool {
	u, err := url.Parse(address)
	return err == nil && clink.IsLoopback(u.Hostname())
}

// Sessions yields the sessions whose links the links file at path has, one line at a time: not that of a failed row, which was never
// handed out. A file whose last columns are not those of a links file names none, and neither does a pipe, a device or no file. An error
// is an [*Error].
func Sessions(path string) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		fail := func(err error) { yield(Session{}, failed(path, err)) }
		to, err := resolve(path)
		if err != nil {
			fail(err)
			return
		}
		if to.stream || to.info == nil {
			return
		}
		file, err := os.Open(to.path)
		if err != nil {
			fail(err)
			return
		}
		defer file.Close()
		for _, delimiter := range delimiters {
			lines, err := reader(file, delimiter)
			if err != nil {
				fail(err)
				return
			}
			header, err := lines.Read()
			if err != nil {
				return // nothing is in it, or it is no table
			}
			if first := invoice.LinksBlock(header); first >= 0 {
				sessionsOf(lines, first, path, yield)
				return
			}
		}
	}
}

// reader reads the file from its beginning.
func reader(file *os.File, delimiter rune) (*csv.Reader, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	text := bufio.NewReader(file)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
		_, _ = text.Discard(len(mark))
	}
	lines := csv.NewReader(text)
	lines.Comma, lines.LazyQuotes, lines.FieldsPerRecord, lines.ReuseRecord = delimiter, true, -1, true
	return lines, nil
}

func sessionsOf(lines *csv.Reader, first int, path string, yield func(Session, error) bool) {
	place := func(name string) int { return first + slices.Index(invoice.LinksColumns, name) }
	status, id, url := place("status"), place("session_id"), place("url")
	for {
		cells, err := lines.Read()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(Session{}, failed(path, err))
			return
		case len(cells) <= url || cells[id] == "" || cells[status] == "failed":
			continue
		}
		if !yield(Session{cells[id], cells[url]}, nil) {
			return
		}
	}
}
