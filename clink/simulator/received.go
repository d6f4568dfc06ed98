package simulator

import "time"

// Request is a request of one of Clink's calls as the simulator has answered it.
type Request struct {
	At        time.Time `json:"at"`
	Call      string    `json:"call"`                          // create, read or orders
	Reference string    `json:"merchantReferenceId,omitempty"` // that it is about, also where a fault has refused it; empty when the key or the rate has
	SessionID string    `json:"sessionId,omitempty"`           // that was made or read
	Status    int       `json:"status"`                        // HTTP's; 0 for a connection that was closed
	Fault     Fault     `json:"fault,omitempty"`
}

// received is a request in as few bytes as will do.
type received struct {
	at        int64 // milliseconds since the Unix epoch
	reference string
	session   string     // that was read
	made      *sessionID // nil when none was
	status    uint16
	request   requestKind
	fault     uint8 // index into faultTable, plus 1; 0 is none
}

var callNames = map[requestKind]string{onCreate: "create", onRead: "read", onOrders: "orders"}

// note puts a request on record with what it is answered.
func (r *record) note(asked received, a answer) {
	if r.keepNone {
		return
	}
	asked.at = time.Now().UnixMilli()
	asked.made = a.session
	if a.ending == whole {
		asked.status = uint16(a.status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, asked)
}

// Requests returns every request of Clink's calls, in the order in which they were answered.
func (s *Server) Requests() []Request {
	s.record.mu.Lock()
	all := s.record.requests[:len(s.record.requests):len(s.record.requests)]
	s.record.mu.Unlock()
	requests := make([]Request, 0, len(all))
	for _, r := range all {
		request := Request{
			At: time.UnixMilli(r.at).UTC(), Call: callNames[r.request], Reference: r.reference,
			SessionID: r.session, Status: int(r.status), Fault: faultOf(r.fault),
		}
		if r.made != nil {
			request.SessionID = r.made.String()
		}
		requests = append(requests, request)
	}
	return requests
}
