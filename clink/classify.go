package clink

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Class says what is known after a request that has failed.
type Class string

const (
	NotSent      Class = "not_sent"     // the request did not reach Clink
	Throttled    Class = "throttled"    // Clink refused it for now
	Unauthorized Class = "unauthorized" // Clink refused the key
	Redirected   Class = "redirected"   // the address points elsewhere; nothing was sent on
	Misdirected  Class = "misdirected"  // somebody who is not Clink refused it: a gateway, a wrong base URL
	Rejected     Class = "rejected"     // Clink refused it, for a reason that trying again will not change
	Unknown      Class = "unknown"      // it may have been carried out
)

// response is how one request ended: an answer, or why there is none.
type response struct {
	err     error // why there is no whole answer; nil when there is one
	written bool  // the request's headers were written, so the server may have them
	status  int   // HTTP's; 0 when no answer came
	header  http.Header
	body    []byte
	tooLong bool // the body goes on behind what was read
}

// classification is what a response means.
type classification struct {
	class      Class // empty for a success
	reason     error // nil when class, status and code say it all
	code       int   // the envelope's, with its message
	message    string
	data       object // of a success
	members    object // of a success, the whole answer's
	unreadable bool   // the body is not what Clink answers: a sample of it tells more
}

// refusals are the names that Clink documents: a definite refusal, whatever number comes with them.
var refusals = []string{"CUSTOMER_NOT_FOUND", "CUSTOMER_IDENTIFIER_NOT_MATCHED"}

// refuses says whether the message names a documented refusal.
func refuses(message string) bool {
	return slices.ContainsFunc(refusals, func(name string) bool { return strings.Contains(message, name) })
}

// classify decides what a response means. A documented name in the envelope decides first, then the HTTP status; the envelope's
// code counts only under a 2xx, and then means what the same status would mean.
func classify(r response) classification {
	if r.err != nil {
		if !r.written {
			return classification{class: NotSent, reason: r.err}
		}
		return classification{class: Unknown, reason: r.err}
	}
	if r.status >= 200 && r.status <= 299 {
		return classifyAnswer(r)
	}
	env, err := readEnvelope(r.body)
	c := classification{code: env.code, message: env.message, unreadable: err != nil}
	switch {
	case refuses(c.message):
		c.class = Rejected
	case r.status >= 300 && r.status <= 399:
		c.class = Redirected
		if to := r.header.Get("Location"); to != "" {
			c.reason = fmt.Errorf("the address leads on to %q", to)
		}
	case r.status < 200 || r.status >= 600:
		c.class, c.reason = Unknown, errors.New("no status that HTTP knows")
	default:
		c.class = classOf(r.status)
		if c.class == Rejected && err != nil {
			c.class, c.reason = Misdirected, errors.New("the answer is not Clink's")
		}
	}
	return c
}

// classifyAnswer decides what the body of a 2xx means.
func classifyAnswer(r response) classification {
	if r.tooLong {
		return classification{class: Unknown, reason: errors.New("the answer is over 1 MiB"), unreadable: true}
	}
	env, err := readEnvelope(r.body)
	if err != nil {
		return classification{class: Unknown, reason: err, unreadable: true}
	}
	c := classification{code: env.code, message: env.message}
	if env.code != http.StatusOK {
		if c.class = classOf(env.code); refuses(c.message) {
			c.class = Rejected
		}
		return c
	}
	c.members = env.members
	switch c.data, err = env.data(); {
	case err != nil:
		c.class, c.reason, c.unreadable = Unknown, err, true
	case len(c.data) == 0 && refuses(c.message):
		c.class = Rejected
	}
	return c
}

// classOf is the class of a refusal's number, be it a status or an envelope's code.
func classOf(n int) Class {
	switch {
	case n == http.StatusTooManyRequests:
		return Throttled
	case n == http.StatusUnauthorized || n == http.StatusForbidden:
		return Unauthorized
	case n == http.StatusRequestTimeout || n >= 500 && n <= 599:
		return Unknown
	}
	return Rejected
}
