package clink

import (
	"errors"
	"fmt"
	"net/http"
)

// Class says what is known after a call that has failed.
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

// ending is all that is known of how one request ended.
type ending struct {
	err     error // why there is no whole answer; nil when there is one
	written bool  // the request's headers may have left
	status  int   // HTTP's; 0 when no answer came
	header  http.Header
	body    []byte
	tooLong bool // there was more than body
}

// verdict is what an ending means.
type verdict struct {
	class      Class // empty for a success
	reason     error // nil when class, status and code say it all
	code       int   // the envelope's, with its message
	message    string
	data       object // of a success
	unreadable bool   // the body is not what Clink answers: a sample of it tells more
}

// classify decides what an ending means. The HTTP status decides; the envelope's code counts
// only under a 2xx, and then means what the same status would mean.
func classify(e ending) verdict {
	if e.err != nil {
		if !e.written {
			return verdict{class: NotSent, reason: e.err}
		}
		return verdict{class: Unknown, reason: e.err}
	}
	if e.status >= 200 && e.status <= 299 {
		return classifyAnswer(e)
	}
	env, err := readEnvelope(e.body)
	v := verdict{code: env.code, message: env.message, unreadable: err != nil}
	switch {
	case e.status >= 300 && e.status <= 399:
		v.class = Redirected
		if to := e.header.Get("Location"); to != "" {
			v.reason = fmt.Errorf("the address leads on to %q", to)
		}
	case e.status < 200 || e.status >= 600:
		v.class, v.reason = Unknown, errors.New("no status that HTTP knows")
	default:
		v.class = meaning(e.status)
		if v.class == Rejected && err != nil {
			v.class, v.reason = Misdirected, errors.New("the answer is not Clink's")
		}
	}
	return v
}

// classifyAnswer decides what the body of a 2xx means.
func classifyAnswer(e ending) verdict {
	if e.tooLong {
		return verdict{class: Unknown, reason: errors.New("the answer is over 1 MiB"), unreadable: true}
	}
	env, err := readEnvelope(e.body)
	if err != nil {
		return verdict{class: Unknown, reason: err, unreadable: true}
	}
	v := verdict{code: env.code, message: env.message}
	if env.code != http.StatusOK {
		v.class = meaning(env.code)
		return v
	}
	if v.data, err = env.data(); err != nil {
		v.class, v.reason, v.unreadable = Unknown, err, true
	}
	return v
}

// meaning is what a refusal's number means, be it a status or an envelope's code.
func meaning(n int) Class {
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
