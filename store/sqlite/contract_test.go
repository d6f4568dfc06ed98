package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"paylinks/store/ledgertest"
	"paylinks/store/sqlite"
)

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Opener {
		path := filepath.Join(t.TempDir(), "ledger.db")
		return ledgertest.Opener{
			ToSend: func(holder string) (ledgertest.Ledger, error) { return sqlite.OpenToSend(path, holder) },
			ToRead: func(ctx context.Context) (ledgertest.Reader, error) { return sqlite.OpenToRead(ctx, path) },
		}
	})
}
