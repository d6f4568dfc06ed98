// Package links writes a job's results into files: the links file, one line for every invoice, and the rejected file,
// one line for every row that has to be corrected.
//
// Both have the user's columns first, in the input's order and with its delimiter, and then ours. They are UTF-8 CSV by
// RFC 4180 with \n at the end of every line. Each line has as many cells as the header; only in the rejected file the
// surplus cells of a row that has too many follow at the end of its line. Line breaks inside a cell become \n; nothing
// else in a cell is changed.
//
// A user's cell that a spreadsheet would run as a formula gets a leading apostrophe ([invoice.Guard]), unless
// Format.RawCells is set. Error texts, which quote Clink and the input, always get it; ids and URLs never.
package links

import (
	"io"
	"iter"
	"slices"
	"time"

	"paylinks/job/invoice"
)

// Format is how the file is written.
type Format struct {
	Columns   []string // the user's headers, in the input's order
	Delimiter rune     // 0 is a comma
	RawCells  bool     // do not guard cells that a spreadsheet would run
	Refreshed bool     // also write link_status and checked_at
	BOM       bool     // begin with a byte order mark, which some spreadsheets need for UTF-8
}

// Row is a line of the links file. An empty text or zero time is an empty cell.
type Row struct {
	Line                   int // the physical line of the input where the record starts
	Cells                  []string
	Status, SessionID, URL string
	ExpiresAt, CreatedAt   time.Time
	Attempts               int
	ErrorCode, Error       string
	Link                   string    // link_status; only with Format.Refreshed
	CheckedAt              time.Time // when Clink was asked for it; only with Format.Refreshed
}

// Write writes the links file at path, whole or not at all, with mode 0600. Of a symbolic link the file behind it is
// replaced; a pipe or device is written to. An error that rows yields is returned unchanged, and the file stays as it was;
// an error of the file is an [*Error].
func Write(path string, f Format, rows iter.Seq2[Row, error]) error {
	return replace(path, func(w io.Writer) error { return writeRows(w, path, f, rows) })
}

// WriteTo writes the links file to w. Its errors are those of [Write], with an empty path.
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

// ourColumns are the headers of our columns: one that the user has too is called paylinks_<name>.
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
