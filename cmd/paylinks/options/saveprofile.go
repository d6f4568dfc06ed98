package options

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/profile"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/intake"
)

// Save say where to keep how the files were read.
type Save struct {
	Name   string
	before *UsedProfile // the profile that is there already; nil is none
}

// AddFlags adds the flag that names the profile to keep.
func (o *Save) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Name, "save-profile", "", "`NAME`, or path, of the profile that keeps what these files needed to be read, once they can be run; then say --profile NAME: paylinks help profiles")
	helptext.OnlyTyped(flags, "save-profile")
}

// Check refuses a place that cannot be meant, before the files are read: nothing but a profile is replaced.
func (o *Save) Check(s Streams) error {
	if o.Name == "" {
		return nil
	}
	path, err := profilePath(s, o.Name)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if o.before, err = LoadProfile(s, o.Name); err != nil {
		return exit.Failf(exit.Output, "%s is there already, and is no profile that can be replaced: %w", path, err).
			WithHint("take it away, or name another one with --save-profile")
	}
	return nil
}

// profileComment stands at the top of a profile.
const profileComment = `How paylinks reads the files of one kind: paylinks help profiles.
The keys are the names of flags. other-amounts are the columns that could be the
amount, too, when it was saved.
`

// Save keeps how the files were read.
func (o *Save) Save(s Streams, read *Read, files []*intake.File) error {
	path, err := profilePath(s, o.Name)
	if err != nil {
		return err
	}
	p := profile.Profile{Values: read.readingValues()}
	for _, f := range files {
		if f.Header.Delimiter == 0 {
			return exit.Failf(exit.Data, "the profile %s was not saved: the column names of %s could not be read", o.Name, f.Path)
		}
		for _, header := range f.Header.OtherAmounts {
			if !slices.Contains(p.OtherAmounts, header) {
				p.OtherAmounts = append(p.OtherAmounts, header)
			}
		}
	}
	if !profile.IsPath(o.Name) {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = profile.Write(path, ReadingFlags, p, profileComment)
	}
	if err != nil {
		return exit.Failf(exit.Output, "the profile %s was not saved: %w", o.Name, err).WithHint("name a file where it can be written: --save-profile PATH")
	}
	saved := &UsedProfile{Profile: p, Name: o.Name, path: path}
	fmt.Fprintf(s.Err, "saved the profile %s (%s): %s\n", o.Name, path, orNothing(saved.Says()))
	if o.before != nil && o.before.Says() != saved.Says() {
		fmt.Fprintf(s.Err, "  before, it said: %s\n", orNothing(o.before.Says()))
	}
	fmt.Fprintf(s.Err, "  use it with: paylinks run FILE --profile %s\n", words.ShellQuoted(o.Name))
	if left := read.leftOut(); len(left) > 0 {
		fmt.Fprintf(s.Err, "  not in it, to be said with each run that means it: %s\n", strings.Join(left, " "))
	}
	return nil
}

func orNothing(said string) string {
	if said == "" {
		return "nothing, these files need no flags"
	}
	return said
}

// readingValues are the values of the flags that a profile may have, where they are not the defaults.
func (o *Read) readingValues() map[string][]string {
	values := map[string][]string{}
	for _, key := range ReadingFlags {
		flag := o.flags.Lookup(key.Name)
		switch value := flag.Value.String(); {
		case key.Name == "map":
			values[key.Name] = slices.Sorted(slices.Values(o.columns))
		case key.Name == "ignore":
			values[key.Name] = slices.Clone(o.ignored)
		case value != flag.DefValue:
			values[key.Name] = []string{value}
		}
	}
	return values
}

// leftOut are the flags about a file's content that were given and that no profile has.
func (o *Read) leftOut() (flags []string) {
	for _, name := range NeverInProfile {
		if o.flags.Changed(name) {
			flags = append(flags, words.Flag(name))
		}
	}
	return flags
}

// OfferProfile says how to keep what was typed, where files that needed flags can be run.
func (o *Read) OfferProfile() string {
	typedHere := slices.ContainsFunc(ReadingFlags, func(key profile.Key) bool {
		return slices.Contains(o.given, key.Name) && typed(o.flags, key.Name)
	})
	if !typedHere {
		return ""
	}
	name := "NAME"
	if o.Used != nil {
		name = words.ShellQuoted(o.Used.Name)
	}
	return fmt.Sprintf("hint: to read such files so every time, add --save-profile %s to this command; then say: paylinks run FILE --profile %s\n", name, name)
}
