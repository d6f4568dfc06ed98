package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
)

// newMan writes the manual pages, for who packages paylinks: make man.
func newMan(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages into a folder",
		Long:   "man writes a manual page for each command and topic into the folder, and makes the folder if need be.",
		Hidden: true,
		Example: `  paylinks man man1
  man -l man1/paylinks-run.1`,
		Annotations: helptext.Exits(exit.Meaning(exit.OK, "done"), exit.Meaning(exit.Usage, "usage"), exit.Meaning(exit.Output, "a page cannot be written")),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root.DisableAutoGenTag = true
			header := doc.GenManHeader{Section: "1", Source: "paylinks " + programVersion(), Manual: "paylinks"}
			errs := []error{helptext.ManPage(root, header, args[0])}
			for _, cmd := range root.Commands() {
				if !cmd.Hidden {
					errs = append(errs, helptext.ManPage(cmd, header, args[0]))
				}
			}
			return errors.Join(errs...)
		},
	}
}
