package clink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// envelope is what every answer of Clink's comes in.
type envelope struct {
	code    int
	message string
	data    json.RawMessage
}

// readEnvelope reads a body that is one JSON object with an integer code, and nothing after it.
// Whatever else is odd about it does not matter here: it must not hide the code.
func readEnvelope(body []byte) (envelope, error) {
	members, err := parseObject(body)
	if err != nil {
		return envelope{}, fmt.Errorf("the answer is %w", err)
	}
	code, err := strconv.Atoi(string(members["code"]))
	if err != nil {
		return envelope{}, errors.New("the answer has no code, or one that is no integer")
	}
	message, err := members.text("msg")
	if err != nil {
		message = untilToken(string(members["msg"]))
	}
	return envelope{code: code, message: message, data: members["data"]}, nil
}

// object is the envelope's data; nil when it is missing or null.
func (e envelope) object() (object, error) {
	if isNull(e.data) {
		return nil, nil
	}
	data, err := parseObject(e.data)
	if err != nil {
		return nil, fmt.Errorf("the answer's data is %w", err)
	}
	return data, nil
}

// object is a JSON object whose members are read one at a time, by their exact names,
// so that a member nobody asks for cannot make it unreadable.
type object map[string]json.RawMessage

var errNoObject = errors.New("not one JSON object")

func parseObject(raw []byte) (object, error) {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil || o == nil {
		return nil, errNoObject
	}
	return o, nil
}

// text is a member that must be a string; missing and null are "".
func (o object) text(name string) (string, error) {
	if isNull(o[name]) {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(o[name], &s); err != nil {
		return "", fmt.Errorf("the answer's %s is no string", name)
	}
	return s, nil
}

// texts reads the named members, which must be strings, into their places.
func (o object) texts(places map[string]*string) error {
	for name, place := range places {
		s, err := o.text(name)
		if err != nil {
			return err
		}
		*place = s
	}
	return nil
}

// number is a member that must be a number, or a string that is one; missing and null are "".
func (o object) number(name string) (json.Number, error) {
	raw := o[name]
	if isNull(raw) {
		return "", nil
	}
	n := json.Number(raw)
	if raw[0] == '"' {
		s, err := o.text(name)
		if err != nil {
			return "", err
		}
		n = json.Number(s)
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

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}
