package pgtest

import "syscall"

// attributes are for a process of the server's user. It ends with the test process: the signal has a PostgreSQL server stop at once.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}
