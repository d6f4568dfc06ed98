package postgres_test

import (
	"context"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Opener {
		name := pgtest.Shared(t).Ledger(t)
		return ledgertest.Opener{
			ToSend: func(holder string) (ledgertest.Ledger, error) {
				return postgres.OpenToSend(context.Background(), name, job.Sender{Doing: holder, Process: 1, Lease: 10 * time.Second, Timeout: -10 * time.Second})
			},
			ToRead: func(ctx context.Context) (ledgertest.Reader, error) { return postgres.OpenToRead(ctx, name) },
		}
	})
}
