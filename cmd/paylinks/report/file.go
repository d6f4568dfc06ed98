package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/intake"
	"paylinks/job/invoice"
)

// DescribeFile says in a few lines what the file asks for.
func DescribeFile(file *intake.File, options invoice.Options) string {
	var b strings.Builder
	f := file.Figures
	fmt.Fprintf(&b, "%s: %s", file.Path, words.Count(f.Rows, "row"))
	if options.Lines != invoice.LinesNone {
		fmt.Fprintf(&b, " of %s", words.Count(f.Invoices, "invoice"))
	}
	for _, some := range []struct {
		rows int
		are  string
	}{
		{f.ByAction[job.Reuse], "with a link already"},
		{f.ByAction[job.TakeOver], "to be taken over from an earlier job, which has no link for them"},
		{f.ByAction[job.Ask], "with a link that has ended: before they are sent, Clink is asked whether it was paid"},
		{f.ByAction[job.Wait], "waiting for a person's word on an earlier job"},
		{f.InOtherFile, "also in an earlier file of this run, which gets the link"},
	} {
		if some.rows > 0 {
			fmt.Fprintf(&b, ", %s of them %s", words.Grouped(some.rows), some.are)
		}
	}
	if f.Bad > 0 {
		fmt.Fprintf(&b, ", %s bad", words.Grouped(f.Bad))
	}
	b.WriteString("\n")
	totals := f.Tally.Totals(job.Pending, job.Duplicate)
	for _, code := range slices.Sorted(maps.Keys(totals)) {
		found := f.Spans[code]
		fmt.Fprintf(&b, "  %s %s in %s", code, words.GroupedDecimal(totals[code]), words.Count(found.Invoices, "invoice"))
		switch {
		case found.Least < found.Greatest:
			fmt.Fprintf(&b, ", from %s to %s", words.Money(found.Least, code), words.Money(found.Greatest, code))
		case found.Invoices > 1:
			fmt.Fprintf(&b, ", %s each", words.Money(found.Least, code))
		}
		b.WriteString("\n")
	}
	for _, name := range slices.Sorted(maps.Keys(options.Defaults)) {
		if header, has := file.Header.Taken[name]; has {
			fmt.Fprintf(&b, "  %s is not used: the file has the column %q\n", words.Flag(name), header)
		}
	}
	for _, other := range file.Header.Others {
		taken := file.Header.Taken[other.Name]
		if other.Name == "amount" {
			fmt.Fprintf(&b, "  amount is taken from the column %q; %q could be it, too, and agrees in every row\n", taken, other.Header)
			continue
		}
		fmt.Fprintf(&b, "  %s is taken from the column %q; %q could be it, too, and passes through; if that is meant, %s\n", other.Name, taken, other.Header,
			OptionText(invoice.Option{Setting: "map", Column: other.Name, Value: other.Header}))
	}
	for _, near := range file.Header.Near {
		if near.Name == "invoice_id" && slices.Contains(file.IDs, near.Header) {
			continue // WithoutID names it
		}
		fmt.Fprintf(&b, "  the column %q is yours and passes through; if it is meant as %s, rename it, or %s\n",
			near.Header, near.Name, OptionText(invoice.Option{Setting: "map", Column: near.Name, Value: near.Header}))
	}
	return b.String()
}

// titlesShown is how many lines above a header Notes prints.
const titlesShown = 10

// Notes say what of the file is read in a way of its own: titles above its header, totals and hidden rows that are left out, words in the encoding that was
// asked for; and where all is to be explained, short rows.
func Notes(file *intake.File, explain bool) string {
	var b strings.Builder
	if titles := file.Header.Titles; len(titles) > 0 {
		place := "line"
		if file.Header.Sheet != "" {
			place = "row"
		}
		fmt.Fprintf(&b, "  the column names are on %s %d of %s; what stands above them is left out:\n", place, file.Header.Line, file.Path)
		for _, title := range titles[:min(len(titles), titlesShown)] {
			fmt.Fprintf(&b, "    %s\n", words.Printable(title))
		}
		if more := len(titles) - titlesShown; more > 0 {
			fmt.Fprintf(&b, "    … and %d more\n", more)
		}
	}
	notes := file.Notes
	if notes.Totals.Count > 0 {
		lines := "line"
		if notes.Totals.Count > 1 {
			lines = "lines"
		}
		fmt.Fprintf(&b, "  left out by --skip-totals: %s, on %s %s\n", words.Count(notes.Totals.Count, "total"), lines, notes.Totals)
	}
	if len(notes.Words) > 0 {
		fmt.Fprintf(&b, "  as %s it has words like %s\n", file.Header.Encoding, words.Printable(strings.Join(notes.Words, " ")))
	}
	if explain && notes.Short.Count > 0 {
		fmt.Fprintf(&b, "  %s without the cells at the end, which nobody reads: line %s\n", words.Count(notes.Short.Count, "row"), notes.Short)
	}
	if hidden := notes.Hidden; hidden.Rows > 0 && hidden.Are != invoice.HiddenRefused {
		said := map[invoice.HiddenRows]string{invoice.HiddenSkipped: "left out", invoice.HiddenIncluded: "read like the others"}[hidden.Are]
		fmt.Fprintf(&b, "  %s by --hidden-rows %s: %s, the first is row %d\n", said, hidden.Are, words.Count(hidden.Rows, "hidden row"), hidden.First)
	}
	return b.String()
}

// idsShown is how many columns WithoutID names: those that look most like numbers of invoices come first.
const idsShown = 5

// WithoutID says that the file has no invoice ids, and which columns could be them.
func WithoutID(file *intake.File) string {
	h := file.Header
	if h.Delimiter == 0 || h.Taken["invoice_id"] != "" { // the header was not read, or all is well
		return ""
	}
	said := "  no column was taken as the invoice id: rows are told apart by what is sent for them"
	if len(file.IDs) == 0 {
		return said + "\n"
	}
	var maps []string
	for _, header := range file.IDs[:min(len(file.IDs), idsShown)] {
		maps = append(maps, OptionText(invoice.Option{Setting: "map", Column: "invoice_id", Value: header}))
	}
	return said + "; if a column has the invoice's number, " + strings.Join(maps, ", or ") + "\n"
}

// ExplainFile says how the file was understood: which column was taken for what, the encoding, and the marks.
func ExplainFile(file *intake.File, options invoice.Options) string {
	var b strings.Builder
	h := file.Header
	if h.Delimiter == 0 {
		return "" // not even the header could be read
	}
	mark := "point"
	if options.DecimalComma {
		mark = "comma"
	}
	switch {
	case h.Sheet != "":
		fmt.Fprintf(&b, "%s is read as a workbook, sheet %q, decimal %s in texts\n", file.Path, h.Sheet, mark)
	default:
		quotes := ""
		if h.NoQuotes {
			quotes = ", quotes are text"
		}
		fmt.Fprintf(&b, "%s is read as %s, cells divided by %ss%s, decimal %s\n", file.Path, h.Encoding, invoice.DelimiterName(h.Delimiter), quotes, mark)
	}
	if h.FedBack {
		b.WriteString("  it is a links file or a rejected file: the columns that paylinks added are left out\n")
	}
	if options.Series != "" {
		fmt.Fprintf(&b, "  series %s, from --series: Clink gets %s-ID as the reference of an invoice\n", options.Series, options.Series)
	}
	switch options.Lines {
	case invoice.LinesTotal:
		b.WriteString("  an invoice may have several rows, each with its total, from --lines total\n")
	case invoice.LinesSum:
		b.WriteString("  an invoice may have several rows and is their sum, from --lines sum\n")
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	used := map[string]bool{}
	for _, column := range invoice.Columns() {
		var from []string
		if header, taken := h.Taken[column.Name]; taken {
			used[header] = true
			from = append(from, fmt.Sprintf("from the column %q", header)+knownAs(column, header))
		} else if value := options.Defaults[column.Name]; value != "" {
			from = append(from, fmt.Sprintf("%q in every row, from %s", value, words.Flag(column.Name)))
		}
		if name := options.Defaults["item_name"]; name != "" && column.Name == "description" {
			from = append(from, fmt.Sprintf("%q where a row has none, from --item-name", name))
		}
		if len(from) > 0 {
			fmt.Fprintf(table, "  %s\t%s\n", column.Name, strings.Join(from, ", else "))
		}
	}
	_ = table.Flush() // into memory
	if len(h.Ignored) > 0 {
		var ignored []string
		for _, header := range h.Ignored {
			ignored = append(ignored, fmt.Sprintf("%q", header))
		}
		fmt.Fprintf(&b, "  passed through, from --ignore: %s\n", strings.Join(ignored, ", "))
	}
	var own []string
	for _, header := range h.Columns {
		if !used[header] && header != "" && !slices.Contains(h.Ignored, header) {
			own = append(own, fmt.Sprintf("%q", header))
		}
	}
	if len(own) > 0 {
		fmt.Fprintf(&b, "  passed through: %s\n", strings.Join(own, ", "))
	}
	for _, reading := range file.Readings {
		as := "nothing"
		if reading.As != "" {
			as = reading.As
		}
		fmt.Fprintf(&b, "  %s with %s: on line %d, %q in the column %q is read as %s\n",
			words.Count(reading.Cells, "cell"), ways[reading.Way], reading.Line, reading.Cell, reading.Column, as)
	}
	return b.String()
}

// knownAs says why a header was taken that is none of our own names: in which language it is the column's, and in which program.
func knownAs(column invoice.Column, header string) string {
	known, found := invoice.KnownHeader(column.Name, header)
	if !found {
		return ""
	}
	as := ", " + known.Language + " for it"
	if known.Program != "" {
		as += ", as in " + known.Program
	}
	return as
}

// ways are the words for how cells were written.
var ways = map[invoice.Way]string{
	invoice.Padded:       "spaces around an amount",
	invoice.Spaces:       "spaces between groups of digits",
	invoice.Apostrophes:  "apostrophes between groups of digits",
	invoice.IndianGroups: "Indian groups of digits",
	invoice.Zeros:        "zeros beyond the currency's decimals",
	invoice.NoCents:      "a dash in place of cents",
	invoice.CurrencySign: "a sign or code of the row's currency",
	invoice.Nothing:      "a word for nothing",
}
