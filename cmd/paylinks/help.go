package main

import (
	"slices"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
)

func init() { cobra.EnableCommandSorting = false } // the help lists commands in the order in which they are used

// newHelp is the command help; its topics are commands that only have a text.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command or a topic",
		Long:  "help explains a command or a topic; alone it lists both.",
		Example: `  paylinks help run
  paylinks help columns
  paylinks help operations`,
		Annotations: helptext.Exits(exit.Meaning(exit.OK, "done"), exit.Meaning(exit.Usage, "there is no such command or topic")),
		RunE: func(_ *cobra.Command, args []string) error {
			cmd := root
			if len(args) > 0 {
				i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == args[0] })
				if i < 0 {
					return unknown(root, "command or topic", args[0], "paylinks help ")
				}
				cmd = root.Commands()[i]
			}
			return cmd.Help()
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return namesOf(root), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// flagGroups are the headings under which the help lists a command's flags, in this order.
var flagGroups = []helptext.Group{
	{Title: "What is sent where", Flags: []string{
		"env", "base-url", "api-key-file", "ledger", "new-ledger", "lease", "after-failover", "yes", "limit", "unknown", "skip-invalid"}},
	{Title: "How the file is read", Flags: []string{
		"profile", "save-profile", "map", "ignore", "decimal", "encoding", "header-line", "quote", "sheet", "hidden-rows", "name", "series", "lines", "skip-totals", "allow-no-id", "allow-repeats", "allow-empty",
		"expect-rows", "expect-total", "explain"}},
	{Title: "What the file does not say, for all its rows", Flags: options.JobWideFlags()},
	{Title: "Pace and limits", Flags: []string{
		"rate", "concurrency", "timeout", "max-attempts", "on-unknown", "give-up-after", "max-failures"}},
	{Title: "Output", Flags: []string{
		"output", "rejected", "raw-cells", "bom", "json", "attempts", "progress", "quiet", "verbose", "log-format", "metrics-file"}},
}
