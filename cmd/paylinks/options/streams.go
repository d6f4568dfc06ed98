// Package options has what several commands share: their flags, what these mean together with the environment and a profile, and the
// questions and refusals that follow from them before anything is sent.
package options

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are what a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer // data only
	Err io.Writer // words for people
	Env func(name string) (string, bool)
}

// Getenv is the variable's value, or "".
func (s Streams) Getenv(name string) string {
	value, _ := s.Env(name)
	return value
}

// IsTerminal says whether a person sits at this stream.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
