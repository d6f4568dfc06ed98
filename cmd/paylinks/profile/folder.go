package profile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

const longestName = 64 // characters

// ValidName says whether a profile in the user's folder can have this name: letters and digits, and ., _ and - behind the first.
func ValidName(text string) bool {
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return text != "" && utf8.RuneCountInString(text) <= longestName && !IsPath(text)
}

// IsPath says whether a person means a file of any place by this, and no name.
func IsPath(text string) bool {
	return strings.ContainsAny(text, `/`+string(filepath.Separator)) || strings.HasSuffix(text, Extension)
}

// Names are the profiles in the folder, in their order; none where there is no folder.
func Names(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		name, is := strings.CutSuffix(entry.Name(), Extension)
		if is && ValidName(name) {
			names = append(names, name)
		}
	}
	return names, err
}
