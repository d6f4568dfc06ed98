package main

import (
	"cmp"
	"context"
	"errors"
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
//	sql STATEMENT        run it in the ledger's database; {schema} stands for the ledger's schema, and {database} for the database
//	sql -is CONDITION    it is met; with -wait, before long
//	gone                 what a host that died leaves: the leases of all senders are over, and nothing of theirs is on its way any more
var databaseCommands = map[string]func(*testscript.TestScript, bool, []string){
	"sql": func(ts *testscript.TestScript, neg bool, args []string) {
		switch {
		case !neg && len(args) == 1:
			ts.Check(execSQL(ts, args[0]))
		case !neg && len(args) == 2 && args[0] == "-is":
			ts.Check(isSQL(ts, args[1]))
		case !neg && len(args) == 2 && args[0] == "-wait":
			eventually(ts, func() error { return isSQL(ts, args[1]) })
		default:
			ts.Fatalf("usage: sql STATEMENT, or: sql -is CONDITION, or: sql -wait CONDITION")
		}
	},
	"gone": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: gone")
		}
		ts.Check(execSQL(ts, `UPDATE {schema}.sender SET lease_until = clock_timestamp() - interval '1 second', recover = interval '0'`))
	},
}

// execSQL runs a statement in the database of the script's ledger.
func execSQL(ts *testscript.TestScript, statement string) error {
	return connected(ts, func(ctx context.Context, conn *pgx.Conn, names *strings.Replacer) error {
		_, err := conn.Exec(ctx, names.Replace(statement))
		return err
	})
}

// isSQL says whether the condition is met; it is an error where it is not.
func isSQL(ts *testscript.TestScript, condition string) error {
	return connected(ts, func(ctx context.Context, conn *pgx.Conn, names *strings.Replacer) error {
		var met *bool
		err := conn.QueryRow(ctx, `SELECT `+names.Replace(condition)).Scan(&met)
		if err == nil && (met == nil || !*met) {
			err = errors.New("it is not so: " + condition)
		}
		return err
	})
}

// connected connects to the database of the script's ledger.
func connected(ts *testscript.TestScript, do func(context.Context, *pgx.Conn, *strings.Replacer) error) error {
	name, err := url.Parse(ts.Getenv("LEDGER"))
	if err != nil {
		return err
	}
	query := name.Query()
	schema := schemaOf(name)
	query.Del("schema")
	query.Del("failover")
	name.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, name.String()+"&default_query_exec_mode=exec") // as a pooler allows
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return do(ctx, conn, strings.NewReplacer("{schema}", schema, "{database}", strings.TrimPrefix(name.Path, "/")))
}

// schemaOf is the schema of a ledger's name.
func schemaOf(name *url.URL) string {
	return cmp.Or(name.Query().Get("schema"), "paylinks")
}

// TestSharedLedger runs the stories in testdata/shared. Their ledger is a schema of its own on a real PostgreSQL server: $LEDGER.
func TestSharedLedger(t *testing.T) {
	server := pgtest.Shared(t)
	runStories(t, "shared", func(env *testscript.Env) error {
		env.Setenv("LEDGER", server.Ledger(t))
		env.Setenv("PAYLINKS_LEDGER", env.Getenv("LEDGER"))
		env.Values[database{}] = &database{server: server}
		env.Values[skipper{}] = env.T()
		return nil
	})
}
