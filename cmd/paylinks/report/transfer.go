package report

import (
	"fmt"
	"io"
	"time"

	"paylinks/cmd/paylinks/words"
	"paylinks/store/transfer"
)

// TransferPrinter says how far a transfer is, and what came of it.
type TransferPrinter struct {
	To             io.Writer
	Line           func(text string) // of a terminal; nil: there is none
	Source, Target string
	drawn          time.Time
}

// drawEvery is how often the line of a terminal is drawn.
const drawEvery = 200 * time.Millisecond

// Step takes what transfer.Run tells: the step that begins, or how many rows and attempts are copied and compared.
func (p *TransferPrinter) Step(step transfer.Step, copied, compared int64) {
	switch {
	case copied+compared > 0:
		if p.Line != nil && time.Since(p.drawn) >= drawEvery {
			p.drawn = time.Now()
			text := words.Grouped(int(copied)) + " rows and attempts copied"
			if compared > 0 {
				text += ", " + words.Grouped(int(compared)) + " compared"
			}
			p.Line(text)
		}
		return
	case step == transfer.Begin:
		fmt.Fprintf(p.To, "moving %s to %s: from now on nobody can send from the old one\n", p.Source, p.Target)
	case step == transfer.Leave:
		fmt.Fprintf(p.To, "copied and compared: both have the same\n")
	}
	p.Clear()
}

// Clear takes the line of a terminal away.
func (p *TransferPrinter) Clear() {
	if p.Line != nil {
		p.Line("")
	}
}

// Result says to w what has been moved, and what is to be done next.
func (p *TransferPrinter) Result(w io.Writer, result transfer.Result) {
	if result.Already {
		fmt.Fprintf(w, "%s was moved to %s before: there is nothing to do\n", p.Source, p.Target)
		return
	}
	to := words.ShellQuoted(p.Target)
	for _, left := range result.Left {
		fmt.Fprintf(w, "job %d: its links file is %s on %s; here it has none: paylinks export %d -o PATH --ledger %s\n",
			left.Job, words.Printable(left.Path), words.Printable(left.Host), left.Job, to)
	}
	if result.Filled {
		d := result.Digests
		fmt.Fprintf(w, "moved: %s, %s, %s\n", words.Count(int(d.Jobs.Rows), "job"), words.Count(int(d.Items.Rows), "row"), words.Count(int(d.Attempts.Rows), "attempt"))
	}
	fmt.Fprintf(w, "the old ledger %s is never sent from again; it still has the customers' data: delete it when you need it no more\n", p.Source)
	fmt.Fprintf(w, "next: name the new ledger everywhere, in crontabs, services and scripts, too: --ledger %s, or PAYLINKS_LEDGER=%[1]s\n", to)
}
