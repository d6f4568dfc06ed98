//go:build linux

package main

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sendersProcess is a paylinks that sends, on one of the hosts.
type sendersProcess struct {
	*crashProcess
	host        int
	args        []string
	key         string
	concurrency int
	wire        *sendersWire
	began       time.Time

	mu        sync.Mutex
	stops     int  // that go on
	disturbed bool // it may have met a database that it could not reach
}

// start starts it where the machine has this name. Where a machine with a name of its own is not allowed, it has the name of this one.
// It ends when the test process does, by whatever route.
func (p *sendersProcess) start(hostname string) error {
	started := make(chan error)
	go func() {
		// The thread has the name, and hands it on to what it starts. Its end would be the end of that, so that it stays until then; it
		// is not used for anything else.
		runtime.LockOSThread()
		if unix.Unshare(unix.CLONE_NEWUTS) == nil {
			_ = unix.Sethostname([]byte(hostname)) // the name tells people more, and nothing else depends on it
		}
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // the status is in p.cmd.ProcessState
			close(p.ended)
		}
	}()
	return <-started
}

func newSendersProcess(program, folder string, environment, args []string) *sendersProcess {
	p := &sendersProcess{crashProcess: &crashProcess{cmd: exec.Command(program, args...), ended: make(chan struct{})}, args: args}
	p.cmd.Dir, p.cmd.Env = folder, environment
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.said
	return p
}

func (p *sendersProcess) pid() int { return p.cmd.Process.Pid }

func (p *sendersProcess) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *sendersProcess) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) } // it may have ended

// stop stops it until as many continue as have stopped it.
func (p *sendersProcess) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stops++
	p.signal(syscall.SIGSTOP)
}

func (p *sendersProcess) goOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stops--; p.stops == 0 {
		p.signal(syscall.SIGCONT)
	}
}

// stopFor stops it for so long.
func (p *sendersProcess) stopFor(d time.Duration) {
	p.stop()
	p.endsIn(d)
	p.goOn()
}

// disturb notes that the database is away from it.
func (p *sendersProcess) disturb() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disturbed = true
}

func (p *sendersProcess) wasDisturbed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disturbed
}
