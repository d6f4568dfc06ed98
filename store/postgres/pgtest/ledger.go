package pgtest

import (
	"fmt"
	"testing"
)

// Ledger names a ledger that is not there yet: a schema of its own in a database that tests share. It is dropped when the test ends.
func (s *Server) Ledger(t testing.TB) string {
	t.Helper()
	schema := fmt.Sprint("t", s.number())
	t.Cleanup(func() {
		if s.process == nil { // the test has stopped it, and its data goes with it
			return
		}
		if err := s.exec("postgres", `DROP SCHEMA IF EXISTS `+schema+` CASCADE`); err != nil {
			t.Error(err)
		}
	})
	return s.URL("postgres") + "&schema=" + schema
}

// Database makes an empty database, and returns its URL. It is dropped when the test ends. Making one takes longer than a schema.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprint("d", s.number())
	s.Exec(t, "postgres", `CREATE DATABASE `+name)
	t.Cleanup(func() {
		if s.process == nil {
			return
		}
		if err := s.exec("postgres", `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

func (s *Server) number() int {
	mu.Lock()
	defer mu.Unlock()
	s.next++
	return s.next
}
