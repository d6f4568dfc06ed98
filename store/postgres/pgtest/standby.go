package pgtest

import (
	"fmt"
	"testing"
)

// Standby is a new server that follows this one, and answers reads.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby, err := s.at.emptyServer("standby", s.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.remove)
	// -R makes it a standby, -X has it take what is written meanwhile, -c begins at once, and -N leaves syncing to the server.
	err = s.at.run("pg_basebackup", "-D", standby.data(), "-h", s.folder, "-p", fmt.Sprint(s.port), "-U", "postgres",
		"-R", "-X", "stream", "-c", "fast", "-N")
	if err == nil {
		err = standby.start()
	}
	if err != nil {
		t.Fatalf("make a standby: %v", err)
	}
	return standby
}

// Promote has a standby take changes from now on, on a timeline of its own.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	if err := s.at.run("pg_ctl", "promote", "-D", s.data(), "-w"); err != nil {
		t.Fatal(err)
	}
}

// Detach has a standby follow no more: what the primary acknowledges from now on it does not know.
func (s *Server) Detach(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", `ALTER SYSTEM SET primary_conninfo = ''`, `SELECT pg_reload_conf()`)
	s.Wait(t, `NOT EXISTS (SELECT FROM pg_stat_wal_receiver)`)
}

// RequireStandby has the server acknowledge a commit only once its standby has it on disk.
func (s *Server) RequireStandby(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	s.Wait(t, `EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`)
}
