package xlsxtest

import (
	"fmt"
	"slices"
	"strings"
)

// Draw is the workbook of a drawing, a line a row:
//
//	sheet Invoices           begins a sheet; "hidden sheet Old" a hidden one
//	| id | amount |          a row of text cells; an empty one is blank
//	| A-1 | #12.5 |          a number
//	| A-2 | #12.5 {0.00 "€"} | a number with its format
//	| A-3 | =#12.5 |         a formula with its value; "=" alone is one without
//	| A-4 | !#REF! |         an error
//	hidden | A-5 | #3 |      a hidden row
//	-                        a row that the file leaves out
//	merge A2:A4
//	outdated                 the values of formulas are said to be out of date
//
// Other lines are left out.
func Draw(drawing string) Book {
	var b Book
	row := 0
	for line := range strings.Lines(drawing) {
		line = strings.TrimSpace(line)
		hidden := false
		if rest, ok := strings.CutPrefix(line, "hidden "); ok {
			line, hidden = rest, true
		}
		name, isSheet := strings.CutPrefix(line, "sheet ")
		if isSheet {
			state := ""
			if hidden {
				state = "hidden"
			}
			b.Sheets, row = append(b.Sheets, Sheet{Name: name, State: state}), 0
			continue
		}
		if line == "outdated" {
			b.Outdated = true
			continue
		}
		if len(b.Sheets) == 0 {
			continue
		}
		sheet := &b.Sheets[len(b.Sheets)-1]
		switch {
		case line == "-":
			row++
		case strings.HasPrefix(line, "merge "):
			sheet.Merged = append(sheet.Merged, strings.TrimPrefix(line, "merge "))
		case strings.HasPrefix(line, "|"):
			row++
			sheet.Rows += b.row(row, hidden, strings.Split(strings.Trim(line, "|"), "|"))
		}
	}
	return b
}

func (b *Book) row(number int, hidden bool, cells []string) string {
	attributes := fmt.Sprintf(` r="%d"`, number)
	if hidden {
		attributes += ` hidden="1"`
	}
	var out strings.Builder
	out.WriteString("<row" + attributes + ">")
	for i, cell := range cells {
		out.WriteString(b.cell(fmt.Sprintf("%c%d", 'A'+i, number), strings.TrimSpace(cell)))
	}
	out.WriteString("</row>")
	return out.String()
}

func (b *Book) cell(name, drawn string) string {
	formula := ""
	if rest, ok := strings.CutPrefix(drawn, "="); ok {
		formula, drawn = "<f>A1</f>", rest
	}
	number, isNumber := strings.CutPrefix(drawn, "#")
	problem, isError := strings.CutPrefix(drawn, "!")
	switch {
	case drawn == "" && formula == "":
		return ""
	case drawn == "":
		return fmt.Sprintf(`<c r="%s">%s</c>`, name, formula)
	case isError:
		return fmt.Sprintf(`<c r="%s" t="e">%s<v>%s</v></c>`, name, formula, Escape(problem))
	case isNumber:
		number, format, has := strings.Cut(number, " {")
		style := 0
		if has {
			format = strings.TrimSuffix(format, "}")
			if style = slices.Index(b.Formats, format) + 1; style == 0 {
				b.Formats = append(b.Formats, format)
				style = len(b.Formats)
			}
		}
		return fmt.Sprintf(`<c r="%s" s="%d">%s<v>%s</v></c>`, name, style, formula, number)
	case formula != "":
		return fmt.Sprintf(`<c r="%s" t="str">%s<v>%s</v></c>`, name, formula, Escape(drawn))
	}
	return fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, name, Escape(drawn))
}
