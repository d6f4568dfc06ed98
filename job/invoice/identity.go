package invoice

import (
	"crypto/sha256"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// These prefixes of what is hashed keep the two kinds of identity apart.
const (
	identityOfID  = "paylinks invoice by its id\x00"
	identityOfRow = "paylinks invoice by its row\x00"
)

// identifier computes an invoice's identity. The order of the columns, blank cells and spellings of a header do not matter.
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

// of is the identity by the invoice id, if there is one, else by all cells that are not blank. Text is compared in Unicode's
// composed form, because two ways to write an accented letter look the same.
func (id *identifier) of(invoiceID string, cells []string) [16]byte {
	if invoiceID != "" {
		id.scratch = append(append(id.scratch[:0], identityOfID...), norm.NFC.String(invoiceID)...)
	} else {
		id.scratch = append(id.scratch[:0], identityOfRow...)
		for _, i := range id.order {
			if i < len(cells) && !isBlank(cells[i]) {
				id.add(id.names[i])
				id.add(norm.NFC.String(evenBreaks(cells[i])))
			}
		}
	}
	sum := sha256.Sum256(id.scratch)
	return [16]byte(sum[:16])
}

func (id *identifier) add(s string) {
	id.scratch = binary.AppendUvarint(id.scratch, uint64(len(s)))
	id.scratch = append(id.scratch, s...)
}

var anyBreak = regexp.MustCompile(`\r*\n|\r`)

// evenBreaks turns all line breaks into \n, because spreadsheets and CSV writers change them.
func evenBreaks(cell string) string {
	if strings.IndexByte(cell, '\r') < 0 {
		return cell
	}
	return anyBreak.ReplaceAllString(cell, "\n")
}
