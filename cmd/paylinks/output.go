package main

import (
	"github.com/spf13/pflag"

	"paylinks/job/intake"
	"paylinks/job/links"
)

// outputOptions say where the links file goes, and its form.
type outputOptions struct {
	path     string
	rawCells bool
	bom      bool
}

func (o *outputOptions) addFlags(flags *pflag.FlagSet, byDefault string) {
	flags.StringVarP(&o.path, "output", "o", "", "write the links file to `PATH`; - is standard output (default: "+byDefault+")")
	o.addForm(flags)
}

func (o *outputOptions) addForm(flags *pflag.FlagSet) {
	flags.BoolVar(&o.rawCells, "raw-cells", false, "write your cells without the guard against formulas")
	flags.BoolVar(&o.bom, "bom", false, "begin the files with a byte order mark, for spreadsheets")
}

// placeOf is the file that an output path of the user's leads to, as the ledger keeps it; - is standard output.
func placeOf(path string) (string, error) {
	place, err := links.Output(path)
	if err != nil {
		return "", classify(err)
	}
	return place, nil
}

func sameFile(a, b string) bool { return links.SameFile(a, b) }

// spareLedger refuses an output that would take the place of the ledger, or of a file beside it that belongs to it.
func spareLedger(output string, ledger interface{ Files() []string }) error {
	if err := intake.SpareLedger(output, ledger.Files()); err != nil {
		return classify(err)
	}
	return nil
}

// isOf says whether the ledger has, or would have, one of its files at the path.
func isOf(ledger interface{ Files() []string }, path string) bool {
	return intake.SpareLedger(path, ledger.Files()) != nil
}

// tryOutput finds out before the first send whether the links file can be written, where the job writes one.
func tryOutput(path string) error {
	if path == "-" || path == "" {
		return nil
	}
	if err := links.Try(path); err != nil {
		return classify(err)
	}
	return nil
}
