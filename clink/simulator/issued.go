package simulator

import (
	"strings"
	"time"
)

// nowhere is what links begin with where nobody serves them: no such host can exist.
const nowhere = "https://checkout.simulator.invalid"

// firstIssue is before the first session that a simulator has made.
var firstIssue = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Issued says whether a simulator that serves no links has made the session with this id and link. Without a link it goes by the id:
// it has the form, and a time that can be. Of ids of another maker that have the form by chance, one in a hundred has such a time.
func Issued(id, link string) bool {
	if link != "" {
		return strings.HasPrefix(link, nowhere+"/")
	}
	parsed, ok := parseSessionID(id)
	return ok && parsed.issuedAt().After(firstIssue) && parsed.issuedAt().Before(time.Now().Add(24*time.Hour))
}
