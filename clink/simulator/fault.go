package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fault is a way to misbehave. A request meets at most one. A fault that creates a session first checks
// the request as usual, and a bad request gets its refusal instead; the others strike before the
// request is read, as a gateway would. [Fault.Effect] says what the simulator does, [Fault.Outcome]
// what a client should make of it.
type Fault string

const (
	Lost           Fault = "lost"            // the network fails while the answer is on its way
	LostBefore     Fault = "lost-before"     // the network fails while the request is on its way
	Before500      Fault = "500-before"      // Clink breaks before it has done the work
	After500       Fault = "500-after"       // Clink breaks after it has done the work
	Cut            Fault = "cut"             // the network fails in the middle of the answer
	HTML502        Fault = "html"            // a gateway that cannot reach Clink
	HTML200        Fault = "html-200"        // a proxy or login page that swallows the answer
	CodeUnder200   Fault = "code"            // a refusal that only the envelope tells
	Throttle429    Fault = "429"             // too many requests, for how long is not said
	NotFound404    Fault = "404"             // GET only: Clink does not know the session
	WrongAmount    Fault = "wrong-amount"    // Clink made a session over another amount
	WrongCurrency  Fault = "wrong-currency"  // Clink made a session in another currency
	WrongReference Fault = "wrong-reference" // Clink answers with somebody else's session
	NoURL          Fault = "no-url"          // an answer without its link
	BadURL         Fault = "bad-url"         // a link that must not be handed to a customer
	NoExpiry       Fault = "no-expiry"       // an answer that does not say how long the link lives
	Slow           Fault = "slow"            // Clink takes longer than the client waits
	Redirect       Fault = "redirect"        // a host that has moved, or a captive portal
	Unauthorized   Fault = "401"             // a key that was revoked during the run
	Refuse         Fault = "refuse"          // a row that Clink will never accept
)

type faultRow struct {
	fault   Fault
	creates bool // a session exists afterwards
	loses   bool // and its id never reaches the client
	effect  string
	outcome string
}

var faultTable = [...]faultRow{
	{Lost, true, true, "session created, connection closed without an answer", "unknown"},
	{LostBefore, false, false, "connection closed, nothing created", "unknown"},
	{Before500, false, false, "500, nothing created", "unknown"},
	{After500, true, true, "session created, then 500", "unknown"},
	{Cut, true, true, "session created, answer cut off in the middle", "unknown"},
	{HTML502, false, false, "502 with an HTML page, nothing created", "unknown"},
	{HTML200, true, true, "session created, 200 with an HTML page", "unknown"},
	{CodeUnder200, false, false, "HTTP 200 with code 400 in the envelope", "rejected"},
	{Throttle429, false, false, "429 without Retry-After", "throttled"},
	{NotFound404, false, false, "404 for a session that exists (GET only)", "rejected"},
	{WrongAmount, true, false, "session created, answer names a higher amount", "mismatch"},
	{WrongCurrency, true, false, "session created, answer names another currency", "mismatch"},
	{WrongReference, true, false, "session created, answer names another reference", "mismatch"},
	{NoURL, true, false, "session created, answer without a URL", "mismatch"},
	{BadURL, true, false, "session created, answer with a javascript: URL", "mismatch"},
	{NoExpiry, true, false, "session created, answer without its expiry", "created"},
	{Slow, true, false, "session created, answer held back", "unknown"},
	{Redirect, false, false, "302 to a path elsewhere", "redirected"},
	{Unauthorized, false, false, "401, whatever the key", "unauthorized"},
	{Refuse, false, false, "422 with a refusal in the envelope", "rejected"},
}

var getFaults = []Fault{Lost, Before500, NotFound404, Throttle429}

// Faults lists every fault, in the order of the documentation.
func Faults() []Fault {
	all := make([]Fault, len(faultTable))
	for i, row := range faultTable {
		all[i] = row.fault
	}
	return all
}

// Effect says in a few words what the simulator does; "" for a fault that does not exist.
func (f Fault) Effect() string { return f.row().effect }

// Outcome is the word for what a client should make of a create that meets this fault: created, unknown,
// throttled, unauthorized, redirected, rejected or mismatch.
func (f Fault) Outcome() string { return f.row().outcome }

func (f Fault) row() faultRow {
	if i := f.index(); i >= 0 {
		return faultTable[i]
	}
	return faultRow{}
}

func (f Fault) index() int {
	return slices.IndexFunc(faultTable[:], func(row faultRow) bool { return row.fault == f })
}

// ParseFaults reads shares such as "lost=10%,500-before=5%"; a share is a percentage or a number from
// 0 to 1. An empty text is no faults. Whether they fit together [Config.Validate] tells.
func ParseFaults(text string) (map[Fault]float64, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	shares := map[Fault]float64{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return nil, fmt.Errorf("fault %q: want name=share, such as lost=10%%", part)
		}
		fault := Fault(strings.TrimSpace(name))
		if fault.index() < 0 {
			return nil, fmt.Errorf("fault %q is unknown: there are %s", name, joinFaults(Faults()))
		}
		if _, twice := shares[fault]; twice {
			return nil, fmt.Errorf("fault %q is given twice", name)
		}
		number, percent := strings.CutSuffix(strings.TrimSpace(value), "%")
		share, err := strconv.ParseFloat(number, 64)
		if percent {
			share /= 100
		}
		if err != nil || !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("fault %s: share %q is not from 0%% to 100%%", fault, value)
		}
		shares[fault] = share
	}
	return shares, nil
}

func joinFaults(faults []Fault) string {
	names := make([]string, len(faults))
	for i, fault := range faults {
		names[i] = string(fault)
	}
	return strings.Join(names, ", ")
}

func checkShares(shares map[Fault]float64, method string) error {
	sum := 0.0
	for fault, share := range shares {
		isGet := slices.Contains(getFaults, fault)
		switch {
		case fault.index() < 0:
			return fmt.Errorf("%q is unknown: there are %s", fault, joinFaults(Faults()))
		case method == http.MethodGet && !isGet:
			return fmt.Errorf("%s does not exist for GET: there are %s", fault, joinFaults(getFaults))
		case method == http.MethodPost && fault == NotFound404:
			return fmt.Errorf("%s exists for GET only", fault)
		case !(share >= 0 && share <= 1):
			return fmt.Errorf("share %v of %s is not from 0 to 1", share, fault)
		}
		sum += share
	}
	const roundingError = 1e-9 // of adding up twenty shares
	if sum > 1+roundingError {
		return fmt.Errorf("the shares add up to %g%%, over 100%%", sum*100)
	}
	return nil
}

// dice draws one fault, or none, for each request, in an order that its seed fixes.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
	upTo   []float64 // aligned with faults, ascending
	faults []Fault
}

func newDice(seed, stream uint64, shares map[Fault]float64) *dice {
	d := &dice{random: rand.New(rand.NewPCG(seed, stream))}
	sum := 0.0
	for _, fault := range Faults() {
		if share := shares[fault]; share > 0 {
			sum += share
			d.faults = append(d.faults, fault)
			d.upTo = append(d.upTo, sum)
		}
	}
	return d
}

// roll returns "" when the request is to be served as it should be.
func (d *dice) roll() Fault {
	if len(d.faults) == 0 {
		return ""
	}
	d.mu.Lock()
	drawn := d.random.Float64()
	d.mu.Unlock()
	for i, limit := range d.upTo {
		if drawn < limit {
			return d.faults[i]
		}
	}
	return ""
}
