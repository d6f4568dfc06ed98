package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// process is a server's process.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// spawn starts the command, whose output goes to the file at log.
func spawn(c *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c.Stdout, c.Stderr = file, file
	p := &process{c, make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux ties the end of the child to the thread that started it: the thread must last as long.
		runtime.LockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// running says whether it has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop sends the signal, and waits for the end.
func (p *process) stop(signal syscall.Signal) error {
	err := p.cmd.Process.Signal(signal)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if err == nil {
		<-p.ended
	}
	return err
}

// guard starts a shell that outlives the test process, however that ends: its input is closed then, and it stops the servers that are
// left and removes the folder.
func (i *installation) guard() error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	guardPipe = write
	c := exec.Command("/bin/sh", "-c", `
		cat >/dev/null
		for file in "$1"/*/data/postmaster.pid "$1"/*/pgbouncer.pid; do
			[ -f "$file" ] || continue
			pid=$(head -n 1 "$file")
			kill -QUIT "$pid" 2>/dev/null
			tries=0
			while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
				tries=$((tries + 1))
				sleep 0.1
			done
		done
		rm -rf "$1"
	`, "guard", i.root)
	c.Dir = filepath.Dir(i.root)
	c.Stdin = read
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c.Start()
}

// guardPipe is the input of the guard; it is open as long as this process lives.
var guardPipe *os.File
