package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"
)

// AddMigration adds a step to those that this program knows, until undo.
func AddMigration(script string) (undo func()) {
	known := migrations
	migrations = append(known[:len(known):len(known)], script)
	return func() { migrations = known }
}

// Migrations are the steps that this program knows.
func Migrations() []string { return migrations }

// Record makes a record that does this.
func (s *Store) Record(do func() error) error {
	return s.writer.write(func(*tx) error { return do() })
}

// OnCommit has do called at each commit.
func (s *Store) OnCommit(do func()) error {
	return s.writer.conn.Raw(func(conn any) error {
		conn.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int { do(); return 0 })
		return nil
	})
}

// Pragma reads a setting of the connection that writes.
func (s *Store) Pragma(name string) (value string, err error) {
	return value, s.writer.conn.QueryRowContext(context.Background(), "PRAGMA "+name).Scan(&value)
}

// Through has the store talk to SQLite by another driver.
func (s *Store) Through(driver string) error {
	read, err := sql.Open(driver, dsn(s.path, "ro"))
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, dsn(s.path, "rw"))
	if err != nil {
		return err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	tx, err := prepareAll(conn)
	if err != nil {
		return err
	}
	err = errors.Join(s.writer.tx.close(), s.writer.conn.Close(), s.writer.db.Close(), s.claims.Close(), s.read.Close())
	s.read, s.writer.db, s.writer.conn, s.writer.tx = read, db, conn, tx
	return errors.Join(err, s.prepareClaims())
}

// Recover does what opening does with the items that a crashed run left.
func (s *Store) Recover(at time.Time) (int, error) { return s.recover(at) }
