package invoice

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
)

// totals tells totals from invoices. A row without an invoice id is a total where its text says so, or where its amount is what rows above it
// add up to: those since an earlier total, which are its group, or all in its currency.
type totals struct {
	id       int    // the column of the invoice id; -1 is none
	someID   bool   // a row has one
	searched bool   // the whole file was searched for one
	above    string // the invoice id of the row above

	now    running
	groups []running // what there was where a group begins, the first at the top of the file
}

// groupsKept is how many groups of the latest ones a total can be of, beside all rows of the file.
const groupsKept = 64

// running is what the rows add up to, from the top of the file on.
type running struct {
	unread int // rows whose amount or currency cannot be read
	by     map[string]amounts
}

type amounts struct {
	rows int
	sum  int64 // in 1/10,000 of the currency's major unit
}

func newTotals(h *head) *totals {
	t := &totals{id: -1, now: running{by: map[string]amounts{}}, groups: []running{{}}}
	if at, has := h.taken["invoice_id"]; has {
		t.id = at
	}
	return t
}

// add adds an invoice.
func (t *totals) add(code string, amount int64, readable bool) {
	sum := t.now.by[code]
	if !readable || amount > 0 && sum.sum > math.MaxInt64-amount || amount < 0 && sum.sum < math.MinInt64-amount {
		t.now.unread++
		return
	}
	sum.rows++
	sum.sum += amount
	t.now.by[code] = sum
}

// find looks for a group that has this amount, the smallest first, and returns its place in groups and how many rows it has. Without a currency,
// that of the group may be any.
func (t *totals) find(code string, amount int64) (group, rows int, found bool) {
	currencies := []string{code}
	if code == "" {
		currencies = slices.Sorted(maps.Keys(t.now.by))
	}
	for i := len(t.groups) - 1; i >= 0; i-- {
		if t.groups[i].unread != t.now.unread {
			break // it is unread in all groups above, too
		}
		for _, currency := range currencies {
			sum, before := t.now.by[currency], t.groups[i].by[currency]
			if sum.sum-before.sum == amount && sum.rows > before.rows {
				return i, sum.rows - before.rows, true
			}
		}
	}
	return len(t.groups) - 1, 0, amount == 0 && t.groups[len(t.groups)-1].unread == t.now.unread
}

// close begins a new group below a total, which has closed the groups down from this one.
func (t *totals) close(group int) {
	t.groups = t.groups[:group+1]
	if len(t.groups) > groupsKept {
		t.groups = slices.Delete(t.groups, 1, 2)
	}
	begins := running{t.now.unread, make(map[string]amounts, len(t.now.by))}
	for code, sum := range t.now.by {
		begins.by[code] = sum
	}
	t.groups = append(t.groups, begins)
}

// screen refuses a row that has no invoice id where others have one, or that is a total; or it says that the row is a total to be left out.
// A total may be short: that its amount is the sum says that it stands in the right column.
func (r *Reader) screen(row *Row) (leftOut, refused bool) {
	t, options := r.totals, r.judge.options
	code, amount, readable := r.moneyOf(row)
	if row.ragged && !row.short || t.id >= 0 && !isBlank(row.Cells[t.id]) {
		if total, _ := r.judge.moneyColumns(); options.Lines != LinesNone && total != "" && t.above == row.Invoice.ID {
			amount = 0 // the total of an invoice counts once
		}
		t.above = row.Invoice.ID
		t.someID = t.someID || !row.ragged
		t.add(code, amount, readable && !row.ragged)
		return false, false
	}
	group, rows, adds := t.find(code, amount)
	adds = adds && readable
	if !t.someID && !t.searched {
		t.someID, t.searched = r.findID(), true
	}
	says := ""
	if adds || t.someID {
		says = totalText(row.Cells)
	}
	adds = adds && (says != "" || rows > 1)
	if !t.someID && (says == "" || !adds || rows < 2) {
		t.add(code, amount, readable && !row.ragged)
		return false, false
	}
	switch {
	case adds && options.SkipTotals:
		t.close(group)
		r.notes.Totals.add(row.Line)
		return true, false
	case row.short && !adds: // its cells may stand in wrong columns
		t.add("", 0, false)
		return false, false
	case options.AllowNoID && !row.short:
		t.add(code, amount, readable)
		return false, false
	}
	var bad *Problem
	isInvoice := Option{Do: Add, Setting: "allow_no_id", When: "it is an invoice"}
	switch {
	case adds:
		bad = flaw(RowIsTotal, "is a total: it has no invoice_id, and its amount is what "+rowsAbove(rows)+" up to", "take it out",
			Option{Do: Add, Setting: "skip_totals", When: "totals that add up are to be left out"}, isInvoice)
	case says != "":
		bad = flaw(RowIsTotal, "looks like a total, by "+quote(says)+", and no rows above it add up to its amount", "take it out, and find out what is missing", isInvoice)
	default:
		bad = flaw(IDMissing, "the row has no invoice_id, and others have one", "write it, or take the row out", isInvoice)
		t.add(code, amount, readable)
	}
	if bad.Kind == RowIsTotal {
		t.close(group)
	}
	row.Problems = []Problem{bad.at(r.file, row.Line, r.head.Taken["invoice_id"], "")}
	r.locate(row)
	return false, true
}

func rowsAbove(rows int) string {
	switch rows {
	case 0:
		return "no rows above it add"
	case 1:
		return "the row above it adds"
	}
	return fmt.Sprintf("the %d rows above it add", rows)
}

// moneyOf is the row's currency and amount, that of a credit negative, also where the row is bad. It is not readable where the amount is
// not, or where an invoice has no currency.
func (r *Reader) moneyOf(row *Row) (code string, amount int64, readable bool) {
	if len(row.Problems) == 0 && r.judge.options.Lines == LinesNone {
		return row.Invoice.Amount.CurrencyCode(), row.Invoice.TenThousandths(), true
	}
	if row.ragged && !row.short {
		return "", 0, false
	}
	amount, readable = r.signedAmount(row)
	given := cmp.Or(row.Invoice.Amount.CurrencyCode(), r.cellOf(row, "currency"))
	code, _, bad := readCurrency(given)
	if r.totals.id >= 0 && isBlank(row.Cells[r.totals.id]) && isBlank(given) {
		return "", amount, readable
	}
	return code, amount, readable && bad == nil
}

// cellOf is the row's cell in the column, or the value for the whole job.
func (r *Reader) cellOf(row *Row, name string) string {
	if at, has := r.head.taken[name]; has {
		return row.Cells[at]
	}
	return r.judge.options.Defaults[name]
}

// signedAmount reads an amount that may be zero, or negative: -5.00 and (5.00).
func (r *Reader) signedAmount(row *Row) (amount int64, readable bool) {
	total, line := r.judge.moneyColumns()
	column := cmp.Or(total, line)
	format, cell := amountFormat{decimalComma: r.judge.options.DecimalComma}, r.cellOf(row, column)
	if at, has := r.head.taken[column]; has {
		if plain, isNumber := row.number(at); isNumber {
			format.decimalComma, cell = false, plain
		}
	}
	cell, sign := strings.TrimSpace(cell), int64(1)
	if cell == "" && r.judge.options.Lines != LinesNone && total != "" {
		return 0, true // the first row of the invoice has it
	}
	if inner, is := strings.CutPrefix(cell, "-"); is {
		cell, sign = inner, -1
	} else if inner, is := strings.CutPrefix(cell, "("); is && strings.HasSuffix(inner, ")") {
		cell, sign = inner[:len(inner)-1], -1
	}
	plain, _, bad := format.read(cell)
	if bad != nil {
		return 0, bad.Kind == AmountZero
	}
	if _, decimals, _ := strings.Cut(plain, "."); len(decimals) > 4 {
		return 0, false
	}
	return sign * tenThousandths(plain), true
}

// findID reads the file a second time, up to the first row with an invoice id.
func (r *Reader) findID() bool {
	if r.again == nil || r.totals.id < 0 {
		return false
	}
	other, err := r.again()
	if err == nil {
		defer other.Close()
	}
	for err == nil {
		var row Row
		if row, err = other.read(); err == nil && !row.ragged && !isBlank(row.Cells[r.totals.id]) {
			return true
		}
	}
	return false
}

// totalWords are words for a total, or a part of it, in the languages of files that we know of.
var totalWords = []string{
	"total", "totals", "subtotal", "subtotals", "sum",
	"summe", "gesamt", "gesamtsumme", "gesamtbetrag", "zwischensumme", "endsumme", "teilsumme",
	"totaux", "somme", "totales", "suma", "totale", "totali", "subtotale", "somma", "totaal", "subtotaal", "totais", "soma",
	"razem", "ogółem", "celkem", "summa", "delsumma", "totalt", "yhteensä", "toplam", "összesen", "итого", "всего",
}

// totalSigns are such words in scripts that leave no space between words.
var totalSigns = []string{"合計", "小計", "総計", "總計", "总计", "合计", "小计", "합계", "소계", "총계"}

// totalText is the cell that says that the row is a total, or "".
func totalText(cells []string) string {
	for _, cell := range cells {
		for word := range strings.FieldsFuncSeq(cell, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
			if slices.Contains(totalWords, strings.ToLower(word)) {
				return cell
			}
		}
		if slices.ContainsFunc(totalSigns, func(sign string) bool { return strings.Contains(cell, sign) }) {
			return cell
		}
	}
	return ""
}
