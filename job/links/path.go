package links

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultPath is the links file of an input: of invoices.csv it is invoices.links.csv beside it, of export.20261124 it is
// export.20261124.links.csv.
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

// IsStream says whether path leads to a pipe, a device or an open descriptor, which [Write] writes into: what it has cannot be taken back.
func IsStream(path string) bool {
	to, err := resolve(path)
	return err == nil && to.stream
}

// extensions are those that a table in a text file has. Whatever else ends a name, a date for example, distinguishes the file
// from the next one.
var extensions = []string{".csv", ".tsv", ".tab", ".txt"}

// withoutExtension takes one of extensions off, in any case. It leaves a name like .csv as it is.
func withoutExtension(path string) string {
	extension := filepath.Ext(path)
	if extension == filepath.Base(path) || !slices.Contains(extensions, strings.ToLower(extension)) {
		return path
	}
	return strings.TrimSuffix(path, extension)
}

// Output is the file that an output path of the user's leads to, as the ledger keeps it; "-" stays, for standard output.
func Output(path string) (string, error) {
	if path == "-" {
		return path, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", failed(path, err)
	}
	return Place(abs), nil
}

// SameFile says whether both paths lead to one file.
func SameFile(a, b string) bool {
	if a == b {
		return true
	}
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}
