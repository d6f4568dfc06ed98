package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// fileID tells a file apart from every other, whatever path leads to it.
type fileID struct{ device, inode uint64 }

// identify returns which file is at path now. It asks for the inode alone. Whoever asks for a file's times, as os.Stat does,
// has Linux from 6.13 on give the next write a time of its own, and with it every fsync one more thing to write: it took
// 0.67 ms instead of 0.53.
func identify(path string) (id fileID, err error) {
	uninterrupted := func(call func() error) error {
		for {
			if err := call(); err != unix.EINTR {
				return err
			}
		}
	}
	err = uninterrupted(func() error {
		var found unix.Statx_t
		err := statx(unix.AT_FDCWD, path, 0, unix.STATX_INO, &found)
		id = fileID{unix.Mkdev(found.Dev_major, found.Dev_minor), found.Ino}
		return err
	})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 4.11, and in a sandbox that does not know the call
		err = uninterrupted(func() error {
			var found unix.Stat_t
			err := unix.Stat(path, &found)
			id = fileID{uint64(found.Dev), found.Ino}
			return err
		})
	}
	if err != nil {
		return fileID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return id, nil
}

// statx is refused in a test.
var statx = unix.Statx

func (f fileID) same(other fileID) bool { return f == other }
