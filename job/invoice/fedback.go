package invoice

import (
	"slices"
	"strings"
)

// LinksColumns are the columns that a links file has after the user's, in their order. Where the user has
// one of these names, ours is called [OwnPrefix] and the name.
var LinksColumns = []string{"row", "status", "session_id", "url", "expires_at", "created_at", "attempts", "error_code", "error"}

// RefreshColumns are the columns that come after them once Clink was asked how far the links are.
var RefreshColumns = []string{"link_status", "checked_at"}

// RejectedColumns are the columns that a rejected file has after the user's.
var RejectedColumns = []string{"row", "error_column", "error"}

// OwnPrefix makes room beside a column of the user's.
const OwnPrefix = "paylinks_"

var resultColumns = append(slices.Clip(LinksColumns), RejectedColumns...)

// ownColumns returns the places of the user's columns, and whether the file is one of ours. Of ours, the exactly
// named result columns go: paylinks_status where there is one, and then the user's own status stays. Those of a
// refresh only go where they stand behind our session_id, as no column of the user's does.
func ownColumns(cells []string) (kept []int, fedBack bool) {
	var ours []string
	if slices.Contains(cells, "session_id") {
		ours = append(ours, LinksColumns...)
	}
	if slices.Contains(cells, "error_column") {
		ours = append(ours, RejectedColumns...)
	}
	for i, name := range ours {
		if slices.Contains(cells, OwnPrefix+name) {
			ours[i] = OwnPrefix + name
		}
	}
	session := max(slices.Index(cells, "session_id"), slices.Index(cells, OwnPrefix+"session_id"))
	for i, cell := range cells {
		refreshed := session >= 0 && i > session && slices.Contains(RefreshColumns, strings.TrimPrefix(cell, OwnPrefix))
		if !slices.Contains(ours, cell) && !refreshed {
			kept = append(kept, i)
		}
	}
	return kept, len(ours) > 0
}
