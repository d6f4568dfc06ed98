package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/job/invoice"
)

// topicFiles are the help texts that belong to no command. A line with the word TABLE stands for what the code knows better.
//
//go:embed topics/*.txt
var topicFiles embed.FS

func topics() []*cobra.Command {
	var topics []*cobra.Command
	for _, topic := range []struct{ name, short, table string }{
		{"columns", "The columns of the invoice file and of the links file", columnTable()},
		{"headers", "The headers of known programs that need no --map", headerTable()},
		{"amounts", "How amounts may be written, and which are refused", ""},
		{"files", "How a file is read: titles, totals, quotes, encodings", ""},
		{"lines", "Invoices of several rows: a row for each line", ""},
		{"workbooks", "How a workbook (.xlsx) is read: sheets, numbers, hidden rows", ""},
		{"promises", "What holds whatever happens, and what cannot be promised", ""},
		{"exit-status", "What the exit statuses mean, for cron and scripts", helptext.ExitTable(exit.Meanings)},
		{"operations", "Every night, on call, secrets, containers, several machines", ""},
		{"ledger", "Where the ledger is, how to keep it and bring it back", ""},
		{"shared-ledger", "One ledger for several hosts, on PostgreSQL", ""},
		{"metrics", "The metrics for Prometheus, and alerts on them", ""},
	} {
		text, err := topicFiles.ReadFile("topics/" + topic.name + ".txt")
		if err != nil {
			panic(err) // the file is not part of the program
		}
		long := strings.Replace(string(text), "TABLE\n", topic.table, 1)
		topics = append(topics, &cobra.Command{Use: topic.name, Short: topic.short, Long: long})
	}
	return topics
}

// headerTable lists the headers of known programs by column.
func headerTable() string {
	var b strings.Builder
	title := ""
	for _, known := range byColumn(invoice.ProgramHeaders()) {
		heading := known.Column
		if known.Beside {
			heading += ", beside another"
		}
		if heading != title {
			fmt.Fprintf(&b, "%s\n", heading)
			title = heading
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-28s%-10s%s", known.Header, known.Language, known.Program), " ") + "\n")
	}
	return b.String()
}

// byColumn are the headers in their order, those last that could be the amount only beside another.
func byColumn(headers []invoice.ProgramHeader) []invoice.ProgramHeader {
	slices.SortStableFunc(headers, func(a, b invoice.ProgramHeader) int {
		switch {
		case a.Beside == b.Beside:
			return 0
		case a.Beside:
			return 1
		}
		return -1
	})
	return headers
}

// columnTable lists the columns that the reader knows.
func columnTable() string {
	var b strings.Builder
	for _, column := range invoice.Columns() {
		text := column.About
		switch {
		case column.Exact:
			text += " (by exactly this name)"
		case len(column.Also) > 0:
			text += " (also " + strings.Join(column.Also, ", ") + ")"
		}
		b.WriteString(helptext.Entry("  "+column.Name, text, 26, helptext.Width))
	}
	return b.String()
}
