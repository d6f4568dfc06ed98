package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Disk is a file system of some megabytes, on which the tables of a server are. Its log of changes is elsewhere, and has room.
type Disk struct {
	server *Server
}

// NewOnSmallDisk is a server whose tables are on a file system of so many megabytes. Where none can be mounted the test is left out. The
// file system is seen by the server alone, and is gone when that stops: it cannot be started again.
func NewOnSmallDisk(t testing.TB, megabytes int) (*Server, *Disk) {
	t.Helper()
	if err := exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "none", t.TempDir()).Run(); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	s := newOwn(t, megabytes)
	s.Exec(t, "postgres", `CREATE TABLESPACE small LOCATION '`+s.smallFolder()+`/tables'`)
	s.Exec(t, "postgres", `ALTER DATABASE postgres SET default_tablespace = small`)
	return s, &Disk{s}
}

// Fill leaves no room on it.
func (d *Disk) Fill(t testing.TB) {
	t.Helper()
	d.run(t, "cat /dev/zero >filler || true")
}

// Empty makes room again.
func (d *Disk) Empty(t testing.TB) {
	t.Helper()
	d.run(t, "rm filler")
}

// run has the server, which alone sees the file system, run a command in it.
func (d *Disk) run(t testing.TB, command string) {
	t.Helper()
	d.server.Exec(t, "postgres", `COPY (SELECT) TO PROGRAM 'cd `+d.server.smallFolder()+` && cat >/dev/null && { `+command+`; }'`)
}

func (s *Server) smallFolder() string { return filepath.Join(s.folder, "small") }

// command starts the server; where it has a small disk, with that mounted in a name space of its own.
func (s *Server) command(args []string) *exec.Cmd {
	if s.small == 0 {
		return s.at.command("postgres", args...)
	}
	uid, gid := os.Getuid(), os.Getgid()
	if s.at.as != nil {
		uid, gid = int(s.at.as.Uid), int(s.at.as.Gid)
	}
	const script = `
		mkdir -p "$1" && mount -t tmpfs -o "size=$2m,mode=0700,uid=$3,gid=$4" none "$1" || exit
		uid=$3 gid=$4
		mkdir "$1/tables" && chown "$uid:$gid" "$1/tables" || exit
		shift 4
		exec setpriv --reuid "$uid" --regid "$gid" --clear-groups "$@"
	`
	mounted := []string{"--mount", "/bin/sh", "-c", script, "sh", s.smallFolder(), fmt.Sprint(s.small), fmt.Sprint(uid), fmt.Sprint(gid),
		filepath.Join(s.at.bin, "postgres")}
	c := s.at.command("/usr/bin/unshare", append(mounted, args...)...)
	c.SysProcAttr = attributes(nil)
	return c
}
