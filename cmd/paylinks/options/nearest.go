package options

import "github.com/spf13/cobra"

// Nearest are the names that one could have been meant for: two slips of the keyboard at most, or its beginning.
func Nearest(name string, names []string) []string {
	all := &cobra.Command{SuggestionsMinimumDistance: 2} // cobra has the measure, but only for commands
	for _, known := range names {
		all.AddCommand(&cobra.Command{Use: known, Run: func(*cobra.Command, []string) {}})
	}
	return all.SuggestionsFor(name)
}
