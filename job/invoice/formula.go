package invoice

import (
	"regexp"
	"strings"
)

// formulaStarts are the first characters of cells that a spreadsheet runs, and the line feed that a carriage return becomes
// in a CSV file.
const formulaStarts = "=+-@\t\r\n"

var plainNumber = regexp.MustCompile(`^[+-][0-9]+([.,][0-9]+)*$|^\+[0-9][0-9 ().-]*$`)

// isFormula reports whether a spreadsheet would run the cell. Plain numbers and phone numbers are not formulas.
func isFormula(cell string) bool {
	return cell != "" && strings.IndexByte(formulaStarts, cell[0]) >= 0 && !plainNumber.MatchString(cell)
}

// looksGuarded reports whether the cell is one or more ' followed by the start of a formula.
func looksGuarded(cell string) bool {
	if cell == "" || cell[0] != '\'' {
		return false
	}
	rest := strings.TrimLeft(cell, "'")
	return rest != "" && strings.IndexByte(formulaStarts, rest[0]) >= 0
}

// Guard puts a ' before a cell that a spreadsheet would run, and before one that looks guarded already, so that Unguard
// returns every cell exactly.
func Guard(cell string) string {
	if isFormula(cell) || looksGuarded(cell) {
		return "'" + cell
	}
	return cell
}

// Unguard removes the ' of Guard.
func Unguard(cell string) string {
	if looksGuarded(cell) {
		return cell[1:]
	}
	return cell
}
