package store

import (
	"context"
	"io/fs"

	"paylinks/store/postgres"
	"paylinks/store/sqlite"
	"paylinks/store/transfer"
)

// OpenToTransfer opens the ledger as a side of a transfer. holder says in a few words who that is. With create it is made where there is
// none; else the error is fs.ErrNotExist then. It is a *[job.HeldError] when another process sends from a file, or another one of package
// job's.
func OpenToTransfer(ctx context.Context, name, holder string, create bool) (transfer.Ledger, error) {
	if IsDatabase(name) {
		ledger, err := postgres.OpenToTransfer(ctx, name, create)
		if err != nil {
			return nil, err
		}
		return ledger, nil
	}
	if !create && sqlite.IsNew(name) {
		return nil, fs.ErrNotExist
	}
	ledger, err := sqlite.OpenToTransfer(name, holder, create)
	if err != nil {
		return nil, err
	}
	return ledger, nil
}
