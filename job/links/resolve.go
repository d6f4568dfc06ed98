package links

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// target is what an output path leads to, through symbolic links.
type target struct {
	path   string
	stream bool        // a pipe, a device or an open descriptor: written into, never replaced
	info   fs.FileInfo // nil if it does not exist
}

// maxSymlinks is the longest chain that Linux follows.
const maxSymlinks = 40

// resolve follows path to its target, which need not exist; its folder must. Directories and sockets are refused.
func resolve(path string) (target, error) {
	for range maxSymlinks {
		folder, name := filepath.Split(path) // not Dir, which would shorten "link/.."
		if name == "" {
			return target{}, errors.New("it is a folder")
		}
		if folder == "" {
			folder = "."
		}
		real, err := filepath.EvalSymlinks(folder)
		if errors.Is(err, fs.ErrNotExist) {
			return target{}, fmt.Errorf("there is no folder %s", filepath.Clean(folder))
		}
		if err != nil {
			return target{}, err
		}
		at := filepath.Join(real, name)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return target{path: at}, nil
		case err != nil:
			return target{}, err
		case holdsDescriptors(real):
			return target{path: at, stream: true, info: info}, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return classify(at, info)
		}
		if path, err = os.Readlink(at); err != nil {
			return target{}, err
		}
		if !filepath.IsAbs(path) {
			path = real + string(filepath.Separator) + path
		}
	}
	return target{}, errors.New("too many symbolic links")
}

// holdsDescriptors reports whether the folder's entries are open descriptors, as where /dev/stdout leads. They look like
// links to files, but the file behind one must not be replaced while it is written to.
func holdsDescriptors(folder string) bool {
	return folder == "/dev/fd" || strings.HasPrefix(folder, "/proc/")
}

func classify(at string, info fs.FileInfo) (target, error) {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return target{path: at, info: info}, nil
	case mode.IsDir():
		return target{}, errors.New("it is a folder")
	case mode&fs.ModeSocket != 0:
		return target{}, errors.New("it is a socket")
	}
	return target{path: at, stream: true, info: info}, nil
}
