package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/cmd/paylinks/report"
	"paylinks/cmd/paylinks/words"
	"paylinks/job/intake"
	"paylinks/job/invoice"
)

// checking is what is said of files that are checked.
type checking struct {
	quiet    bool
	explain  bool
	profile  *options.UsedProfile // by which the files are read; nil is none
	problems io.Writer            // where problems go as JSON lines; nil is as text with the rest
	words    io.Writer
}

// all checks the files and prints what is wrong with all of them. Its error says that nothing may be sent.
func (c *checking) all(ctx context.Context, batch *intake.Batch) error {
	var bad []*intake.File
	refused, hint, err := refusals(batch.Files, "sent", func(f *intake.File) error {
		err := c.one(ctx, f, batch.Options)
		if refusal, ok := errors.AsType[*intake.Refusal](err); ok && refusal.Kind == intake.BadRows {
			bad = append(bad, f)
		}
		return err
	})
	if err != nil || len(refused) == 0 {
		return err
	}
	if len(bad) > 0 {
		hint = afterBadRows(bad, batch.Options)
	}
	said := strings.Join(refused, "; ")
	if c.profile != nil {
		if c.quiet {
			said += ", read by the profile " + c.profile.Name
		}
		if hint != "" {
			hint += "; "
		}
		hint += fmt.Sprintf("a flag wins over the profile, as in --decimal point or --encoding utf-8; where such files have changed, check them with what they need now and --save-profile %s", words.ShellQuoted(c.profile.Name))
	}
	return exit.Failf(exit.Data, "%s; nothing was sent", said).WithHint("%s", hint)
}

// refusals checks each of the files, and says of those that are wrong why they are refused, and what would help with the first. Any
// other error ends the check. done is what would have been done with the files.
func refusals[F any](files []F, done string, check func(F) error) (said []string, hint string, err error) {
	for _, f := range files {
		err := check(f)
		if err == nil {
			continue
		}
		var refusal *intake.Refusal
		failed := exit.Classify(err)
		switch {
		case errors.Is(err, context.Canceled):
			return nil, "", exit.Failf(exit.Interrupted, "interrupted, nothing was %s", done)
		case failed.Status != exit.Data || !errors.As(err, &refusal) || refusal.Kind == intake.WrongTotals:
			return nil, "", failed
		}
		said, hint = append(said, failed.Error()), cmp.Or(hint, failed.Hint)
	}
	return said, hint, nil
}

// one checks a file and prints what was found.
func (c *checking) one(ctx context.Context, f *intake.File, reading invoice.Options) error {
	if f.Known != nil && (c.explain || !c.quiet) {
		if err := f.ReadHeader(c.explain); err != nil && c.explain { // the job goes on without its file
			return err
		}
	}
	printer := report.NewProblemPrinter(c.words, options.IsTerminal(c.words), c.problems)
	err := f.Check(ctx, printer)
	printer.Rest()
	if c.explain {
		fmt.Fprint(c.words, report.ExplainFile(f, reading))
	}
	if c.explain || !c.quiet {
		fmt.Fprint(c.words, report.Notes(f, c.explain))
	}
	if f.Figures != nil && !c.quiet {
		fmt.Fprint(c.words, report.DescribeFile(f, reading))
	}
	if !c.quiet {
		fmt.Fprint(c.words, report.WithoutID(f))
	}
	switch {
	case f.Rejected != "":
		fmt.Fprintf(c.words, "  rejected rows: %s\n", f.Rejected)
	case f.Unwritten != nil:
		fmt.Fprintf(c.words, "  rejected rows: on no file (%v); say where with --rejected PATH\n", f.Unwritten)
	}
	return err
}

// afterBadRows says what to do with files that have bad rows.
func afterBadRows(files []*intake.File, reading invoice.Options) string {
	commas, good, piped := "", false, false
	for _, f := range files {
		if 2*f.Figures.DecimalCommas > f.Figures.Bad { // most of them: it is the file's way of writing
			commas += " " + words.ShellQuoted(f.Path)
		}
		piped = piped || f.IsPiped()
		good = good || f.Figures.Rows > f.Figures.Bad
	}
	hint := "correct these rows in the file itself, and run it again"
	if good {
		hint += "; or send the others now with --skip-invalid, and the rejected file once it is corrected"
	}
	switch {
	case commas == "":
		return hint
	case piped || reading.Canonical() != "{}": // other flags are needed, too, or the pipe again
		return "if the file writes 1.234,50: check it with --decimal comma as well; else " + hint
	}
	return fmt.Sprintf("if the file writes 1.234,50: paylinks check%s --decimal comma; else %s", commas, hint)
}
