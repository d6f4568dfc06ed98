package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/options"
)

// TestReadingFlags guards that of each flag about how a file is read somebody has decided whether a profile may have it, that run, check
// and adopt take those of a profile, and that none is about anything else.
func TestReadingFlags(t *testing.T) {
	var inProfile []string
	for _, key := range options.ReadingFlags {
		inProfile = append(inProfile, key.Name)
	}
	var o options.Read
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.AddFlags(flags)
	o.AddEmpty(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		in, never := slices.Contains(inProfile, flag.Name), slices.Contains(options.NeverInProfile, flag.Name)
		if in == never && flag.Name != "profile" {
			t.Errorf("--%s is to be in readingFlags or in neverInProfile", flag.Name)
		}
		if in && strings.HasPrefix(flag.Name, "allow-") {
			t.Errorf("a profile has --%s", flag.Name)
		}
	})
	for _, cmd := range commands() {
		if !slices.Contains([]string{"run", "check", "adopt"}, cmd.Name()) {
			continue
		}
		for _, name := range append(inProfile, "profile") {
			if cmd.Flags().Lookup(name) == nil {
				t.Errorf("%s has no --%s", cmd.Name(), name)
			}
		}
	}
	for _, name := range inProfile {
		if flags.Lookup(name) == nil {
			t.Errorf("--%s is not about how a file is read", name)
		}
	}
}
