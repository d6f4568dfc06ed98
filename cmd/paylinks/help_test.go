package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// runQuietly runs the program in this process, without any environment variable.
func runQuietly(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	none := func(string) (string, bool) { return "", false }
	status = run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &err, env: none})
	return status, out.String(), err.String()
}

func commands() []*cobra.Command {
	return newRoot(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}).Commands()
}

// TestHelp guards that each command's help can be had without anything being set up, shows how the command is used,
// and names its exit statuses: those that send name them all.
func TestHelp(t *testing.T) {
	all := []int{
		exitOK, exitAttention, exitUsage, exitData, exitFailures, exitOutput, exitLedger, exitUnfinished, exitKey, exitConfig,
		exitInterrupted,
	}
	statuses := map[string][]int{
		"run":       all,
		"resume":    all,
		"retry":     all,
		"reissue":   all,
		"refresh":   {exitOK, exitUsage, exitOutput, exitLedger, exitUnfinished, exitKey, exitConfig, exitInterrupted},
		"check":     {exitOK, exitUsage, exitData, exitOutput, exitLedger},
		"jobs":      {exitOK, exitUsage, exitLedger},
		"show":      {exitOK, exitUsage, exitLedger},
		"export":    {exitOK, exitUsage, exitOutput, exitLedger},
		"backup":    {exitOK, exitUsage, exitOutput, exitLedger},
		"simulator": {exitOK, exitUsage, exitConfig},
		"version":   {exitOK},
	}
	for _, cmd := range commands() {
		t.Run(cmd.Name(), func(t *testing.T) {
			for _, args := range [][]string{{cmd.Name(), "--help"}, {"help", cmd.Name()}} {
				status, help, stderr := runQuietly(t, args...)
				if status != exitOK || stderr != "" {
					t.Errorf("%v: exit status %d, %q on standard error", args, status, stderr)
				}
				if !strings.Contains(help, "paylinks "+cmd.Use) {
					t.Errorf("%v: the help does not show %q", args, cmd.Use)
				}
				_, named, _ := strings.Cut(help, "Exit status: ")
				named, _, _ = strings.Cut(named, "\n\n")
				words := strings.FieldsFunc(named, func(r rune) bool { return strings.ContainsRune(" ;,.\n", r) })
				for _, want := range statuses[cmd.Name()] {
					if !slices.Contains(words, fmt.Sprint(want)) {
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

// TestRunFlags guards the flags of the design's table with their defaults: other people's crontabs use them. What is
// "" or -1 here stands for none, or for a default that depends on the file, the environment or the job.
func TestRunFlags(t *testing.T) {
	run, _, err := newRoot(streams{}).Find([]string{"run"})
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
		{"map", "", "[]"},
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
		{"expect-rows", "", "-1"},
		{"expect-total", "", "[]"},
		{"yes", "", "false"},
		{"progress", "", "auto"},
		{"log-format", "", "text"},
		{"verbose", "v", "false"},
		{"quiet", "q", "false"},
		{"json", "", "false"},
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
