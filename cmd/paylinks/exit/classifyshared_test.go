package exit

import (
	"fmt"
	"strings"
	"testing"

	"paylinks/job"
)

// Each error that only a ledger in a database has ends the command with its status, and says what to do.
func TestErrorsOfASharedLedger(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
		hint string
	}{
		{job.ErrFailedOver, Ledger, "paylinks resume --after-failover"},
		{job.ErrReadOnly, Ledger, "read-only replica"},
		{job.ErrDenied, Ledger, "which rights the role needs"},
		{job.ErrUnreachable, Ledger, "when the database answers again"},
		{job.ErrDiskFull, Ledger, "make room on the disk of the server"},
		{job.ErrUntrusted, Ledger, "sslrootcert"},
		{job.ErrDropped, Ledger, "put the ledger back"},
		{job.ErrUnsafe, Config, "fsync"},
		{job.ErrLeases, Unfinished, "no sender any more"},
		{job.ErrFenced, Unfinished, "goes on"},
		{job.ErrPastDeadline, Unfinished, "run again"},
		{&job.TransferError{State: job.TransferMoved, Other: "/srv/a ledger.db"}, Config, "--ledger '/srv/a ledger.db'"},
		{&job.TransferError{State: job.TransferMoving, Other: "x"}, Config, "--cancel"},
		{&job.TransferError{State: job.TransferFilling, Other: "x"}, Config, "--cancel"},
		{&job.VersionError{Found: 2, Known: 1}, Ledger, "newer paylinks"},
		{&job.HeldError{JobID: 7, Holder: "paylinks resume (process 1 on b)"}, Unfinished, "wait until that has ended"},
	} {
		f := Classify(fmt.Errorf("open ledger postgres://db/x: %w", tt.err))
		if f.Status != tt.want || !strings.Contains(f.Hint, tt.hint) {
			t.Errorf("%v: status %d, hint %q; want %d and %q", f, f.Status, f.Hint, tt.want, tt.hint)
		}
	}
	if said := Classify(&job.HeldError{JobID: 7, Holder: "paylinks resume (process 1 on b)"}).Error(); said != "job 7 is being sent by paylinks resume (process 1 on b)" {
		t.Error(said)
	}
}
