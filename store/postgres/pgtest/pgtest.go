// Package pgtest runs a private PostgreSQL server for tests, in a folder of its own, on a socket and a loopback port. It is as safe as a
// server in use: fsync, full_page_writes and synchronous_commit are on.
//
// A package's tests share one server, which the first to ask for it starts and [Main] ends. It and its folder are gone, too, when the
// test process is killed.
package pgtest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// requireVariable makes tests that need PostgreSQL fail where it is not installed.
const requireVariable = "PAYLINKS_TEST_POSTGRES"

// Main runs the tests of a package, and ends what they have started. It is what TestMain hands to os.Exit.
func Main(m *testing.M) int {
	defer stopAll()
	status := m.Run()
	if leftOut > 0 {
		fmt.Fprintf(os.Stderr, "left out %d tests: %s\n", leftOut, reasonLeftOut)
	}
	return status
}

var (
	mu            sync.Mutex
	shared        *Server
	leftOut       int
	reasonLeftOut string
)

// Shared is the one server of this test process. Without PostgreSQL the test is left out, or fails where it is required.
func Shared(t testing.TB) *Server {
	t.Helper()
	i := installed(t)
	mu.Lock()
	defer mu.Unlock()
	if shared == nil {
		s, err := i.newServer("shared")
		if err == nil {
			err = s.start()
		}
		if err != nil {
			t.Fatalf("start a PostgreSQL server: %v", err)
		}
		shared = s
	}
	return shared
}

// New is a server for this test alone, which may stop it and break it.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	return newOwn(t, 0, settings...)
}

func newOwn(t testing.TB, small int, settings ...string) *Server {
	t.Helper()
	i := installed(t)
	s, err := i.newServer("own", settings...)
	if err != nil {
		t.Fatalf("make a PostgreSQL server: %v", err)
	}
	s.small = small
	t.Cleanup(s.remove)
	if err := s.start(); err != nil {
		t.Fatalf("start a PostgreSQL server: %v", err)
	}
	return s
}

// installed is the server's programs. Without them the test ends here.
func installed(t testing.TB) *installation {
	t.Helper()
	i, err := find()
	if err == nil {
		return i
	}
	if os.Getenv(requireVariable) == "require" {
		t.Fatalf("%v, and %s=require", err, requireVariable)
	}
	mu.Lock()
	leftOut++
	reasonLeftOut = err.Error()
	mu.Unlock()
	t.Skip(err)
	return nil
}
