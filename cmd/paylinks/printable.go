package main

import (
	"strconv"
	"strings"
	"unicode"
)

// printable makes a text from outside safe to print on a terminal, on one line.
func printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
