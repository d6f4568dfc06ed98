package invoice

import (
	"maps"
	"slices"
)

// takeIgnored leaves out the columns of o.Ignore, so that they are taken for nothing: those with the header as it is spelled, else all
// that [normalise] makes equal.
func (h *head) takeIgnored(file string, o Options) (problems Problems) {
	for _, header := range o.Ignore {
		found := h.find(func(i int) bool { return h.Columns[i] == header })
		if len(found) == 0 {
			found = h.find(func(i int) bool { return h.normal[i] == normalise(header) && !isBlank(header) })
		}
		if len(found) == 0 {
			bad := flaw(IgnoreUnknownHeader, "the file has no column "+quote(header), "the file has "+quoteList(h.Columns))
			if meant := nearest(header, h.Columns); meant != "" {
				bad.Advice, bad.Options = "", []Option{{Do: Replace, Setting: "ignore", Value: meant}}
			}
			problems = append(problems, bad.atSetting(file, h.line, "ignore", header))
		}
		for _, i := range found {
			if slices.Contains(slices.Collect(maps.Values(h.taken)), i) {
				problems = append(problems, flaw(IgnoreMapped, "the column is mapped and ignored", "leave out one of the two").
					atSetting(file, h.line, "ignore", header))
			}
			if !slices.Contains(h.ignored, i) {
				h.ignored = append(h.ignored, i)
				h.Ignored = append(h.Ignored, h.Columns[i])
			}
		}
	}
	return problems
}
