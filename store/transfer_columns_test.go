package store_test

import (
	"database/sql"
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/mattn/go-sqlite3"

	"paylinks/store/postgres/pgtest"
)

// carried are the tables with the columns that a transfer carries, in both kinds of ledger.
var carried = map[string][]string{
	"job": {
		"adopted", "allow_repeats", "base_url", "bom", "columns", "created_at", "delimiter", "ended_at", "environment", "file", "file_digest",
		"further_lines", "id", "identity", "on_unknown", "options", "output", "purged_at", "ran", "ran_at", "raw_cells", "refreshed_at", "rejected_from", "salt",
		"stop_reason", "stopped", "written",
	},
	"links_file": {"job_id", "path"},
	"item": {
		"amount", "attempts", "cells", "checked_at", "created_at", "currency", "customer_id", "error", "error_code", "expires_at", "given_up", "id",
		"invoice", "invoice_id", "job_id", "link_status", "reference", "request", "row", "session_id", "state", "suspect_ends", "unknown_ends", "url",
	},
	"line":    {"cells", "item_id", "place", "row"},
	"attempt": {"code", "ended_at", "item_id", "message", "number", "outcome", "replaced", "sent_at", "session_id", "status"},
}

// others are what each kind has beside these: numbered or counted anew, its own, or, as an output's host and the pace, carried where both
// sides have it.
var others = map[string]map[string][]string{
	"file": {
		"job":           {"first_item", "imported", "last_item"},
		"ledger":        {"id", "one", "origin", "origin_id", "other", "other_id", "state", "transfer"},
		"invoice_item":  {"invoice", "item_id"},
		"item_tally":    {"billions", "currency", "items", "job_id", "rest", "state"},
		"attempt_tally": {"attempts", "job_id", "outcome"},
	},
	"database": {
		"job":           {"imported", "importer", "output_host"},
		"links_file":    {"host"},
		"attempt":       {"sender_id"},
		"ledger":        {"created_at", "id", "one", "origin", "origin_id", "other", "other_id", "state", "system_id", "timeline", "transfer", "version"},
		"sender":        {"began_at", "doing", "ended_at", "fenced_at", "host", "id", "lease", "lease_until", "process", "recover", "renewals"},
		"seat":          {"job_id", "sender_id"},
		"pace":          {"base_url", "environment", "next_at", "paused_from", "paused_until", "per_second", "reduced", "since", "streak"},
		"item_tally":    {"amount", "currency", "items", "job_id", "state"},
		"attempt_tally": {"attempts", "job_id", "outcome"},
	},
}

// A table or column that is added to a ledger is carried by a transfer, or named here as one that need not be.
func TestTransferKnowsEveryColumn(t *testing.T) {
	file := walked(t, 1)
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`
		SELECT schema.name, field.name
		FROM sqlite_schema AS schema
		JOIN pragma_table_info(schema.name) AS field
		WHERE schema.type = 'table'
	`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		found[table] = append(found[table], column)
	}
	wantColumns(t, "file", found)

	server := pgtest.Shared(t)
	database := server.Ledger(t)
	moved(t, file, database)
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	columns, err := conn.Query(t.Context(), `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = $1`, schemaOf(t, database))
	if err != nil {
		t.Fatal(err)
	}
	found = map[string][]string{}
	var table, column string
	if _, err := pgx.ForEachRow(columns, []any{&table, &column}, func() error {
		found[table] = append(found[table], column)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wantColumns(t, "database", found)
}

func wantColumns(t *testing.T, kind string, found map[string][]string) {
	t.Helper()
	for table := range maps.Keys(carried) {
		if found[table] == nil {
			t.Errorf("a %s has no table %s", kind, table)
		}
	}
	for table, columns := range found {
		want := slices.Sorted(slices.Values(slices.Concat(carried[table], others[kind][table])))
		if slices.Sort(columns); !slices.Equal(columns, want) {
			t.Errorf("table %s of a %s has the columns\n%q, and a transfer knows of\n%q", table, kind, columns, want)
		}
	}
}
