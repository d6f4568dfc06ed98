package store

import "golang.org/x/sys/unix"

// CheckFileSystem is checkFileSystem, for file systems that a test cannot mount.
var CheckFileSystem = checkFileSystem

// RefuseStatx has the system call fail with err until it is given back.
func RefuseStatx(err error) (giveBack func()) {
	statx = func(int, string, int, int, *unix.Statx_t) error { return err }
	return func() { statx = unix.Statx }
}
