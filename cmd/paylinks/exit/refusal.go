package exit

import (
	"fmt"
	"strings"

	"paylinks/cmd/paylinks/words"
	"paylinks/job/intake"
)

// refused gives a refusal of a file its exit status, words and hint.
func refused(r *intake.Refusal) *Failure {
	status, hint := Data, ""
	switch r.Kind {
	case intake.Folder:
		hint = "name the files in it"
	case intake.NotRegular:
		hint = "save it as a file first: it is read more than once"
	case intake.SameFile:
		status, hint = Usage, "name only one of them"
	case intake.Changed:
		hint = "run again when nobody writes to it any more"
	case intake.BadRows:
		return Failf(status, "%s has %s that cannot be sent", r.Path, words.Count(r.Rows, "row"))
	case intake.BadLinks:
		return Failf(status, "%s has %s that cannot be adopted", r.Path, words.Count(r.Rows, "row"))
	case intake.WrongTotals:
		return Failf(status, "%w: %s", r, differences(r.Differences)).
			WithHint("nothing was sent; ask where the file comes from before you correct the figures")
	case intake.OutputIsInput:
		status, hint = Usage, "name another with --output, or take our own output files out of the command"
	case intake.OutputIsRejected:
		status, hint = Usage, "name another with --output"
	case intake.OutputIsOther:
		status, hint = Usage, "run them one by one, each with its own --output"
	case intake.OutputIsLedger:
		status, hint = Usage, "name another file with --output"
	case intake.RejectedUnwritable:
		status = Output
		hint = "nothing was sent; say where it can be written with --rejected PATH"
	case intake.NotImported:
		hint = "nothing of this file was sent; run it again"
	}
	return &Failure{status, r, hint}
}

func differences(all []intake.Difference) string {
	var texts []string
	for _, d := range all {
		text := fmt.Sprintf("its rows in %s add up to %s, and --expect-total says %s", d.Currency, d.Found, d.Expected)
		if d.Currency == "" {
			rows := words.GroupedDecimal(d.Found) + " rows"
			if d.Found == "1" {
				rows = "1 row"
			}
			text = fmt.Sprintf("it has %s, and --expect-rows says %s", rows, d.Expected)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
