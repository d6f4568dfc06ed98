package links

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Try says with an [*Error] why no file can appear at path, and leaves nothing behind. It cannot foresee a full disk.
// A pipe is not opened, since its reader would take that for the end.
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

// owned is what decides whether a file in a writable folder can be replaced.
type owned struct {
	device uint64
	user   int
	sticky bool
}

func ownership(info fs.FileInfo) owned {
	stat := info.Sys().(*syscall.Stat_t)
	return owned{device: uint64(stat.Dev), user: int(stat.Uid), sticky: info.Mode()&fs.ModeSticky != 0}
}

// obstacle says why user cannot replace file although new files can be made in folder.
func obstacle(folder, file owned, user int) error {
	switch {
	case file.device != folder.device:
		return errors.New("it is mounted on its own and cannot be replaced: mount its folder instead")
	case folder.sticky && user != 0 && user != file.user && user != folder.user:
		return errors.New("it belongs to another user, in a folder where only owners replace their files")
	}
	return nil
}
