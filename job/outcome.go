package job

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"paylinks/clink"
)

// Outcome is what an attempt's end means. The ledger's constraints know the same words.
type Outcome string

const (
	OutcomeCreated      Outcome = "created"      // a session exists and is what was asked for
	OutcomeMismatch     Outcome = "mismatch"     // a session exists, but is not what was asked for
	OutcomeRejected     Outcome = "rejected"     // Clink refused the row
	OutcomeUnknown      Outcome = "unknown"      // Clink may or may not have made a session
	OutcomeNotSent      Outcome = "not_sent"     // known not to have reached Clink
	OutcomeThrottled    Outcome = "throttled"    // Clink asked for a slower pace
	OutcomeUnauthorized Outcome = "unauthorized" // Clink, or a gateway before it, refused the key or this request
	OutcomeRedirected   Outcome = "redirected"   // the address, or that of this request, points elsewhere
	OutcomeMisdirected  Outcome = "misdirected"  // what answered is not Clink
)

// Suspect says that the outcome may speak of this one row or of all: a control tells which (see [suspects]).
func (o Outcome) Suspect() bool {
	return o == OutcomeUnauthorized || o == OutcomeRedirected || o == OutcomeMisdirected
}

// Answered says that Clink took the key and decided about the row.
func (o Outcome) Answered() bool {
	return o == OutcomeCreated || o == OutcomeMismatch || o == OutcomeRejected
}

// maxURL is the longest URL that browsers and mail programs are known to take, in characters.
const maxURL = 2048

// Decision is an attempt's outcome with its reason, and the state in which it leaves the item.
type Decision struct {
	Outcome Outcome
	State   State
	Code    string // Clink's number, else the outcome's word; empty for a link
	Reason  string // Clink's words as they came, else ours; for a link a warning, or empty
}

// Sent is what an attempt asked for, as far as [Decide] needs it.
type Sent struct {
	clink.Request
	From            State // of the item before the attempt: where it stays when Clink made nothing of the request
	NamesReferences bool  // answers of this run name the reference that they are about
}

// Decide says what an attempt's end means: got and err are what [clink.Client.CreateSession] returned.
func Decide(sent Sent, got *clink.Session, err error) Decision {
	if err != nil {
		return decideError(sent.From, err)
	}
	if difference := differs(sent.Request, got); difference != "" {
		return Decision{OutcomeMismatch, Failed, string(OutcomeMismatch), difference}
	}
	if got.MerchantReferenceID == "" && sent.MerchantReferenceID != "" && sent.NamesReferences {
		return Decision{OutcomeUnknown, Unknown, string(OutcomeUnknown),
			"the answer names no reference, as others in this run do: it may be meant for another request"}
	}
	decision := Decision{Outcome: OutcomeCreated, State: Created}
	if got.ExpiresAt.IsZero() {
		decision.Reason = "Clink gave no readable expiry time: taken as live"
	}
	return decision
}

// SharedSession is the decision on a session that another item has: two customers must not be sent to one link.
func SharedSession(row int, jobID int64) Decision {
	reason := fmt.Sprintf("Clink answered with the session of row %d of job %d: is there a cache in between?", row, jobID)
	return Decision{OutcomeMismatch, Failed, string(OutcomeMismatch), reason}
}

// maxReason is how many bytes of Clink's words are kept: far more than a message for people needs.
const maxReason = 4 << 10

func clip(words string) string {
	if len(words) <= maxReason {
		return words
	}
	return strings.ToValidUTF8(words[:maxReason], "") + "…"
}

// decideError says what an error of the client means for an item that was in state from.
func decideError(from State, err error) Decision {
	var failure *clink.Error
	if !errors.As(err, &failure) {
		return Decision{OutcomeUnknown, Unknown, string(OutcomeUnknown), err.Error()}
	}
	decision := Decision{Reason: failure.Error()}
	switch failure.Class {
	case clink.NotSent:
		decision.Outcome, decision.State = OutcomeNotSent, from
	case clink.Throttled:
		decision.Outcome, decision.State = OutcomeThrottled, from
	case clink.Unauthorized:
		decision.Outcome, decision.State = OutcomeUnauthorized, from
	case clink.Redirected:
		decision.Outcome, decision.State = OutcomeRedirected, from
	case clink.Misdirected:
		decision.Outcome, decision.State = OutcomeMisdirected, from
	case clink.Rejected:
		decision.Outcome, decision.State = OutcomeRejected, Failed
	default:
		decision.Outcome, decision.State = OutcomeUnknown, Unknown
	}
	decision.Code = string(decision.Outcome)
	if failure.Code != 0 && failure.Code != http.StatusOK { // else Clink's number and words tell of no failure
		decision.Code = strconv.Itoa(failure.Code)
		if failure.Message != "" {
			decision.Reason = clip(failure.Message)
		}
	}
	return decision
}

// differs says how the session is not what was asked for, or "". What the answer leaves out is no difference.
func differs(asked clink.Request, got *clink.Session) string {
	for _, field := range []struct {
		name, asked, got string
		same             bool
	}{
		{"amount", asked.Amount.String(), got.Amount.String(), clink.SameNumber(asked.Amount, got.Amount)},
		{"currency", asked.Currency, got.Currency, strings.EqualFold(asked.Currency, got.Currency)},
		{"reference", asked.MerchantReferenceID, got.MerchantReferenceID, asked.MerchantReferenceID == got.MerchantReferenceID},
		{"customer id", asked.CustomerID, got.CustomerID, asked.CustomerID == got.CustomerID},
	} {
		if field.asked != "" && field.got != "" && !field.same {
			return fmt.Sprintf("asked for %s %q, Clink answered %.60q", field.name, field.asked, field.got)
		}
	}
	if !isSessionID(got.SessionID) {
		return fmt.Sprintf("Clink answered without a usable session id (%.60q)", got.SessionID)
	}
	if asked.UIMode == "elements" && got.URL == "" {
		return ""
	}
	return unusable(got.URL)
}

// isSessionID says what we take as a session id: letters, digits, and _ . : ~ - after the first character, 255 in all at
// most. It goes into a path and into a CSV cell, so it must be able to do no harm in either.
func isSessionID(id string) bool {
	for i, c := range []byte(id) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_':
		case i > 0 && (c == '.' || c == ':' || c == '~' || c == '-'):
		default:
			return false
		}
	}
	return id != "" && len(id) <= 255
}

// unusable says why a customer must not be sent to this URL, or "".
func unusable(link string) string {
	if link == "" {
		return "Clink answered without a URL"
	}
	if n := utf8.RuneCountInString(link); n > maxURL {
		return fmt.Sprintf("Clink answered with a URL of %d characters; more than %d do not work everywhere", n, maxURL)
	}
	for _, r := range link {
		if r <= ' ' || r >= 0x7f {
			return fmt.Sprintf("Clink answered with a URL that holds the character %U", r)
		}
	}
	parsed, err := url.Parse(link)
	switch {
	case err != nil:
		return fmt.Sprintf("Clink answered with an unreadable URL (%.60q)", link)
	case parsed.Hostname() == "":
		return fmt.Sprintf("Clink answered with a URL without a host (%.60q)", link)
	case parsed.User != nil:
		return "Clink answered with a URL that has a user name in it"
	case parsed.Scheme == "https":
		return ""
	case parsed.Scheme == "http" && clink.IsLoopback(parsed.Hostname()):
		return ""
	}
	return fmt.Sprintf("Clink answered with a URL that is not https (%.60q)", link)
}
