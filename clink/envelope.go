package clink

import (
	"errors"
	"fmt"
	"strconv"
)

// envelope is what every answer of Clink's comes in.
type envelope struct {
	code    int
	message string
	members object
}

// readEnvelope reads a body that is one JSON object with an integer code, and nothing after it.
// Whatever else is odd about it does not matter here: it must not hide the code.
func readEnvelope(body []byte) (envelope, error) {
	members, err := parseObject(string(body), 4) // it has three
	if err != nil {
		return envelope{}, fmt.Errorf("the answer is %w", err)
	}
	code, err := strconv.Atoi(members.raw("code"))
	if err != nil {
		return envelope{}, errors.New("the answer has no code, or one that is no integer")
	}
	message, err := members.text("msg")
	if err != nil {
		message = untilSecret(members.raw("msg"))
	}
	return envelope{code: code, message: message, members: members}, nil
}

// data is nil when it is missing or null.
func (e envelope) data() (object, error) { return e.members.object("data") }
