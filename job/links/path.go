package links

import (
	"path/filepath"
	"strings"
)

// DefaultPath is where the links file of an input goes: beside it, invoices.csv to invoices.links.csv.
func DefaultPath(input string) string { return withoutExtension(input) + ".links.csv" }

// RejectedPath is where the rejected file of an input goes: beside it, invoices.csv to invoices.rejected.csv.
func RejectedPath(input string) string { return withoutExtension(input) + ".rejected.csv" }

// withoutExtension leaves a name alone that is all extension, like .csv.
func withoutExtension(path string) string {
	extension := filepath.Ext(path)
	if extension == filepath.Base(path) {
		return path
	}
	return strings.TrimSuffix(path, extension)
}
