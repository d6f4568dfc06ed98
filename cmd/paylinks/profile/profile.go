// Package profile keeps in a small TOML file how files of one kind are read. [Read] and [Write] know the form of such a file; which keys
// there are, and what their values mean, its caller says.
package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/google/renameio/v2"
)

// Extension is that of a profile's file.
const Extension = ".toml"

// otherAmounts is the key of [Profile.OtherAmounts].
const otherAmounts = "other-amounts"

// maxSize is more than any profile needs: a larger file is something else.
const maxSize = 1 << 20

// Profile is what a file says.
type Profile struct {
	Values       map[string][]string // by key, as the flag of that name takes them
	OtherAmounts []string            // headers that could be the amount, too, beside the one that is mapped
}

// Kind is the type of a key's value.
type Kind int

const (
	Text   Kind = iota
	Number      // a whole one
	Switch      // true or false
	List        // of texts
	Table       // of texts; as values of [Profile.Values] they are NAME=TEXT
)

// Key is a key that a profile may have.
type Key struct {
	Name string
	Kind Kind
}

// WrongError says that a file is no profile.
type WrongError struct {
	What       string
	UnknownKey string // the first key that no profile has, or ""
}

func (e *WrongError) Error() string { return e.What }

// Read reads the profile at the path. A file that is not one is a [*WrongError]; other errors are the operating system's.
func Read(path string, keys []Key) (Profile, error) {
	text, err := read(path)
	if err != nil {
		return Profile{}, err
	}
	raw := map[string]toml.Primitive{}
	meta, err := toml.Decode(text, &raw)
	if wrong, ok := errors.AsType[toml.ParseError](err); ok {
		return Profile{}, wrongf("line %d: %s", wrong.Position.Line, wrong.Message)
	}
	if err != nil {
		return Profile{}, wrongf("%v", err)
	}
	all := append(slices.Clone(keys), Key{otherAmounts, List})
	for _, key := range meta.Keys() { // Undecoded takes a primitive at the top for decoded
		if !slices.ContainsFunc(all, func(known Key) bool { return known.Name == key[0] }) {
			return Profile{}, &WrongError{What: fmt.Sprintf("no profile has the key %q", key.String()), UnknownKey: key[0]}
		}
	}
	p := Profile{Values: map[string][]string{}}
	for _, key := range all {
		value, has := raw[key.Name]
		if !has {
			continue
		}
		values, err := decode(meta, value, key.Kind)
		if err != nil || key.Kind == Table && meta.Type(key.Name) == "Array" { // of a list it decodes nothing, without an error
			return Profile{}, wrongf("%s is not %s", key.Name, wanted[key.Kind])
		}
		p.Values[key.Name] = values
	}
	p.OtherAmounts = p.Values[otherAmounts]
	delete(p.Values, otherAmounts)
	return p, nil
}

func wrongf(format string, args ...any) error { return &WrongError{What: fmt.Sprintf(format, args...)} }

// read reads a regular file: a pipe would never end.
func read(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", wrongf("it is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if len(text) > maxSize {
		return "", wrongf("it is too large for a profile")
	}
	return string(text), err
}

// wanted are the kinds in words.
var wanted = map[Kind]string{
	Text: `a text in quotes, such as "comma"`, Number: "a whole number", Switch: "true or false",
	List: `a list of texts, such as ["Product ID"]`, Table: `a table with lines such as amount = "Open Balance"`,
}

func decode(meta toml.MetaData, value toml.Primitive, kind Kind) (values []string, err error) {
	var text string
	var number int
	var yes bool
	var table map[string]string
	switch kind {
	case Text:
		err = meta.PrimitiveDecode(value, &text)
		values = []string{text}
	case Number:
		err = meta.PrimitiveDecode(value, &number)
		values = []string{strconv.Itoa(number)}
	case Switch:
		err = meta.PrimitiveDecode(value, &yes)
		values = []string{strconv.FormatBool(yes)}
	case List:
		err = meta.PrimitiveDecode(value, &values)
	case Table:
		err = meta.PrimitiveDecode(value, &table)
		for name, text := range table {
			values = append(values, name+"="+text)
		}
		slices.Sort(values)
	}
	return values, err
}

// Write writes the profile as a whole, readable for its owner only, in the place of the one at the path. A link stays one.
func Write(path string, keys []Key, p Profile, comment string) error {
	text, err := encode(keys, p, comment)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return renameio.WriteFile(path, text, 0o600, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
}

func encode(keys []Key, p Profile, comment string) ([]byte, error) {
	values := map[string]any{}
	for _, key := range keys {
		given := p.Values[key.Name]
		if len(given) == 0 {
			continue
		}
		switch key.Kind {
		case Text:
			values[key.Name] = given[0]
		case Number:
			number, err := strconv.Atoi(given[0])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key.Name, err)
			}
			values[key.Name] = number
		case Switch:
			values[key.Name] = given[0] == "true"
		case List:
			values[key.Name] = given
		case Table:
			table := map[string]string{}
			for _, pair := range given {
				name, text, _ := strings.Cut(pair, "=")
				table[name] = text
			}
			values[key.Name] = table
		}
	}
	if len(p.OtherAmounts) > 0 {
		values[otherAmounts] = p.OtherAmounts
	}
	var text bytes.Buffer
	for line := range strings.Lines(comment) {
		text.WriteString("# " + line)
	}
	text.WriteString("\n")
	encoder := toml.NewEncoder(&text)
	encoder.Indent = ""
	if err := encoder.Encode(values); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
