package main

import (
	"strings"

	"github.com/spf13/cobra"

	"paylinks/job/invoice"
)

// topics are the help texts that belong to no command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "columns",
			Short: "The columns of the invoice file and of the links file",
			Long:  columnsText(),
		},
		{
			Use:   "promises",
			Short: "What holds whatever happens, and what cannot be promised",
			Long:  promisesText,
		},
		{
			Use:   "exit-status",
			Short: "What the exit statuses mean, for cron and scripts",
			Long: `run, resume and retry end with the first of these that is true; the other commands use the same numbers, and
the help of each names its own.

` + strings.TrimSuffix(exitTable(meanings), "\n") + `

A run that ended with 75 or 130 is finished by the same command, or by paylinks resume. 3 needs a person: paylinks show JOB says
why.`,
		},
	}
}

// columnsText lists the columns that the reader knows.
func columnsText() string {
	var b strings.Builder
	b.WriteString(`An invoice file is a CSV with a row per customer and amount; the first line is the header. Case, spaces, _ and - in a
header do not matter, except where it says exactly. A file needs amount, currency (or --currency), and one of customer_id,
customer_email and reference_customer_id. Columns that are not listed here are yours: they pass through to the links file. For a
column of yours with another name, say --map NAME=HEADER.

`)
	for _, column := range invoice.Columns() {
		text := column.About
		switch {
		case column.Exact:
			text += " (by exactly this name)"
		case len(column.Also) > 0:
			text += " (also " + strings.Join(column.Also, ", ") + ")"
		}
		b.WriteString(entry("  "+column.Name, text, 26, helpWidth))
	}
	b.WriteString(`
The links file has your columns as they were, and then:

  row           the line in your file where the row begins
  status        created, duplicate, pending, unknown, failed, invalid,
                superseded
  session_id    Clink's id of the checkout session
  url           the link; empty while there is none
  expires_at    until when it can be paid, in UTC; empty when Clink did not say
  created_at    when it was made, in UTC
  attempts      how many requests were sent for the row
  error_code    Clink's number, or the word for what happened
  error         Clink's words as they came where Clink has refused the row;
                else ours: why it has no link, or which job its link is of

Once paylinks refresh has asked Clink, it has two more:

  link_status   paid, processing, open, or expired, which means unpaid; empty
                when Clink has not said
  checked_at    when it said so, in UTC`)
	return b.String()
}

const promisesText = `Within one ledger, which belongs to one Clink account and one system user:

  1.  One published link per invoice: the links file is written from the
      ledger alone, and a row holds at most one session.
  2.  Intent before action: an attempt is on disk before its request leaves. A
      crash leaves at most --concurrency rows in doubt, each on record.
  3.  Unknown is a state, not a guess: a row whose answer was lost is sent
      again (--on-unknown retry), or never without a person's word (hold).
  4.  An outage never fails a row: throttling, outages, a bad key, a full disk
      or Ctrl-C leave rows pending or unknown, and running again goes on.
  5.  A wrong file sends nothing, unless told --skip-invalid. All its problems
      are reported at once.
  6.  The same file again finishes the job. A finished one sends nothing; an
      edited file creates only what has no link yet.
  7.  What was asked is what is published: a session with another amount,
      currency, reference or customer is not.
  8.  The key stays in memory: it is in no argument, ledger, file, log or
      error, and goes to the configured host only.
  9.  Files appear whole or not at all, and only their owner can read them.
  10. One sender per ledger. jobs, show and export always work.

What cannot be promised: Clink has no idempotency key, so a session whose answer was lost may exist beside the published one.
Nobody has seen its link, so nobody can pay it. It is counted as a possible orphan, and paylinks show JOB lists it.`
