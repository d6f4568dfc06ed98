package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/profile"
)

func newProfiles(s options.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "profiles",
		Short: "List the profiles: how files of one kind are read",
		Long: `profiles lists the profiles of this user, with what they say. A profile keeps under a name what the files of a program need to be
read, so that it is said once and holds every night:

  paylinks check export.csv --decimal comma --map 'amount=Open Balance' \
    --save-profile xero
  paylinks run export.csv --profile xero

check saves it once the files can be run. It is the file xero.toml in the folder paylinks/profiles of $XDG_CONFIG_HOME, else of ~/.config,
and can be edited. A --profile with a / in it, or that ends with .toml, is the path of a file: for cron, systemd and containers,
which may have no home folder. PAYLINKS_PROFILE names it for every command.

A profile is as good as its flags: a job is the same whether they were typed or not. Flags and PAYLINKS_ variables win over
it, --map name by name; --ignore is added to it. Every run says which profile it used, and what of it counted; with -q only where
files are refused.

What is in it: --encoding, --decimal, --header-line, --quote, --sheet, --hidden-rows, --map, --ignore, --series, --lines, --skip-totals, and values
for all rows such as --currency and --success-url, but for promotion codes. Never in it: --skip-invalid, --allow-no-id and the
like, which are decisions about one file, and everything about where and how fast to send. A series that is a year is better
said with the command.

It also keeps which other columns could be the amount when it was saved (other-amounts). Where its map names the amount or
line_amount, and a file has another one that is not among them, the file is refused: what is due may have moved there. Say which one is
meant with --map, and save the profile again.

A key that no profile has, such as a misspelt one, refuses the profile, and with it the run. profiles tells of such
files, and lists the others.`,
		Example: "  paylinks profiles",
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done; there may be none"),
			exit.Meaning(exit.Usage, "usage"),
			exit.Meaning(exit.Output, "standard output cannot be written"),
			exit.Meaning(exit.Config, "some profile cannot be used, or there is no home folder"),
		),
		RunE: func(*cobra.Command, []string) error { return exit.ReadEnough(runProfiles(s)) },
	}
}

func runProfiles(s options.Streams) error {
	folder, err := options.ProfileFolder(s)
	if err != nil {
		return err
	}
	names, err := profile.Names(folder)
	if err != nil {
		return exit.Failf(exit.Config, "profiles: %w", err)
	}
	if len(names) == 0 {
		fmt.Fprintf(s.Err, "there is no profile in %s yet; one is made with: paylinks check FILE --save-profile NAME\n", folder)
		return nil
	}
	status := exit.OK
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, name := range names {
		used, err := options.LoadProfile(s, name)
		if err != nil {
			f := exit.Classify(err)
			fmt.Fprintf(s.Err, "paylinks: error: %v\n", f)
			if f.Hint != "" {
				fmt.Fprintf(s.Err, "hint: %s\n", f.Hint)
			}
			status = exit.Config
			continue
		}
		fmt.Fprintf(table, "%s\t%s\n", name, used.Says())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return exit.With(status)
}
