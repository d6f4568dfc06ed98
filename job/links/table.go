package links

import (
	"bufio"
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"paylinks/job/invoice"
)

// table collects the cells of one line at a time.
type table struct {
	format Format
	line   []string
}

// writeTable writes the header and a line for each of rows, whose cells fill adds: as many as the header has, or more.
// An error of w or an invalid delimiter is an [*Error] with the path.
func writeTable[R any](w io.Writer, path string, f Format, ours []string, rows iter.Seq2[R, error], fill func(*table, R)) error {
	buffer := bufio.NewWriterSize(w, 64<<10) // csv.Writer's own is 4 KiB
	if f.BOM {
		buffer.WriteString("\ufeff") // an error comes back from the last Flush
	}
	out := csv.NewWriter(buffer)
	if f.Delimiter != 0 {
		out.Comma = f.Delimiter
	}
	t := &table{format: f}
	t.userCells(f.Columns)
	for _, name := range ourColumns(ours, f.Columns) {
		t.text(name)
	}
	if err := out.Write(t.line); err != nil {
		return failed(path, err)
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		t.line = t.line[:0]
		fill(t, row)
		if err := out.Write(t.line); err != nil {
			return failed(path, err)
		}
	}
	out.Flush()
	return failed(path, out.Error())
}

// userCells adds a cell for each of the user's columns: missing ones are empty, surplus ones are left out.
func (t *table) userCells(cells []string) {
	for i := range t.format.Columns {
		if i < len(cells) {
			t.userCell(cells[i])
		} else {
			t.text("")
		}
	}
}

func (t *table) userCell(s string) {
	if t.format.RawCells {
		t.text(s)
	} else {
		t.text(invoice.Guard(s))
	}
}

// message adds a text that quotes others, and so may begin like a formula.
func (t *table) message(s string) { t.text(invoice.Guard(s)) }

func (t *table) number(n int) { t.text(strconv.Itoa(n)) }

// time adds a time as RFC 3339 in UTC, rounded down to the second, so that an expiry is never shown too late.
func (t *table) time(at time.Time) {
	if at.IsZero() {
		t.text("")
	} else {
		t.text(at.UTC().Format(time.RFC3339))
	}
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// text looks for \r first because the replacer is slow.
func (t *table) text(s string) {
	if strings.IndexByte(s, '\r') >= 0 {
		s = lineBreaks.Replace(s)
	}
	t.line = append(t.line, s)
}
