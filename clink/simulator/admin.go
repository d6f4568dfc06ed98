package simulator

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Server) serveSummary(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Summary())
}

func (s *Server) serveSessions(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	buffered := bufio.NewWriterSize(w, 1<<16)
	defer buffered.Flush()
	lines := json.NewEncoder(buffered)
	now := time.Now()
	for number, e := range s.record.all() {
		if lines.Encode(s.session(number, e, now)) != nil {
			return // the reader has gone
		}
	}
}

func (s *Server) serveRequests(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	buffered := bufio.NewWriterSize(w, 1<<16)
	defer buffered.Flush()
	lines := json.NewEncoder(buffered)
	for _, request := range s.Requests() {
		if lines.Encode(request) != nil {
			return // the reader has gone
		}
	}
}

// serveSetStatus answers with the session as it then is.
func (s *Server) serveSetStatus(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Status string `json:"status"`
	}
	if !readJSON(w, r, &wanted) {
		return
	}
	alter, known := statusChanges[wanted.Status]
	if !known {
		writeJSON(w, http.StatusBadRequest, adminError{"status must be one of " + strings.Join(slices.Sorted(maps.Keys(statusChanges)), ", ")})
		return
	}
	id, _ := parseSessionID(r.PathValue("id"))
	if !s.record.change(id, alter) {
		writeJSON(w, http.StatusNotFound, adminError{"no such session"})
		return
	}
	session, _ := s.find(r.PathValue("id"))
	writeJSON(w, http.StatusOK, session)
}

// statusChanges are the moves that can be made by hand, from whatever state.
var statusChanges = map[string]func(*entry){
	string(Paid):       func(e *entry) { e.pay(paid, orderSuccess) },
	string(Processing): func(e *entry) { e.pay(processing, orderPending) },
	string(Expired): func(e *entry) {
		e.pay(unpaid, noOrder)
		e.expires = min(e.expires, time.Now().UnixMilli())
	},
	string(OrderFailed):          func(e *entry) { e.pay(unpaid, orderFailed) },
	string(OrderRefunded):        func(e *entry) { e.pay(paid, orderRefunded) },
	string(OrderPartialRefunded): func(e *entry) { e.pay(paid, orderPartialRefunded) },
}

// serveSetFaults changes what requests meet from now on; what is left out is none.
func (s *Server) serveSetFaults(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Faults      string `json:"faults"`
		GetFaults   string `json:"getFaults"`
		RevokeAfter *int   `json:"revokeAfter"`
	}
	if !readJSON(w, r, &wanted) {
		return
	}
	posts, err := ParseFaults(wanted.Faults)
	if err == nil {
		err = checkShares(posts, http.MethodPost)
	}
	var gets map[Fault]float64
	if err == nil {
		gets, err = ParseFaults(wanted.GetFaults)
	}
	if err == nil {
		err = checkShares(gets, http.MethodGet)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, adminError{err.Error()})
		return
	}
	s.faults.Store(newFaults(s.config.Seed, posts, gets))
	s.revokeAt.Store(never)
	if wanted.RevokeAfter != nil {
		s.revokeAt.Store(int64(s.record.created() + *wanted.RevokeAfter))
	}
	writeJSON(w, http.StatusOK, wanted)
}

// serveSetLifetime changes how long the sessions live that are made from now on.
func (s *Server) serveSetLifetime(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Lifetime string `json:"lifetime"`
	}
	if !readJSON(w, r, &wanted) {
		return
	}
	lifetime, err := time.ParseDuration(wanted.Lifetime)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, adminError{err.Error()})
		return
	}
	s.record.live(lifetime)
	writeJSON(w, http.StatusOK, wanted)
}

// readJSON answers by itself where the body is not one of a control, and reports false.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, adminError{err.Error()})
		return false
	}
	return true
}

type adminError struct {
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(value)
}
