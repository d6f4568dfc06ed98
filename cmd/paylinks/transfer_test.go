package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/contents"
	"paylinks/store/transfer"
)

// TestTransferStatuses guards that each end of a transfer has its exit status, and says what can be done.
func TestTransferStatuses(t *testing.T) {
	other := &job.TransferError{State: job.TransferMoved, Other: "x.db"}
	for _, test := range []struct {
		err    error
		status int
	}{
		{context.Canceled, exitInterrupted},
		{&transfer.WaitError{Until: time.Now()}, exitUnfinished},
		{transfer.ErrChanged, exitUnfinished},
		{&job.HeldError{Holder: "a run"}, exitUnfinished},
		{job.ErrLeases, exitUnfinished},
		{transfer.ErrSame, exitUsage},
		{transfer.ErrNotEmpty, exitUsage},
		{fmt.Errorf("%w: %w", transfer.ErrUsedElsewhere, other), exitConfig},
		{other, exitConfig},
		{transfer.ErrOpened, exitConfig},
		{transfer.ErrTargetLost, exitLedger},
		{job.ErrFailedOver, exitLedger},
		{job.ErrUnreachable, exitLedger},
		{&contents.DifferError{Table: "rows"}, exitData},
		{contents.ErrTallies, exitData},
	} {
		f := classifyTransfer(fmt.Errorf("move: %w", test.err), transferOptions{to: "new.db"})
		if f.status != test.status || f.hint == "" && test.status != exitLedger {
			t.Errorf("%v: exit status %d, want %d; hint %q", test.err, f.status, test.status, f.hint)
		}
	}
}
