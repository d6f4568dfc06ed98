package options

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/invoice"
)

// Read say how a file is understood.
type Read struct {
	encoding     string
	decimal      string
	columns      []string // NAME=HEADER
	headerLine   int
	quote        string
	sheet        string
	hiddenRows   string
	ignored      []string // HEADER
	series       string
	lines        string
	skipTotals   bool
	allowNoID    bool
	allowRepeats bool
	allowEmpty   bool
	jobWide      map[string]*string // by canonical column name

	profile     string       // name or path
	Used        *UsedProfile // nil without one
	given       []string     // reading flags that a person or a variable has set
	guardAmount bool         // the profile says which column is the amount
	guardLine   bool         // likewise, the amount of a line
	flags       *pflag.FlagSet
}

// jobWide are the columns that a flag can give for the whole job, with what the flag's help says.
var jobWide = []struct{ column, about string }{
	{"currency", "currency of every row, for a file without that column"},
	{"item_name", "what the customer sees as the item's name where a row has no description"},
	{"image_url", "picture of the item"},
	{"product_id", "registered product, together with --price-id"},
	{"price_id", "registered price, together with --product-id"},
	{"ui_mode", "hostedPage or elements"},
	{"return_url", "where an elements checkout returns to"},
	{"success_url", "where the customer goes after paying"},
	{"cancel_url", "where the customer goes after giving up"},
	{"payment_method_type", "the only way to pay, e.g. CARD"},
	{"payment_method_type_black_list", "ways to pay that are left out, between semicolons"},
	{"direct_payment_qr_code_payment_method_type", "CASHAPP, together with --payment-method-type CASHAPP"},
	{"allow_promotion_codes", "true or false"},
	{"promotion_code", "promotion code, together with --allow-promotion-codes true"},
}

// JobWideFlags are the names of their flags.
func JobWideFlags() []string {
	var names []string
	for _, value := range jobWide {
		names = append(names, strings.ReplaceAll(value.column, "_", "-"))
	}
	return names
}

// AddFlags adds the flags of how a file is understood, the profile among them.
func (o *Read) AddFlags(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringVar(&o.profile, "profile", "", "`NAME`, or path, of a profile that says how such files are read: what the following flags would; they win over it")
	flags.StringVar(&o.encoding, "encoding", "", "`NAME` of the file's encoding where it is not UTF-8 or marked UTF-16, e.g. windows-1252")
	flags.StringVar(&o.decimal, "decimal", "point", "the file's decimal `MARK`: point (1,234.50) or comma (1.234,50)")
	flags.StringArrayVar(&o.columns, "map", nil, "`NAME=HEADER`: this column of mine is your NAME; repeatable")
	flags.StringArrayVar(&o.ignored, "ignore", nil, "`HEADER`: this column of mine only looks like one of yours, and passes through; repeatable")
	flags.IntVar(&o.headerLine, "header-line", 0, "the column names are on line `N`: what is above them is left out")
	flags.StringVar(&o.quote, "quote", "double", "what is around cells with a delimiter in them: double `MARKS`, or none: quotes are text")
	flags.StringVar(&o.sheet, "sheet", "", "`NAME` of the sheet in a workbook (.xlsx) where more than one could be meant")
	flags.StringVar(&o.hiddenRows, "hidden-rows", "", "what to do with rows of a sheet that a filter or a person has hidden: `WORD` include or skip (default: the file is refused)")
	flags.StringVar(&o.lines, "lines", "", "a row is a line of an invoice, and several have one id: `WORD` total (each has the invoice's amount) or sum (each has its own)")
	flags.BoolVar(&o.skipTotals, "skip-totals", false, "leave out rows without an invoice id that are totals and add up")
	flags.BoolVar(&o.allowNoID, "allow-no-id", false, "rows without an invoice id are meant where others have one")
	flags.BoolVar(&o.allowRepeats, "allow-repeats", false, "rows without an invoice id that ask for the same are meant")
	flags.StringVar(&o.series, "series", "", "`NAME` (a year, an entity) of numbers that begin again: the same invoice id in another series is another invoice. Clink gets NAME-ID as its reference")
	o.jobWide = map[string]*string{}
	for _, value := range jobWide {
		o.jobWide[value.column] = flags.String(strings.ReplaceAll(value.column, "_", "-"), "", value.about)
	}
}

// AddEmpty adds the flag for commands that bill.
func (o *Read) AddEmpty(flags *pflag.FlagSet) {
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "a file with a header and no rows is fine: there is nothing to bill")
}

// Resolve gives the reader's options. It reads the profile, if one is used, and names it to people where it is not to be quiet.
func (o *Read) Resolve(s Streams, quiet bool) (invoice.Options, error) {
	if err := o.useProfile(s); err != nil {
		return invoice.Options{}, err
	}
	options, err := o.options()
	if err == nil && o.Used != nil {
		options.GuardAmount, options.GuardLine, options.OtherAmounts = o.guardAmount, o.guardLine, o.Used.OtherAmounts
		if !quiet {
			fmt.Fprintln(s.Err, o.Used)
		}
	}
	return options, err
}

// options are the flags' values as the reader takes them.
func (o *Read) options() (invoice.Options, error) {
	options := invoice.Options{
		Encoding:     o.encoding,
		Sheet:        o.sheet,
		HiddenRows:   invoice.HiddenRows(o.hiddenRows),
		HeaderLine:   o.headerLine,
		Series:       o.series,
		Lines:        invoice.LinesMode(o.lines),
		SkipTotals:   o.skipTotals,
		AllowNoID:    o.allowNoID,
		AllowRepeats: o.allowRepeats,
		AllowEmpty:   o.allowEmpty,
		Map:          map[string]string{},
		Ignore:       o.ignored,
		Defaults:     map[string]string{},
	}
	switch o.decimal {
	case "point":
	case "comma":
		options.DecimalComma = true
	default:
		return options, exit.Failf(exit.Usage, "--decimal %q is neither point nor comma", o.decimal)
	}
	switch o.quote {
	case "double":
	case "none":
		options.NoQuotes = true
	default:
		return options, exit.Failf(exit.Usage, "--quote %q is neither double nor none", o.quote)
	}
	if !slices.Contains([]invoice.HiddenRows{invoice.HiddenRefused, invoice.HiddenIncluded, invoice.HiddenSkipped}, options.HiddenRows) {
		return options, exit.Failf(exit.Usage, "--hidden-rows %q is neither include nor skip", o.hiddenRows)
	}
	if !slices.Contains([]invoice.LinesMode{invoice.LinesNone, invoice.LinesTotal, invoice.LinesSum}, options.Lines) {
		return options, exit.Failf(exit.Usage, "--lines %q is neither total nor sum", o.lines)
	}
	if o.headerLine < 0 || o.headerLine > invoice.MaxHeaderLine {
		return options, exit.Failf(exit.Usage, "--header-line %d is no line from 1 to %d", o.headerLine, invoice.MaxHeaderLine)
	}
	if o.series != "" && !invoice.ValidSeries(o.series) {
		return options, exit.Failf(exit.Usage, "--series %q is not a name of at most 32 letters, digits, . _ and -, the first a letter or digit", o.series)
	}
	for _, pair := range o.columns {
		name, header, ok := strings.Cut(pair, "=")
		if ok && header == "" {
			return options, exit.Failf(exit.Usage, "--map %q names no column", pair).
				WithHint("for a column of yours that only looks like %s: --ignore HEADER", name)
		}
		if !ok || name == "" {
			return options, exit.Failf(exit.Usage, "--map %q is not NAME=HEADER", pair).
				WithHint("for a column that your file calls \"Honorar\": --map amount=Honorar")
		}
		if _, twice := options.Map[name]; twice {
			return options, exit.Failf(exit.Usage, "--map names the column %s twice", name)
		}
		options.Map[name] = header
	}
	for column, value := range o.jobWide {
		if *value != "" {
			options.Defaults[column] = *value
		}
	}
	return options, nil
}

// readFlags are the flags, each after a space, by which a further command reads a file with the same options: their canonical text is
// that of [invoice.Options].
func readFlags(canonical string) string {
	options, err := invoice.ReadOptions(canonical)
	if err != nil {
		return ""
	}
	flags := ""
	add := func(name, value string) {
		if value != "" {
			flags += " " + words.Flag(name) + " " + words.ShellQuoted(value)
		}
	}
	add("encoding", options.Encoding)
	if options.DecimalComma {
		add("decimal", "comma")
	}
	if options.HeaderLine > 0 {
		add("header-line", strconv.Itoa(options.HeaderLine))
	}
	if options.NoQuotes {
		add("quote", "none")
	}
	add("sheet", options.Sheet)
	add("hidden-rows", string(options.HiddenRows))
	for _, name := range slices.Sorted(maps.Keys(options.Map)) {
		add("map", name+"="+options.Map[name])
	}
	for _, header := range options.Ignore {
		add("ignore", header)
	}
	add("series", options.Series)
	add("lines", string(options.Lines))
	if options.SkipTotals {
		flags += " --skip-totals"
	}
	if options.AllowNoID {
		flags += " --allow-no-id"
	}
	for _, name := range slices.Sorted(maps.Keys(options.Defaults)) {
		add(name, options.Defaults[name])
	}
	return flags
}
