package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fault is a way to misbehave. A request meets at most one. A fault that creates a session first checks
// the request as usual, and a bad request gets its refusal instead; the others strike before the
// request is read, as a gateway would. [Fault.Effect] says what the simulator does, [Fault.Outcome]
// what a client should make of it.
//
// A fault may name the rows that it strikes, after a colon: "html-403:*@shop.example" strikes the requests whose
// reference or customer's email fits the pattern, in which * is any text. A read and a list of orders fit by the session
// or the reference that they ask for.
type Fault string

const (
	Lost           Fault = "lost"            // the network fails while the answer is on its way
	LostBefore     Fault = "lost-before"     // the network fails while the request is on its way
	Before500      Fault = "500-before"      // Clink breaks before it has done the work
	After500       Fault = "500-after"       // Clink breaks after it has done the work
	Cut            Fault = "cut"             // the network fails in the middle of the answer
	HTML502        Fault = "html"            // a gateway that cannot reach Clink
	HTML200        Fault = "html-200"        // a proxy or login page that swallows the answer
	HTML403        Fault = "html-403"        // a firewall that dislikes something in the request
	HTML404        Fault = "html-404"        // a gateway without a route for the request
	HTML413        Fault = "html-413"        // a gateway for which the request is too large
	CodeUnder200   Fault = "code"            // a refusal that only the envelope tells
	Code500        Fault = "code-500"        // a refusal as a framework words it: HTTP 200, code 500
	Customer500    Fault = "customer-500"    // a refusal by its documented name, under a number that says otherwise
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
	Forbidden      Fault = "403"             // Clink forbids this one row
	Refuse         Fault = "refuse"          // a row that Clink will never accept
	SaysExpired    Fault = "says-expired"    // sessions expire, whether they were paid or not
	NoOrders       Fault = "no-orders"       // an installation of Clink without orders
	Unfiltered     Fault = "unfiltered"      // an installation whose list of orders has no filter
)

// requestKind is a set of kinds of request.
type requestKind uint8

const (
	onCreate requestKind = 1 << iota
	onRead               // of a session
	onOrders
	onGet = onRead | onOrders
	onAll = onCreate | onGet
)

type faultRow struct {
	fault   Fault
	strikes requestKind
	creates bool // a session exists afterwards
	loses   bool // and its id never reaches the client
	effect  string
	outcome string
}

var faultTable = [...]faultRow{
	{Lost, onAll, true, true, "session created, connection closed without an answer", "unknown"},
	{LostBefore, onCreate, false, false, "connection closed, nothing created", "unknown"},
	{Before500, onAll, false, false, "500, nothing created", "unknown"},
	{After500, onCreate, true, true, "session created, then 500", "unknown"},
	{Cut, onCreate, true, true, "session created, answer cut off in the middle", "unknown"},
	{HTML502, onAll, false, false, "502 with an HTML page, nothing created", "unknown"},
	{HTML200, onCreate, true, true, "session created, 200 with an HTML page", "unknown"},
	{HTML403, onAll, false, false, "403 with an HTML page, nothing created", "unauthorized"},
	{HTML404, onAll, false, false, "404 with an HTML page, nothing created", "misdirected"},
	{HTML413, onAll, false, false, "413 with an HTML page, nothing created", "misdirected"},
	{CodeUnder200, onCreate, false, false, "HTTP 200 with code 400 in the envelope", "rejected"},
	{Code500, onAll, false, false, "HTTP 200 with code 500 in the envelope, nothing created", "unknown"},
	{Customer500, onCreate, false, false, "500 with CUSTOMER_NOT_FOUND in the envelope", "rejected"},
	{Throttle429, onAll, false, false, "429 without Retry-After", "throttled"},
	{NotFound404, onGet, false, false, "404 for a session that exists (GET only)", "rejected"},
	{WrongAmount, onCreate, true, false, "session created, answer names a higher amount", "mismatch"},
	{WrongCurrency, onCreate, true, false, "session created, answer names another currency", "mismatch"},
	{WrongReference, onCreate | onRead, true, false, "session created, answer names another reference; to a GET another status, too", "mismatch"},
	{NoURL, onCreate, true, false, "session created, answer without a URL", "mismatch"},
	{BadURL, onCreate, true, false, "session created, answer with a javascript: URL", "mismatch"},
	{NoExpiry, onCreate, true, false, "session created, answer without its expiry", "created"},
	{Slow, onCreate, true, false, "session created, answer held back", "unknown"},
	{Redirect, onAll, false, false, "302 to a path elsewhere", "redirected"},
	{Unauthorized, onAll, false, false, "401, whatever the key", "unauthorized"},
	{Forbidden, onAll, false, false, "403 in the envelope, whatever the key", "unauthorized"},
	{Refuse, onCreate, false, false, "422 with a refusal in the envelope", "rejected"},
	{SaysExpired, onRead, false, false, "a session is said to be expired and unpaid, though it is not (GET only)", "created"},
	{NoOrders, onOrders, false, false, "404 with an HTML page for a list of orders (GET only)", "misdirected"},
	{Unfiltered, onOrders, false, false, "a list of orders has everybody's (GET only)", "created"},
}

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
// throttled, unauthorized, redirected, misdirected, rejected or mismatch.
func (f Fault) Outcome() string { return f.row().outcome }

func (f Fault) row() faultRow {
	if i := f.index(); i >= 0 {
		return faultTable[i]
	}
	return faultRow{}
}

func (f Fault) index() int {
	kind, _, _ := f.split()
	return slices.IndexFunc(faultTable[:], func(row faultRow) bool { return row.fault == kind })
}

// onRecord is the fault as the record keeps it, faultOf its inverse.
func (f Fault) onRecord() uint8 { return uint8(f.index() + 1) }

func faultOf(onRecord uint8) Fault {
	if onRecord == 0 {
		return ""
	}
	return faultTable[onRecord-1].fault
}

// split takes a pattern of rows off.
func (f Fault) split() (kind Fault, pattern string, chosen bool) {
	name, pattern, chosen := strings.Cut(string(f), ":")
	return Fault(name), pattern, chosen
}

// ParseFaults reads shares such as "lost=10%,html-403:*@shop.example=100%"; a share is a percentage or a number from
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
	strikes := onGet
	if method == http.MethodPost {
		strikes = onCreate
	}
	sums := map[requestKind]float64{}
	for fault, share := range shares {
		kind, pattern, chosen := fault.split()
		switch row := fault.row(); {
		case fault.index() < 0:
			return fmt.Errorf("%q is unknown: there are %s", fault, joinFaults(Faults()))
		case row.strikes&strikes == 0:
			return fmt.Errorf("%s does not exist for %s: there are %s", kind, method, joinFaults(faultsOf(strikes)))
		case chosen && pattern == "":
			return fmt.Errorf("%s names no rows after the colon", fault)
		case !(share >= 0 && share <= 1):
			return fmt.Errorf("share %v of %s is not from 0 to 1", share, fault)
		case !chosen:
			for _, one := range []requestKind{onCreate, onRead, onOrders} {
				if row.strikes&strikes&one != 0 {
					sums[one] += share
				}
			}
		}
	}
	const roundingError = 1e-9 // of adding up twenty shares
	for _, sum := range sums {
		if sum > 1+roundingError {
			return fmt.Errorf("the shares add up to %g%%, over 100%%", sum*100)
		}
	}
	return nil
}

func faultsOf(requests requestKind) (faults []Fault) {
	for _, row := range faultTable {
		if row.strikes&requests != 0 {
			faults = append(faults, row.fault)
		}
	}
	return faults
}

// faults are those of one configuration. Each kind of request draws its own, so that the others do not change its order.
type faults struct {
	creates, reads, orders *dice
}

func newFaults(seed uint64, posts, gets map[Fault]float64) *faults {
	return &faults{
		creates: newDice(seed, 1, posts, onCreate),
		reads:   newDice(seed, 2, gets, onRead),
		orders:  newDice(seed, 3, gets, onOrders),
	}
}

// dice draws one fault, or none, for each request, in an order that its seed fixes.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
	upTo   []float64 // aligned with faults, ascending
	faults []Fault

	chosen       []chosenRows
	chosenRandom *rand.Rand
}

// chosenRows are the rows that a fault strikes by their names.
type chosenRows struct {
	fault Fault
	names *regexp.Regexp
	share float64
}

func newDice(seed, stream uint64, shares map[Fault]float64, requests requestKind) *dice {
	const chosenStreams = 100 // beyond the others
	d := &dice{
		random:       rand.New(rand.NewPCG(seed, stream)),
		chosenRandom: rand.New(rand.NewPCG(seed, chosenStreams+stream)),
	}
	sum := 0.0
	for _, fault := range faultsOf(requests) {
		if share := shares[fault]; share > 0 {
			sum += share
			d.faults = append(d.faults, fault)
			d.upTo = append(d.upTo, sum)
		}
	}
	for _, fault := range slices.Sorted(maps.Keys(shares)) {
		kind, pattern, chosen := fault.split()
		if chosen && kind.row().strikes&requests != 0 {
			names := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
			d.chosen = append(d.chosen, chosenRows{kind, regexp.MustCompile(`(?s)^` + names + `$`), shares[fault]})
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

// rollRow is roll for the faults that strike chosen rows: those of a row with these names, of which empty ones do not count.
func (d *dice) rollRow(names ...string) Fault {
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	for _, rows := range d.chosen {
		if !slices.ContainsFunc(names, rows.names.MatchString) {
			continue
		}
		d.mu.Lock()
		drawn := d.chosenRandom.Float64()
		d.mu.Unlock()
		if drawn < rows.share {
			return rows.fault
		}
	}
	return ""
}
