//go:build linux

package main

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/store/postgres/pgtest"
)

// sendersServer is the database of several histories. Any of them may restart it.
type sendersServer struct {
	*pgtest.Server

	mu       sync.Mutex
	restarts []time.Time // when each began
}

// restartPause is how long the server stays up at least.
const restartPause = 5 * time.Second

// restart restarts it, unless that was done a short while ago.
func (s *sendersServer) restart(t *testing.T, mode pgtest.Mode) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.restarts); n > 0 && time.Since(s.restarts[n-1]) < restartPause {
		return false
	}
	s.restarts = append(s.restarts, time.Now())
	s.Restart(t, mode)
	return true
}

// restartedSince says whether it was away at or after that time.
func (s *sendersServer) restartedSince(at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.restarts)
	return n > 0 && s.restarts[n-1].After(at.Add(-restartPause))
}

// drop removes a ledger.
func (s *sendersServer) drop(t *testing.T, schema string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Exec(t, "postgres", `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
}

// sendersView is a connection that looks at a ledger, also over restarts of the server.
type sendersView struct {
	url, schema string

	mu   sync.Mutex
	conn *pgx.Conn
}

// rowsOf are what a query finds, a row a T. It is made again while the server is away.
func rowsOf[T any](v *sendersView, query string, args ...any) (found []T, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.StartTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if v.conn == nil || v.conn.IsClosed() {
			v.conn, err = pgx.Connect(ctx, v.url)
			if err == nil {
				_, err = v.conn.Exec(ctx, `SET search_path = `+v.schema)
			}
		}
		if err == nil {
			var rows pgx.Rows
			if rows, err = v.conn.Query(ctx, query, args...); err == nil {
				found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
			}
		}
		if err == nil || v.conn != nil && !v.conn.IsClosed() || ctx.Err() != nil {
			return found, err
		}
		<-tick.C
	}
}

// change is a statement that changes the ledger.
func (v *sendersView) change(statement string, args ...any) error {
	_, err := rowsOf[struct{}](v, statement, args...)
	return err
}

func (v *sendersView) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.conn != nil {
		_ = v.conn.Close(context.Background())
	}
}
