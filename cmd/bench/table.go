package main

import (
	"cmp"
	"fmt"
	"strings"
)

// table is what came of the figures.
type table struct {
	rows    []row
	figures []figure
	missing bool // a figure could not be measured
}

// markdown is the whole text: the machine, the table, how each figure is measured, and the command lines. It is
// fit for a README as it is: short, and without this machine's paths.
func (t table) markdown(m machine, b *bench) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n\n", m)
	if b.quick {
		s.WriteString("**Tiny sizes (--quick): these figures only show that bench works, and nothing is judged.**\n\n")
	}
	s.WriteString("| figure | measured | peer | reach | met |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range t.rows {
		if b.quick {
			r.met = unjudged
		}
		cells := []string{r.title, r.measured, r.peer, r.reach, string(r.met)}
		for i, cell := range cells {
			cells[i] = cmp.Or(inCell.Replace(cell), "–")
		}
		fmt.Fprintf(&s, "| %s |\n", strings.Join(cells, " | "))
	}
	s.WriteString("\nHow each is measured:\n\n")
	for _, f := range t.figures {
		fmt.Fprintf(&s, "* **%s**: %s\n", f.title, oneLine(f.note))
	}
	s.WriteString("\n" + oneLine(commonNote) + "\n")
	s.WriteString("\n<details>\n<summary>The command lines</summary>\n\n" + oneLine(commandNote) + "\n\n```\n")
	for _, line := range b.commands {
		s.WriteString(line + "\n")
	}
	s.WriteString("```\n\n</details>\n")
	return s.String()
}

// oneLine undoes the line breaks of a text in the code.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// inCell keeps a text inside its cell.
var inCell = strings.NewReplacer("|", `\|`, "\n", " ")

const commonNote = `A process is timed from just before its start to its exit; CPU time (user and system) and peak
resident memory are what the kernel says of it when it has ended (wait4). Where there are several runs, the figure is
their median, with the least and the most behind it. paylinks and its peer take turns, and all written data is synced
to disk before each run, so that nobody pays for the one before. The server is paylinks simulator, a process of its
own on the same machine: all of them share its cores. Each invoice file is generated, the same every time: invoice_id,
amount, currency, customer_email and a description of some 40 characters. Each run has a new ledger unless the text
says otherwise, and inherits no settings from the environment. A run counts only when it ended with the status
expected, its summary counts every row as created, its links file has a line for each, and the server made exactly as
many sessions.`

const commandNote = "`bench` is this program's own part, N the number of rows in a file, URL a server's address; all files are in the work folder."
