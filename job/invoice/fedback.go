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

// IsLinksFile says whether the file ends with the columns of a links file.
func (h Header) IsLinksFile() bool {
	return len(h.Ours) == len(LinksColumns) || len(h.Ours) == len(LinksColumns)+len(RefreshColumns)
}

// Result is the row's cell in the column of ours with this name, and the column's header in the file. Both are empty where the file has
// no such column.
func (r Row) Result(h Header, name string) (cell, header string) {
	i := slices.Index(resultBlocks[0], name)
	if !h.IsLinksFile() || i >= len(r.Ours) {
		return "", ""
	}
	return r.Ours[i], h.Ours[i]
}

// OwnPrefix distinguishes a column of ours from one of the user's.
const OwnPrefix = "paylinks_"

// resultBlocks are the columns with which a file of ours ends, the longest first.
var resultBlocks = [][]string{slices.Concat(LinksColumns, RefreshColumns), LinksColumns, RejectedColumns}

// ownColumns returns the places of the user's columns, and whether the file is a links file or rejected file: its last columns are
// all of ours, in order. They are left out. A column elsewhere is the user's, whatever its name.
func ownColumns(cells []string) (kept []int, fedBack bool) {
	users, block := ownBlock(cells)
	for i := range users {
		kept = append(kept, i)
	}
	return kept, block != nil
}

// ownBlock is how many columns are the user's, and which of ours follow them, or nil.
func ownBlock(header []string) (users int, block []string) {
	for _, block := range resultBlocks {
		if users := len(header) - len(block); users >= 0 && slices.EqualFunc(header[users:], block, isOurs) {
			return users, block
		}
	}
	return len(header), nil
}

// LinksBlock is the place of the first of our columns in the header of a links file; -1 where it is no such header.
func LinksBlock(header []string) int {
	users, block := ownBlock(header)
	if len(block) < len(LinksColumns) {
		return -1
	}
	return users
}

// isOurs says whether the header is our column's name, or what it is called where the user has one of that name.
func isOurs(header, name string) bool {
	prefixes, ours := strings.CutSuffix(header, name)
	return ours && strings.ReplaceAll(prefixes, OwnPrefix, "") == ""
}

// isResultColumn says whether the header is one of ours.
func isResultColumn(header string) bool {
	return slices.ContainsFunc(resultBlocks, func(block []string) bool { return slices.Contains(block, header) })
}
