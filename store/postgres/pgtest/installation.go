package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// installation is where the server's programs are, and who runs them.
type installation struct {
	bin  string              // the folder of initdb, pg_ctl, postgres and pg_basebackup
	as   *syscall.Credential // nil: as whoever runs the tests
	root string              // the folder of this process's servers
}

// find looks for the programs once, and makes the folder.
var find = sync.OnceValues(func() (*installation, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	i := &installation{bin: bin}
	if os.Getuid() == 0 { // the server refuses to run as root
		if i.as, err = unprivileged(); err != nil {
			return nil, err
		}
	}
	if i.root, err = os.MkdirTemp(memory(), "pl"); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Chmod(i.root, 0o711), i.guard()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(i.root))
	}
	return i, nil
})

// programs is the folder with initdb and postgres: what is in PATH may be links to one of Debian's folders, of which the newest counts.
func programs() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	newest, version := "", 0.0
	for _, folder := range folders {
		v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(folder)), 64)
		if err == nil && v > version && complete(folder) {
			newest, version = folder, v
		}
	}
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if newest == "" && complete(folder) {
			newest = folder
		}
	}
	if newest == "" {
		return "", errors.New("PostgreSQL is not installed: there is no initdb in PATH or /usr/lib/postgresql/*/bin")
	}
	return newest, nil
}

func complete(folder string) bool {
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return false
		}
	}
	return true
}

// unprivileged is the user that the server runs as where the tests run as root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// memory is the folder of the file system in memory where it has room, else that of all temporary files. An fsync is cheap there.
func memory() string {
	const folder, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if syscall.Statfs(folder, &fs) == nil && uint64(fs.Bavail)*uint64(fs.Bsize) >= room {
		return folder
	}
	return ""
}

// folder makes a folder for the server's user.
func (i *installation) folder(name string) (string, error) {
	path, err := os.MkdirTemp(i.root, name)
	if err == nil && i.as != nil {
		err = os.Chown(path, int(i.as.Uid), int(i.as.Gid))
	}
	return path, err
}

// command is one of the programs, run as the server's user in a process group of its own: an interrupt is for the tests.
func (i *installation) command(program string, args ...string) *exec.Cmd {
	if !filepath.IsAbs(program) {
		program = filepath.Join(i.bin, program)
	}
	c := exec.Command(program, args...)
	c.Dir = i.root
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	c.SysProcAttr = attributes(i.as)
	return c
}

// run runs a program to its end.
func (i *installation) run(program string, args ...string) error {
	c := i.command(program, args...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}
