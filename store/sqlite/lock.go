package sqlite

import (
	"fmt"
	"os"
	"paylinks/job"
	"strings"

	"github.com/gofrs/flock"
)

// lock is the right to change the ledger. The system takes it back when the process ends, however it ends.
type lock struct {
	file *flock.Flock
}

func takeLock(path, holder string) (*lock, error) {
	file := flock.New(path, flock.SetPermissions(0o600))
	taken, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !taken {
		text, _ := os.ReadFile(path) // only for the message
		return nil, &job.HeldError{Holder: strings.TrimSpace(string(text))}
	}
	err = os.Chmod(path, 0o600) // whatever the umask
	if err == nil {
		err = os.WriteFile(path, []byte(holder+"\n"), 0o600)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &lock{file}, nil
}

// release gives the lock back. Its file stays: removing it could let two processes hold two files of one name.
func (l *lock) release() error {
	_ = os.Truncate(l.file.Path(), 0) // the holder's name is only for messages
	return l.file.Close()
}
