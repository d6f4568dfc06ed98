package main

import (
	"fmt"
	"os"
	"syscall"
)

// keptAddress is a loopback address that stays the test's own until release: servers of it can listen there one after the
// other, and between two of them no other process is given the port. That is since a socket is bound to it, but does not listen.
func keptAddress() (address string, release func(), err error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	syscall.CloseOnExec(socket)
	release = func() { _ = syscall.Close(socket) }
	address, err = bindAnywhere(socket)
	if err != nil {
		release()
		return "", nil, err
	}
	return address, release, nil
}

func bindAnywhere(socket int) (address string, err error) {
	// Go's listeners have it set, too; both must, to be bound to one port.
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return "", os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), nil
}
