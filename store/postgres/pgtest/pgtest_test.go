package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/store/postgres/pgtest"
)

// heldVariable has the test process start a server, tell of it, and wait for its end.
const heldVariable = "PGTEST_HOLD"

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// ask is the one value that the query finds.
func ask(t *testing.T, url, query string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), query, pgx.QueryExecModeExec).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestServerKeepsWhatItAcknowledges(t *testing.T) {
	s := pgtest.Shared(t)
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if got := ask(t, s.URL("postgres"), "SHOW "+setting); got != "on" {
			t.Errorf("%s is %s", setting, got)
		}
	}
	database := s.Database(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	s.Exec(t, name, `CREATE TABLE a (n text)`, `INSERT INTO a VALUES ('kept')`)
	for _, mode := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate} {
		s.Restart(t, mode)
		if got := ask(t, database, `SELECT n FROM a`); got != "kept" {
			t.Errorf("after a restart: %q", got)
		}
	}
	if got := ask(t, "postgres://postgres@"+s.Address()+"/"+name, `SELECT n FROM a`); got != "kept" {
		t.Errorf("by the port: %q", got)
	}
}

func TestStandbyAndPooler(t *testing.T) {
	s := pgtest.Shared(t)
	p := s.Pooler(t)
	if got := ask(t, p.URL("postgres"), `SELECT current_user::text`); got != "postgres" {
		t.Errorf("by the pooler: %q", got)
	}
	standby := s.Standby(t)
	if got := ask(t, standby.URL("postgres"), `SELECT pg_is_in_recovery()::text`); got != "true" {
		t.Errorf("in recovery: %q", got)
	}
	standby.Promote(t)
	if got := ask(t, standby.URL("postgres"), `SELECT pg_is_in_recovery()::text`); got != "false" {
		t.Errorf("promoted, and in recovery: %q", got)
	}
}

// TestHeldServer is not a test of its own: TestNothingSurvivesTheTestProcess runs it and kills it.
func TestHeldServer(t *testing.T) {
	if os.Getenv(heldVariable) == "" {
		return
	}
	s := pgtest.Shared(t)
	s.Pooler(t)
	os.Stdout.WriteString(ask(t, s.URL("postgres"), `SELECT pg_postmaster_start_time()::text || '|' || current_setting('data_directory')`) + "\n")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func TestNothingSurvivesTheTestProcess(t *testing.T) {
	pgtest.Shared(t) // else it is left out
	c := exec.Command(os.Args[0], "-test.run=^TestHeldServer$")
	c.Env = append(os.Environ(), heldVariable+"=1")
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, data, _ := strings.Cut(strings.TrimSpace(line), "|")
	if err := c.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(20 * time.Second)
	for {
		if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("%s is still there", data)
		}
	}
}
