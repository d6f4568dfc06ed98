package links

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// replace writes body to path, atomically and durably, with mode 0600; a stream is written to directly.
// An error of body is returned unchanged, any other as an [*Error]; after either, path is as it was.
func replace(path string, body func(io.Writer) error) error {
	to, err := resolve(path)
	if err != nil {
		return failed(path, err)
	}
	if to.stream {
		return writeInto(to, path, body)
	}
	temp, err := newTemp(to.path)
	if err != nil {
		return failed(path, err)
	}
	defer temp.Cleanup()
	if err := body(temp); err != nil {
		return err
	}
	return failed(path, temp.CloseAtomicallyReplace())
}

// writeInto appends, so that a file that standard output is redirected to (>> results.csv) keeps its content.
func writeInto(to target, path string, body func(io.Writer) error) error {
	f, err := openStream(to)
	if err != nil {
		return failed(path, err)
	}
	if err := body(f); err != nil {
		f.Close()
		return err
	}
	return failed(path, f.Close())
}

// readerWait is how long a pipe waits for its reader: one that was started beside the run opens it long before.
const readerWait = 10 * time.Second

// openStream does not leave the opening of a pipe to the operating system, which waits for a reader for ever.
func openStream(to target) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND
	info, err := os.Stat(to.path) // to.info is that of a link where the path is an open descriptor
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.OpenFile(to.path, flags, 0)
	}
	for end := time.Now().Add(readerWait); ; time.Sleep(readerWait / 1000) {
		f, err := os.OpenFile(to.path, flags|syscall.O_NONBLOCK, 0)
		switch {
		case !errors.Is(err, syscall.ENXIO):
			return f, err
		case !time.Now().Before(end):
			return nil, fmt.Errorf("nobody reads from this pipe: waited %v for it", readerWait)
		}
	}
}

// abandoned is the age from which a temporary file counts as left by a killed writer: writing takes seconds.
const abandoned = time.Hour

// sweep removes temporary files that killed writers of path have left, because they hold customer data.
func sweep(path string, now time.Time) {
	left, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(path)), "."+escapeGlob(filepath.Base(path))+"[0-9]*"))
	if err != nil {
		return
	}
	for _, file := range left {
		number := strings.TrimPrefix(filepath.Base(file), "."+filepath.Base(path))
		info, err := os.Lstat(file)
		if err == nil && strings.Trim(number, "0123456789") == "" && info.Mode().IsRegular() && now.Sub(info.ModTime()) > abandoned {
			_ = os.Remove(file) // else the next run tries again
		}
	}
}

var escaped = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

func escapeGlob(name string) string { return escaped.Replace(name) }

// newTemp creates a hidden file beside path that can be renamed to it, with mode 0600 whatever the umask. It passes the
// folder because renameio would otherwise prefer $TMPDIR.
func newTemp(path string) (*renameio.PendingFile, error) {
	folder := filepath.Dir(path)
	sweep(path, time.Now())
	temp, err := renameio.NewPendingFile(path, renameio.WithTempDir(folder), renameio.WithStaticPermissions(0o600))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no folder %s", folder)
	}
	return temp, err
}
