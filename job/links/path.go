package links

import (
	"path/filepath"
	"strings"
)

// DefaultPath is the links file of an input: of invoices.csv it is invoices.links.csv beside it.
func DefaultPath(input string) string { return withoutExtension(input) + ".links.csv" }

// RejectedPath is the rejected file of an input: of invoices.csv it is invoices.rejected.csv beside it.
func RejectedPath(input string) string { return withoutExtension(input) + ".rejected.csv" }

// Place is the file that path leads to through symbolic links. It is the same for all paths to one file, and stays the same
// when a link is changed later. For a pipe, a device and what cannot be followed it is path.
func Place(path string) string {
	to, err := resolve(path)
	if err != nil || to.stream {
		return path
	}
	return to.path
}

// withoutExtension leaves a name like .csv as it is.
func withoutExtension(path string) string {
	extension := filepath.Ext(path)
	if extension == filepath.Base(path) {
		return path
	}
	return strings.TrimSuffix(path, extension)
}
