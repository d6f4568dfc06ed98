package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"paylinks/job"
)

// statement is prepared on the writer's connection and run on the driver itself: what database/sql does around one costs as
// much as a small statement. Only the goroutine that owns the connection may run it.
type statement struct {
	prepared driver.Stmt
	args     []driver.NamedValue
}

// prepare prepares a statement for as long as the connection lasts, or until it is closed.
func prepare(conn *sql.Conn, text string) (*statement, error) {
	s := &statement{}
	err := conn.Raw(func(conn any) (err error) {
		s.prepared, err = conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", text, err)
	}
	return s, nil
}

func (s *statement) close() error { return s.prepared.Close() }

// bound are the values as arguments; they are good until the next call.
func (s *statement) bound(values []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, value := range values {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return s.args
}

// exec runs the statement. The values are int64, string, bool, []byte or nil: nothing else is converted.
func (s *statement) exec(values ...driver.Value) (driver.Result, error) {
	return s.prepared.(driver.StmtExecContext).ExecContext(context.Background(), s.bound(values))
}

// one runs a guarded statement: it must change exactly one row, else the error is job.ErrMoved.
func (s *statement) one(values ...driver.Value) error {
	n, err := s.changed(values...)
	if err == nil && n != 1 {
		err = job.ErrMoved
	}
	return err
}

// changed runs the statement and returns how many rows it has changed.
func (s *statement) changed(values ...driver.Value) (int64, error) {
	result, err := s.exec(values...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// first reads the first row into to, or returns sql.ErrNoRows.
func (s *statement) first(to []driver.Value, values ...driver.Value) error {
	rows, err := s.prepared.(driver.StmtQueryContext).QueryContext(context.Background(), s.bound(values))
	if err != nil {
		return err
	}
	err = rows.Next(to)
	if err == io.EOF {
		err = sql.ErrNoRows
	}
	return errors.Join(err, rows.Close())
}
