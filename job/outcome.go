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
	OutcomeUnauthorized Outcome = "unauthorized" // Clink refused the key: the run stops
	OutcomeRedirected   Outcome = "redirected"   // the address points elsewhere: the run stops
	OutcomeMisdirected  Outcome = "misdirected"  // what answered is not Clink: the run stops
)

// maxURL is the longest URL that browsers and mail programs are known to take, in characters.
const maxURL = 2048

// Verdict is an attempt's outcome with its reason, and where it leaves the item.
type Verdict struct {
	Outcome Outcome
	State   State
	Code    string // Clink's number, else the outcome's word; empty for a link
	Reason  string // Clink's words as they came, else ours; for a link a warning, or empty
}

// Decide says what an attempt's end means: asked is what was sent, got and err what [clink.Client.CreateSession]
// returned.
func Decide(asked clink.Request, got *clink.Session, err error) Verdict {
	if err != nil {
		return decideError(err)
	}
	if difference := differs(asked, got); difference != "" {
		return Verdict{OutcomeMismatch, Failed, string(OutcomeMismatch), difference}
	}
	verdict := Verdict{Outcome: OutcomeCreated, State: Created}
	if got.ExpiresAt.IsZero() {
		verdict.Reason = "Clink gave no readable expiry time: taken as live"
	}
	return verdict
}

// SharedSession is the verdict on a session that another invoice has: two customers must not be sent to one link.
func SharedSession(row int, jobID int64) Verdict {
	reason := fmt.Sprintf("Clink answered with the session of row %d of job %d: is there a cache in between?", row, jobID)
	return Verdict{OutcomeMismatch, Failed, string(OutcomeMismatch), reason}
}

// maxReason is how many bytes of Clink's words are kept: far more than a message for people needs.
const maxReason = 4 << 10

func clip(words string) string {
	if len(words) <= maxReason {
		return words
	}
	return strings.ToValidUTF8(words[:maxReason], "") + "…"
}

func decideError(err error) Verdict {
	var failure *clink.Error
	if !errors.As(err, &failure) {
		return Verdict{OutcomeUnknown, Unknown, string(OutcomeUnknown), err.Error()}
	}
	refused := failure.Code != 0 && failure.Code != http.StatusOK // else Clink's number and words tell of no failure
	verdict := func(outcome Outcome, state State) Verdict {
		v := Verdict{outcome, state, string(outcome), failure.Error()}
		if refused {
			v.Code = strconv.Itoa(failure.Code)
		}
		if refused && failure.Message != "" {
			v.Reason = clip(failure.Message)
		}
		return v
	}
	switch failure.Class {
	case clink.NotSent:
		return verdict(OutcomeNotSent, Pending)
	case clink.Throttled:
		return verdict(OutcomeThrottled, Pending)
	case clink.Unauthorized:
		return verdict(OutcomeUnauthorized, Pending)
	case clink.Redirected:
		return verdict(OutcomeRedirected, Pending)
	case clink.Misdirected:
		return verdict(OutcomeMisdirected, Pending)
	case clink.Rejected:
		return verdict(OutcomeRejected, Failed)
	default:
		return verdict(OutcomeUnknown, Unknown)
	}
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
