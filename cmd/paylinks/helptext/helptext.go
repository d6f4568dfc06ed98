// Package helptext lays out the help and the manual page of a command.
package helptext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit is an exit status and what it says.
type Exit struct {
	Status int
	Says   string
}

// Exits are a command's exit statuses, as the annotations that its help reads.
func Exits(exits ...Exit) map[string]string {
	return map[string]string{exitsKey: ExitTable(exits)}
}

const exitsKey = "exit status"

// ExitTable lists exit statuses.
func ExitTable(exits []Exit) string {
	var b strings.Builder
	for _, exit := range exits {
		b.WriteString(Entry("  "+strconv.Itoa(exit.Status), strings.ReplaceAll(exit.Says, "`", ""), 7, Width))
	}
	return b.String()
}

// Width is how wide the help is where the terminal does not say: as wide as a terminal begins, and a mail stays.
const Width = 80

// Text is the help of a command: what it is for, how it is called, flags, exit statuses.
func Text(cmd *cobra.Command, width int, groups []Group) string {
	width = min(max(width, 40), 100)
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", cmd.CommandPath(), lowerFirst(cmd.Short))
	if cmd.Runnable() && cmd.HasParent() {
		fmt.Fprintf(&b, "\nUsage:\n  %s\n", cmd.UseLine())
	} else if !cmd.HasParent() {
		b.WriteString("\nUsage:\n  paylinks COMMAND [flags]\n")
	}
	if cmd.Long != "" {
		b.WriteString("\n" + reflowed(cmd.Long, width))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasSubCommands() {
		for _, part := range []struct {
			title  string
			topics bool
		}{{"Commands", false}, {"More help", true}} {
			fmt.Fprintf(&b, "\n%s:\n", part.title)
			for _, c := range cmd.Commands() {
				if !c.Hidden && c.Runnable() != part.topics {
					name := c.Name()
					if part.topics {
						name = "help " + name
					}
					b.WriteString(Entry("  "+name, c.Short, 20, width))
				}
			}
		}
		b.WriteString("\npaylinks help COMMAND explains one, with its flags and exit statuses.\n")
	}
	b.WriteString(flagsText(cmd.Flags(), width, groups))
	if exits := cmd.Annotations[exitsKey]; exits != "" {
		fmt.Fprintf(&b, "\nExit status:\n%s", exits)
	}
	return b.String()
}

func lowerFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return strings.ToLower(string(first)) + text[size:]
}

// reflowed breaks the paragraphs of a text to the width. One with an indented line stays as it is.
func reflowed(text string, width int) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		if indented(paragraph) {
			b.WriteString(paragraph + "\n")
			continue
		}
		for _, line := range wrapped(paragraph, width) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// indented says whether a line of the paragraph is indented: it stays as it is.
func indented(paragraph string) bool {
	return strings.HasPrefix(paragraph, "  ") || strings.Contains(paragraph, "\n  ")
}

// Entry is a line of a list: its name, and what there is to say of it from the column on, over as many lines as that
// needs.
func Entry(name, text string, column, width int) string {
	if utf8.RuneCountInString(name) > column-2 {
		name += "\n" + strings.Repeat(" ", column)
	} else {
		name += strings.Repeat(" ", column-utf8.RuneCountInString(name))
	}
	return name + strings.Join(wrapped(text, width-column), "\n"+strings.Repeat(" ", column)) + "\n"
}

// wrapped breaks the text into lines of at most width runes, where its words allow that.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Group is a heading under which the help lists flags.
type Group struct {
	Title string
	Flags []string
}

// fewFlags need no headings.
const fewFlags = 8

// flagsText lists the flags in groups; what stands in no group comes last.
func flagsText(flags *pflag.FlagSet, width int, groups []Group) string {
	left := map[string]bool{}
	var names []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && flag.Name != "help" {
			left[flag.Name] = true
			names = append(names, flag.Name)
		}
	})
	var b strings.Builder
	list := func(title string, names []string) {
		for _, name := range names {
			if !left[name] {
				continue
			}
			if title != "" {
				fmt.Fprintf(&b, "\n%s:\n", title)
				title = ""
			}
			delete(left, name)
			b.WriteString(flagEntry(flags.Lookup(name), width))
		}
	}
	if len(names) > fewFlags {
		for _, group := range groups {
			list(group.Title, group.Flags)
		}
	}
	title := "Flags"
	if len(left) < len(names) {
		title = "Others"
	}
	list(title, names)
	return b.String()
}

func flagEntry(flag *pflag.Flag, width int) string {
	name := "      --" + flag.Name
	if flag.Shorthand != "" {
		name = "  -" + flag.Shorthand + ", --" + flag.Name
	}
	if argument := flag.Annotations[argumentKey]; argument != nil {
		name += " " + argument[0]
	}
	return Entry(name, describeFlag(flag), 30, width)
}

// argumentKey is the annotation of a flag with the word that stands for its value.
const argumentKey = "argument"

// describeFlag says what the flag is for, its default, and its variable.
func describeFlag(flag *pflag.Flag) string {
	text := flag.Usage
	if !strings.Contains(text, "(default: ") && !slices.Contains([]string{"", "0", "[]", "false", "0s"}, flag.DefValue) {
		text += " (default " + strings.Replace(flag.DefValue, "m0s", "m", 1) + ")"
	}
	if !HasVariable(flag) {
		return text
	}
	return text + " [" + Variable(flag.Name) + "]"
}

// NameArguments takes the words that stand for the flags' values out of the usage texts, where they are between
// backquotes, as pflag has it, into an annotation: shells show the texts as they are.
func NameArguments(flags *pflag.FlagSet) {
	words := map[string]string{
		"string": "TEXT", "stringArray": "TEXT", "int": "N", "uint64": "N", "float64": "N", "duration": "TIME",
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		word := words[flag.Value.Type()]
		if _, named, quoted := strings.Cut(flag.Usage, "`"); quoted {
			word, _, _ = strings.Cut(named, "`")
			flag.Usage = strings.ReplaceAll(flag.Usage, "`", "")
		}
		if word != "" {
			_ = flags.SetAnnotation(flag.Name, argumentKey, []string{word}) // it is there
		}
	})
}
