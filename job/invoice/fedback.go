package invoice

import "slices"

// LinksColumns are the columns that a links file has after the user's, in their order. Where the user has
// one of these names, ours is called [OwnPrefix] and the name.
var LinksColumns = []string{"row", "status", "session_id", "url", "expires_at", "created_at", "attempts", "error_code", "error"}

// RejectedColumns are the columns that a rejected file has after the user's.
var RejectedColumns = []string{"row", "error_column", "error"}

// OwnPrefix makes room beside a column of the user's.
const OwnPrefix = "paylinks_"

var resultColumns = append(slices.Clip(LinksColumns), RejectedColumns...)

// ownColumns returns the places of the user's columns, and whether the file is one of ours. Of ours, the exactly
// named result columns go: paylinks_status where there is one, and then the user's own status stays.
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
	for i, cell := range cells {
		if !slices.Contains(ours, cell) {
			kept = append(kept, i)
		}
	}
	return kept, len(ours) > 0
}
