package main

import (
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/term"
)

// streams are what a command reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer // data only
	err io.Writer // words for people
	env func(name string) (string, bool)
}

// getenv is the variable's value, or "".
func (s streams) getenv(name string) string {
	value, _ := s.env(name)
	return value
}

// isTerminal says whether a person sits at this stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

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
