package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/job/intake"
)

type adoptOptions struct {
	target options.Target
	ledger options.Ledger
	read   *options.Read
}

func newAdopt(s options.Streams) *cobra.Command {
	o := adoptOptions{read: &options.Read{}}
	cmd := &cobra.Command{
		Use:   "adopt FILE...",
		Short: "Take links files into a new or restored ledger, so that it knows their links",
		Long: `adopt takes links files into a ledger that does not know their links: where the ledger was lost, or a backup was put in
its place. Nothing is sent, and no key is needed. See paylinks help ledger for what to do in which order.

Each file is read as run would read its input: give the same --map, --decimal, --series, --base-url and so on, or --profile, else
later runs do not recognise the invoices. The environment must be said, since the files do not say it. All files are
checked first; where one cannot be read, none is adopted.

Of each row with a link the ledger gets what is new to it: the link with its expiry, customer and amount, and that it
is paid or refunded. A row whose status is unknown stays in doubt, and waits for a person's word: paylinks retry JOB
--unknown. Other rows are left out; their own file's run makes them again. What is new of a file becomes a job of its
own; its links file is not written. The same files again change nothing.

What contradicts the ledger is told and left: the status is then 3. A second link of one invoice is taken, since
somebody can pay it, and told, too.`,
		Example: `  paylinks adopt invoices.links.csv --env production
  paylinks adopt *.links.csv --env production`,
		Annotations: helptext.Exits(
			exit.Meaning(exit.OK, "done: the ledger knows all links of the files"),
			exit.Meaning(exit.Attention, "done, but something in the files contradicts the ledger"),
			exit.Meaning(exit.Usage, "usage, or no environment was said"),
			exit.Meaning(exit.Data, "a file is no links file, or wrong or unreadable: nothing was adopted"),
			exit.Meaning(exit.Ledger, "the ledger or the disk failed"),
			exit.Meaning(exit.Unfinished, "another run holds the ledger"),
			exit.Meaning(exit.Config, "configuration: a wrong address or profile, no ledger in production"),
			exit.Meaning(exit.Interrupted, "interrupted: each file was taken whole, or nothing of it"),
		),
		RunE: func(cmd *cobra.Command, files []string) error {
			return runAdopt(cmd.Context(), o, files, s)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.target.Env, "env", "", "environment `NAME` that the links are of: simulator, sandbox or production; required (default: CLINK_ENV)")
	flags.StringVar(&o.target.BaseURL, "base-url", "", "`URL` of Clink's API that the links are of (default: CLINK_BASE_URL, else the environment's)")
	o.ledger.AddFlags(flags)
	o.ledger.AddNew(flags)
	o.read.AddFlags(flags)
	return cmd
}

func runAdopt(ctx context.Context, o adoptOptions, paths []string, s options.Streams) (err error) {
	if o.target.Named(s) == "" {
		return exit.Failf(exit.Usage, "adopt needs --env: the files do not say which environment their links are of").
			WithHint("say --env sandbox, --env production or --env simulator")
	}
	reading, err := o.read.Resolve(s, false)
	if err != nil {
		return err
	}
	t, err := o.target.Resolve(s)
	if err != nil {
		return err
	}
	files, err := intake.OpenLinks(paths, intake.Settings{Environment: t.Environment, BaseURL: t.BaseURL, Options: reading})
	if err != nil {
		return exit.Classify(err)
	}
	if err := checkLinks(ctx, files, s.Err); err != nil {
		return err
	}
	ledger, err := o.ledger.OpenToSend(ctx, s, t.Environment, "adopt "+strings.Join(paths, " "))
	if err != nil {
		return err
	}
	defer func() { err = options.Closed(ledger, err) }()
	contradicted := false
	for _, f := range files {
		adopted, err := f.Adopt(ctx, ledger)
		switch {
		case errors.Is(err, context.Canceled):
			return exit.Failf(exit.Interrupted, "interrupted while %s was taken into the ledger: nothing of it was", f.Path).WithHint("run the same command again")
		case err != nil:
			return exit.Classify(err)
		}
		fmt.Fprint(s.Err, report.DescribeAdopted(f, adopted))
		contradicted = contradicted || len(adopted.Conflicts) > 0
	}
	fmt.Fprintf(s.Err, "ledger: %s\n", ledger.Path())
	if contradicted {
		return exit.With(exit.Attention)
	}
	return nil
}

// checkLinks checks all files and prints what is wrong with them. Its error says that nothing was adopted.
func checkLinks(ctx context.Context, files []*intake.LinksFile, to io.Writer) error {
	refused, _, err := refusals(files, "adopted", func(f *intake.LinksFile) error {
		printer := report.NewProblemPrinter(to, options.IsTerminal(to), nil)
		defer printer.Rest()
		return f.Check(ctx, printer)
	})
	if err != nil || len(refused) == 0 {
		return err
	}
	return exit.Failf(exit.Data, "%s; nothing was adopted", strings.Join(refused, "; ")).
		WithHint("adopt the links files as they were written, with the options that their input was read with")
}
