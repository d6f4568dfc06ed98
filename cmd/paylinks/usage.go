package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/words"
)

// argumentsOf gives the check of what stands beside the flags: the command's usage line says how much that is.
func argumentsOf(cmd *cobra.Command) cobra.PositionalArgs {
	_, operand, _ := strings.Cut(cmd.Use, " ")
	name := strings.Trim(operand, "[].")
	least, most := 1, 1
	if operand == "" {
		least, most = 0, 0
	}
	if strings.HasPrefix(operand, "[") {
		least = 0
	}
	if strings.HasSuffix(operand, "...") {
		most = 1 << 20
	}
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return exit.Failf(exit.Usage, "%s needs a %s", cmd.Name(), name).WithHint("%s", seeHelp(cmd))
		case len(args) > most && most == 0:
			return exit.Failf(exit.Usage, "%s takes nothing but flags, and was given %q", cmd.Name(), args[0]).WithHint("%s", seeHelp(cmd))
		case len(args) > most:
			return exit.Failf(exit.Usage, "%s takes one %s, and was given %q as well", cmd.Name(), name, args[1]).WithHint("%s", seeHelp(cmd))
		}
		return nil
	}
}

func seeHelp(cmd *cobra.Command) string {
	return strings.TrimSpace("see: paylinks help " + strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "paylinks"), " "))
}

// withHelp gives a usage error that has no hint the command's help for one.
func withHelp(cmd *cobra.Command, err error) error {
	var f *exit.Failure
	if errors.As(err, &f) && f.Status == exit.Usage && f.Err != nil && f.Hint == "" {
		return f.WithHint("%s", seeHelp(cmd))
	}
	return err
}

// namesOf are the names of the commands and topics.
func namesOf(root *cobra.Command) []string {
	var names []string
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// unknown refuses a name that no command has, and says which is meant; before is what to type before that one.
func unknown(root *cobra.Command, what, name, before string) error {
	f := exit.Failf(exit.Usage, "unknown %s %q", what, name)
	if lower := strings.ToLower(name); strings.HasSuffix(lower, ".csv") || strings.HasSuffix(lower, ".xlsx") {
		return f.WithHint("to create a link for each of its rows: paylinks run %s", words.ShellQuoted(name))
	}
	if near := options.Nearest(name, namesOf(root)); len(near) > 0 {
		return f.WithHint("did you mean: %s%s", before, near[0])
	}
	return f.WithHint("see: paylinks help")
}

// flagError words what pflag has to say of a command line.
func flagError(cmd *cobra.Command, err error) error {
	if !cmd.HasParent() && cmd.Flags().NArg() > 0 { // the flag stands behind an unknown command
		return unknown(cmd, "command", cmd.Flags().Arg(0), "paylinks ")
	}
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok && missing.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden {
				names = append(names, flag.Name)
			}
		})
		near := options.Nearest(missing.GetSpecifiedName(), names)
		slices.Sort(near)
		if len(near) > 0 {
			return exit.Failf(exit.Usage, "%w", err).WithHint("did you mean: --%s", strings.Join(near, ", or --"))
		}
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		err = fmt.Errorf("--%s %q: it takes %s", wrong.GetFlag().Name, wrong.GetValue(), options.KindOf(wrong.GetFlag()))
	}
	return exit.Failf(exit.Usage, "%w", err).WithHint("%s", seeHelp(cmd))
}
