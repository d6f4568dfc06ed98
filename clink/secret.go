package clink

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	redacted  = "[redacted]"
	maxCause  = 400      // bytes of a cause's text; the transport's own are shorter, unless they quote what came
	maxSource = 64 << 10 // bytes of a body that a sample is made from
	minKey    = 8        // bytes; a shorter key is none of Clink's, and would be found in innocent ids and links
)

// secretMember is where the value begins of what opens a checkout: of a token, in JSON, in JSON inside a string, in a query; of
// a session's URL, in JSON, which nobody must see unless it is published.
var secretMember = regexp.MustCompile(`(?i)(?:token(?:_?value)?|["']url)[\\"'\s]*[:=]`)

// redactor takes the key out of texts that somebody else wrote.
type redactor struct {
	text string         // the key
	key  *regexp.Regexp // nil when there is no key
	long bool           // the key has minKey bytes
}

// newRedactor finds the key also where a server has escaped some of it, for a URL, for JSON or for HTML.
func newRedactor(key string) redactor {
	if key == "" {
		return redactor{}
	}
	var pattern strings.Builder
	for i := range len(key) {
		fmt.Fprintf(&pattern, `(?:\\*%s|(?i:%%(?:25)*%02x|\\+u00%02[2]x|(?:&|\\+u0026)#(?:0*%[2]d|x0*%[2]x);))`,
			regexp.QuoteMeta(key[i:i+1]), key[i])
	}
	return redactor{text: key, key: regexp.MustCompile(pattern.String()), long: len(key) >= minKey}
}

// redact is s without the key.
func (r redactor) redact(s string) string {
	if r.key == nil || !strings.Contains(s, r.text) && !strings.ContainsAny(s, `%\&`) {
		return s // nothing in it can be the key: plain, or with an escape
	}
	return r.key.ReplaceAllLiteralString(s, redacted)
}

// conceal makes every text that holds the key "[redacted]", whole: what is left of an id or a link is none.
func (r redactor) conceal(texts ...*string) {
	for _, text := range texts {
		if r.long && r.redact(*text) != *text {
			*text = redacted
		}
	}
}

// sample is the printable beginning of s, without the key and ending where a token or a session's URL begins.
func (r redactor) sample(s string, size int) string {
	return printable(untilSecret(r.redact(s[:min(len(s), maxSource)])), size)
}

// cause is err itself when its text can be shown, else an error with what can be shown of it.
// nil stays nil.
func (r redactor) cause(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if safe := r.sample(text, maxCause); safe != text {
		return errors.New(safe)
	}
	return err
}

// untilSecret is s up to where such a value begins: nothing that follows can then be a part of it.
func untilSecret(s string) string {
	if at := secretMember.FindStringIndex(s); at != nil {
		return s[:at[1]] + redacted
	}
	return s
}

// printable is the beginning of s, at most size bytes, on one line and without control characters.
func printable(s string, size int) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if b.Len()+utf8.RuneLen(r) > size {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
