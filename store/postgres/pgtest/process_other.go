//go:build !linux

package pgtest

import "syscall"

// attributes are for a process of the server's user. The guard ends it when the test process is killed.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}
