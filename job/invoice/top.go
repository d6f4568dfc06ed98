package invoice

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// MaxHeaderLine is the last line on which a header may be that is named.
const MaxHeaderLine = 1000

const (
	headerWithin = 30 // lines among which a header is looked for below titles
	titleCells   = 2  // filled cells that a line above the header may have, if the header is to be found without being named
)

// isOurs says whether the first row is the header of a links file or rejected file.
func (t top) isOurs() bool {
	if len(t.rows) == 0 {
		return false
	}
	_, block := ownBlock(t.rows[0].cells)
	return block != nil
}

// candidate is a row that may be the header, divided in the way that suits it best.
type candidate struct {
	top       top
	at        int // in top.rows
	known     int // columns that are read
	ambiguous bool
}

func (c candidate) row() tableRow { return c.top.rows[c.at] }

// below are the first rows under the header.
func (c candidate) below() (rows [][]string) {
	for _, row := range c.top.rows[c.at+1:] {
		if len(rows) < sampleRows {
			rows = append(rows, row.cells)
		}
	}
	return rows
}

// titles are the lines above the header, each as the text of its filled cells.
func (c candidate) titles() (titles []string) {
	for _, row := range c.top.rows[:c.at] {
		titles = append(titles, strings.Join(filled(row.cells), ", "))
	}
	return titles
}

// underTitles says whether the lines above the header have no more cells than titles have.
func (c candidate) underTitles() bool {
	return !slices.ContainsFunc(c.top.rows[:c.at], func(row tableRow) bool { return len(filled(row.cells)) > titleCells })
}

func filled(cells []string) (texts []string) {
	for _, cell := range cells {
		if !isBlank(cell) {
			texts = append(texts, strings.TrimSpace(cell))
		}
	}
	return texts
}

// findHeader finds the row of the column names: the one on o.HeaderLine; else the first, if it has the needed columns or no other has; else
// the only one among the first lines that has them, where nothing but titles stands above it. A file of ours has it at the top. An
// error is a [Problems], or of the disk.
func findHeader(file string, src source, o Options) (candidate, error) {
	tops, after := src.tops(o.HeaderLine, max(headerWithin, o.HeaderLine))
	starts := startsOf(tops)
	refuse := func(line int, bad *Problem) (candidate, error) {
		return candidate{}, Problems{bad.at(file, line, "", "")}
	}
	if len(starts) == 0 && after != nil {
		return candidate{}, after
	}
	if len(starts) == 0 {
		return refuse(0, flaw(FileEmpty, "is empty", "check the export that writes it"))
	}
	line, named := starts[0], o.HeaderLine > 0 && !slices.ContainsFunc(tops, top.isOurs)
	if named {
		line = o.HeaderLine
	}
	if !slices.Contains(starts, line) {
		return refuse(line, flaw(HeaderLineBlank, "has no column names: it is blank, or below the end of the file", "",
			Option{Do: Replace, Setting: "header_line"}))
	}
	found, bad := bestAt(tops, line, o)
	if !named && (bad != nil || !fits(found.row().cells, o)) {
		lower := fitting(tops, starts[1:], o)
		switch {
		case len(lower) > 1 || len(lower) == 1 && !lower[0].underTitles():
			bad := flaw(HeaderUnclear, "has no column names that are understood, and "+linesOf(lower)+" has them", "delete the lines above them")
			for _, c := range lower {
				bad.Options = append(bad.Options, Option{Do: Add, Setting: "header_line", Value: strconv.Itoa(c.row().line)})
			}
			return refuse(line, bad)
		case len(lower) == 1:
			found, bad, line = lower[0], lower[0].ambiguity(), lower[0].row().line
		case after != nil && len(filled(tops[0].rows[0].cells)) <= titleCells:
			return candidate{}, after // of the lines that may have the header
		default:
			if c, better := likeliest(tops, starts[1:], found, o); better {
				found, bad = c, nil
			}
		}
	}
	if bad != nil {
		return refuse(line, bad)
	}
	return found, nil
}

// startsOf are the lines on which rows start, in whatever way they are divided.
func startsOf(tops []top) (lines []int) {
	for _, t := range tops {
		for _, row := range t.rows {
			lines = append(lines, row.line)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// bestAt divides the row on the line in the way that yields the most known columns, and of equal ones the most cells. A tie is a problem.
func bestAt(tops []top, line int, o Options) (best candidate, bad *Problem) {
	best.known = -1
	for _, t := range tops {
		at := slices.IndexFunc(t.rows, func(row tableRow) bool { return row.line == line })
		if at < 0 {
			continue
		}
		row := t.rows[at]
		if row.bad != nil {
			bad = cmp.Or(bad, row.bad)
			continue
		}
		switch n := knownColumns(row.cells, o); {
		case n > best.known || n == best.known && len(row.cells) > len(best.row().cells):
			best = candidate{top: t, at: at, known: n}
		case n == best.known && n > 0 && len(row.cells) == len(best.row().cells) && len(row.cells) > 1:
			best.ambiguous = true
		}
	}
	if best.known >= 0 {
		return best, best.ambiguity()
	}
	return best, bad
}

func (c candidate) ambiguity() *Problem {
	if !c.ambiguous {
		return nil
	}
	return flaw(DelimiterAmbiguous, "the header can be read with two different delimiters",
		"use one of , ; | or tab between the columns, and none of the others in their names")
}

// fitting are the rows on these lines that have the needed columns, each header once.
func fitting(tops []top, lines []int, o Options) (all []candidate) {
	for _, line := range lines {
		c, bad := bestAt(tops, line, o)
		if line > headerWithin || c.known <= 0 || bad != nil && !c.ambiguous || !fits(c.row().cells, o) {
			continue
		}
		if !slices.ContainsFunc(all, func(other candidate) bool { return slices.Equal(other.row().cells, c.row().cells) }) {
			all = append(all, c)
		}
	}
	return all
}

// likeliest is the row below titles with the most known columns: two at least, and more than so many. Where there is none, it is the first
// row that is too wide for a title, below one that is not.
func likeliest(tops []top, lines []int, first candidate, o Options) (best candidate, found bool) {
	known := max(first.known, 1)
	for _, line := range lines {
		c, bad := bestAt(tops, line, o)
		if line <= headerWithin && bad == nil && c.known > known && c.underTitles() {
			best, known, found = c, c.known, true
		}
	}
	if found || first.known != 0 || len(filled(first.row().cells)) > titleCells {
		return best, found
	}
	for _, line := range lines {
		c, bad := bestAt(tops, line, o)
		if line <= headerWithin && bad == nil && len(filled(c.row().cells)) > titleCells {
			return c, !slices.ContainsFunc(c.row().cells, looksLikeData)
		}
	}
	return best, false
}

// fits says whether the cells name all columns that a file must have.
func fits(cells []string, o Options) bool {
	has := func(name string) bool {
		c := columnNamed(name)
		header, mapped := o.Map[name]
		return o.Defaults[name] != "" || slices.ContainsFunc(cells, func(cell string) bool {
			normal := normalise(cell)
			if mapped {
				return !isBlank(header) && normal == normalise(header)
			}
			ignored := slices.ContainsFunc(o.Ignore, func(header string) bool { return normalise(header) == normal })
			return !ignored && slices.ContainsFunc(spellings[name], func(s spelling) bool { return c.matches(s, cell, normal) })
		})
	}
	for i := range columns {
		if columns[i].Required && !has(columns[i].Name) {
			return false
		}
	}
	return slices.ContainsFunc(customerColumns, has)
}

// linesOf names the candidates' lines.
func linesOf(all []candidate) string {
	var numbers []string
	for _, c := range all {
		numbers = append(numbers, "line "+strconv.Itoa(c.row().line))
	}
	return strings.Join(numbers, " or ")
}
