package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/store/postgres/pgtest"
)

// serverCommands are the commands of the scripts that break a database, or need one of their own.
//
//	database own                a database of the script's own, on the server that all share
//	database server SETTING…    a server of the script's own, with these settings; $SOCKET is the folder of its socket, and $PORT its port
//	database small-disk N       one whose tables are on a file system of N megabytes
//	database stop MODE          it stops: fast, or immediate, which is as if it were killed
//	database start SETTING…     it starts again, with these settings, too
//	database restart MODE       both
//	database full, has-room     its file system has no room any more; it has room again
//	database tls HOST FILE      it offers TLS with a certificate for the host; FILE becomes that of the authority which has signed it
//	database standby            a standby follows it: $STANDBY. $LEDGER names both, and means the one that takes changes
//	database require-standby    it acknowledges only what the standby has, too
//	database detach             the standby follows no more
//	database promote            the standby becomes a primary
//	database pooler             PgBouncer stands before it
//	database restart-pooler     PgBouncer ends, with all connections, and starts again
//
// After each that says where the ledger is, $LEDGER and $PAYLINKS_LEDGER name it.
var serverCommands = map[string]func(*testscript.TestScript, bool, []string){
	"database": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 || databaseWords[args[0]] == nil {
			ts.Fatalf("usage: database WORD …, where WORD is one of those in the comment at serverCommands")
		}
		databaseWords[args[0]](ts.Value(database{}).(*database), scriptTB{ts: ts, t: ts.Value(skipper{}).(testscript.T)}, args[1:])
	},
}

// database is the key of a script's database, and what it has.
type database struct {
	server  *pgtest.Server
	disk    *pgtest.Disk
	standby *pgtest.Server
	pooler  *pgtest.Pooler
}

// skipper is the key of a script's testscript.T, which can leave the script out.
type skipper struct{}

var databaseWords = map[string]func(d *database, t scriptTB, args []string){
	"own": func(d *database, t scriptTB, _ []string) {
		d.server = pgtest.Shared(t)
		t.setLedger(d.server.Database(t))
	},
	"server": func(d *database, t scriptTB, args []string) {
		d.server = pgtest.New(t, args...)
		t.setLedger(d.server.URL("postgres"))
		socket := parsed(t, t.ts.Getenv("LEDGER")).Query()
		t.ts.Setenv("SOCKET", socket.Get("host"))
		t.ts.Setenv("PORT", socket.Get("port"))
	},
	"small-disk": func(d *database, t scriptTB, args []string) {
		size, err := strconv.Atoi(strings.Join(args, " "))
		t.ts.Check(err)
		d.server, d.disk = pgtest.NewOnSmallDisk(t, size)
		t.setLedger(d.server.URL("postgres"))
	},
	"stop": func(d *database, t scriptTB, args []string) { d.server.Stop(t, mode(t, args)) },
	"start": func(d *database, t scriptTB, args []string) {
		d.server.Set(args...)
		d.server.Start(t)
	},
	"restart":  func(d *database, t scriptTB, args []string) { d.server.Restart(t, mode(t, args)) },
	"full":     func(d *database, t scriptTB, _ []string) { d.disk.Fill(t) },
	"has-room": func(d *database, t scriptTB, _ []string) { d.disk.Empty(t) },
	"tls": func(d *database, t scriptTB, args []string) {
		t.ts.Check(os.WriteFile(t.ts.MkAbs(args[1]), d.server.ServeTLS(t, args[0]), 0o600))
	},
	"standby": func(d *database, t scriptTB, _ []string) {
		d.standby = d.server.Standby(t)
		t.ts.Setenv("STANDBY", d.standby.URL("postgres"))
		first, second := parsed(t, d.server.URL("postgres")), parsed(t, d.standby.URL("postgres"))
		query := first.Query()
		for _, key := range []string{"host", "port"} {
			query.Set(key, query.Get(key)+","+second.Query().Get(key))
		}
		query.Set("target_session_attrs", "read-write")
		first.RawQuery = query.Encode()
		t.setLedger(first.String())
	},
	"require-standby": func(d *database, t scriptTB, _ []string) { d.server.RequireStandby(t) },
	"detach":          func(d *database, t scriptTB, _ []string) { d.standby.Detach(t) },
	"promote":         func(d *database, t scriptTB, _ []string) { d.standby.Promote(t) },
	"pooler": func(d *database, t scriptTB, _ []string) {
		if d.server == nil {
			d.server = pgtest.Shared(t)
		}
		d.pooler = d.server.Pooler(t)
		t.setLedger(d.pooler.URL("postgres") + "&schema=" + schemaOf(parsed(t, t.ts.Getenv("LEDGER"))))
	},
	"restart-pooler": func(d *database, t scriptTB, _ []string) { d.pooler.Restart(t) },
}

func mode(t scriptTB, args []string) pgtest.Mode {
	switch strings.Join(args, " ") {
	case "fast":
		return pgtest.Fast
	case "immediate":
		return pgtest.Immediate
	}
	t.Fatalf("a server stops fast or immediate")
	return 0
}

func parsed(t scriptTB, name string) *url.URL {
	u, err := url.Parse(name)
	t.ts.Check(err)
	return u
}

// scriptTB is a testing.TB for what a script starts, which is gone when the script ends.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
	t  testscript.T
}

func (t scriptTB) setLedger(name string) {
	t.ts.Setenv("LEDGER", name)
	t.ts.Setenv("PAYLINKS_LEDGER", name)
}

func (t scriptTB) Helper()                         {}
func (t scriptTB) Fatal(args ...any)               { t.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (t scriptTB) Fatalf(text string, args ...any) { t.ts.Fatalf(text, args...) }
func (t scriptTB) Error(args ...any)               { t.Fatal(args...) }
func (t scriptTB) Skip(args ...any)                { t.t.Skip(args...) }
func (t scriptTB) Skipf(text string, args ...any)  { t.t.Skip(fmt.Sprintf(text, args...)) }
func (t scriptTB) Cleanup(f func())                { t.ts.Defer(f) }
func (t scriptTB) Context() context.Context        { return context.Background() }
func (t scriptTB) TempDir() string                 { return t.ts.MkAbs(".") }
