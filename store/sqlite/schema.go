package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"paylinks/job"
	"paylinks/store/transfer"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the steps from an empty file to the present schema, oldest first. The number of steps that a
// ledger has been through is its user_version. Steps only go forward, and are never edited once released: until the first release
// there is one.
var migrations = readMigrations()

func readMigrations() []string {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		panic(err)
	}
	var steps []string
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		steps = append(steps, string(text))
	}
	return steps
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version is how many migrations the ledger has been through: 0 for a new file. A SQLite file that holds anything
// but a ledger is job.ErrNotLedger.
func version(ctx context.Context, q querier) (int, error) {
	var id, version, tables int
	err := q.QueryRowContext(ctx, `
		SELECT
			(SELECT application_id FROM pragma_application_id),
			(SELECT user_version FROM pragma_user_version),
			(SELECT count(*) FROM sqlite_schema)
	`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case id == applicationID:
		return version, nil
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	}
	return 0, job.ErrNotLedger
}

// migrate takes the ledger through the steps that it lacks, all in one transaction: an interrupted one leaves the version
// that was there, and a new ledger never looks like one of an older paylinks. One that is new gets the mark, if there is one.
func migrate(conn *sql.Conn, mark *transfer.Mark) error {
	ctx := context.Background()
	found, err := version(ctx, conn)
	if err != nil {
		return err
	}
	if found > len(migrations) {
		return &job.VersionError{Found: found, Known: len(migrations)}
	}
	if err := checkSchema(ctx, conn, found); err != nil || found == len(migrations) {
		return err
	}
	err = inTransaction(conn, func() error {
		steps := append(slices.Clone(migrations[found:]),
			fmt.Sprintf("PRAGMA application_id = %d;\nPRAGMA user_version = %d;", applicationID, len(migrations)))
		for _, step := range steps {
			if _, err := conn.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		if found == 0 && mark != nil {
			return writeMark(ctx, conn, *mark)
		}
		return nil
	})
	switch {
	case err != nil && found == 0:
		return fmt.Errorf("make its tables: %w", err)
	case err != nil:
		return fmt.Errorf("%w: %w", job.ErrNotUpdated, err)
	}
	return nil
}

// checkSchema compares the ledger's tables and indexes with those that the first so many steps make.
func checkSchema(ctx context.Context, conn *sql.Conn, steps int) error {
	if steps == 0 {
		return nil
	}
	fresh, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()
	made, err := fresh.Conn(ctx)
	if err != nil {
		return err
	}
	defer made.Close()
	for _, step := range migrations[:steps] {
		if _, err := made.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	var want, got string
	const schema = `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)`
	if err := made.QueryRowContext(ctx, schema).Scan(&want); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, schema).Scan(&got); err != nil {
		return err
	}
	if got != want {
		return job.ErrUnknownSchema
	}
	return nil
}

// inTransaction runs do between BEGIN IMMEDIATE and COMMIT, or ROLLBACK when it fails.
func inTransaction(conn *sql.Conn, do func() error) error {
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		// The cause is err; SQLite has rolled back by itself after some errors, and then this one has no work.
		_, _ = conn.ExecContext(ctx, "ROLLBACK")
	}
	return err
}
