package invoice

// nearest is the candidate that differs least from name once both are normalised, or "" if none can be a typing error: one
// edit in a short name, two from five letters on.
func nearest(name string, candidates []string) string {
	name = normalise(name)
	best, least := "", 2
	if len(name) >= 5 {
		least = 3
	}
	for _, candidate := range candidates {
		if d := edits(name, normalise(candidate)); d < least && d < len(name)-1 {
			best, least = candidate, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes, which is enough for names of ASCII letters.
func edits(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
