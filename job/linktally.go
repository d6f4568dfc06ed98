package job

// LinkTally is how many links of a job are in which status; "" is for those that Clink has not spoken of.
type LinkTally map[LinkStatus]int

// All is how many links there are.
func (t LinkTally) All() int {
	all := 0
	for _, n := range t {
		all += n
	}
	return all
}
