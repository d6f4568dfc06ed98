package helptext

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// ManPage writes the command's manual page into the folder.
func ManPage(cmd *cobra.Command, header doc.GenManHeader, folder string) (err error) {
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

// markdown makes a help text what cobra's generator reads: what is indented stays as it is, capitals are a heading.
func markdown(text string) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		switch {
		case indented(paragraph):
			paragraph = "```\n" + paragraph + "\n```"
		case paragraph == strings.ToUpper(paragraph):
			paragraph = "# " + paragraph
		}
		b.WriteString(paragraph + "\n\n")
	}
	return b.String()
}
