package main

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/store/postgres/pgtest"
)

// databaseCommands are the commands of the scripts whose ledger is in a database.
//
//	sql STATEMENT   run it in the ledger's database; {schema} stands for the ledger's schema
//	gone            what a host that died leaves: the leases of all senders are over, and nothing of theirs is on its way any more
var databaseCommands = map[string]func(*testscript.TestScript, bool, []string){
	"sql": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: sql STATEMENT")
		}
		execSQL(ts, args[0])
	},
	"gone": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: gone")
		}
		execSQL(ts, `UPDATE {schema}.sender SET lease_until = clock_timestamp() - interval '1 second', recover = interval '0'`)
	},
}

// execSQL runs a statement in the database of the script's ledger.
func execSQL(ts *testscript.TestScript, statement string) {
	name, err := url.Parse(ts.Getenv("LEDGER"))
	ts.Check(err)
	query := name.Query()
	schema := query.Get("schema")
	query.Del("schema")
	name.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, name.String())
	ts.Check(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, strings.ReplaceAll(statement, "{schema}", schema))
	ts.Check(err)
}

// TestSharedLedger runs the stories in testdata/shared. Their ledger is a schema of its own on a real PostgreSQL server: $LEDGER.
func TestSharedLedger(t *testing.T) {
	server := pgtest.Shared(t)
	runStories(t, "shared", func(env *testscript.Env) error {
		env.Setenv("LEDGER", server.Ledger(t))
		env.Setenv("PAYLINKS_LEDGER", env.Getenv("LEDGER"))
		return nil
	})
}
