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
	further := ""
	switch {
	case !cmd.HasParent():
		page.Use += " COMMAND"
		further = topicPages(cmd)
	case !cmd.Runnable(): // a topic: it has no flags
		page.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "help " + cmd.Name()}
		page.InitDefaultHelpFlag()
		page.Flags().Lookup("help").Hidden = true
	}
	file, err := os.Create(filepath.Join(folder, pageName(cmd)+".1"))
	if err != nil {
		return err
	}
	err = doc.GenMan(&page, &header, file)
	_, endErr := file.WriteString(further)
	return errors.Join(err, endErr, file.Close())
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// topicPages ends the root's SEE ALSO, in which cobra's generator lists commands only.
func topicPages(root *cobra.Command) string {
	var pages []string
	for _, cmd := range root.Commands() {
		if !cmd.Runnable() {
			pages = append(pages, `\fB`+pageName(cmd)+`(1)\fP`)
		}
	}
	return ".PP\n" + strings.Join(pages, ", ") + "\n"
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
