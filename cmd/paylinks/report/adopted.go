package report

import (
	"fmt"
	"strings"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/intake"
)

// DescribeAdopted says what came of the file.
func DescribeAdopted(f *intake.LinksFile, a job.Adopted) string {
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
