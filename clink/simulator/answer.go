package simulator

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// answer is what a request is to get, decided before anything is written.
type answer struct {
	kind       answerKind
	status     int
	header     map[string]string
	body       []byte
	isHTML     bool
	isEnvelope bool
	ending     ending
	hold       time.Duration // on top of the latency
	session    *sessionID    // the session that the answer tells of, if it makes one
}

// ending is how much of an answer is sent.
type ending uint8

const (
	whole ending = iota
	half
	nothing
)

// timeFormat is ISO 8601, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func envelope(kind answerKind, code int, msg string, data any) answer {
	body, err := json.Marshal(struct {
		Code int    `json:"code"`
		Msg  string `json:"msg"`
		Data any    `json:"data"`
	}{code, msg, data})
	if err != nil {
		panic("simulator: " + err.Error()) // a json.Number that is none: a bug
	}
	return answer{kind: kind, status: code, body: body, isEnvelope: true}
}

func success(kind answerKind, data any) answer {
	return envelope(kind, http.StatusOK, "success", data)
}

func refuse(code int, msg string) answer {
	kind := kindRefused
	switch {
	case code == http.StatusUnauthorized:
		kind = kindUnauthorized
	case code == http.StatusTooManyRequests:
		kind = kindThrottled
	case code >= 500:
		kind = kindError
	}
	return envelope(kind, code, msg, nil)
}

func page(status int, title string) answer {
	body := "<!doctype html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"
	return answer{kind: kindError, status: status, body: []byte(body), isHTML: true}
}

func closeConnection() answer {
	return answer{kind: kindClosed, ending: nothing}
}

// send waits out the latency and writes the answer. A client that goes away first never gets it, and the
// session's record then says so. It is counted before it is written, so that a client that
// has it can rely on the summary.
func (s *Server) send(w http.ResponseWriter, r *http.Request, a answer) {
	if !s.wait(r, a.hold) {
		if a.session != nil {
			s.record.change(*a.session, func(e *entry) { e.delivered = false })
		}
		a = closeConnection()
	}
	s.tally.answers[a.kind].Add(1)
	if a.ending == nothing {
		panic(http.ErrAbortHandler)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	if a.isHTML {
		header.Set("Content-Type", "text/html; charset=utf-8")
	}
	for name, value := range a.header {
		header.Set(name, value)
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.isEnvelope && s.config.CodesUnder200 {
		a.status = http.StatusOK
	}
	w.WriteHeader(a.status)
	if a.ending == half {
		w.Write(a.body[:len(a.body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(a.body)
}

// wait reports false when the client went away first.
func (s *Server) wait(r *http.Request, hold time.Duration) bool {
	delay := s.config.Latency + hold
	if s.config.Jitter > 0 {
		delay += time.Duration(rand.Float64() * s.config.Jitter * float64(s.config.Latency))
	}
	if delay <= 0 {
		return true
	}
	end := time.Now().Add(delay)
	if s.config.Rest != nil {
		delay -= time.Millisecond
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		if s.config.Rest != nil {
			s.config.Rest(time.Until(end))
		}
		return true
	case <-r.Context().Done():
		return false
	}
}
