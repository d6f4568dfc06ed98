package pgtest

import (
	"errors"
	"os"
)

// Serve runs a server for a program that is no test, on a disk, where a commit costs what it costs. stop ends it and removes its data.
// The error is ErrNotInstalled where there is no PostgreSQL.
func Serve(settings ...string) (server *Server, stop func(), err error) {
	found, err := find()
	if err != nil {
		return nil, nil, errors.Join(ErrNotInstalled, err)
	}
	i := *found
	if i.root, err = os.MkdirTemp(os.TempDir(), "pl"); err != nil {
		return nil, nil, err
	}
	stop = func() {
		if server != nil {
			server.remove()
		}
		stopAll()
		_ = os.RemoveAll(i.root)
	}
	if err = os.Chmod(i.root, 0o711); err == nil {
		server, err = i.newServer("bench", settings...)
	}
	if err == nil {
		err = server.start()
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return server, stop, nil
}

// ErrNotInstalled means that PostgreSQL is not installed.
var ErrNotInstalled = errors.New("PostgreSQL is not installed")
