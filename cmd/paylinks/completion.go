package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/profile"
	"paylinks/cmd/paylinks/words"
)

func newCompletion(s options.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script that completes commands in bash, zsh or fish",
		Long: `completion prints the script by which a shell completes commands, flags, their values, and the numbers of jobs. To have it in
every new shell, write it to where the shell looks for such scripts:

  bash  ~/.local/share/bash-completion/completions/paylinks
  zsh   a file _paylinks in a folder of $fpath
  fish  ~/.config/fish/completions/paylinks.fish`,
		Example: `  source <(paylinks completion bash)
  paylinks completion fish > paylinks.fish`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done"), exit.Meaning(exit.Usage, "usage"), exit.Meaning(exit.Output, "standard output cannot be written"),
		),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(s.Out, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(s.Out)
			case "fish":
				return cmd.Root().GenFishCompletion(s.Out, true)
			}
			return exit.Failf(exit.Usage, "%q is not one of: bash, zsh, fish", args[0]).WithHint("see: paylinks help completion")
		},
	}
}

// flagValues are what the flags take that take one of a few words.
var flagValues = map[string][]string{
	"env":        {"simulator", "sandbox", "production"},
	"on-unknown": {"retry", "hold"},
	"decimal":    {"point", "comma"},
	"lines":      {"total", "sum"},
	"progress":   {"auto", "bar", "plain", "none"},
	"log-format": {"text", "json"},
	"ui-mode":    {"hostedPage", "elements"},
}

// complete tells a shell what can stand where in the command.
func complete(cmd *cobra.Command, s options.Streams) {
	for name, values := range flagValues {
		if cmd.Flags().Lookup(name) != nil {
			// It fails only for a flag that is not there, or has one already.
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	for _, name := range []string{"profile", "save-profile"} {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return profileNames(s), cobra.ShellCompDirectiveDefault // a path is as good
			})
		}
	}
	if strings.Contains(cmd.Use, "JO") && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return jobNumbers(cmd, s), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		}
	}
}

// profileNames are the profiles of this user; none where they cannot be listed.
func profileNames(s options.Streams) []string {
	folder, err := options.ProfileFolder(s)
	if err != nil {
		return nil
	}
	names, _ := profile.Names(folder)
	return names
}

// jobNumbers are the ledger's jobs, the newest first, each with its file; none where there is no ledger to read.
func jobNumbers(cmd *cobra.Command, s options.Streams) []string {
	if err := options.SetFromEnvironment(cmd.Flags(), s.Env); err != nil {
		return nil
	}
	value := func(name string) string {
		text, _ := cmd.Flags().GetString(name)
		return text
	}
	look := options.Look{Target: options.Target{Env: value("env")}, Ledger: options.Ledger{Path: value("ledger")}}
	ledger, err := look.Open(context.Background(), s)
	if err != nil {
		return nil
	}
	defer ledger.Close()
	jobs, err := ledger.Jobs(context.Background())
	if err != nil {
		return nil
	}
	var numbers []string
	for _, j := range jobs {
		numbers = append(numbers, fmt.Sprintf("%d\t%s", j.ID, words.Printable(filepath.Base(j.File))))
	}
	slices.Reverse(numbers)
	return numbers
}
