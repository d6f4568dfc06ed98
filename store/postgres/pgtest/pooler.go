package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pooler is a PgBouncer in transaction mode before a server.
type Pooler struct {
	at      *installation
	program string
	folder  string
	port    int
	process *process
}

// poolerConfig has PgBouncer's own defaults, but for what makes it a test's. All connect to the server as postgres.
const poolerConfig = `
[databases]
* = host=%s port=%d user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir = %s
pidfile = %[4]s/pgbouncer.pid
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
`

// Pooler starts a PgBouncer in transaction mode before the server. Where it is not installed the test is left out, or fails where
// PostgreSQL is required.
func (s *Server) Pooler(t testing.TB) *Pooler {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
		_, err = os.Stat(program)
	}
	if err != nil {
		if os.Getenv(requireVariable) == "require" {
			t.Fatalf("PgBouncer is not installed, and %s=require", requireVariable)
		}
		t.Skip("PgBouncer is not installed")
	}
	p := &Pooler{at: s.at, program: program}
	if p.folder, err = s.at.folder("pooler"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.remove)
	if p.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(p.folder, "pgbouncer.ini")
	if err := os.WriteFile(config, fmt.Appendf(nil, poolerConfig, s.folder, s.port, p.port, p.folder), 0o644); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	return p
}

// Restart ends it at once, with all connections, and starts it again.
func (p *Pooler) Restart(t testing.TB) {
	t.Helper()
	if err := p.process.stop(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	p.start(t)
}

func (p *Pooler) start(t testing.TB) {
	t.Helper()
	log := filepath.Join(p.folder, "log")
	var err error
	if p.process, err = spawn(p.at.command(p.program, filepath.Join(p.folder, "pgbouncer.ini")), log); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), StartTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.URL("postgres")+"&default_query_exec_mode=exec")
		if err == nil {
			if err := conn.Close(ctx); err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case <-tick.C:
		case <-p.process.ended:
			text, _ := os.ReadFile(log)
			t.Fatalf("PgBouncer has ended: %s", text)
		case <-ctx.Done():
			text, _ := os.ReadFile(log)
			t.Fatalf("PgBouncer does not answer: %v: %s", err, text)
		}
	}
}

// URL is that of a database of the server, by the pooler.
func (p *Pooler) URL(database string) string {
	query := url.Values{"host": {"127.0.0.1"}, "port": {fmt.Sprint(p.port)}}
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: query.Encode()}).String()
}

func (p *Pooler) remove() {
	if p.process != nil {
		_ = p.process.stop(syscall.SIGQUIT)
		p.process = nil
	}
	_ = os.RemoveAll(p.folder)
}
