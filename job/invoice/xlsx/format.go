package xlsx

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is a number format: how the spreadsheet shows the numbers of some cells.
type Format struct {
	Code     string
	sections []section // without that for text; none is the general format
}

// section is the format of the numbers that meet its condition: the positive, negative and zero ones where none has a condition.
type section struct {
	condition string  // < <= > >= = or <>; "" is none
	limit     float64 // of the condition
	items     []item
	date      bool // shows a day, month or year
	clock     bool // shows hours, minutes or seconds
	elapsed   bool // shows hours beyond 24
	general   bool // shows the number as it is
	percent   int  // how often the number is shown times 100
	thousands int  // how often it is shown divided by 1000
	grouped   bool // has a comma between thousands
	odd       bool // shows the number as a fraction or in scientific notation
}

type itemKind int

const (
	literal itemKind = iota
	placeholder
	point
	generalNumber
)

type item struct {
	kind itemKind
	text string // a literal's text, or the placeholder: 0, # or ?
}

// parseFormat reads a format code. It is lenient: a code that no spreadsheet would take becomes one that shows other than is stored.
func parseFormat(code string) *Format {
	f := &Format{Code: code}
	for rest, more := code, true; more && len(f.sections) < 3; {
		var s section
		s, rest, more = parseSection(rest)
		if !more && len(f.sections) > 0 && s.isText() {
			break
		}
		f.sections = append(f.sections, s)
	}
	return f
}

// isText says whether the section is for text alone, as the last of several can be.
func (s *section) isText() bool {
	return s.general && slices.Contains(s.items, item{generalNumber, "@"})
}

// parseSection reads a section up to its semicolon; more says whether another follows.
func parseSection(code string) (s section, rest string, more bool) {
	p := sectionParser{code: code}
	for p.at < len(code) {
		if code[p.at] == ';' {
			return p.done(), code[p.at+1:], true
		}
		p.step()
	}
	return p.done(), "", false
}

type sectionParser struct {
	code    string
	at      int
	s       section
	digits  bool // a placeholder was read
	commas  int  // right behind the last placeholder
	decimal bool // behind the point
	month   bool // an m was read: a month, or minutes beside hours or seconds
}

func (p *sectionParser) add(kind itemKind, text string) {
	if kind == literal && len(p.s.items) > 0 && p.s.items[len(p.s.items)-1].kind == literal {
		p.s.items[len(p.s.items)-1].text += text
		return
	}
	p.s.items = append(p.s.items, item{kind, text})
}

func (p *sectionParser) step() {
	c := p.code[p.at]
	rest := p.code[p.at+1:]
	if c != ',' && c != '0' && c != '#' && c != '?' {
		p.s.thousands += p.commas
		p.commas = 0
	}
	p.at++
	switch {
	case c == '"':
		text, _, _ := strings.Cut(rest, `"`)
		p.add(literal, text)
		p.at += min(len(text)+1, len(rest))
	case c == '\\' && rest != "":
		_, n := utf8.DecodeRuneInString(rest)
		p.add(literal, rest[:n])
		p.at += n
	case (c == '_' || c == '*') && rest != "": // the space of a character, and a character that fills the cell
		_, n := utf8.DecodeRuneInString(rest)
		p.add(literal, " ")
		p.at += n
	case c == '[':
		text, _, _ := strings.Cut(rest, "]")
		p.bracket(text)
		p.at += min(len(text)+1, len(rest))
	case c == '0' || c == '#' || c == '?':
		p.s.grouped = p.s.grouped || p.commas > 0 && !p.decimal
		p.digits, p.commas = true, 0
		p.add(placeholder, string(c))
	case c == '.' && !p.decimal:
		p.decimal = true
		p.add(point, ".")
	case c == ',' && p.digits:
		p.commas++
	case c == '%':
		p.s.percent++
		p.add(literal, "%")
	case (c == 'E' || c == 'e') && rest != "" && (rest[0] == '+' || rest[0] == '-'):
		p.s.odd = true
	case c == '/' && p.digits:
		p.s.odd = true
	case c == '@':
		p.s.general = true
		p.add(generalNumber, "@")
	case foldedPrefix(p.code[p.at-1:], "General"):
		p.s.general = true
		p.add(generalNumber, "")
		p.at += len("General") - 1
	case foldedPrefix(p.code[p.at-1:], "AM/PM"):
		p.s.clock = true
		p.at += len("AM/PM") - 1
	case foldedPrefix(p.code[p.at-1:], "A/P"):
		p.s.clock = true
		p.at += len("A/P") - 1
	case strings.IndexByte("yYdDgGbBeE", c) >= 0:
		p.s.date = true
	case strings.IndexByte("hHsS", c) >= 0:
		p.s.clock = true
	case c == 'm' || c == 'M':
		p.month = true
	default:
		_, n := utf8.DecodeRuneInString(p.code[p.at-1:])
		p.add(literal, p.code[p.at-1:p.at-1+n])
		p.at += n - 1
	}
}

// bracket reads what stands in brackets: a currency, a condition, a time beyond its bound, or a colour or language, which change nothing.
func (p *sectionParser) bracket(text string) {
	switch {
	case strings.HasPrefix(text, "$"):
		currency, _, _ := strings.Cut(text[1:], "-")
		p.add(literal, currency)
	case text != "" && strings.Trim(text, "hH") == "", text != "" && strings.Trim(text, "mM") == "", text != "" && strings.Trim(text, "sS") == "":
		p.s.clock, p.s.elapsed = true, true
	case text != "" && strings.IndexByte("<>=", text[0]) >= 0:
		number := strings.TrimLeft(text, "<>=")
		limit, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil {
			p.s.condition, p.s.limit = text[:len(text)-len(number)], limit
		}
	}
}

func (p *sectionParser) done() section {
	p.s.thousands += p.commas
	p.s.date = p.s.date || p.month && !p.s.clock
	if len(p.s.items) == 0 && !p.s.date && !p.s.clock && p.code == "" {
		p.s.general = true
		p.add(generalNumber, "")
	}
	return p.s
}

func foldedPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// section is the one by which the value is shown, and whether it shows the minus of a negative one by itself. It is nil for the general
// format.
func (f *Format) section(value float64) (s *section, minus bool) {
	n := len(f.sections)
	if n == 0 {
		return nil, value < 0
	}
	if slices.ContainsFunc(f.sections, func(s section) bool { return s.condition != "" }) {
		for i := range f.sections {
			if s := &f.sections[i]; s.meets(value) {
				return s, value < 0
			}
		}
		return &f.sections[n-1], value < 0
	}
	switch {
	case n > 1 && value < 0:
		return &f.sections[1], false
	case n > 2 && value == 0:
		return &f.sections[2], false
	}
	return &f.sections[0], value < 0
}

func (s *section) meets(value float64) bool {
	switch s.condition {
	case "<":
		return value < s.limit
	case "<=":
		return value <= s.limit
	case ">":
		return value > s.limit
	case ">=":
		return value >= s.limit
	case "=":
		return value == s.limit
	case "<>":
		return value != s.limit
	}
	return true
}
