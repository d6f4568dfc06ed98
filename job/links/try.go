package links

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Try returns an [*Error] if no file can be written at path, and leaves nothing behind. It does not notice a full disk.
// It does not open a pipe: closing it again would be the end of file for its reader.
func Try(path string) error {
	to, err := resolve(path)
	if err != nil {
		return failed(path, err)
	}
	if to.stream {
		return failed(path, unix.Access(to.path, unix.W_OK))
	}
	temp, err := newTemp(to.path)
	if err != nil {
		return failed(path, err)
	}
	if err := temp.Cleanup(); err != nil {
		return failed(path, err)
	}
	if to.info == nil {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(to.path))
	if err != nil {
		return failed(path, err)
	}
	return failed(path, obstacle(ownership(folder), ownership(to.info), os.Geteuid()))
}

// owned are the facts that decide whether a file in a writable folder can be replaced.
type owned struct {
	device uint64
	user   int
	sticky bool
}

func ownership(info fs.FileInfo) owned {
	stat := info.Sys().(*syscall.Stat_t)
	return owned{device: uint64(stat.Dev), user: int(stat.Uid), sticky: info.Mode()&fs.ModeSticky != 0}
}

// obstacle says why user cannot replace file although they can create files in folder.
func obstacle(folder, file owned, user int) error {
	switch {
	case file.device != folder.device:
		return errors.New("it is a mount point and cannot be replaced: mount its folder instead")
	case folder.sticky && user != 0 && user != file.user && user != folder.user:
		return errors.New("it belongs to another user, and its folder lets only the owner of a file replace it")
	}
	return nil
}
