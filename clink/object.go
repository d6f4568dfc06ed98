package clink

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// object is a JSON object whose members are read one at a time, by their exact names, so that a
// member nobody asks for cannot make it unreadable. Of two members with one name the last counts.
type object []member

type member struct {
	name string
	raw  string // valid JSON, and no space around it
}

var errNoObject = errors.New("not one JSON object")

// parseObject reads a text that must be one JSON object, of about so many members, and nothing after it.
func parseObject(text string, expected int) (object, error) {
	o := make(object, 0, expected)
	c := cursor{text: text}
	c.space()
	c.must("{")
	for more := c.first("}"); more; more = c.another("}") {
		name, raw := c.member(1)
		o = append(o, member{unquote(name), raw})
	}
	if c.space(); c.failed || c.at < len(text) {
		return nil, errNoObject
	}
	return o, nil
}

// unquote is what a JSON string says; of one that could not be read, nothing.
func unquote(quoted string) string {
	if len(quoted) < 2 {
		return ""
	}
	plain := quoted[1 : len(quoted)-1]
	if strings.IndexByte(plain, '\\') < 0 && utf8.ValidString(plain) {
		return plain
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // it is a string: nothing can be wrong with it
	return s
}

// raw is a member as it stands; empty when it is missing or null.
func (o object) raw(name string) string {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			if o[i].raw == "null" {
				return ""
			}
			return o[i].raw
		}
	}
	return ""
}

// object is a member that must be an object; missing and null are nil.
func (o object) object(name string) (object, error) {
	raw := o.raw(name)
	if raw == "" {
		return nil, nil
	}
	member, err := parseObject(raw, 12) // a session has ten
	if err != nil {
		return nil, fmt.Errorf("the answer's %s is %w", name, err)
	}
	return member, nil
}

// text is a member that must be a string; missing and null are "".
func (o object) text(name string) (string, error) {
	raw := o.raw(name)
	if raw == "" {
		return "", nil
	}
	if raw[0] != '"' {
		return "", fmt.Errorf("the answer's %s is no string", name)
	}
	return unquote(raw), nil
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
	if raw == "" {
		return "", nil
	}
	n := json.Number(raw)
	if raw[0] == '"' {
		n = json.Number(unquote(raw))
	}
	if !isNumber(n) {
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
