package clink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// object is a JSON object whose members are read one at a time, by their exact names, so that a
// member nobody asks for cannot make it unreadable. Of two members with one name the last counts.
// It points into the bytes it was made from; what is read from it does not.
type object []member

type member struct {
	name []byte
	raw  json.RawMessage // valid, and no space around it
}

var errNoObject = errors.New("not one JSON object")

// parseObject reads raw, which must be one JSON object and nothing after it.
func parseObject(raw []byte) (object, error) {
	if !json.Valid(raw) {
		return nil, errNoObject
	}
	return members(raw, 4) // an envelope has three
}

// members cuts an object into its members, about as many as expected. The syntax has been
// checked before, once for the whole answer: anything but valid JSON would make it panic.
func members(valid []byte, expected int) (object, error) {
	rest := trimSpace(valid)
	if rest[0] != '{' {
		return nil, errNoObject
	}
	o := make(object, 0, expected)
	for rest = trimSpace(rest[1:]); rest[0] != '}'; {
		name, after := cutValue(rest)
		raw, after := cutValue(trimSpace(trimSpace(after)[len(":"):]))
		o = append(o, member{unquote(name), raw})
		if rest = trimSpace(after); rest[0] == ',' {
			rest = trimSpace(rest[1:])
		}
	}
	return o, nil
}

// cutValue cuts off the value, or the name, that valid begins with.
func cutValue(valid []byte) (value, rest []byte) {
	depth := 0
	for i := 0; i < len(valid); i++ {
		switch valid[i] {
		case '"':
			for i++; valid[i] != '"'; i++ {
				if valid[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return valid[:i], valid[i:]
			}
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return valid[:i], valid[i:]
			}
		}
	}
	return valid, nil
}

// unquote is what a JSON string says.
func unquote(quoted []byte) []byte {
	plain := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return plain
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is a string: nothing can be wrong with it
	return []byte(s)
}

// trimSpace is valid from its first byte that is no space.
func trimSpace(valid []byte) []byte {
	for i, c := range valid {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return valid[i:]
		}
	}
	return nil
}

// raw is a member as it stands; nil when it is missing or null.
func (o object) raw(name string) json.RawMessage {
	for i := len(o) - 1; i >= 0; i-- {
		if string(o[i].name) == name {
			if string(o[i].raw) == "null" {
				return nil
			}
			return o[i].raw
		}
	}
	return nil
}

// object is a member that must be an object; missing and null are nil.
func (o object) object(name string) (object, error) {
	raw := o.raw(name)
	if raw == nil {
		return nil, nil
	}
	member, err := members(raw, 12) // a session has ten
	if err != nil {
		return nil, fmt.Errorf("the answer's %s is %w", name, err)
	}
	return member, nil
}

// text is a member that must be a string; missing and null are "".
func (o object) text(name string) (string, error) {
	raw := o.raw(name)
	if raw == nil {
		return "", nil
	}
	if raw[0] != '"' {
		return "", fmt.Errorf("the answer's %s is no string", name)
	}
	return string(unquote(raw)), nil
}

// place is where a member's text goes.
type place struct {
	name string
	text *string
}

// texts reads members that must be strings into their places.
func (o object) texts(places ...place) error {
	for _, p := range places {
		s, err := o.text(p.name)
		if err != nil {
			return err
		}
		*p.text = s
	}
	return nil
}

// number is a member that must be a number, or a string that is one; missing and null are "".
func (o object) number(name string) (json.Number, error) {
	raw := o.raw(name)
	if raw == nil {
		return "", nil
	}
	n := json.Number(raw)
	if raw[0] == '"' {
		n = json.Number(unquote(raw))
	}
	if _, ok := parseDecimal(n); !ok {
		return "", fmt.Errorf("the answer's %s is no number", name)
	}
	return n, nil
}

// moment is a member that should be an ISO 8601 time with its offset, in UTC; in any other
// form, and outside the years 2000 to 9999, it is the zero time.
func (o object) moment(name string) time.Time {
	s, err := o.text(name)
	if err != nil {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if t, err := time.Parse(layout, s); err == nil {
			if t = t.UTC(); t.Year() >= 2000 && t.Year() <= 9999 {
				return t
			}
			return time.Time{}
		}
	}
	return time.Time{}
}
