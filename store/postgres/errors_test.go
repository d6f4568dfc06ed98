package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

// asUser is the ledger's name for another user of the database.
func asUser(t *testing.T, name, user, password string) string {
	t.Helper()
	u, err := url.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	if password != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String()
}

// opens opens the ledger to read.
func opens(ctx context.Context, name string) error {
	r, err := postgres.OpenToRead(ctx, name)
	if err == nil {
		err = r.Close()
	}
	return err
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	s := pgtest.Shared(t)
	name := s.Ledger(t)
	made(t, name)
	_, schema, _ := strings.Cut(name, "schema=")
	s.Exec(t, "postgres",
		`DROP ROLE IF EXISTS clerk, guarded, with_password`,
		`CREATE ROLE with_password`,
		`CREATE ROLE guarded LOGIN PASSWORD 'the secret' IN ROLE with_password`,
		`CREATE ROLE clerk LOGIN`,
	)
	t.Cleanup(func() {
		s.Exec(t, "postgres", `DROP OWNED BY clerk`, `DROP ROLE clerk, guarded, with_password`)
	})
	other := strings.Replace(name, "/postgres?", "/nowhere?", 1)
	for what, test := range map[string]struct {
		name string
		want error
		says []string
	}{
		"another password": {asUser(t, name, "guarded", "not the secret"), job.ErrDenied, []string{`password of "guarded" is wrong or missing`, "PGPASSFILE"}},
		"no password":      {asUser(t, name, "guarded", ""), job.ErrDenied, []string{`"guarded"`, "PGPASSWORD"}},
		"no such user":     {asUser(t, name, "nobody_here", ""), job.ErrDenied, []string{"nobody_here", "pg_hba.conf"}},
		"no such database": {other, job.ErrDenied, []string{`CREATE DATABASE "nowhere"`}},
		"no right to the schema": {asUser(t, name, "clerk", ""), job.ErrDenied, []string{
			fmt.Sprintf(`GRANT USAGE ON SCHEMA "%s" TO "clerk"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "%[1]s" TO "clerk"`, schema)}},
		"the right password, and no right": {asUser(t, name, "guarded", "the secret"), job.ErrDenied, []string{"GRANT"}},
		"nobody listens":                   {"postgres://postgres@127.0.0.1:1/postgres", job.ErrUnreachable, []string{"127.0.0.1:1", "connection refused"}},
		"no such host":                     {"postgres://postgres@nowhere.invalid/postgres", job.ErrUnreachable, []string{"nowhere.invalid"}},
		"no socket":                        {"postgres://postgres@/postgres?host=/nowhere", job.ErrUnreachable, []string{"/nowhere"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			err := opens(t.Context(), test.name)
			wantError(t, err, test.want)
			for _, part := range test.says {
				if err != nil && !strings.Contains(err.Error(), part) {
					t.Errorf("%v\nsays nothing of %s", err, part)
				}
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "secret") {
					t.Errorf("the password is in %v", e)
				}
			}
		})
	}
}

func TestWhoMayNotMakeTheSchema(t *testing.T) {
	s := pgtest.Shared(t)
	s.Exec(t, "postgres", `CREATE ROLE newcomer LOGIN`)
	t.Cleanup(func() { s.Exec(t, "postgres", `DROP OWNED BY newcomer`, `DROP ROLE newcomer`) })
	name := asUser(t, s.Ledger(t), "newcomer", "")
	err := postgres.BringUpToDate(t.Context(), name)
	wantError(t, err, job.ErrDenied)
	if err == nil || !strings.Contains(err.Error(), `GRANT CREATE ON DATABASE "postgres" TO "newcomer"`) {
		t.Errorf("got %v", err)
	}
	s.Exec(t, "postgres", `GRANT CREATE ON DATABASE postgres TO newcomer`)
	made(t, name)
}

// The server only warns a role that may change the tables and owns none of them, and leaves what was purged where it is.
func TestWhoMayNotVacuum(t *testing.T) {
	s := pgtest.Shared(t)
	name := s.Ledger(t)
	made(t, name)
	_, schema, _ := strings.Cut(name, "schema=")
	s.Exec(t, "postgres", `CREATE ROLE cleaner LOGIN`, `GRANT USAGE ON SCHEMA `+schema+` TO cleaner`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+schema+` TO cleaner`)
	t.Cleanup(func() { s.Exec(t, "postgres", `DROP OWNED BY cleaner`, `DROP ROLE cleaner`) })
	for user, want := range map[string]error{"cleaner": job.ErrDenied, "postgres": nil} {
		l, err := postgres.OpenToSend(t.Context(), asUser(t, name, user, ""), senderOn("host-a", long))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Scrub(); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", user, err, want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A standby can be read. It cannot be sent from, and says why.
func TestStandby(t *testing.T) {
	s := pgtest.New(t)
	made(t, s.URL("postgres"))
	standby := s.Standby(t)
	name := standby.URL("postgres")
	r := opened(t, name)
	if _, err := r.Left(t.Context(), job.Job{ID: 1}, 5); err != nil {
		t.Error(err)
	}
	if err := postgres.BringUpToDate(t.Context(), name+"&schema=another"); !errors.Is(err, job.ErrReadOnly) || !strings.Contains(err.Error(), "standby") {
		t.Errorf("a new schema: %v", err)
	}
}

// A read waits for a server that restarts. One that has told rows cannot begin anew, and fails.
func TestReadsOutlastARestart(t *testing.T) {
	s := pgtest.New(t)
	r := made(t, s.URL("postgres"))
	fill(t, r, 1, 50_000)
	for _, mode := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate} {
		for range 3 { // connections that are open, and idle
			if _, err := r.Jobs(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.Stop(t, mode)
		read := make(chan error, 1)
		go func() {
			_, err := r.Left(t.Context(), job.Job{ID: 1, OnUnknown: job.Retry}, 5)
			read <- err
		}()
		s.Start(t)
		if err := <-read; err != nil {
			t.Errorf("a read beside the restart: %v", err)
		}
	}
	seen := map[int]bool{}
	var last error
	for row, err := range r.Results(t.Context(), 1) {
		if len(seen) == 0 {
			s.Restart(t, pgtest.Immediate)
		}
		if last = err; err == nil && seen[row.Row] {
			t.Fatalf("row %d is told again", row.Row)
		}
		seen[row.Row] = true
	}
	wantError(t, last, job.ErrUnreachable)
	if _, err := r.Tally(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestReadIsInterruptedWhileItWaits(t *testing.T) {
	s := pgtest.New(t)
	r := made(t, s.URL("postgres"))
	s.Stop(t, pgtest.Fast)
	ctx, cancel := context.WithCancel(t.Context())
	read := make(chan error)
	go func() {
		_, err := r.Jobs(ctx)
		read <- err
	}()
	cancel()
	select {
	case err := <-read:
		if err == nil {
			t.Error("it has read something")
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits")
	}
}

func TestDroppedSchema(t *testing.T) {
	s := pgtest.Shared(t)
	name := s.Ledger(t)
	r := made(t, name)
	run(t, r, `DROP SCHEMA {schema} CASCADE`)
	_, err := r.Jobs(t.Context())
	wantError(t, err, job.ErrDropped)
	wantError(t, opens(t.Context(), name), fs.ErrNotExist)
}

// What the server or the user's role has set for how values are written does not matter.
func TestSettingsOfTheServer(t *testing.T) {
	s := pgtest.Shared(t)
	database := s.Database(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	s.Exec(t, name,
		`ALTER DATABASE `+name+` SET datestyle = 'German, DMY'`,
		`ALTER DATABASE `+name+` SET intervalstyle = 'sql_standard'`,
		`ALTER DATABASE `+name+` SET timezone = 'Asia/Kathmandu'`,
		`ALTER DATABASE `+name+` SET bytea_output = 'escape'`,
		`ALTER DATABASE `+name+` SET standard_conforming_strings = off`,
		`ALTER DATABASE `+name+` SET default_transaction_isolation = 'serializable'`,
		`ALTER DATABASE `+name+` SET search_path = ''`,
	)
	for how, name := range map[string]string{"directly": database, "by a pooler": s.Pooler(t).URL(name) + "&schema=pooled"} {
		t.Run(how, func(t *testing.T) {
			r := made(t, name)
			addJob(t, r, 1)
			fill(t, r, 1, 10)
			j, err := r.Job(t.Context(), 1)
			if err != nil || !j.CreatedAt.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) || j.FileDigest == [32]byte{} {
				t.Errorf("%+v, %v", j, err)
			}
			found, err := r.Facts(t.Context(), [][16]byte{invoiceNumber(3)})
			if err != nil || len(found) != 1 {
				t.Errorf("%+v, %v", found, err)
			}
			for _, err := range r.Results(t.Context(), 1) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The password reaches the driver by the environment or a file, and no statement or message has it.
func TestPasswordFromAFile(t *testing.T) {
	s := pgtest.Shared(t)
	s.Exec(t, "postgres", `DROP ROLE IF EXISTS cashier, with_password`, `CREATE ROLE with_password`, `CREATE ROLE cashier LOGIN PASSWORD 'the secret' IN ROLE with_password`)
	t.Cleanup(func() { s.Exec(t, "postgres", `DROP ROLE cashier, with_password`) })
	name := asUser(t, s.Ledger(t), "cashier", "")
	file := t.TempDir() + "/passwords"
	if err := os.WriteFile(file, []byte("*:*:*:cashier:the secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, opens(t.Context(), name), job.ErrDenied)
	t.Setenv("PGPASSFILE", file)
	wantError(t, opens(t.Context(), name), fs.ErrNotExist)
	t.Setenv("PGPASSFILE", "")
	t.Setenv("PGPASSWORD", "the secret")
	wantError(t, opens(t.Context(), name), fs.ErrNotExist)
}
