package invoice

import (
	"fmt"
	"unicode"
)

// invisibleNames are the usual names of invisible characters that files have.
var invisibleNames = map[rune]string{
	'\t':     "tab",
	'\n':     "line break",
	'\r':     "line break",
	'\u00a0': "no-break space",
	'\u00ad': "soft hyphen",
	'\u200b': "zero width space",
	'\u200c': "zero width non-joiner",
	'\u200d': "zero width joiner",
	'\u200e': "left-to-right mark",
	'\u200f': "right-to-left mark",
	'\u202a': "left-to-right embedding",
	'\u202b': "right-to-left embedding",
	'\u202c': "pop directional formatting",
	'\u202d': "left-to-right override",
	'\u202e': "right-to-left override",
	'\u202f': "narrow no-break space",
	'\u2060': "word joiner",
	'\u2066': "left-to-right isolate",
	'\u2067': "right-to-left isolate",
	'\u2068': "first strong isolate",
	'\u2069': "pop directional isolate",
	'\u3000': "ideographic space",
	'\ufeff': "byte order mark",
}

// isInvisible reports whether r is not seen, or looks like a space but is not one.
func isInvisible(r rune) bool {
	switch {
	case r >= ' ' && r < 0x7f:
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Variation_Selector):
		return true
	}
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0': // a joiner, fillers and a blank, which Unicode counts as letters or symbols
		return true
	}
	return false
}

// unseen finds the first invisible or damaged character of the value.
func unseen(value string) *Problem {
	for _, r := range value {
		if isInvisible(r) {
			return invisibleFlaw(r)
		}
		if r == unicode.ReplacementChar {
			return damaged()
		}
	}
	return nil
}

func invisibleFlaw(r rune) *Problem {
	name := fmt.Sprintf("U+%04X", r)
	if known, ok := invisibleNames[r]; ok {
		name += " (" + known + ")"
	}
	return flaw(Invisible, "has the invisible character "+name, "type the value again by hand: copying brings the character along")
}

func damaged() *Problem {
	return flaw(DamagedText, "has the sign � in place of a letter that was lost before this file was saved", "take the value from its source again and save the file as UTF-8")
}
