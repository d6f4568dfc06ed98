package invoice

import (
	"slices"
	"strings"
)

// LinksColumns are the columns that follow the user's in a links file. One that the user has too is called by [OwnPrefix]
// and its name.
var LinksColumns = []string{"row", "status", "session_id", "url", "expires_at", "created_at", "attempts", "error_code", "error"}

// RefreshColumns follow them once Clink was asked for the state of the links.
var RefreshColumns = []string{"link_status", "checked_at"}

// RejectedColumns are the columns that follow the user's in a rejected file.
var RejectedColumns = []string{"row", "error_column", "error"}

// OwnPrefix distinguishes a column of ours from one of the user's.
const OwnPrefix = "paylinks_"

var resultColumns = append(slices.Clip(LinksColumns), RejectedColumns...)

// ownColumns returns the places of the user's columns, and whether the file is a links file or rejected file. There the
// result columns are left out: where paylinks_status stands, that one, and status is the user's. RefreshColumns are left
// out only after session_id, where no column of the user's stands.
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
