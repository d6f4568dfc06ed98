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
	err = s.at.run("pg_basebackup", "--pgdata", standby.data(), "--host", s.folder, "--port", fmt.Sprint(s.port), "--username", "postgres",
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
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
	if err := s.at.run("pg_ctl", "promote", "--pgdata", s.data(), "--wait"); err != nil {
		t.Fatal(err)
	}
}
