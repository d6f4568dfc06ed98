package invoice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Header is how the file's column names were understood.
type Header struct {
	Line         int               // on which they stand
	Titles       []string          // the lines above them
	Columns      []string          // the user's columns; the result columns of a links file or rejected file are left out
	Delimiter    rune              // , ; | or tab
	NoQuotes     bool              // double quotes are text
	Sheet        string            // of a workbook; else ""
	Encoding     string            // xlsx of a workbook; else utf-8, utf-16le, utf-16be, or the name of the one asked for
	Taken        map[string]string // canonical name to the header that was taken for it
	Near         []Near            // headers that look like a misspelled name of a column that the file lacks
	Others       []Near            // headers that could be a column, too, for which another was taken; they are the user's own
	OtherAmounts []string          // that could be the amount, or what is paid of it, or a line's, beside those that were taken
	FedBack      bool              // the file is a links file or rejected file
	Ours         []string          // the headers of our columns at its end, where it is one
	Ignored      []string          // headers that are taken for nothing because somebody has said so
}

// Near is a header of the user's that is one or two letters away from the column Name, or is another name of it.
type Near struct{ Header, Name string }

// head is the header as the reader needs it. Indexes count the user's columns; only kept holds their places among all
// cells of a row.
type head struct {
	Header
	line   int // on which the header starts
	width  int // cells in the file's header row
	needed int // cells that a row must have: behind them are columns that nobody reads
	kept   []int
	taken  map[string]int // canonical name to column

	below [][]string // the first rows below it, unchecked, while the header is read

	normal    []string  // the headers as normalise makes them
	ignored   []int     // columns that are taken for nothing
	rivals    []rival   // columns that could be the amount, too
	paid      []int     // columns that say how much of the amount is paid
	foreignID foreignID // the column of customer ids
}

// readHead finds the header at the top of the source. If it is wrong, the error is a [Problems].
func readHead(file string, src source, o Options) (*head, error) {
	found, err := findHeader(file, src, o)
	if err != nil {
		return nil, err
	}
	row := found.row()
	cells := row.cells
	h := &head{line: row.line, below: found.below()}
	h.Delimiter, h.Line, h.Titles = found.top.delimiter, row.line, found.titles()
	var bad *Problem
	switch {
	case len(cells) > maxColumns:
		bad = flaw(ColumnsTooMany, fmt.Sprintf("has %d columns", len(cells)), "this is probably not an invoice list; export it again")
	case inSingleQuotes(cells):
		bad = flaw(QuoteSingle, "has single quotes around the column names", "export it again with the double quote \" as the text delimiter")
	case len(cells) == 1 && h.Delimiter != 0:
		bad = flaw(DelimiterMissing, fmt.Sprintf("has only one column, %s", quote(cells[0])),
			"put a comma, semicolon, tab or vertical bar between the columns; export dialogs call it the field delimiter")
	}
	if bad != nil {
		return nil, Problems{bad.at(file, row.line, "", "")}
	}
	h.width = len(cells)
	h.kept, h.FedBack = ownColumns(cells)
	h.Ours = cells[len(h.kept):]
	for _, i := range h.kept {
		if h.FedBack {
			cells[i] = Unguard(cells[i])
		}
		h.Columns, h.normal = append(h.Columns, cells[i]), append(h.normal, normalise(cells[i]))
	}
	if problems := append(h.repeated(file), h.take(file, o)...); len(problems) > 0 {
		return nil, problems
	}
	h.below, h.needed = nil, h.needs()
	src.begin(found.top, row, h.width)
	return h, nil
}

func inSingleQuotes(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool {
		return len(cell) < 2 || cell[0] != '\'' || cell[len(cell)-1] != '\''
	})
}

func knownColumns(cells []string, o Options) int {
	n := 0
	for _, cell := range cells {
		normal := normalise(cell)
		if isResultColumn(cell) || slices.Contains(slices.Collect(maps.Values(o.Map)), cell) ||
			slices.ContainsFunc(columns, func(c column) bool {
				return c.readWith(o) && slices.ContainsFunc(spellings[c.Name], func(s spelling) bool { return c.matches(s, cell, normal) })
			}) {
			n++
		}
	}
	return n
}

// repeated refuses any header that stands twice, because a program that reads the links file by column names would lose
// one of the two. Blank headers do not count.
func (h *head) repeated(file string) (problems Problems) {
	first := map[string]int{}
	for i, header := range h.Columns {
		switch at, seen := first[header]; {
		case isBlank(header):
		case seen:
			what := fmt.Sprintf("stands in the header as column %d and as column %d", h.kept[at]+1, h.kept[i]+1)
			problems = append(problems, flaw(ColumnTwice, what, "rename or delete one of them").at(file, h.line, header, ""))
		default:
			first[header] = i
		}
	}
	return problems
}

// take finds the header of each column that is read: mapped columns first, then in the order of columns.
func (h *head) take(file string, o Options) Problems {
	h.taken = map[string]int{}
	problems := h.takeMapped(file, o)
	problems = append(problems, h.takeIgnored(file, o)...)
	claimed := map[int]bool{}
	for _, i := range slices.AppendSeq(slices.Clone(h.ignored), maps.Values(h.taken)) {
		claimed[i] = true
	}
	for i := range columns {
		c := &columns[i]
		if _, mapped := o.Map[c.Name]; mapped || !c.readWith(o) {
			continue
		}
		for _, spelling := range spellings[c.Name] {
			found := h.find(func(i int) bool { return !claimed[i] && c.matches(spelling, h.Columns[i], h.normal[i]) })
			if len(found) == 0 {
				continue
			}
			if _, has := h.taken[c.Name]; has {
				for _, other := range found {
					h.Others = append(h.Others, Near{h.Columns[other], c.Name})
				}
				continue
			}
			if c.Name != "amount" && len(found) > 1 && !h.sameName(found) {
				problems = append(problems, h.twice(file, c.Name, found))
			}
			h.taken[c.Name] = found[0]
			claimed[found[0]] = true
			if c.Name == "amount" { // of which there are more names
				h.findRivals(claimed)
				h.findPaid(claimed)
				break
			}
		}
	}
	h.watchCustomerID(o)
	problems = append(problems, h.missing(file, o)...)
	h.findOtherAmounts()
	problems = append(problems, h.newAmounts(file, o)...)
	h.Taken = map[string]string{}
	for name, i := range h.taken {
		h.Taken[name] = h.Columns[i]
	}
	h.Near = h.misspelled(o)
	return problems
}

// misspelled finds headers that are probably misspelled names of optional columns; required ones are reported as missing.
// Exact columns are left out: real exports have other columns with similar names.
func (h *head) misspelled(o Options) (near []Near) {
	customer := slices.ContainsFunc(customerColumns, func(name string) bool { return h.Taken[name] != "" })
	for i := range columns {
		c := &columns[i]
		_, taken := h.taken[c.Name]
		if taken || c.Required || c.Exact || !c.readWith(o) || o.Defaults[c.Name] != "" || customer && slices.Contains(customerColumns, c.Name) {
			continue
		}
		for _, spelling := range c.names() {
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

// takeMapped takes the columns of o.Map: by the header as it is spelled in the file, else by one that [normalise] makes equal.
func (h *head) takeMapped(file string, o Options) (problems Problems) {
	owner := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		header := o.Map[name]
		fail := func(bad *Problem) {
			problems = append(problems, bad.atSetting(file, h.line, "map", name+"="+header))
		}
		if columnNamed(name) == nil {
			bad := flaw(MapUnknownName, quote(name)+" is not a column that can be mapped", "the names are "+strings.Join(canonicalNames(), ", "))
			fail(bad.meant(nearestColumn(name), header))
			continue
		}
		if !columnNamed(name).readWith(o) {
			fail(unreadWith(name, o))
			continue
		}
		found := h.find(func(i int) bool { return h.Columns[i] == header })
		if len(found) == 0 {
			found = h.find(func(i int) bool { return h.normal[i] == normalise(header) && !isBlank(header) })
		}
		switch {
		case len(found) == 0:
			bad := flaw(MapUnknownHeader, "the file has no column "+quote(header), "the file has "+quoteList(h.Columns))
			fail(bad.meant(name, nearest(header, h.Columns)))
		case len(found) > 1 && h.sameName(found):
			h.taken[name] = found[0] // repeated has reported it
		case len(found) > 1:
			problems = append(problems, h.twice(file, name, found))
		case owner[found[0]] != "":
			fail(flaw(MapTwice, fmt.Sprintf("the column is mapped to %s already", owner[found[0]]), "give each column one name"))
		default:
			h.taken[name], owner[found[0]] = found[0], name
		}
	}
	return problems
}

// unreadWith says why a column that is mapped is not read.
func unreadWith(name string, o Options) *Problem {
	if o.Lines == LinesTotal {
		return flaw(MapUnread, name+" says what a line is made of, and the invoice is read as one item: its total", "",
			Option{Do: Replace, Setting: "lines", Value: string(LinesSum), When: "the invoice is the sum of its lines"})
	}
	return flaw(MapUnread, name+" is only read where an invoice may have several rows", "",
		Option{Do: Add, Setting: "lines", Value: string(LinesSum), When: "each row is a line of an invoice"})
}

// meant replaces the advice by the mapping that was probably meant, if one was found.
func (p *Problem) meant(name, header string) *Problem {
	if name != "" && header != "" {
		p.Advice, p.Options = "", []Option{{Do: Replace, Setting: "map", Column: name, Value: header}}
	}
	return p
}

func (h *head) find(match func(i int) bool) (found []int) {
	for i := range h.Columns {
		if match(i) {
			found = append(found, i)
		}
	}
	return found
}

// sameName reports whether these columns have exactly the same name, which repeated refuses.
func (h *head) sameName(found []int) bool {
	return !slices.ContainsFunc(found, func(i int) bool { return h.Columns[i] != h.Columns[found[0]] })
}

func (h *head) twice(file, name string, found []int) Problem {
	return flaw(ColumnTwice, fmt.Sprintf("%d columns could be %s", len(found), name), "rename or delete all but one").
		at(file, h.line, h.Columns[found[0]], "")
}

// missing reports the required columns that are neither in the file nor given for the whole job.
func (h *head) missing(file string, o Options) (problems Problems) {
	given := func(name string) bool {
		_, taken := h.taken[name]
		_, mapped := o.Map[name] // a wrong mapping has its own problem
		return taken || mapped || o.Defaults[name] != ""
	}
	fail := func(what, advice string, options ...Option) {
		what += "; its columns are " + quoteList(h.Columns)
		problems = append(problems, flaw(ColumnMissing, what, advice, options...).at(file, h.line, "", ""))
	}
	for i := range columns {
		c := &columns[i]
		if !c.Required || given(c.Name) || c.Name == "amount" && o.Lines == LinesSum && given("line_amount") {
			continue
		}
		advice, options := mapTo(c.Name, h.near(c))
		if c.Name == "currency" {
			options = append(options, Option{Do: Add, Setting: "currency", When: "all invoices have the same one"})
		}
		fail("has no column "+c.Name, advice, options...)
	}
	if !slices.ContainsFunc(customerColumns, given) {
		advice, options := h.customerAdvice()
		fail(fmt.Sprintf("has no column that names the customer (%s)", strings.Join(customerColumns, ", ")), advice, options...)
	}
	if o.Lines != LinesNone && !given("invoice_id") {
		advice, options := mapTo("invoice_id", h.near(columnNamed("invoice_id")))
		fail("has no column invoice_id, which says to which invoice a line belongs", advice, options...)
	}
	if len(problems) > 0 && slices.ContainsFunc(h.Columns, looksLikeData) {
		return Problems{flaw(NoHeader, "begins with an invoice instead of the column names",
			"put a first line above it, such as invoice_id,customer_email,amount,currency").at(file, h.line, "", "")}
	}
	return problems
}

// mapTo says how the file's column is made known as name. header is what is probably that column, or "".
func mapTo(name, header string) (advice string, options []Option) {
	advice = "rename the column that has it to " + name
	if header != "" {
		advice = fmt.Sprintf("if %s is that column, rename it to %s", quote(header), name)
	}
	return advice, []Option{{Do: Add, Setting: "map", Column: name, Value: header}}
}

// near is the header that is probably meant for the column, or "".
func (h *head) near(c *column) string {
	for _, spelling := range c.names() {
		if header := nearest(spelling, h.free()); header != "" {
			return header
		}
	}
	if c.Name == "amount" {
		for _, header := range h.free() {
			if slices.ContainsFunc(besideAmounts, func(s spelling) bool { return s.normal == normalise(header) }) {
				return header
			}
		}
	}
	return ""
}

// customerAdvice says how the column that names the customer is made known. A header alone does not tell names, addresses
// and ids apart, and a wrong column would be sent to Clink: the first rows decide.
func (h *head) customerAdvice() (advice string, options []Option) {
	holds := map[string]string{
		"customer_id": "ids that Clink gave", "customer_email": "email addresses", "reference_customer_id": "ids of your own",
	}
	for _, name := range customerColumns {
		header := h.near(columnNamed(name))
		if header == "" {
			continue
		}
		cells := cellsOf(h.below, h.kept[slices.Index(h.Columns, header)])
		have := func(what func(r rune) bool) bool {
			return slices.ContainsFunc(cells, func(cell string) bool { return strings.ContainsFunc(cell, what) })
		}
		switch {
		case have(func(r rune) bool { return r == '@' }):
			return mapTo("customer_email", header)
		case name == "customer_email" && len(cells) > 0, have(unicode.IsSpace): // names
		default:
			options = append(options, Option{Do: Add, Setting: "map", Column: name, Value: header, When: quote(header) + " holds " + holds[name]})
		}
	}
	if len(options) > 0 {
		return "", options
	}
	return "add one of them to the file", []Option{{Do: Add, Setting: "map", Column: "customer_email"}}
}

// cellsOf are the cells in column at, trimmed and without blank ones.
func cellsOf(rows [][]string, at int) (cells []string) {
	for _, row := range rows {
		if at < len(row) && !isBlank(row[at]) {
			cells = append(cells, strings.TrimSpace(row[at]))
		}
	}
	return cells
}

// free are the headers that are not taken for a column, nor ignored.
func (h *head) free() (free []string) {
	for i, header := range h.Columns {
		if h.isFree(i) {
			free = append(free, header)
		}
	}
	return free
}

// needs is how many cells a row must have, so that none is missing that is read or compared. In a file of ours none ever is.
func (h *head) needs() (cells int) {
	if h.FedBack {
		return h.width
	}
	for i, at := range h.kept {
		if !h.isFree(i) || h.isRival(i) {
			cells = at + 1
		}
	}
	return cells
}

func (h *head) isFree(i int) bool {
	return !slices.Contains(slices.Collect(maps.Values(h.taken)), i) && !slices.Contains(h.ignored, i)
}

func looksLikeData(cell string) bool {
	if isBlank(cell) {
		return false
	}
	_, _, badPoint := amountFormat{}.read(cell)
	_, _, badComma := amountFormat{decimalComma: true}.read(cell)
	return isBare(cell) && (badPoint == nil || badComma == nil) || checkEmail(cell) == nil
}

func nearestColumn(name string) string {
	for i := range columns {
		if nearest(name, columns[i].names()) != "" || slices.ContainsFunc(columns[i].names(), func(s string) bool { return normalise(s) == normalise(name) }) {
			return columns[i].Name
		}
	}
	return ""
}
