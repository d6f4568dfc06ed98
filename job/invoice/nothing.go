package invoice

import "strings"

// isNothing reports whether a cell holds a word by which databases, libraries and people write that there is nothing. NA is R's, and
// only in capitals; \N is MySQL's.
func isNothing(cell string) bool {
	const longest = len("(null)")
	cell = strings.TrimSpace(cell)
	if len(cell) > longest {
		return false
	}
	if cell == "NA" || cell == `\N` || strings.Trim(cell, "-–—") == "" {
		return cell != ""
	}
	switch strings.ToLower(cell) {
	case "null", "(null)", "[null]", "<null>", "none", "nil", "nan", "n/a":
		return true
	}
	return false
}

// checkNothing refuses a word for nothing as the id of an invoice: all invoices without an id would be the same one.
func checkNothing(cell string) *Problem {
	if isNothing(cell) {
		return flaw(IDNothing, "is a word for nothing, and no id", "write the invoice's number, or leave the cell empty")
	}
	return nil
}
