package intake

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Piped is a file that can be read only once, from standard input or a named pipe, kept aside: it is read several times.
type Piped struct {
	Name string // of its job and output files; they stand in the current folder
	file *os.File
	size int64
}

// StandardInput is the path by which users name it.
const StandardInput = "-"

// IsPiped says whether the path leads to what can be read only once, which is kept aside before it is opened with others.
func IsPiped(path string) bool {
	if IsStandardInput(path) || isDescriptor(path) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// IsStandardInput says whether the path is a name of standard input.
func IsStandardInput(path string) bool {
	return path == StandardInput || path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0"
}

// isDescriptor says whether the path is what a shell makes of a command's output: cat <(…).
func isDescriptor(path string) bool {
	return strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// PipedName is the name of what a pipe brings, where nobody gives one: its file name, or stdin.
func PipedName(path string) string {
	if IsStandardInput(path) || isDescriptor(path) {
		return "stdin"
	}
	return filepath.Base(path)
}

// ValidName says whether this can be the name of a job that has no file: it becomes part of file names.
func ValidName(name string) bool {
	const most = 200 // bytes; with what is added to it a file system takes 255
	return name != "" && len(name) <= most && name[0] != '.' && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || r == filepath.Separator || r == unicode.ReplacementChar || unicode.IsControl(r)
	})
}

// KeepAside reads all that a pipe brings into a file of its own, which nobody else can open and which is gone when it is closed, however
// the program ends.
func KeepAside(ctx context.Context, name string, open func() (io.Reader, error)) (*Piped, error) {
	file, err := os.CreateTemp("", "paylinks-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("keep %s aside: %w", name, err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("keep %s aside: %w", name, err)
	}
	p := &Piped{Name: name, file: file}
	ended := make(chan error, 1)
	go func() { // which waits for the pipe's other end
		from, err := open()
		if err != nil {
			ended <- &Refusal{Kind: Unreadable, Path: name, Err: err}
			return
		}
		pipe := &source{Reader: from}
		p.size, err = io.Copy(file, pipe)
		if pipe.err != nil {
			err = &Refusal{Kind: Unreadable, Path: name, Err: pipe.err}
		}
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("keep %s aside: %w", name, err)
	}
	return p, nil
}

// source remembers its own error, which is none of the disk on which it is kept aside.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(to []byte) (int, error) {
	n, err := s.Reader.Read(to)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// Close gives its room on the disk back.
func (p *Piped) Close() error { return p.file.Close() }

// IsPiped says whether the file came through a pipe, so that nothing can be said of its path.
func (f *File) IsPiped() bool { return f.piped != nil }

// reader reads it from the top, beside others that do.
func (p *Piped) reader() *io.SectionReader { return io.NewSectionReader(p.file, 0, p.size) }
