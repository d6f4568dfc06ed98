package links

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Error says why an output cannot be written. Path is the one that the caller gave, empty for [WriteTo].
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("write output: %v", e.Err)
	}
	return fmt.Sprintf("write %s: %v", e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// failed wraps err in an [*Error], without the operating system's mention of a temporary file. A nil err stays nil.
func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	return &Error{Path: path, Err: err}
}
