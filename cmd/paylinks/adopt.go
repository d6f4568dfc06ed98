package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/intake"
)

type adoptOptions struct {
	target targetOptions
	ledger ledgerOptions
	read   readOptions
}

func newAdopt(s streams) *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt FILE...",
		Short: "Take links files into a new or restored ledger, so that it knows their links",
		Long: `adopt takes links files into a ledger that does not know their links: where the ledger was lost, or a backup was put in
its place. Nothing is sent, and no key is needed. See paylinks help ledger for what to do in which order.

Each file is read as run would read its input: give the same --map, --decimal, --series, --base-url and so on, else
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
			meaning(exitOK, "done: the ledger knows all links of the files"),
			meaning(exitAttention, "done, but something in the files contradicts the ledger"),
			meaning(exitUsage, "usage, or no environment was said"),
			meaning(exitData, "a file is no links file, or wrong or unreadable: nothing was adopted"),
			meaning(exitLedger, "the ledger or the disk failed"),
			meaning(exitUnfinished, "another run holds the ledger"),
			meaning(exitConfig, "configuration: a wrong address, no ledger in production"),
			meaning(exitInterrupted, "interrupted: each file was taken whole, or nothing of it"),
		),
		RunE: func(cmd *cobra.Command, files []string) error {
			return runAdopt(cmd.Context(), o, files, s)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.target.env, "env", "", "environment `NAME` that the links are of: simulator, sandbox or production; required (default: CLINK_ENV)")
	flags.StringVar(&o.target.baseURL, "base-url", "", "`URL` of Clink's API that the links are of (default: CLINK_BASE_URL, else the environment's)")
	o.ledger.addFlags(flags)
	o.ledger.addNew(flags)
	o.read.addFlags(flags)
	return cmd
}

func runAdopt(ctx context.Context, o adoptOptions, paths []string, s streams) (err error) {
	if o.target.named(s) == "" {
		return failf(exitUsage, "adopt needs --env: the files do not say which environment their links are of").
			withHint("say --env sandbox, --env production or --env simulator")
	}
	options, err := o.read.resolve()
	if err != nil {
		return err
	}
	t, err := o.target.resolve(s)
	if err != nil {
		return err
	}
	files, err := intake.OpenLinks(paths, intake.Settings{Environment: t.Environment, BaseURL: t.BaseURL, Options: options})
	if err != nil {
		return classify(err)
	}
	if err := checkLinks(ctx, files, s.err); err != nil {
		return err
	}
	ledger, err := o.ledger.openToSend(s, t.Environment, "adopt "+strings.Join(paths, " "))
	if err != nil {
		return err
	}
	defer func() { err = closed(ledger, err) }()
	contradicted := false
	for _, f := range files {
		adopted, err := f.Adopt(ctx, ledger)
		switch {
		case errors.Is(err, context.Canceled):
			return failf(exitInterrupted, "interrupted while %s was taken into the ledger: nothing of it was", f.Path).withHint("run the same command again")
		case err != nil:
			return classify(err)
		}
		fmt.Fprint(s.err, describeAdopted(f, adopted))
		contradicted = contradicted || len(adopted.Conflicts) > 0
	}
	fmt.Fprintf(s.err, "ledger: %s\n", ledger.Path())
	if contradicted {
		return exitWith(exitAttention)
	}
	return nil
}

// checkLinks checks all files and prints what is wrong with them. Its error says that nothing was adopted.
func checkLinks(ctx context.Context, files []*intake.LinksFile, to io.Writer) error {
	var refused []string
	for _, f := range files {
		printer := newProblemPrinter(to, nil)
		err := f.Check(ctx, printer)
		printer.rest()
		if err == nil {
			continue
		}
		var refusal *intake.Refusal
		failed := classify(err)
		switch {
		case errors.Is(err, context.Canceled):
			return failf(exitInterrupted, "interrupted: nothing was adopted")
		case failed.status != exitData || !errors.As(err, &refusal):
			return failed
		case refusal.Kind == intake.BadRows:
			failed = failf(exitData, "%s has %s that cannot be adopted", f.Path, words.Count(refusal.Rows, "row"))
		}
		refused = append(refused, failed.Error())
	}
	if len(refused) == 0 {
		return nil
	}
	return failf(exitData, "%s; nothing was adopted", strings.Join(refused, "; ")).
		withHint("adopt the links files as they were written, with the options that their input was read with")
}

// describeAdopted says what came of the file.
func describeAdopted(f *intake.LinksFile, a job.Adopted) string {
	var b strings.Builder
	var parts []string
	for _, some := range []struct {
		rows  int
		thing string
	}{{a.Links, "link"}, {a.Doubts, "row"}} {
		if some.rows > 0 {
			parts = append(parts, words.Count(some.rows, some.thing))
		}
	}
	if a.Doubts > 0 {
		parts[len(parts)-1] += " in doubt"
	}
	said := "nothing is new"
	if len(parts) > 0 {
		said = fmt.Sprintf("%s taken into the ledger as job %d", strings.Join(parts, " and "), a.Job.ID)
	}
	fmt.Fprintf(&b, "%s: %s", f.Path, said)
	if a.Known > 0 {
		fmt.Fprintf(&b, "; %s known already", words.Count(a.Known, "row"))
	}
	if a.Payments > 0 {
		fmt.Fprintf(&b, ", %s of them now paid or refunded", words.Grouped(a.Payments))
	}
	parts = nil
	for _, state := range job.States {
		if n := f.LeftOut[state]; n > 0 {
			parts = append(parts, words.Grouped(n)+" "+string(state))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(&b, "; left out: %s", strings.Join(parts, ", "))
	}
	b.WriteString("\n")
	for _, row := range a.Conflicts {
		fmt.Fprintf(&b, "%s:%d: %s\n", f.Path, row.Line, contradiction(row.Adoption))
	}
	return b.String()
}

// contradiction says how a row contradicts the ledger, and what becomes of it.
func contradiction(a job.Adoption) string {
	of := fmt.Sprintf("job %d", a.Other.JobID)
	switch a.Conflict {
	case job.SessionOfOtherInvoice:
		return "left: the ledger has its session for another invoice, environment, address or series, in " + of
	case job.SessionOfOtherMoney:
		return fmt.Sprintf("left: the ledger has its session for %s %s, in %s", a.Other.Currency, words.Money(a.Other.Amount, a.Other.Currency), of)
	case job.SessionOfOtherCustomer:
		return "left: the ledger has its session for another customer, in " + of
	case job.SessionUnpublished:
		return "left: the ledger has its session as one that was not what was asked for, in " + of
	case job.SessionReplaced:
		return "left: the file says that it is paid, and the ledger that it expired unpaid and got a new link, in " + of + ": look both up at Clink"
	case job.SecondLink:
		state := "can be paid"
		if a.Other.Link.Settled() {
			state = "is " + string(a.Other.Link)
		}
		return fmt.Sprintf("taken, but its invoice has another link, which %s, session %s in %s: look both up at Clink", state, a.Other.SessionID, of)
	}
	return string(a.Conflict)
}
