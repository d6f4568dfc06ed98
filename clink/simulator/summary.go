package simulator

import (
	"fmt"
	"sort"
	"strings"
	"sync/atomic"
	"time"
)

// answerKind sorts answers for the summary.
type answerKind uint8

const (
	kindCreated answerKind = iota
	kindRead
	kindRefused
	kindUnauthorized
	kindThrottled
	kindRedirected
	kindError
	kindClosed
	kindCount
)

var kindNames = [kindCount]string{
	"created", "read", "refused", "unauthorized", "throttled", "redirected", "error", "closed",
}

// tally counts as requests pass, without a lock.
type tally struct {
	creates     atomic.Int64
	reads       atomic.Int64
	orderLists  atomic.Int64
	strays      atomic.Int64
	rateLimited atomic.Int64
	answers     [kindCount]atomic.Int64
	faults      [len(faultTable)]atomic.Int64 // by index into faultTable
}

func (t *tally) countFault(fault Fault) { t.faults[fault.index()].Add(1) }

// Summary is what a simulator has seen so far. Counts of sessions include those whose answer was lost.
type Summary struct {
	Creates int `json:"creates"` // POSTs
	Reads   int `json:"reads"`   // GETs of a session
	Orders  int `json:"orders"`  // GETs of a list of orders, each page counted
	Strays  int `json:"strays"`  // requests to paths that Clink does not have: a redirect followed, a wrong base URL

	// Answers counts by kind: created, read, refused (4xx and the fault "code"), unauthorized, throttled,
	// redirected, error (5xx and HTML pages), closed (none, or cut off).
	Answers     map[string]int `json:"answers"`
	Faults      map[Fault]int  `json:"faults"`      // those that struck
	RateLimited int            `json:"rateLimited"` // refused by RatePerSecond, not by a fault

	Sessions           int `json:"sessions"`
	Undelivered        int `json:"undelivered"` // sessions whose answer never reached the client
	Paid               int `json:"paid"`
	Expired            int `json:"expired"` // unpaid at the end of their life
	References         int `json:"references"`
	RepeatedReferences int `json:"repeatedReferences"` // references with more than one session
}

// Summary walks every session: a second or so for a million of them.
func (s *Server) Summary() Summary {
	summary := Summary{
		Creates:     int(s.tally.creates.Load()),
		Reads:       int(s.tally.reads.Load()),
		Orders:      int(s.tally.orderLists.Load()),
		Strays:      int(s.tally.strays.Load()),
		RateLimited: int(s.tally.rateLimited.Load()),
		Answers:     map[string]int{},
		Faults:      map[Fault]int{},
		Sessions:    s.record.created(),
	}
	for kind, name := range kindNames {
		if n := int(s.tally.answers[kind].Load()); n > 0 {
			summary.Answers[name] = n
		}
	}
	for i, row := range faultTable {
		if n := int(s.tally.faults[i].Load()); n > 0 {
			summary.Faults[row.fault] = n
		}
	}
	now := time.Now()
	sessionsOf := map[string]int{}
	for _, e := range s.record.all() {
		switch e.status(now) {
		case Completed:
			summary.Paid++
		case Expired:
			summary.Expired++
		}
		if !e.delivered {
			summary.Undelivered++
		}
		if e.reference != "" {
			sessionsOf[e.reference]++
		}
	}
	summary.References = len(sessionsOf)
	for _, n := range sessionsOf {
		if n > 1 {
			summary.RepeatedReferences++
		}
	}
	return summary
}

// String is a few lines for people, without a line break at the end.
func (s Summary) String() string {
	lines := []string{
		fmt.Sprintf("requests: %d creates, %d reads%s%s", s.Creates, s.Reads, countIfAny(", %d of orders", s.Orders), countIfAny(", %d to unknown paths", s.Strays)),
		"answers:  " + counts(s.Answers) + countIfAny(" (%d over the rate)", s.RateLimited),
		fmt.Sprintf("sessions: %d for %d references, %d references with more than one; %d paid, %d expired, %d whose answer was lost",
			s.Sessions, s.References, s.RepeatedReferences, s.Paid, s.Expired, s.Undelivered),
	}
	if len(s.Faults) > 0 {
		lines = append(lines, "faults:   "+counts(s.Faults))
	}
	return strings.Join(lines, "\n")
}

func countIfAny(format string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

// counts reads "3 created, 1 refused": the largest first.
func counts[K ~string](of map[K]int) string {
	if len(of) == 0 {
		return "none"
	}
	names := make([]K, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if of[names[i]] != of[names[j]] {
			return of[names[i]] > of[names[j]]
		}
		return names[i] < names[j]
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%d %s", of[name], name)
	}
	return strings.Join(parts, ", ")
}
