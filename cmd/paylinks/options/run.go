package options

import "github.com/spf13/pflag"

// Run are those of run: all that can be said of files, and of how they are sent.
type Run struct {
	Target      Target
	Ledger      Ledger
	Read        *Read
	Piped       Piped
	Expect      Expect
	Send        Send
	Output      Output
	SkipInvalid bool
}

// AddFlags adds all flags of run.
func (o *Run) AddFlags(flags *pflag.FlagSet) {
	o.Read = &Read{}
	flags.SortFlags = false
	o.Output.AddFlags(flags, "FILE without its extension, .links.csv, beside it; one file only")
	o.Target.AddFlags(flags)
	o.Ledger.AddFlags(flags)
	o.Send.AddFlags(flags)
	o.Ledger.AddNew(flags)
	o.Ledger.AddLease(flags)
	flags.BoolVar(&o.SkipInvalid, "skip-invalid", false, "send the good rows of a file that has bad ones")
	o.Read.AddFlags(flags)
	o.Piped.AddFlags(flags)
	o.Read.AddEmpty(flags)
	o.Output.AddRejected(flags)
	o.Expect.AddFlags(flags)
}
