package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Wait waits until the condition, of SQL, is met. It connects anew each time, as settings that were read again show then.
func (s *Server) Wait(t testing.TB, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), StartTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		met, err := s.is(ctx, condition)
		switch {
		case err != nil:
			t.Fatalf("%s: %v", condition, err)
		case met:
			return
		}
		<-tick.C
	}
}

func (s *Server) is(ctx context.Context, condition string) (met bool, err error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	return met, conn.QueryRow(ctx, `SELECT `+condition).Scan(&met)
}
