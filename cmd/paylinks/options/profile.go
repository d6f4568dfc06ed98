package options

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/profile"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/invoice"
)

// ReadingFlags are the flags that a profile may have: what files of one program need to be read. What is a decision about one file is none
// of them, nor what is sent where.
var ReadingFlags = func() []profile.Key {
	keys := []profile.Key{
		{Name: "encoding", Kind: profile.Text},
		{Name: "decimal", Kind: profile.Text},
		{Name: "header-line", Kind: profile.Number},
		{Name: "quote", Kind: profile.Text},
		{Name: "sheet", Kind: profile.Text},
		{Name: "hidden-rows", Kind: profile.Text},
		{Name: "map", Kind: profile.Table},
		{Name: "ignore", Kind: profile.List},
		{Name: "series", Kind: profile.Text},
		{Name: "lines", Kind: profile.Text},
		{Name: "skip-totals", Kind: profile.Switch},
	}
	for _, name := range JobWideFlags() {
		if !slices.Contains(NeverInProfile, name) {
			keys = append(keys, profile.Key{Name: name, Kind: profile.Text})
		}
	}
	return keys
}()

// NeverInProfile are the other flags about a file's content: each is somebody's decision, which is to be seen in the command.
var NeverInProfile = []string{"allow-no-id", "allow-repeats", "allow-empty", "allow-promotion-codes", "promotion-code"}

// UsedProfile is the profile by which files are read.
type UsedProfile struct {
	profile.Profile
	Name    string // as it was given
	path    string
	applied string   // flags, each after a space
	given   []string // its flags that were given otherwise here
}

// profilePath is the file of a profile that is named, or the path that is given.
func profilePath(s Streams, name string) (string, error) {
	switch {
	case profile.IsPath(name):
		return name, nil
	case !profile.ValidName(name):
		return "", exit.Failf(exit.Usage, "no profile can be called %q: a name has letters, digits, . _ and -, and at most 64 of them", name).
			WithHint("name one as in --profile xero, or a file as in --profile ./xero.toml")
	}
	folder, err := ProfileFolder(s)
	return filepath.Join(folder, name+profile.Extension), err
}

// ProfileFolder is where profiles are that have a name.
func ProfileFolder(s Streams) (string, error) {
	folder := s.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(folder) { // the standard says that a relative one counts as none
		home := s.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", exit.Failf(exit.Config, "there is no home folder to keep profiles in").WithHint("name the file: --profile PATH")
		}
		folder = filepath.Join(home, ".config")
	}
	return filepath.Join(folder, "paylinks", "profiles"), nil
}

// LoadProfile reads a profile, and refuses one that the flags of its keys would not take.
func LoadProfile(s Streams, name string) (*UsedProfile, error) {
	path, err := profilePath(s, name)
	if err != nil {
		return nil, err
	}
	read, err := profile.Read(path, ReadingFlags)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noProfile(s, name, path)
	}
	if wrong, is := errors.AsType[*profile.WrongError](err); is {
		return nil, exit.Failf(exit.Config, "profile %s: %w", path, err).WithHint("%s", keyHint(wrong.UnknownKey))
	}
	if err != nil {
		return nil, exit.Failf(exit.Config, "profile %s: %w", name, err)
	}
	var columns []string
	for _, column := range invoice.Columns() {
		columns = append(columns, column.Name)
	}
	for _, pair := range read.Values["map"] {
		if column, _, _ := strings.Cut(pair, "="); !slices.Contains(columns, column) {
			f := exit.Failf(exit.Config, "profile %s: map has %q, which is no column of ours", path, column)
			return nil, f.WithHint("%s", didYouMean(column, columns, "see: paylinks help columns"))
		}
	}
	var alone Read
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	alone.AddFlags(flags)
	for key, values := range read.Values {
		for _, value := range values {
			if err := flags.Set(key, value); err != nil {
				return nil, exit.Failf(exit.Config, "profile %s: %s = %q: it takes %s", path, key, value, KindOf(flags.Lookup(key)))
			}
		}
	}
	if _, err := alone.options(); err != nil {
		return nil, exit.Failf(exit.Config, "profile %s: %w", path, err).WithHint("%s", keyHint(""))
	}
	return &UsedProfile{Profile: read, Name: name, path: path}, nil
}

// noProfile says that there is none, and which one may be meant.
func noProfile(s Streams, name, path string) error {
	hint := "see: paylinks profiles; one is made with: paylinks check FILE --save-profile NAME"
	if folder, err := ProfileFolder(s); err == nil && !profile.IsPath(name) {
		if names, err := profile.Names(folder); err == nil {
			hint = didYouMean(name, names, hint)
		}
	}
	return exit.Failf(exit.Config, "there is no profile %s: %s is not there", name, path).WithHint("%s", hint)
}

// didYouMean is the name that one could have been meant for, or another hint.
func didYouMean(name string, names []string, otherwise string) string {
	if near := Nearest(name, names); len(near) > 0 {
		return "did you mean: " + near[0]
	}
	return otherwise
}

// keyHint says what to do about a key that no profile has.
func keyHint(unknown string) string {
	var names []string
	for _, key := range ReadingFlags {
		names = append(names, key.Name)
	}
	switch {
	case unknown == "":
		return "correct it, or take it away and save it again with: paylinks check FILE --save-profile NAME"
	case isRunFlag(unknown):
		return fmt.Sprintf("a profile says how files are read, and nothing else: say %s with the command, or set %s", words.Flag(unknown), helptext.Variable(unknown))
	}
	return didYouMean(unknown, names, "its keys are "+strings.Join(names, ", "))
}

// isRunFlag says whether run has a flag of that name.
func isRunFlag(name string) bool {
	var run Run
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	run.AddFlags(flags)
	return flags.Lookup(name) != nil
}

// useProfile gives the flags that nobody has set what the profile says. It remembers which of a profile's flags were set by a person.
func (o *Read) useProfile(s Streams) error {
	for _, key := range ReadingFlags {
		if o.flags.Changed(key.Name) {
			o.given = append(o.given, key.Name)
		}
	}
	if o.profile == "" {
		return nil
	}
	used, err := LoadProfile(s, o.profile)
	if err != nil {
		return err
	}
	o.Used = used
	typedMap, typedIgnore := mapped(o.columns), slices.Clone(o.ignored)
	typedHeaders := slices.Collect(maps.Values(typedMap))
	for _, key := range ReadingFlags {
		for _, value := range used.Values[key.Name] {
			apply := true
			switch key.Name {
			case "map":
				column, header, _ := strings.Cut(value, "=")
				_, other := typedMap[column]
				if apply = !other && !slices.Contains(typedHeaders, header) && !slices.Contains(typedIgnore, header); apply {
					o.columns = append(o.columns, value)
				}
				o.guardAmount = o.guardAmount || apply && column == "amount"
				o.guardLine = o.guardLine || apply && column == "line_amount"
			case "ignore":
				if apply = !slices.Contains(typedHeaders, value); apply && !slices.Contains(typedIgnore, value) {
					o.ignored = append(o.ignored, value)
				}
			default:
				if apply = !slices.Contains(o.given, key.Name); apply {
					if err := o.flags.Set(key.Name, value); err != nil {
						return exit.Failf(exit.Config, "profile %s: %w", used.path, err)
					}
				}
			}
			if apply {
				used.applied += flagText(key, value)
			} else if !slices.Contains(used.given, words.Flag(key.Name)) {
				used.given = append(used.given, words.Flag(key.Name))
			}
		}
	}
	return nil
}

// mapped are the columns of NAME=HEADER texts.
func mapped(pairs []string) map[string]string {
	columns := map[string]string{}
	for _, pair := range pairs {
		column, header, _ := strings.Cut(pair, "=")
		columns[column] = header
	}
	return columns
}

// flagText is the flag, after a space, that says what a profile's key says.
func flagText(key profile.Key, value string) string {
	text := " " + words.Flag(key.Name)
	switch {
	case key.Kind == profile.Switch && value == "true":
		return text
	case key.Kind == profile.Switch:
		return text + "=" + value
	case key.Kind == profile.Table:
		column, header, _ := strings.Cut(value, "=")
		return text + " " + column + "=" + words.ShellQuoted(words.Printable(header))
	}
	return text + " " + words.ShellQuoted(words.Printable(value))
}

// Says is what the profile says, as flags.
func (u *UsedProfile) Says() string {
	text := ""
	for _, key := range ReadingFlags {
		for _, value := range u.Values[key.Name] {
			text += flagText(key, value)
		}
	}
	return strings.TrimSpace(text)
}

// String names the profile, where it is, and what of it counts.
func (u *UsedProfile) String() string {
	text := "profile " + u.Name
	if u.path != u.Name {
		text += " (" + u.path + ")"
	}
	if u.applied != "" {
		text += ":" + u.applied
	}
	if len(u.given) > 0 {
		text += "; as given here, not there: " + strings.Join(u.given, " ")
	}
	return text
}
