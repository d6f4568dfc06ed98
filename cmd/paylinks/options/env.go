package options

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
)

// SetFromEnvironment sets each flag that the command line leaves out from PAYLINKS_<FLAG>; an empty variable is as
// good as none. A flag that can be repeated takes several values from there, one a line or between semicolons.
func SetFromEnvironment(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(flag *pflag.Flag) {
		value, _ := env(helptext.Variable(flag.Name))
		if flag.Changed || value == "" || flag.Name == "help" || !helptext.HasVariable(flag) {
			return
		}
		values := []string{value}
		if _, repeatable := flag.Value.(pflag.SliceValue); repeatable {
			values = strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == ';' })
		}
		for _, value := range values {
			if err := flags.Set(flag.Name, value); err != nil {
				errs = append(errs, exit.Failf(exit.Usage, "%s=%q: it takes %s", helptext.Variable(flag.Name), value, KindOf(flag)))
				return
			}
		}
		_ = flags.SetAnnotation(flag.Name, fromEnvironment, []string{helptext.Variable(flag.Name)}) // fails for no flag that there is
	})
	return errors.Join(errs...)
}

// fromEnvironment is the annotation of a flag whose value is from a variable.
const fromEnvironment = "paylinks_from_environment"

// typed says whether the flag stands on the command line, and not in a variable.
func typed(flags *pflag.FlagSet, name string) bool {
	flag := flags.Lookup(name)
	return flag != nil && flag.Changed && flag.Annotations[fromEnvironment] == nil
}

// KindOf says what a flag takes.
func KindOf(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "int", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "duration":
		return "a time such as 30s, 10m or 2h"
	case "bool":
		return "true or false"
	}
	return "another value"
}
