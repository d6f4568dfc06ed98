package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

func TestContract(t *testing.T) {
	server := pgtest.Shared(t)
	ledgertest.Run(t, func(t *testing.T) ledgertest.Opener { return opener(server.Ledger(t)) })
}

func opener(name string) ledgertest.Opener {
	return ledgertest.Opener{
		ToSend: func(holder string) (ledgertest.Ledger, error) {
			return postgres.OpenToSend(context.Background(), name, job.Sender{Doing: holder, Process: 1, Lease: 10 * time.Second, Timeout: -10 * time.Second})
		},
		ToRead: func(ctx context.Context) (ledgertest.Reader, error) { return postgres.OpenToRead(ctx, name) },
	}
}

// By a pooler each transaction may have another session: what differs is how settings, locks, COPY and batches reach the server.
func TestContractByPooler(t *testing.T) {
	server := pgtest.Shared(t)
	pooler := server.Pooler(t)
	ledgertest.Run(t, func(t *testing.T) ledgertest.Opener {
		_, schema, _ := strings.Cut(server.Ledger(t), "schema=")
		return opener(pooler.URL("postgres") + "&schema=" + schema)
	}, "import of many kinds", "same invoice", "begin", "end", "crash recovery", "results", "left", "one sender", "many workers")
}
