package links

import (
	"path/filepath"
	"strings"
)

// DefaultPath is where the links file of an input goes: beside it, invoices.csv to invoices.links.csv.
func DefaultPath(input string) string { return withoutExtension(input) + ".links.csv" }

// RejectedPath is where the rejected file of an input goes: beside it, invoices.csv to invoices.rejected.csv.
func RejectedPath(input string) string { return withoutExtension(input) + ".rejected.csv" }

// Place is the file that path leads to, through symbolic links, so that two paths to one file can be told and a link that is
// pointed elsewhere later does not take the file with it. A pipe, a device or what cannot be followed stays as it is called.
func Place(path string) string {
	to, err := resolve(path)
	if err != nil || to.stream {
		return path
	}
	return to.path
}

// withoutExtension leaves a name alone that is all extension, like .csv.
func withoutExtension(path string) string {
	extension := filepath.Ext(path)
	if extension == filepath.Base(path) {
		return path
	}
	return strings.TrimSuffix(path, extension)
}
