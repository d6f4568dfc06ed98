package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
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
		Annotations: exits(meaning{exitOK, "done"}, meaning{exitUsage, "usage"}, meaning{exitOutput, "a page cannot be written"}),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root.DisableAutoGenTag = true
			header := doc.GenManHeader{Section: "1", Source: "paylinks " + programVersion(), Manual: "paylinks"}
			errs := []error{manPage(root, header, args[0])}
			for _, cmd := range root.Commands() {
				if !cmd.Hidden {
					errs = append(errs, manPage(cmd, header, args[0]))
				}
			}
			return errors.Join(errs...)
		},
	}
}

func manPage(cmd *cobra.Command, header doc.GenManHeader, folder string) (err error) {
	page := *cmd
	page.Long = markdown(cmd.Long)
	if exits := cmd.Annotations[exitsKey]; exits != "" {
		page.Long += "\n\n# EXIT STATUS\n" + markdown(exits)
	}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { flag.Usage = describeFlag(flag) })
	file, err := os.Create(filepath.Join(folder, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
	if err != nil {
		return err
	}
	return errors.Join(doc.GenMan(&page, &header, file), file.Close())
}

// markdown makes a help text what cobra's generator reads: what is indented stays as it is.
func markdown(text string) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(paragraph, "  ") || strings.Contains(paragraph, "\n  ") {
			paragraph = "```\n" + paragraph + "\n```"
		}
		b.WriteString(paragraph + "\n\n")
	}
	return b.String()
}
