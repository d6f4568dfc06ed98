package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server. Its superuser is postgres, who needs no password.
type Server struct {
	at       *installation
	folder   string // of its data, its socket and its log
	port     int
	settings []string
	process  *process // nil: it does not run
	next     int      // of its ledgers and databases
	small    int      // megabytes of the small disk; 0: it has none
}

// Mode is how a server stops.
type Mode syscall.Signal

const (
	Fast      Mode = Mode(syscall.SIGINT)  // it ends all connections
	Immediate Mode = Mode(syscall.SIGQUIT) // as when the machine loses power: it recovers when it starts again
)

// StartTimeout is how long a server may take to start, also where it has to recover.
const StartTimeout = time.Minute

// newServer makes a server of this name that does not run. A setting is name=value, as in postgresql.conf.
func (i *installation) newServer(name string, settings ...string) (*Server, error) {
	s, err := i.emptyServer(name, settings)
	if err != nil {
		return nil, err
	}
	// The options are, in this order: data, user, authentication, encoding, and that nothing is synced yet. The locale is the command's.
	if err := i.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"); err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(s.data(), "pg_hba.conf"), []byte(access), 0o600)
}

// access lets everybody in, but for the members of with_password, who need one, those of with_tls, who come by TLS alone, and those of
// as_system_user, who must be the operating system's user of that name.
const access = `
local   all       +with_password  scram-sha-256
host    all       +with_password  127.0.0.1/32 scram-sha-256
hostssl all       +with_tls       127.0.0.1/32 trust
host    all       +with_tls       127.0.0.1/32 reject
local   all       +as_system_user peer
local all         all            trust
host  all         all            127.0.0.1/32 trust
local replication all            trust
`

// emptyServer is one without data.
func (i *installation) emptyServer(name string, settings []string) (*Server, error) {
	folder, err := i.folder(name)
	if err != nil {
		return nil, err
	}
	s := &Server{at: i, folder: folder, settings: settings}
	s.port, err = freePort()
	return s, err
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// freePort is a port on loopback that nobody has at the moment. It is none of those that the system gives to connections: a server that is
// started again must find it free.
func freePort() (port int, err error) {
	const first, ports = 20000, 12000
	for range 100 {
		port = first + rand.IntN(ports)
		l, listenErr := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if listenErr == nil {
			return port, l.Close()
		}
		err = listenErr
	}
	return 0, err
}

// start starts it, and waits until it answers.
func (s *Server) start() error {
	if s.process != nil && s.process.running() {
		return errors.New("the server runs already")
	}
	args := []string{"-D", s.data()}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1",
		fmt.Sprint("port=", s.port),
		"unix_socket_directories=" + s.folder,
		"fsync=on",
		"full_page_writes=on",
		"synchronous_commit=on",
		"max_connections=200",
		"shared_buffers=64MB",
		"wal_level=replica",
		"hot_standby=on",
		"log_line_prefix=%m [%p] ",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	var err error
	if s.process, err = spawn(s.command(args), filepath.Join(s.folder, "log")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-s.process.ended:
			return fmt.Errorf("the server has ended: %s", s.Log())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w: %s", err, s.Log())
		}
	}
}

// Start starts a server that was stopped. It has its address as before.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Set has it start with these settings, too, from the next time on.
func (s *Server) Set(settings ...string) { s.settings = append(s.settings, settings...) }

// Stop stops it.
func (s *Server) Stop(t testing.TB, mode Mode) {
	t.Helper()
	if err := s.stop(mode); err != nil {
		t.Fatal(err)
	}
}

// Restart stops and starts it.
func (s *Server) Restart(t testing.TB, mode Mode) {
	t.Helper()
	s.Stop(t, mode)
	s.Start(t)
}

func (s *Server) stop(mode Mode) error {
	if s.process == nil {
		return nil
	}
	err := s.process.stop(syscall.Signal(mode))
	s.process = nil
	return err
}

// remove stops it for good, and removes its folder.
func (s *Server) remove() {
	_ = s.stop(Immediate)
	_ = os.RemoveAll(s.folder)
}

// stopAll stops what no test has stopped at its end, and lets the guard go.
func stopAll() {
	if shared != nil {
		shared.remove()
	}
	if i, err := find(); err == nil {
		_ = os.RemoveAll(i.root)
		_ = guardPipe.Close()
	}
}

// URL is that of a database, by the server's socket.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.folder}, "port": {fmt.Sprint(s.port)}}
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Address is the server's host and port on loopback.
func (s *Server) Address() string { return fmt.Sprint("127.0.0.1:", s.port) }

// Log is the end of what the server has written.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.folder, "log"))
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// Exec runs statements in a database, one by one.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	if err := s.exec(database, statements...); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) exec(database string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), StartTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", statement, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
