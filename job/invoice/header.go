package invoice

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Header is what the file's first row was taken for.
type Header struct {
	Columns   []string          // the user's columns as they stand, without ours of a file that was fed back
	Delimiter rune              // , ; | or tab
	Encoding  string            // utf-8, utf-16le, utf-16be, or the name of the one asked for
	Taken     map[string]string // canonical name to the header that was taken for it
	Near      []Near            // headers that passed through, and look like a slip for a column that the file lacks
	FedBack   bool              // a links file or rejected file of ours
}

// Near is a header of the user's that is one or two letters away from the column Name.
type Near struct{ Header, Name string }

var delimiters = []rune{',', ';', '\t', '|'}

// head is the header as the reader needs it. Every index counts the user's columns but for kept, which holds their
// places among the file's cells.
type head struct {
	Header
	line  int // on which the header starts
	width int // cells in the file's header row
	kept  []int
	taken map[string]int // canonical name to column
}

// readHead reads the header from the top of t. What is wrong with it comes back as Problems.
func readHead(t *text, o Options) (*head, error) {
	raw, line, err := headerText(t)
	if p, ok := errors.AsType[*Problem](err); ok {
		return nil, Problems{*p}
	}
	if err != nil {
		return nil, err
	}
	h := &head{line: line}
	cells, bad := h.split(raw, o)
	switch {
	case bad != nil:
	case len(cells) > maxColumns:
		bad = &flaw{ColumnsTooMany, fmt.Sprintf("has %d columns", len(cells)), "this is hardly an invoice list; export it again"}
	case strings.HasPrefix(strings.ToLower(cells[0]), "sep="):
		bad = &flaw{NoHeader, "begins with a line for the spreadsheet instead of the column names", "delete this first line"}
	case inSingleQuotes(cells):
		bad = &flaw{QuoteSingle, "has single quotes around the column names", "export it again with the double quote \" as the text delimiter"}
	case len(cells) == 1:
		bad = &flaw{DelimiterMissing, fmt.Sprintf("has a single column, %s", quote(cells[0])),
			"put a comma, semicolon, tab or vertical bar between the columns; an export calls it the field delimiter"}
	}
	if bad != nil {
		return nil, Problems{bad.at(t.file, line, "", "")}
	}
	h.width = len(cells)
	h.kept, h.FedBack = ownColumns(cells)
	for _, i := range h.kept {
		if h.FedBack {
			cells[i] = Unguard(cells[i])
		}
		h.Columns = append(h.Columns, cells[i])
	}
	if problems := append(h.repeated(t.file), h.take(t, o)...); len(problems) > 0 {
		return nil, problems
	}
	return h, nil
}

func inSingleQuotes(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool {
		return len(cell) < 2 || cell[0] != '\'' || cell[len(cell)-1] != '\''
	})
}

// headerText reads the header's lines, one but for quoted line breaks, and skips blank ones before it.
func headerText(t *text) (raw string, line int, err error) {
	var b strings.Builder
	for {
		part, err := t.next()
		if err == io.EOF {
			return "", 0, t.problem(0, "", flaw{FileEmpty, "is empty", "check the export that writes it"})
		}
		if err != nil {
			return "", 0, err
		}
		b.Write(part)
		if t.quoted {
			continue
		}
		if strings.Trim(b.String(), " ,;|\t\r\n\"\ufeff") != "" {
			return b.String(), t.start, nil
		}
		b.Reset()
	}
}

// split finds the delimiter under which most columns are known, then under which there are most cells.
// A header that reads as well under a second one is refused.
func (h *head) split(raw string, o Options) (best []string, bad *flaw) {
	known, rivals := -1, 0
	for _, delimiter := range delimiters {
		r := csv.NewReader(strings.NewReader(raw))
		r.Comma = delimiter
		cells, err := r.Read()
		if err != nil {
			continue
		}
		n := knownColumns(cells, o)
		switch {
		case n > known || n == known && len(cells) > len(best):
			best, known, rivals, h.Delimiter = cells, n, 0, delimiter
		case n == known && n > 0 && len(cells) == len(best) && len(cells) > 1:
			rivals++
		}
	}
	if best == nil {
		return nil, &flaw{QuoteStray, "the header has a double quote where none can be",
			`take it out, or put the whole name in double quotes and write the quote inside twice: ""`}
	}
	if rivals > 0 {
		return nil, &flaw{DelimiterAmbiguous, "the header can be read with two different delimiters",
			"use one of , ; | or tab between the columns and none of the others in their names"}
	}
	return best, nil
}

func knownColumns(cells []string, o Options) int {
	n := 0
	for _, cell := range cells {
		if slices.Contains(resultColumns, cell) || slices.Contains(slices.Collect(maps.Values(o.Map)), cell) ||
			slices.ContainsFunc(columns, func(c column) bool {
				return slices.ContainsFunc(c.spellings(), func(s string) bool { return c.matches(s, cell) })
			}) {
			n++
		}
	}
	return n
}

// repeated refuses a name that stands twice, whosever it is: whoever reads the links file by its names would lose one
// of the columns. Blank headers are no names.
func (h *head) repeated(file string) (problems Problems) {
	first := map[string]int{}
	for i, header := range h.Columns {
		switch at, seen := first[header]; {
		case isBlank(header):
		case seen:
			problems = append(problems, (&flaw{ColumnTwice, fmt.Sprintf("stands in the header as column %d and as column %d", h.kept[at]+1, h.kept[i]+1), "rename or delete one of them"}).
				at(file, h.line, header, ""))
		default:
			first[header] = i
		}
	}
	return problems
}

// take finds the header of each column that is read: what is mapped first, then the table's order.
func (h *head) take(t *text, o Options) Problems {
	h.taken = map[string]int{}
	problems := h.takeMapped(t.file, o)
	claimed := map[int]bool{}
	for _, i := range h.taken {
		claimed[i] = true
	}
	for i := range columns {
		c := &columns[i]
		if _, mapped := o.Map[c.Name]; mapped {
			continue
		}
		for _, spelling := range c.spellings() {
			found := h.find(func(i int) bool { return !claimed[i] && c.matches(spelling, h.Columns[i]) })
			if len(found) == 0 {
				continue
			}
			if len(found) > 1 && !h.sameName(found) {
				problems = append(problems, h.twice(t.file, c.Name, found))
			}
			h.taken[c.Name] = found[0]
			claimed[found[0]] = true
			break
		}
	}
	problems = append(problems, h.missing(t, o)...)
	h.Taken = map[string]string{}
	for name, i := range h.taken {
		h.Taken[name] = h.Columns[i]
	}
	h.Near = h.slips(o)
	return problems
}

// slips finds the headers that are probably meant for optional columns which the file lacks: only the required ones
// are missed by themselves. Columns that count by their exact names only have look-alikes by design.
func (h *head) slips(o Options) (near []Near) {
	customer := slices.ContainsFunc(customerColumns, func(name string) bool { return h.Taken[name] != "" })
	for i := range columns {
		c := &columns[i]
		_, taken := h.taken[c.Name]
		if taken || c.Required || c.Exact || o.Defaults[c.Name] != "" || customer && slices.Contains(customerColumns, c.Name) {
			continue
		}
		for _, spelling := range c.spellings() {
			header := nearest(spelling, h.free())
			more := len(normalise(header)) - len(normalise(spelling))
			if header != "" && -1 <= more && more <= 1 { // "product" is not meant for product_id
				near = append(near, Near{header, c.Name})
				break
			}
		}
	}
	return near
}

// takeMapped obeys --map: the header as it is spelled in the file, else one that differs in nothing that counts.
func (h *head) takeMapped(file string, o Options) (problems Problems) {
	owner := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		header := o.Map[name]
		fail := func(kind Kind, what, hint string) {
			problems = append(problems, (&flaw{kind, what, hint}).at(file, h.line, "--map", name+"="+header))
		}
		if columnNamed(name) == nil {
			hint := "the names are " + strings.Join(canonicalNames(), ", ")
			if near := nearestColumn(name); near != "" {
				hint = "did you mean " + MapFlag(near, header) + "?"
			}
			fail(MapUnknownName, fmt.Sprintf("%s is no column that can be mapped", quote(name)), hint)
			continue
		}
		found := h.find(func(i int) bool { return h.Columns[i] == header })
		if len(found) == 0 {
			found = h.find(func(i int) bool { return normalise(h.Columns[i]) == normalise(header) && !isBlank(header) })
		}
		switch {
		case len(found) == 0:
			hint := "the file has " + quoteList(h.Columns)
			if near := nearest(header, h.Columns); near != "" {
				hint = "did you mean " + MapFlag(name, near) + "?"
			}
			fail(MapUnknownHeader, fmt.Sprintf("the file has no column %s", quote(header)), hint)
		case len(found) > 1 && h.sameName(found):
			h.taken[name] = found[0] // repeated has said it
		case len(found) > 1:
			problems = append(problems, h.twice(file, name, found))
		case owner[found[0]] != "":
			fail(MapTwice, fmt.Sprintf("the column is mapped to %s already", owner[found[0]]), "give each column one name")
		default:
			h.taken[name], owner[found[0]] = found[0], name
		}
	}
	return problems
}

func (h *head) find(match func(i int) bool) (found []int) {
	for i := range h.Columns {
		if match(i) {
			found = append(found, i)
		}
	}
	return found
}

// sameName reports whether these columns have one name to the letter, which repeated refuses.
func (h *head) sameName(found []int) bool {
	return !slices.ContainsFunc(found, func(i int) bool { return h.Columns[i] != h.Columns[found[0]] })
}

func (h *head) twice(file, name string, found []int) Problem {
	return (&flaw{ColumnTwice, fmt.Sprintf("%d columns could be %s", len(found), name), "rename or delete all but one"}).
		at(file, h.line, h.Columns[found[0]], "")
}

// missing reports the required columns that are neither in the file nor given for the whole job.
func (h *head) missing(t *text, o Options) (problems Problems) {
	given := func(name string) bool {
		_, taken := h.taken[name]
		_, mapped := o.Map[name] // a wrong --map has its own problem
		return taken || mapped || o.Defaults[name] != ""
	}
	fail := func(what, hint string) {
		problems = append(problems, (&flaw{ColumnMissing, what, hint}).at(t.file, h.line, "", ""))
	}
	for i := range columns {
		c := &columns[i]
		if !c.Required || given(c.Name) {
			continue
		}
		hint := h.mapHint(c)
		if c.Name == "currency" {
			hint += "; if all invoices have the same one, --currency gives it, as in --currency USD"
		}
		fail(fmt.Sprintf("has no column %s; its columns are %s", c.Name, quoteList(h.Columns)), hint)
	}
	if !slices.ContainsFunc(customerColumns, given) {
		fail(fmt.Sprintf("has no column that names the customer (%s); its columns are %s", strings.Join(customerColumns, ", "), quoteList(h.Columns)), h.customerHint(t))
	}
	if len(problems) > 0 && slices.ContainsFunc(h.Columns, looksLikeData) {
		return Problems{(&flaw{NoHeader, "begins with an invoice instead of the column names",
			"put a first line above it, such as invoice_id,customer_email,amount,currency"}).at(t.file, h.line, "", "")}
	}
	return problems
}

// mapHint says how to point at the column.
func (h *head) mapHint(c *column) string {
	if header := h.near(c); header != "" {
		return isMeant(c.Name, header)
	}
	return "rename the column that has it, or add " + MapFlag(c.Name, "HEADER")
}

func isMeant(name, header string) string {
	return fmt.Sprintf("is %s meant? Rename it, or add %s", quote(header), MapFlag(name, header))
}

// near is the header that is probably meant for the column, or "".
func (h *head) near(c *column) string {
	for _, spelling := range c.spellings() {
		if header := nearest(spelling, h.free()); header != "" {
			return header
		}
	}
	return ""
}

// customerHint says how to point at the column that names the customer. A header alone does not tell names, addresses and
// ids apart, and what is pasted from here is sent to Clink: the first rows count, too.
func (h *head) customerHint(t *text) string {
	holds := map[string]string{
		"customer_id": "ids that Clink gave", "customer_email": "email addresses", "reference_customer_id": "ids of your own",
	}
	rows := h.firstRows(t)
	var hints []string
	for _, name := range customerColumns {
		header := h.near(columnNamed(name))
		if header == "" {
			continue
		}
		cells := cellsOf(rows, h.kept[slices.Index(h.Columns, header)])
		have := func(what func(r rune) bool) bool {
			return slices.ContainsFunc(cells, func(cell string) bool { return strings.ContainsFunc(cell, what) })
		}
		switch {
		case have(func(r rune) bool { return r == '@' }):
			return isMeant("customer_email", header)
		case name == "customer_email" && len(cells) > 0, have(unicode.IsSpace): // names
		default:
			hints = append(hints, fmt.Sprintf("if %s holds %s, add %s", quote(header), holds[name], MapFlag(name, header)))
		}
	}
	if len(hints) > 0 {
		return strings.Join(hints, "; ")
	}
	return "add one of them, or say which column it is, as in --map customer_email=HEADER"
}

// firstRows are those below the header that are at hand, as they stand: nothing of them is checked yet.
func (h *head) firstRows(t *text) (rows [][]string) {
	const most = 20
	raw, _ := t.src.Peek(bufferSize) // as much as there is
	if t.cr {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = h.Delimiter, -1, true
	for len(rows) < most {
		cells, err := r.Read()
		if err != nil {
			return rows
		}
		rows = append(rows, cells)
	}
	return rows
}

// cellsOf are the cells of the rows in that place, without the spaces around them and without the blank ones.
func cellsOf(rows [][]string, at int) (cells []string) {
	for _, row := range rows {
		if at < len(row) && !isBlank(row[at]) {
			cells = append(cells, strings.TrimSpace(row[at]))
		}
	}
	return cells
}

// free are the columns that nothing has been taken from.
func (h *head) free() (free []string) {
	for i, header := range h.Columns {
		if !slices.Contains(slices.Collect(maps.Values(h.taken)), i) {
			free = append(free, header)
		}
	}
	return free
}

func looksLikeData(cell string) bool {
	if isBlank(cell) {
		return false
	}
	_, badPoint := readAmount(cell, false)
	_, badComma := readAmount(cell, true)
	return badPoint == nil || badComma == nil || checkEmail(cell) == nil
}

func nearestColumn(name string) string {
	for i := range columns {
		if nearest(name, columns[i].spellings()) != "" || slices.ContainsFunc(columns[i].spellings(), func(s string) bool { return normalise(s) == normalise(name) }) {
			return columns[i].Name
		}
	}
	return ""
}

// MapFlag is the flag as it is typed into a shell.
func MapFlag(name, header string) string {
	if strings.ContainsFunc(header, func(r rune) bool { return r != '_' && r != '-' && r != '.' && notInDomain(r) }) {
		return fmt.Sprintf("--map '%s=%s'", name, strings.ReplaceAll(header, "'", `'\''`))
	}
	return fmt.Sprintf("--map %s=%s", name, header)
}
