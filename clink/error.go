package clink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxSample is the length in bytes of a text of unknown origin in an error: enough to tell a gateway's page
// from Clink's answer, and no wall of text in a log.
const maxSample = 200

// Error is a call that has failed. Its texts hold no secret.
type Error struct {
	Class      Class
	Status     int           // HTTP's; 0 when no answer came
	Code       int           // the envelope's; 0 when there is none
	Message    string        // Clink's own words, as they came: any length, control characters included
	Sample     string        // the beginning of a body that is not what Clink answers, printable, at most 200 bytes
	RetryAfter time.Duration // [Throttled] only; 0 when missing, unreadable or past
	Err        error         // the cause, where there is more to say
}

// Error is one printable line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("clink: ")
	b.WriteString(strings.ReplaceAll(string(e.Class), "_", " "))
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.Err != nil {
		b.WriteString(": " + inWords(e.Err))
	}
	if e.Message != "" {
		b.WriteString(": " + printable(e.Message, maxSample))
	}
	if e.Sample != "" {
		b.WriteString(": " + e.Sample)
	}
	return b.String()
}

// NotFound says whether somebody has answered that there is nothing at this address, Clink or a server before it: Clink does
// not know the session, or an installation has no such path.
func (e *Error) NotFound() bool {
	switch e.Class {
	case Misdirected:
		return isNotFound(e.Status)
	case Rejected:
		return isNotFound(e.Status) || e.Status <= 299 && isNotFound(e.Code)
	}
	return false
}

func isNotFound(n int) bool { return n == http.StatusNotFound || n == http.StatusMethodNotAllowed }

// inWords is the error's text, with words in the place of what the network's libraries call its ends.
func inWords(err error) string {
	text := err.Error()
	for _, end := range []struct {
		cause error
		words string
	}{
		{io.ErrUnexpectedEOF, "it was cut off"}, // before io.EOF, whose text it holds
		{io.EOF, "the connection ended without an answer"},
		{context.DeadlineExceeded, "no answer in time"},
	} {
		if errors.Is(err, end.cause) {
			text = strings.ReplaceAll(text, end.cause.Error(), end.words)
		}
	}
	return text
}

// Answered says that Clink itself told of the trouble, in the envelope of a 2xx: the call may have been carried out, but Clink is there.
func (e *Error) Answered() bool {
	return e.Class == Unknown && e.Status >= 200 && e.Status <= 299 && e.Code != 0 && e.Code != http.StatusOK
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }
