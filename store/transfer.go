package store

import (
	"context"

	"paylinks/store/postgres"
	"paylinks/store/sqlite"
	"paylinks/store/transfer"
)

// OpenToTransfer opens the ledger as a side of a transfer. holder says in a few words who that is. Where there is none it is made with the
// mark made, which is nil where it must be there: then the error is fs.ErrNotExist. It is a *[job.HeldError] when another process sends
// from a file, or another one of package job's.
func OpenToTransfer(ctx context.Context, name, holder string, made *transfer.Mark) (transfer.Ledger, error) {
	if IsDatabase(name) {
		ledger, err := postgres.OpenToTransfer(ctx, name, made)
		if err != nil {
			return nil, err
		}
		return ledger, nil
	}
	ledger, err := sqlite.OpenToTransfer(name, holder, made)
	if err != nil {
		return nil, err
	}
	return ledger, nil
}
