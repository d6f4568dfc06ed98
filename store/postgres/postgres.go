// Package postgres keeps a ledger that several hosts share in a schema of a PostgreSQL database: every job, item and attempt. Only this
// package knows PostgreSQL.
//
// # Who sends
//
// A process that sends is a row in sender, and renews its lease there. A seat says which sender has which job. A sender whose lease is
// over is fenced by the one that wants its job, in the transaction that takes the seat; it is never renewed once fenced. What it had left
// sending becomes unknown when nothing of it can be on its way any more.
//
// # What is on record
//
// One connection writes. Records that wait at the same moment share a transaction, which renews the lease first and fails when the sender
// is fenced. An invoice is locked by one statement, and looked up in other jobs by the next: both in one would look up what was there
// before the lock was had. Each transaction counts in the sender's row: after a lost connection the count tells whether the last one was made,
// and nothing is sent before that is known.
//
// # A pooler between
//
// Nothing outlasts a transaction in the session: no session locks, no search path, no named statements. Names carry their schema, and
// settings are made in the transaction.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"paylinks/job"
	"paylinks/store/transfer"
)

// Reader is a ledger that is open for reading.
type Reader struct {
	name        Name
	host        string        // this process's: a path of an output is one on its host
	skew        time.Duration // what this host's clock lacks to the database's; 0 where that is little
	read        *pgxpool.Pool
	table       *strings.Replacer  // see sql
	transferred *job.TransferError // see Transferred
	made        *transfer.Mark     // of a ledger that is made by it; nil: it may be sent from
}

// sql is the statement with each table, which stands in it as {table}, in the ledger's schema.
func (r *Reader) sql(text string) string { return r.table.Replace(text) }

// tables are all that the schema has.
var tables = []string{
	"ledger", "sender", "job", "seat", "links_file", "item", "line", "attempt", "item_tally", "attempt_tally", "pace",
}

// tablesIn puts the tables of this schema in the place of their names in braces; {schema} is the schema itself.
func tablesIn(schema string) *strings.Replacer {
	quoted := `"` + strings.ReplaceAll(schema, `"`, `""`) + `"`
	pairs := []string{"{schema}", quoted}
	for _, table := range tables {
		pairs = append(pairs, "{"+table+"}", quoted+"."+table)
	}
	return strings.NewReplacer(pairs...)
}

// ids is the condition that an item, or another row with this column, is of the job with this parameter.
func ids(column string, parameter int) string {
	return fmt.Sprintf(`%s BETWEEN $%d::bigint << 32 AND ($%[2]d::bigint << 32) + 4294967295`, column, parameter)
}

// inFileOrder is the condition that an item is of the job with this parameter, for statements that read a page of few among many: they
// order by item.job_id, item.id. A range of one job has an order, which an equality has not, and only the index that is made for the
// statement has it: by the primary key the page might be looked for among all rows that are done.
func inFileOrder(parameter int) string {
	return fmt.Sprintf(`item.job_id >= $%[1]d::bigint AND item.job_id <= $%[1]d::bigint`, parameter)
}

// Path names the ledger: its URL without a password.
func (r *Reader) Path() string { return r.name.String() }

// Transferred implements [paylinks/store.Reader].
func (r *Reader) Transferred() *job.TransferError { return r.transferred }

// Files are none: the ledger is in a database.
func (r *Reader) Files() []string { return nil }

// Backup is for the database's own tools.
func (r *Reader) Backup(context.Context, string) error { return ErrBackup }

// ErrBackup is the error of Backup.
var ErrBackup = errors.New("a ledger in a database is backed up by the database's own tools")

// Close closes the ledger.
func (r *Reader) Close() error {
	r.read.Close()
	return nil
}

var _ = job.ErrNoJob
