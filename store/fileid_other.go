//go:build !linux

package store

import "os"

// fileID tells a file apart from every other, whatever path leads to it.
type fileID struct{ info os.FileInfo }

// identify returns which file is at path now.
func identify(path string) (fileID, error) {
	info, err := os.Stat(path)
	return fileID{info}, err
}

func (f fileID) same(other fileID) bool { return os.SameFile(f.info, other.info) }
