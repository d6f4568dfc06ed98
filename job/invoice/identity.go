package invoice

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The two ways to an identity are kept apart by what is hashed first.
const (
	identityOfID  = "paylinks invoice by its id\x00"
	identityOfRow = "paylinks invoice by its row\x00"
)

// identifier tells invoices apart. The order of the columns, empty cells and how a header is spelled do not count.
type identifier struct {
	names   []string // for each of the user's columns: canonical if taken, else normalised
	order   []int    // the columns sorted by name
	scratch []byte
}

func newIdentifier(h *head) *identifier {
	id := &identifier{names: make([]string, len(h.Columns))}
	for i, header := range h.Columns {
		id.names[i] = normalise(header)
		id.order = append(id.order, i)
	}
	for name, i := range h.taken {
		id.names[i] = name
	}
	slices.SortStableFunc(id.order, func(a, b int) int { return strings.Compare(id.names[a], id.names[b]) })
	return id
}

// of is the identity by the invoice id, if there is one, else by every cell that is not blank. Letters count as they are, but for
// Unicode's two ways to write one with an accent, which nobody can see.
func (id *identifier) of(invoiceID string, cells []string) [16]byte {
	if invoiceID != "" {
		id.scratch = append(append(id.scratch[:0], identityOfID...), composed(invoiceID)...)
	} else {
		id.scratch = append(id.scratch[:0], identityOfRow...)
		for _, i := range id.order {
			if i < len(cells) && !isBlank(cells[i]) {
				id.add(id.names[i])
				id.add(composed(evenBreaks(cells[i])))
			}
		}
	}
	sum := sha256.Sum256(id.scratch)
	return [16]byte(sum[:16])
}

// composed writes each letter with its accent in one: nearly all texts have none.
func composed(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return norm.NFC.String(text)
		}
	}
	return text
}

func (id *identifier) add(s string) {
	id.scratch = binary.AppendUvarint(id.scratch, uint64(len(s)))
	id.scratch = append(id.scratch, s...)
}

var anyBreak = regexp.MustCompile(`\r*\n|\r`)

// evenBreaks makes line breaks alike: they are what a spreadsheet, or a CSV writer, changes in a cell.
func evenBreaks(cell string) string {
	if strings.IndexByte(cell, '\r') < 0 {
		return cell
	}
	return anyBreak.ReplaceAllString(cell, "\n")
}
