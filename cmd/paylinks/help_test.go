package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/job/invoice"
)

// runQuietly runs the program in this process, without any environment variable.
func runQuietly(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	none := func(string) (string, bool) { return "", false }
	status = execute(t.Context(), args, options.Streams{In: strings.NewReader(""), Out: &out, Err: &err, Env: none})
	return status, out.String(), err.String()
}

// mustBeTyped are flags that no variable sets.
var mustBeTyped = []string{"check save-profile", "purge yes", "resume after-failover", "transfer to", "transfer cancel", "transfer yes"}

func commands() []*cobra.Command {
	return newRoot(options.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}).Commands()
}

// TestHelp guards that each command's help can be had without anything being set up, says in a line what it is for,
// shows how the command is used and an example, every flag with its variable, and its exit statuses: those that send
// name them all.
func TestHelp(t *testing.T) {
	all := []int{
		exit.OK, exit.Attention, exit.Usage, exit.Data, exit.Failures, exit.Output, exit.Ledger, exit.Unfinished, exit.Key, exit.Config,
		exit.Interrupted,
	}
	statuses := map[string][]int{
		"run":       all,
		"resume":    all,
		"retry":     all,
		"reissue":   all,
		"refresh":   {exit.OK, exit.Usage, exit.Output, exit.Ledger, exit.Unfinished, exit.Key, exit.Config, exit.Interrupted},
		"check":     {exit.OK, exit.Usage, exit.Data, exit.Output, exit.Ledger, exit.Config},
		"adopt":     {exit.OK, exit.Attention, exit.Usage, exit.Data, exit.Ledger, exit.Unfinished, exit.Config, exit.Interrupted},
		"profiles":  {exit.OK, exit.Usage, exit.Output, exit.Config},
		"jobs":      {exit.OK, exit.Usage, exit.Ledger},
		"show":      {exit.OK, exit.Usage, exit.Ledger},
		"export":    {exit.OK, exit.Usage, exit.Output, exit.Ledger},
		"backup":    {exit.OK, exit.Usage, exit.Output, exit.Ledger},
		"purge":     {exit.OK, exit.Usage, exit.Ledger, exit.Unfinished},
		"transfer":  {exit.OK, exit.Usage, exit.Data, exit.Ledger, exit.Unfinished, exit.Config, exit.Interrupted},
		"simulator": {exit.OK, exit.Usage, exit.Config},
		"version":   {exit.OK},

		"help":       {exit.OK, exit.Usage},
		"completion": {exit.OK, exit.Usage, exit.Output},
		"man":        {exit.OK, exit.Usage, exit.Output},
	}
	for _, cmd := range commands() {
		if !cmd.Runnable() {
			continue
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			for _, args := range [][]string{{cmd.Name(), "--help"}, {"help", cmd.Name()}} {
				status, help, stderr := runQuietly(t, args...)
				if status != exit.OK || stderr != "" {
					t.Errorf("%v: exit status %d, %q on standard error", args, status, stderr)
				}
				purpose, _, _ := strings.Cut(help, "\n")
				if !strings.HasPrefix(purpose, "paylinks "+cmd.Name()+": ") || strings.Contains(purpose, ": \n") {
					t.Errorf("%v: the first line is %q", args, purpose)
				}
				if !strings.Contains(help, "paylinks "+cmd.Use) {
					t.Errorf("%v: the help does not show %q", args, cmd.Use)
				}
				if !strings.Contains(help, "\nExamples:\n  ") {
					t.Errorf("%v: the help has no example", args)
				}
				cmd.Flags().VisitAll(func(flag *pflag.Flag) {
					line := regexp.MustCompile(`(?m)^  (?:-., |    )--` + flag.Name + `( |$)`).FindStringIndex(help)
					if flag.Name == "help" {
						return
					}
					if line == nil {
						t.Errorf("%v: the help does not show --%s", args, flag.Name)
						return
					}
					text, _, named := strings.Cut(help[line[1]:], "["+helptext.Variable(flag.Name)+"]")
					if slices.Contains(mustBeTyped, cmd.Name()+" "+flag.Name) {
						if named {
							t.Errorf("%v: the help shows a variable of --%s, which must be typed", args, flag.Name)
						}
						return
					}
					if !named || strings.Contains(text, "[PAYLINKS_") {
						t.Errorf("%v: the help does not show the variable of --%s", args, flag.Name)
					}
				})
				_, table, _ := strings.Cut(help, "\nExit status:\n")
				var named []string
				for line := range strings.Lines(table) {
					if strings.HasPrefix(line, "  ") {
						named = append(named, strings.Fields(line)[0])
					}
				}
				for _, want := range statuses[cmd.Name()] {
					if !slices.Contains(named, fmt.Sprint(want)) {
						t.Errorf("%v: the help does not name exit status %d", args, want)
					}
				}
			}
			if statuses[cmd.Name()] == nil {
				t.Error("this test does not know the command")
			}
		})
	}
}

// TestFlagGroups guards that a flag of run stands under a heading: among so many nobody finds it otherwise.
func TestFlagGroups(t *testing.T) {
	_, help, _ := runQuietly(t, "help", "run")
	for _, group := range flagGroups {
		if !strings.Contains(help, "\n"+group.Title+":\n") {
			t.Errorf("there is no heading %q", group.Title)
		}
	}
	if _, others, found := strings.Cut(help, "\nOthers:\n"); found {
		t.Errorf("flags without a heading:\n%s", others)
	}
}

// TestTopics guards that the topics say what the program does: every column, every exit status and what to do after it,
// as many promises as the README makes; and that the README names every topic.
func TestTopics(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	topic := func(name string) string {
		status, text, stderr := runQuietly(t, "help", name)
		if status != exit.OK || stderr != "" {
			t.Fatalf("help %s: exit status %d, %q on standard error", name, status, stderr)
		}
		return text
	}
	columns := topic("columns")
	for _, column := range invoice.Columns() {
		_, about, found := strings.Cut(columns, "\n  "+column.Name)
		if !found || !strings.HasPrefix(strings.Join(strings.Fields(about), " "), column.About) {
			t.Errorf("help columns does not explain %s", column.Name)
		}
		for _, also := range column.Also {
			if !strings.Contains(columns, also) {
				t.Errorf("help columns does not say that %s is taken for %s", also, column.Name)
			}
		}
	}
	for _, name := range slices.Concat(invoice.LinksColumns, invoice.RefreshColumns) {
		if !regexp.MustCompile(`(?m)^  ` + name + ` +\S`).MatchString(columns) {
			t.Errorf("help columns does not explain %s of the links file", name)
		}
	}
	statuses, operations := topic("exit-status"), topic("operations")
	for _, m := range exit.Meanings {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^  %d +\S`, m.Status)).MatchString(operations) {
			t.Errorf("help operations does not say what to do after %d", m.Status)
		}
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^  %d +%s`, m.Status, strings.Fields(m.Says)[0])).MatchString(statuses) {
			t.Errorf("help exit-status does not explain %d", m.Status)
		}
	}
	said := regexp.MustCompile(`(?m)^ *\d+\. `).FindAllString(topic("promises"), -1)
	made := regexp.MustCompile(`(?m)^\| \d+ \| \*\*`).FindAllString(string(readme), -1)
	if got, want := len(said), len(made); got != want || want == 0 {
		t.Errorf("help promises has %d promises, the README %d", got, want)
	}
	for _, cmd := range topics() {
		if !strings.Contains(string(readme), "`paylinks help "+cmd.Name()+"`") {
			t.Errorf("the README does not name the topic %s", cmd.Name())
		}
		for line := range strings.Lines(topic(cmd.Name())) {
			if utf8.RuneCountInString(line) > helptext.Width+1 {
				t.Errorf("help %s: wider than %d: %q", cmd.Name(), helptext.Width, line)
			}
		}
	}
}

// TestREADMEPromises guards that what the README names as the guards of a promise are tests, test files and stories that exist.
func TestREADMEPromises(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir(filepath.Join("..", ".."), func(path string, entry fs.DirEntry, err error) error {
		if name, story := strings.CutSuffix(entry.Name(), ".txt"); story {
			exists[name] = true
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		exists[entry.Name()] = true
		text, err := os.ReadFile(path)
		for _, found := range function.FindAllSubmatch(text, -1) {
			exists[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regexp.MustCompile(`(?m)^\| \d+ \|.*\|([^|]*)\|$`).FindAllStringSubmatch(string(readme), -1) {
		guards := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1)
		if len(guards) == 0 {
			t.Errorf("nothing guards %q", row[0])
		}
		for _, guard := range guards {
			if !exists[guard[1]] {
				t.Errorf("the README names %s, which does not exist", guard[1])
			}
		}
	}
}

// TestManPages guards that the pages show how commands and topics are called, and that those of commands and topics are named
// in the root's.
func TestManPages(t *testing.T) {
	folder := t.TempDir()
	if status, _, stderr := runQuietly(t, "man", folder); status != exit.OK {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	page := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	root := page("paylinks.1")
	for name, synopsis := range map[string]string{
		"paylinks.1":         "paylinks COMMAND [flags]",
		"paylinks-run.1":     "paylinks run FILE... [flags]",
		"paylinks-columns.1": "paylinks help columns",
	} {
		if !strings.Contains(page(name), "\n.SH SYNOPSIS\n\\fB"+synopsis+"\\fP\n") {
			t.Errorf("%s does not show %q", name, synopsis)
		}
	}
	if strings.Contains(page("paylinks-columns.1"), "--help") {
		t.Error("the page of a topic has flags")
	}
	_, seeAlso, _ := strings.Cut(root, "\n.SH SEE ALSO\n")
	for _, cmd := range commands() {
		if !cmd.Hidden && cmd.Name() != "help" && !strings.Contains(seeAlso, `\fBpaylinks-`+cmd.Name()+`(1)\fP`) {
			t.Errorf("the page of paylinks does not name that of %s", cmd.Name())
		}
	}
}

// TestDocumentedKeys guards the keys of the JSON output: programs use them, and the help names them in their order.
func TestDocumentedKeys(t *testing.T) {
	for _, tt := range []struct {
		name, help string
		value      any
	}{
		{"a summary", report.SummaryHelp, report.Summary{}},
		{"a job", report.JobKeys, report.JobObject{Sender: &report.SenderObject{}}},
		{"a job's last run", report.JobKeys, report.LastRunObject{}},
		{"a job's sender", report.JobKeys, report.SenderObject{}},
		{"a problem", newShow(options.Streams{}).Long, report.ProblemObject{}},
		{"an attempt", newShow(options.Streams{}).Long, report.AttemptObject{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			object, err := json.Marshal(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := keysOf(string(object))
			if err != nil {
				t.Fatal(err)
			}
			rest := tt.help
			for _, key := range keys {
				at := regexp.MustCompile(`\b` + key + `\b`).FindStringIndex(rest)
				if at == nil {
					t.Fatalf("the help does not name %s, or not in its place among %v", key, keys)
				}
				rest = rest[at[1]:]
			}
		})
	}
}

// TestRunFlags guards the flags of the design's table with their defaults: other people's crontabs use them. What is
// "" or -1 here stands for none, or for a default that depends on the file, the environment or the job.
func TestRunFlags(t *testing.T) {
	run, _, err := newRoot(options.Streams{}).Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ name, shorthand, value string }{
		{"output", "o", ""},
		{"ledger", "", ""},
		{"env", "", ""},
		{"base-url", "", ""},
		{"api-key-file", "", ""},
		{"rate", "", "10"},
		{"concurrency", "", "16"},
		{"timeout", "", "30s"},
		{"max-attempts", "", "5"},
		{"give-up-after", "", "10m0s"},
		{"max-failures", "", ""},
		{"on-unknown", "", ""}, // a new job's is retry, see testdata/script/hold.txt
		{"limit", "", "-1"},
		{"skip-invalid", "", "false"},
		{"allow-repeats", "", "false"},
		{"allow-no-id", "", "false"},
		{"allow-empty", "", "false"},
		{"skip-totals", "", "false"},
		{"header-line", "", "0"}, // where it is found
		{"quote", "", "double"},
		{"rejected", "", ""},
		{"series", "", ""},
		{"map", "", "[]"},
		{"profile", "", ""},
		{"decimal", "", "point"},
		{"encoding", "", ""},
		{"currency", "", ""},
		{"item-name", "", ""},
		{"image-url", "", ""},
		{"product-id", "", ""},
		{"price-id", "", ""},
		{"ui-mode", "", ""},
		{"return-url", "", ""},
		{"success-url", "", ""},
		{"cancel-url", "", ""},
		{"payment-method-type", "", ""},
		{"payment-method-type-black-list", "", ""},
		{"direct-payment-qr-code-payment-method-type", "", ""},
		{"allow-promotion-codes", "", ""},
		{"promotion-code", "", ""},
		{"expect-rows", "", "0"}, // none, unless it is given
		{"expect-total", "", "[]"},
		{"yes", "", "false"},
		{"progress", "", "auto"},
		{"log-format", "", "text"},
		{"verbose", "v", "false"},
		{"quiet", "q", "false"},
		{"json", "", "false"},
		{"metrics-file", "", ""},
		{"raw-cells", "", "false"},
	} {
		t.Run(want.name, func(t *testing.T) {
			flag := run.Flags().Lookup(want.name)
			if flag == nil {
				t.Fatal("there is no such flag")
			}
			if got := flag.Value.String(); got != want.value {
				t.Errorf("its default is %q, want %q", got, want.value)
			}
			if flag.Shorthand != want.shorthand {
				t.Errorf("its shorthand is %q, want %q", flag.Shorthand, want.shorthand)
			}
			if flag.Usage == "" {
				t.Error("it has no help")
			}
		})
	}
}
