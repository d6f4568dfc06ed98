package invoice

import (
	"hash/maphash"
	"regexp"
	"slices"
	"strings"
)

// idRows is how many rows are looked at to find the columns that could be the invoice id.
const idRows = 10_000

// ids finds the columns that could be the invoice id of a file that has none: each of the first rows has another value there.
type ids struct {
	columns []idColumn
	rows    int
	seed    maphash.Seed
}

type idColumn struct {
	at   int
	name string
	seen map[uint64]struct{}
}

// newIDs watches the columns that are not taken for anything, or none where the file has an invoice id.
func newIDs(h *head) *ids {
	d := &ids{seed: maphash.MakeSeed()}
	if _, has := h.taken["invoice_id"]; has {
		return d
	}
	for i, header := range h.Columns {
		if h.isFree(i) && !isBlank(header) && !notInvoices.MatchString(header) && !h.isRival(i) {
			d.columns = append(d.columns, idColumn{i, header, map[uint64]struct{}{}})
		}
	}
	return d
}

// notInvoices are headers of numbers that are not an invoice's, or that the customer's next invoice has, too.
var notInvoices = regexp.MustCompile(`(?i)customer|client|kunde|debitor|iban|\bvat|\btax|\bust|phone|\btel\b|\bfax|mobile|\bzip|postal|postcode|\bplz|` +
	`account[ _-]*(no|nr|num|id|code)|konto|^account$|^row|^line$|line[ _-]*(no|nr|num)|` +
	`amount|betrag|total|price|preis|summe|netto|brutto|balance|discount|rabatt|quantity|qty|menge|date|datum|\bdue\b|days`)

func (d *ids) add(cells []string) {
	if d.rows++; d.rows > idRows {
		return
	}
	d.columns = slices.DeleteFunc(d.columns, func(c idColumn) bool {
		cell := cells[c.at]
		if isBlank(cell) || !looksLikeID(cell) && !(namesID(c.name) && checkID(cell) == nil) {
			return true
		}
		hash := maphash.String(d.seed, cell)
		_, again := c.seen[hash]
		c.seen[hash] = struct{}{}
		return again
	})
}

// known says whether further rows would change nothing.
func (d *ids) known() bool { return d.rows >= idRows || len(d.columns) == 0 }

// found are the headers, those first that name a number of the invoice.
func (d *ids) found() (headers []string) {
	if d.rows == 0 {
		return nil
	}
	for _, named := range []bool{true, false} {
		for _, c := range d.columns {
			if namesID(c.name) == named {
				headers = append(headers, c.name)
			}
		}
	}
	return headers
}

// numberNames is how headers end that name a number or an id, in a few languages.
var numberNames = regexp.MustCompile(`(?i)(num|no|nr|nro|number|nummer|numero|número|numéro|id|ref|reference|key|#|№|n°|nº|` +
	`rechnung|invoice|facture|factura|fattura|beleg)[.:]?$`)

func namesID(header string) bool { return numberNames.MatchString(strings.TrimSpace(header)) }

var (
	idShape  = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._/#-]*$`)
	dateLike = regexp.MustCompile(`^[0-9]{1,4}([./-])[0-9]{1,2}([./-])[0-9]{1,4}([T ].*)?$`)
	decimal  = regexp.MustCompile(`^[0-9]{1,3}([.,]?[0-9]{3})*[.,][0-9]{1,2}$`)
)

// looksLikeID says whether the cell is a number, or one with letters around it, but no date and no amount with decimals.
func looksLikeID(cell string) bool {
	return len(cell) <= 64 && strings.ContainsAny(cell, "0123456789") && idShape.MatchString(cell) && !dateLike.MatchString(cell) && !decimal.MatchString(cell)
}
