package simulator

import (
	"bufio"
	"encoding/json"
	"net/http"
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

// serveSetStatus answers with the session as it then is.
func (s *Server) serveSetStatus(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Status string `json:"status"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		writeJSON(w, http.StatusBadRequest, adminError{err.Error()})
		return
	}
	alter, known := statusChanges[wanted.Status]
	if !known {
		writeJSON(w, http.StatusBadRequest, adminError{"status must be paid, processing or expired"})
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
	string(Paid):       func(e *entry) { e.payment = paid },
	string(Processing): func(e *entry) { e.payment = processing },
	string(Expired): func(e *entry) {
		e.payment, e.expires = unpaid, min(e.expires, time.Now().UnixMilli())
	},
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
