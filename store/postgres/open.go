package postgres

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is for one try to connect, where the name sets none: a host that answers nothing would take minutes.
	connectTimeout = 10 * time.Second
	// openPatience is how long opening waits for a server that cannot be reached: a short restart, and no longer, since the name may be
	// wrong.
	openPatience = 5 * time.Second
	// readers is how many reads one process makes at once.
	readers = 8
)

// OpenToRead opens an existing ledger for reading, also while others send. The error is fs.ErrNotExist where there is none, or one of
// package job's. It waits a moment for a server that restarts.
func OpenToRead(ctx context.Context, name string) (*Reader, error) {
	r, err := connect(name)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	err = r.explain(persist(ctx, openPatience, func() error { return r.check(ctx) }))
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("open ledger %s: %w", r.Path(), err)
	}
	return r, nil
}

// connect reads the name and makes the pool, which connects when it is used.
func connect(text string) (*Reader, error) {
	name, err := ParseName(text)
	if err != nil {
		return nil, err
	}
	cfg, err := name.config()
	if err != nil {
		return nil, err
	}
	return newReader(name, cfg)
}

func newReader(name Name, cfg *pgxpool.Config) (*Reader, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.MaxConns = readers
	cfg.MaxConnIdleTime = time.Minute
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	return &Reader{name: name, host: host, read: pool, table: tablesIn(name.schema)}, nil
}

// snapshot does several reads that are of one moment. read must begin anew each time.
func (r *Reader) snapshot(ctx context.Context, read func(pgx.Tx) error) error {
	options := pgx.TxOptions{BeginQuery: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL jit = off; SET LOCAL statement_timeout = 0`}
	return r.again(ctx, func() error { return pgx.BeginTxFunc(ctx, r.read, options, read) })
}
