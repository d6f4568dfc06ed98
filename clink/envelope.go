package clink

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// object is a JSON object whose members are decoded one at a time, by their exact names, so that a member nobody asks for
// cannot make it unreadable. Of two members with one name the last counts.
type object map[string]json.RawMessage

var errNoObject = errors.New("not one JSON object")

// envelope is what every answer of Clink's comes in.
type envelope struct {
	code    int
	message string
	members object
}

// readEnvelope reads a body that is one JSON object with an integer code, and nothing after it.
// Whatever else is odd about it does not matter here: it must not hide the code.
func readEnvelope(body []byte) (envelope, error) {
	var members object
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return envelope{}, fmt.Errorf("the answer is %w", errNoObject)
	}
	code, err := strconv.Atoi(string(members["code"]))
	if err != nil {
		return envelope{}, errors.New("the answer has no code, or one that is no integer")
	}
	var message string
	if json.Unmarshal(members["msg"], &message) != nil {
		message = untilSecret(string(members["msg"]))
	}
	return envelope{code: code, message: message, members: members}, nil
}

// data is nil when it is missing or null.
func (e envelope) data() (data object, err error) {
	if raw, found := e.members["data"]; found && json.Unmarshal(raw, &data) != nil {
		return nil, fmt.Errorf("the answer's data is %w", errNoObject)
	}
	return data, nil
}

// field is where a member goes: to a *string, or to a *json.Number, which takes a number or a string that is one.
type field struct {
	name string
	to   any
}

// read decodes members into their fields. A member that is missing or null leaves its field empty.
func (o object) read(fields ...field) error {
	for _, f := range fields {
		if raw, found := o[f.name]; found && json.Unmarshal(raw, f.to) != nil {
			if _, ok := f.to.(*json.Number); ok {
				return fmt.Errorf("the answer's %s is no number", f.name)
			}
			return fmt.Errorf("the answer's %s is no string", f.name)
		}
	}
	return nil
}

// time is a member that should be an ISO 8601 time with its offset, in UTC; in any other
// form, and outside the years 2000 to 9999, it is the zero time.
func (o object) time(name string) time.Time {
	var s string
	_ = o.read(field{name, &s}) // what is no string is no time either
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if t, err := time.Parse(layout, s); err == nil {
			return plausible(t)
		}
	}
	return time.Time{}
}

// milliseconds is a member that should be a number of milliseconds since the Unix epoch, in UTC; in any other form, and
// outside the years 2000 to 9999, it is the zero time.
func (o object) milliseconds(name string) time.Time {
	var n json.Number
	_ = o.read(field{name, &n}) // what is no number is no time either
	if ms, err := n.Int64(); err == nil {
		return plausible(time.UnixMilli(ms))
	}
	return time.Time{}
}

// plausible is t in UTC, or the zero time where t is outside the years 2000 to 9999.
func plausible(t time.Time) time.Time {
	if t = t.UTC(); t.Year() >= 2000 && t.Year() <= 9999 {
		return t
	}
	return time.Time{}
}
