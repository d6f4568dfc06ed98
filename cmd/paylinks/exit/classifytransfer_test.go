package exit

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
		{context.Canceled, Interrupted},
		{&transfer.WaitError{Until: time.Now()}, Unfinished},
		{transfer.ErrChanged, Unfinished},
		{&job.HeldError{Holder: "a run"}, Unfinished},
		{job.ErrLeases, Unfinished},
		{transfer.ErrSame, Usage},
		{transfer.ErrNotEmpty, Usage},
		{fmt.Errorf("%w: %w", transfer.ErrUsedElsewhere, other), Config},
		{other, Config},
		{transfer.ErrOpened, Config},
		{transfer.ErrTargetLost, Ledger},
		{job.ErrFailedOver, Ledger},
		{job.ErrUnreachable, Ledger},
		{&contents.DifferError{Table: "rows"}, Data},
		{contents.ErrTallies, Data},
	} {
		f := ClassifyTransfer(fmt.Errorf("move: %w", test.err), "new.db")
		if f.Status != test.status || f.Hint == "" && test.status != Ledger {
			t.Errorf("%v: exit status %d, want %d; hint %q", test.err, f.Status, test.status, f.Hint)
		}
	}
}
