package words

import (
	"strings"
	"unicode"
)

// Flag is the flag of a setting, or of a column's value for the whole job.
func Flag(name string) string { return "--" + strings.ReplaceAll(name, "_", "-") }

// ShellQuoted is the text as a shell takes it for one word.
func ShellQuoted(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:@%", r)
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
