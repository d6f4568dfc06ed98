package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/helptext"
	"paylinks/cmd/paylinks/options"
)

// version is set by the linker in a release.
var version = ""

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "dev"
}

func newVersion(s options.Streams) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print the version",
		Long:        "version prints the version.",
		Example:     "  paylinks version",
		Annotations: helptext.Exits(exit.Meaning(exit.OK, "done")),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Out, "paylinks", programVersion())
			return err
		},
	}
}
