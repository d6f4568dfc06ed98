// Package links puts a job's results into files: the links file, one line for every invoice, and the rejected file,
// one line for every invoice that needs fixing.
//
// Both carry the user's columns first, as they were in the input and in its delimiter, and ours after them. They are
// UTF-8 CSV by RFC 4180 with \n at the end of every line, and always have as many cells in a line as in the header;
// only the rejected file keeps the surplus cells of a row that has too many, at the end of its line. A line break inside
// a cell comes out as \n, whatever it was; nothing else in a cell is lost.
//
// A cell of the user's that a spreadsheet would run as a formula gets a leading apostrophe ([invoice.Guard]) unless
// Format.RawCells says otherwise. The texts of errors, which quote Clink and the input, get it always; ids and URLs never.
package links

import (
	"io"
	"iter"
	"slices"
	"time"

	"paylinks/job/invoice"
)

// Format is what the output takes over from the input.
type Format struct {
	Columns   []string // the user's headers, in the input's order
	Delimiter rune     // 0 is a comma
	RawCells  bool     // leave the user's cells alone even where a spreadsheet would run them
	Refreshed bool     // Clink was asked how far the links are: write link_status and checked_at, too
	BOM       bool     // begin with a byte order mark, which some spreadsheets need to read UTF-8
}

// Row is a line of the links file. An empty text or zero time is an empty cell.
type Row struct {
	Line                   int // the physical line of the input where the record starts
	Cells                  []string
	Status, SessionID, URL string
	ExpiresAt, CreatedAt   time.Time
	Attempts               int
	ErrorCode, Error       string
	Link                   string    // how far the link is; only written where Format.Refreshed
	CheckedAt              time.Time // when that was; likewise
}

// Write writes the links file at path, whole or not at all, with mode 0600. A symbolic link keeps pointing where it does
// and the file behind it is replaced; a pipe or device is written into. What rows yields as an error comes back as it is,
// and the file stays as it was; what goes wrong with the file is an [*Error].
func Write(path string, f Format, rows iter.Seq2[Row, error]) error {
	return replace(path, func(w io.Writer) error { return writeRows(w, path, f, rows) })
}

// WriteTo writes the links file into w. Its errors are those of [Write], with an empty path.
func WriteTo(w io.Writer, f Format, rows iter.Seq2[Row, error]) error {
	return writeRows(w, "", f, rows)
}

func writeRows(w io.Writer, path string, f Format, rows iter.Seq2[Row, error]) error {
	ours := invoice.LinksColumns
	if f.Refreshed {
		ours = slices.Concat(ours, invoice.RefreshColumns)
	}
	return writeTable(w, path, f, ours, rows, func(t *table, r Row) {
		t.userCells(r.Cells)
		t.number(r.Line)
		t.text(r.Status)
		t.text(r.SessionID)
		t.text(r.URL)
		t.time(r.ExpiresAt)
		t.time(r.CreatedAt)
		t.number(r.Attempts)
		t.text(r.ErrorCode)
		t.message(r.Error)
		if f.Refreshed {
			t.text(r.Link)
			t.time(r.CheckedAt)
		}
	})
}

// ourColumns names our columns beside the user's: one whose name is taken is called paylinks_<name>.
func ourColumns(ours, users []string) []string {
	taken := make(map[string]bool, len(users))
	for _, name := range users {
		taken[name] = true
	}
	names := make([]string, len(ours))
	for i, name := range ours {
		for taken[name] {
			name = invoice.OwnPrefix + name
		}
		names[i] = name
	}
	return names
}
