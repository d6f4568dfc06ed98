package helptext

import (
	"strings"

	"github.com/spf13/pflag"
)

// Variable is the environment variable that sets the flag.
func Variable(flag string) string {
	return "PAYLINKS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// typedKey is the annotation of a flag that no variable sets.
const typedKey = "typed"

// OnlyTyped makes the flag count on the command line alone: what is meant for one command must not come from a file of
// settings for all of them.
func OnlyTyped(flags *pflag.FlagSet, name string) {
	if err := flags.SetAnnotation(name, typedKey, nil); err != nil {
		panic(err) // there is no such flag
	}
}

// HasVariable says whether PAYLINKS_<FLAG> sets the flag.
func HasVariable(flag *pflag.Flag) bool {
	_, typed := flag.Annotations[typedKey]
	return !typed
}
