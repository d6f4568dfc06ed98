package report

import (
	"errors"

	"paylinks/job"
)

// databaseHints are what to do about the errors that only a ledger in a database has.
var databaseHints = []struct {
	cause error
	hint  string
}{
	{job.ErrFailedOver, "nobody sends from it until a person says how to go on: read paylinks help shared-ledger first, then paylinks resume --after-failover"},
	{job.ErrFenced, "what this process had sent is on record; the sender that took over goes on, or run again when it has ended"},
	{job.ErrPastDeadline, "nothing left after the lease; run again when the database answers in time"},
	{job.ErrLeases, "wait until paylinks jobs shows no sender any more, then run the same command again; nothing was changed"},
	{job.ErrReadOnly, "it is a read-only replica, or takes no changes for now: name the primary with --ledger (target_session_attrs=read-write finds it among several hosts)"},
	{job.ErrDenied, "see which rights the role needs, and where the password is read from: paylinks help shared-ledger"},
	{job.ErrUnreachable, "what was sent is on record; when the database answers again, run the same command again"},
	{job.ErrUntrusted, "in the ledger's name, sslrootcert is the file with the authority that signed it, and the host must be the one in the certificate: paylinks help shared-ledger"},
	{job.ErrDropped, HintGone},
	{job.ErrUnsafe, "have fsync and full_page_writes switched on at the server, and run again; nothing was sent"},
}

// DatabaseHint is what to do about an error of a ledger in a database, with the cause that it has of package job; "" is another error.
func DatabaseHint(err error) (hint string, cause error) {
	for _, of := range databaseHints {
		if errors.Is(err, of.cause) {
			return of.hint, of.cause
		}
	}
	return "", nil
}
