package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"paylinks/job"
)

// The conditions of PostgreSQL that are told apart here, by their SQLSTATE.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03" // also where lock_timeout is over
	readOnlyTransaction  = "25006"
	adminShutdown        = "57P01" // also where an administrator ends the one connection
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03" // the server starts, or stops
	databaseDropped      = "57P04"
	idleSession          = "57P05" // the server has ended the connection, since idle_session_timeout was over
	queryCanceled        = "57014" // also where statement_timeout is over
	idleInTransaction    = "25P03" // the server has ended the connection, since idle_in_transaction_session_timeout was over
	tooManyConnections   = "53300"
	diskFull             = "53100"
	insufficientRight    = "42501"
	invalidPassword      = "28P01"
	invalidAuthorization = "28000" // also where pg_hba.conf names no way in
	noSuchDatabase       = "3D000"
	noSuchSchema         = "3F000"
	noSuchTable          = "42P01"
	noSuchColumn         = "42703"
	duplicateSchema      = "42P06"
	duplicateTable       = "42P07"
)

// stateOf is the SQLSTATE of what the server said, or "".
func stateOf(err error) string {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return server.Code
	}
	return ""
}

// Lost says whether the connection broke or could not be made, so that nobody knows whether the server has done what was asked for. What
// only reads can be made again.
func Lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	switch state := stateOf(err); {
	case state == adminShutdown, state == crashShutdown, state == cannotConnectNow, state == idleInTransaction, state == idleSession,
		state == tooManyConnections:
		return true
	case strings.HasPrefix(state, "08"): // connection exceptions, also those that a pooler answers
		return true
	case state != "":
		return false
	}
	var network net.Error // also of a connection that was not made in time: a caller that has ended asks no more
	switch {
	case errors.Is(err, pgconn.ErrConnClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, syscall.ENOENT): // the socket of a server that does not run
		return true
	case errors.As(err, &network):
		return true
	}
	return false
}

// takesNoChanges says whether the server is one that follows another. One that is about to take the primary's place takes changes soon.
func takesNoChanges(err error) bool { return stateOf(err) == readOnlyTransaction }

// RolledBack says whether the server has undone the transaction for certain, so that it can be made again.
func RolledBack(err error) bool {
	switch stateOf(err) {
	case serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	return false
}

// explain says what the server's error means for who uses paylinks, and what can be done. The server's own words come after it, where
// they tell more. None of them has a password in it.
func (r *Reader) explain(err error) error {
	if err == nil {
		return nil
	}
	user, database := r.user()
	server, _ := errors.AsType[*pgconn.PgError](err)
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch state := stateOf(err); {
	case untrusted:
		return fmt.Errorf("%w: %s: %w", job.ErrUntrusted, r.where(), certificate.Err)
	case state == readOnlyTransaction:
		return fmt.Errorf("%w: the server at %s takes no changes; name the one that does, which is the primary", job.ErrReadOnly, r.where())
	case state == insufficientRight && strings.Contains(server.Message, "database"):
		return fmt.Errorf("%w: %s; its owner can allow it: GRANT CREATE ON DATABASE %s TO %s", job.ErrDenied, server.Message, quote(database), quote(user))
	case state == insufficientRight:
		return fmt.Errorf("%w: %s; who owns %s can allow it: %s", job.ErrDenied, server.Message, r.name.schema, r.grants(user))
	case state == invalidPassword:
		return fmt.Errorf("%w: the password of %q is wrong or missing; give it in PGPASSWORD, a PGPASSFILE or a service file", job.ErrDenied, user)
	case state == invalidAuthorization:
		return fmt.Errorf("%w: %s; the server's pg_hba.conf says who may connect, from where, and how; by peer, only the system's user of the role's name may", job.ErrDenied, server.Message)
	case state == noSuchDatabase:
		return fmt.Errorf("%w: there is no database %q at %s; make it with: CREATE DATABASE %s", job.ErrDenied, database, r.where(), quote(database))
	case state == noSuchSchema, state == noSuchTable, state == noSuchColumn:
		return fmt.Errorf("%w: %s", job.ErrDropped, server.Message)
	case state == tooManyConnections:
		return fmt.Errorf("%w: the server at %s has no connection left: %s", job.ErrUnreachable, r.where(), server.Message)
	case state == diskFull:
		return fmt.Errorf("%w: %s: %w", job.ErrDiskFull, r.where(), err)
	case state == queryCanceled:
		return fmt.Errorf("the server at %s ended a statement before its end; its statement_timeout may be too short: %w", r.where(), err)
	case strings.HasPrefix(state, "57P"), Lost(err):
		return fmt.Errorf("%w: %s: %s", job.ErrUnreachable, r.where(), reason(err))
	}
	return err
}

// reason is why the connection could not be made or broke, without the driver's repetition of user and database.
func reason(err error) string {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return server.Message
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Err.Error()
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return name.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return "the connection broke"
}

// grants are the statements that let the user work with the ledger.
func (r *Reader) grants(user string) string {
	schema, to := quote(r.name.schema), quote(user)
	return fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s", schema, to)
}

// user is who connects, and to which database.
func (r *Reader) user() (user, database string) {
	c := r.read.Config().ConnConfig
	return c.User, c.Database
}

// where names the server.
func (r *Reader) where() string {
	c := r.read.Config().ConnConfig
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}
