package invoice

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// textRows is a text file as the source of a table: a row is a line, or several where a quoted cell has line breaks.
type textRows struct {
	text   *text
	split  splitter
	quotes bool // double quotes have their meaning
	width  int  // cells of the header; 0 until it is known

	delimiters []rune // those that may divide the cells
}

var delimiters = []rune{',', ';', '\t', '|'}

// newTextRows reads a file. Its first line may say what divides the cells: sep=; is for spreadsheet programs, and no row.
func newTextRows(t *text, quotes bool) (*textRows, *Problem) {
	l := &textRows{text: t, quotes: quotes, delimiters: delimiters}
	first, _ := t.peek(1)
	if len(first) == 0 {
		return l, nil
	}
	line, _ := withoutBreak(first[0])
	said := strings.Trim(string(line), `"`)
	if len(said) < 4 || !strings.EqualFold(said[:4], "sep=") {
		return l, nil
	}
	for _, delimiter := range delimiters {
		if said[4:] == string(delimiter) {
			l.delimiters = []rune{delimiter}
			_, err := t.next()
			return l, problemOf(err)
		}
	}
	bad := flaw(DelimiterUnknown, "says that "+quote(said[4:])+" is between the cells",
		"export it with a comma, semicolon, tab or vertical bar between them").at(t.file, 1, "", "")
	return nil, &bad
}

// sampleRows is how many rows below the header say what its columns hold.
const sampleRows = 20

func (l *textRows) tops(least, latest int) ([]top, error) {
	raw, err := l.text.peek(latest - l.text.line + sampleRows)
	var tops []top
	for _, delimiter := range l.delimiters {
		tops = append(tops, l.top(raw, delimiter, least))
	}
	ours := slices.ContainsFunc(tops, top.isOurs)
	if !l.quotes && ours {
		l.quotes = true // a file of ours is written with them
		return l.tops(least, latest)
	}
	if p := problemOf(err); p != nil {
		err = Problems{*p}
	}
	return tops, err
}

// top divides the lines. One above least, or with a misplaced quote, is a row of its own.
func (l *textRows) top(raw [][]byte, delimiter rune, least int) top {
	t := top{delimiter: delimiter}
	s := splitter{comma: byte(delimiter)}
	for i := 0; i < len(raw); i++ {
		if strings.Trim(string(raw[i]), " ,;|\t\r\n\"\ufeff") == "" {
			continue
		}
		row := tableRow{line: l.text.line + i + 1}
		content, _ := withoutBreak(raw[i])
		last, stray := i, -1
		s.reset()
		if l.quotes {
			stray = s.add(content)
		} else {
			s.plain(content)
		}
		for ; row.line >= least && s.open && stray < 0 && last+1 < len(raw); last++ {
			next, _ := withoutBreak(raw[last+1])
			stray = s.add(next)
		}
		if stray >= 0 || s.open {
			row.bad = flaw(QuoteStray, "the header has a misplaced double quote",
				`take it out, or put the whole name in double quotes and write the quote inside twice: ""`)
			if stray < 0 {
				row.bad = flaw(QuoteUnclosed, "has a double quote in the header that is not closed", closeIt)
			}
			s.reset()
			s.plain(content)
			last = i
		}
		row.cells, row.last = s.cells(), l.text.line+last+1
		t.rows = append(t.rows, row)
		i = last
	}
	return t
}

func (l *textRows) begin(t top, header tableRow, width int) {
	for l.text.line < header.last {
		if _, err := l.text.next(); err != nil {
			break // it stays
		}
	}
	l.split.comma, l.width = byte(t.delimiter), width
}

func (l *textRows) next() (tableRow, error) {
	for {
		line, err := l.text.next()
		if err != nil {
			return tableRow{}, err
		}
		content, broken := withoutBreak(line)
		if len(content) == 0 {
			continue
		}
		l.split.reset()
		stray := -1
		if l.quotes {
			stray = l.split.add(content)
		} else {
			l.split.plain(content)
		}
		if stray >= 0 || l.split.open {
			return l.spanning(content, broken, stray)
		}
		return tableRow{line: l.text.line, cells: l.split.cells(), cut: !broken}, nil
	}
}

func (l *textRows) surelyOne(cell int) bool {
	return cell < len(l.split.spans) && l.split.spans[cell].quoted
}

// attempt is the lines that were read for one row.
type attempt struct {
	line  int // the first one's number
	lines [][]byte
	size  int // of their text, and a byte for each line break
}

func (r *attempt) add(line []byte) {
	r.lines = append(r.lines, bytes.Clone(line))
	r.size += len(line) + 1
}

const closeIt = `close the quote; a double quote inside a cell is written twice: ""`

// spanning reads on in a row with a quote that is misplaced or not closed in the first line.
func (l *textRows) spanning(first []byte, broken bool, stray int) (tableRow, error) {
	r := attempt{line: l.text.line}
	r.add(first)
	for stray < 0 && l.split.open && r.size <= maxLine {
		line, err := l.text.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return tableRow{}, err
		}
		var content []byte
		content, broken = withoutBreak(line)
		r.add(content)
		stray = l.split.add(content)
	}
	row := tableRow{line: r.line, cells: l.split.cells(), cut: !broken}
	if stray < 0 && !l.split.open {
		if l.swallowed(&r) {
			row.bad = flaw(RowSwallowed, fmt.Sprintf("has a quoted cell down to line %d, and lines in it have as many cells as the header: it has probably swallowed rows",
				r.line+len(r.lines)-1), closeIt, quotesAreText)
			row.badAt = l.openedIn(first)
		}
		return row, nil
	}
	return l.misquoted(&r, stray)
}

// quotesAreText is the option for a file that a program wrote without any quoting.
var quotesAreText = Option{Do: Add, Setting: "quote", Value: "none", When: "quotes are plain text in the whole file"}

// misquoted gives the first line as a bad row, and what follows it back, where each of the lines that were read has as many cells as the header.
// Elsewhere nobody can tell where the next row begins.
func (l *textRows) misquoted(r *attempt, stray int) (tableRow, error) {
	row := tableRow{line: r.line}
	last := r.line + len(r.lines) - 1
	switch {
	case stray >= 0 && len(r.lines) == 1:
		row.badAt = bytes.Count(r.lines[0][:stray], []byte{l.split.comma})
		row.bad = flaw(QuoteStray, fmt.Sprintf("has a misplaced double quote at character %d", utf8.RuneCount(r.lines[0][:stray])+1),
			`put the whole cell in double quotes, with no space before them, and write a double quote inside it twice: ""`, quotesAreText)
	case stray >= 0:
		row.bad = flaw(QuoteUnclosed, fmt.Sprintf("has a double quote in this row that is not closed before line %d", last), closeIt, quotesAreText)
	case r.size > maxLine:
		row.bad = flaw(QuoteUnclosed, "has a double quote in this row that is not closed within 1 MiB", closeIt, quotesAreText)
	default:
		row.bad = flaw(QuoteUnclosed, "has a double quote in this row that is never closed", closeIt, quotesAreText)
	}
	if row.bad.Kind == QuoteUnclosed {
		row.badAt = l.openedIn(r.lines[0])
	}
	for i := len(r.lines) - 1; i >= 0; i-- {
		if len(r.lines[i]) == 0 {
			continue
		}
		cells := l.alone(r.lines[i])
		if len(cells) != l.width {
			return row, errUndivided
		}
		row.cells = cells
	}
	if back := r.lines[1:]; len(back) > 0 {
		for i := range back {
			back[i] = append(back[i], '\n')
		}
		l.text.unread(back)
	}
	return row, nil
}

// openedIn is the cell of the line in which a quote is left open.
func (l *textRows) openedIn(line []byte) int {
	s := splitter{comma: l.split.comma}
	s.add(line)
	return len(s.spans)
}

// alone divides a line by itself: as it is written; else with its quotes as text; else with only the misplaced ones as text. The first that
// gives as many cells as the header has counts.
func (l *textRows) alone(line []byte) (cells []string) {
	s := splitter{comma: l.split.comma}
	if s.add(line) < 0 && !s.open && len(s.spans) == l.width {
		return s.cells()
	}
	s.reset()
	s.plain(line)
	if cells = s.cells(); len(cells) == l.width {
		return cells
	}
	s.reset()
	s.lax = true
	if s.add(line); !s.open && len(s.spans) == l.width {
		return s.cells()
	}
	return cells
}

// swallowed says whether a quoted cell of the row holds a line that looks like a row: with as many cells as the header.
func (l *textRows) swallowed(r *attempt) bool {
	isRow := func(line []byte) bool {
		return bytes.Count(line, []byte{l.split.comma}) == l.width-1 && len(bytes.Trim(line, " \t"+string(l.split.comma))) > 0
	}
	last := len(r.lines) - 1
	if slices.ContainsFunc(r.lines[1:last], isRow) {
		return true
	}
	inside := r.lines[last][:max(l.split.closed, 0)]
	return isRow(inside) || isRow(r.lines[last]) && isRow(r.lines[0])
}

// problemOf is the problem that the error is, or nil.
func problemOf(err error) *Problem {
	p, _ := err.(*Problem)
	return p
}
