package sqlite

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
func (l *Ledger) Record(do func() error) error {
	return l.writer.write(func(*tx) error { return do() })
}

// OnCommit has do called at each commit.
func (l *Ledger) OnCommit(do func()) error {
	return l.writer.conn.Raw(func(conn any) error {
		conn.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int { do(); return 0 })
		return nil
	})
}

// Pragma reads a setting of the connection that writes.
func (l *Ledger) Pragma(name string) (value string, err error) {
	return value, l.writer.conn.QueryRowContext(context.Background(), "PRAGMA "+name).Scan(&value)
}

// Through has the ledger talk to SQLite by another driver.
func (l *Ledger) Through(driver string) error {
	read, err := sql.Open(driver, dsn(l.path, "ro"))
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, dsn(l.path, "rw"))
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
	err = errors.Join(l.writer.tx.close(), l.writer.conn.Close(), l.writer.db.Close(), l.facts.Close(), l.read.Close())
	l.read, l.writer.db, l.writer.conn, l.writer.tx = read, db, conn, tx
	return errors.Join(err, l.Reader.open())
}

// RecoverAll does what opening does with the items that a crashed run left.
func (l *Ledger) RecoverAll(at time.Time) error {
	_, err := l.recover(at)
	return err
}
