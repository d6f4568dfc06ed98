package job

import (
	"errors"
	"fmt"
)

// What a ledger answers that its callers look at. Every backend returns these, wrapped with what it was doing.
var (
	// ErrMoved: a guarded transition found the item in another state than the one it leaves. The ledger was changed by somebody
	// else, and nothing was recorded.
	ErrMoved = errors.New("the item is not in the state that this step leaves")
	// ErrStopped: nothing was recorded, since nothing may be sent any more.
	ErrStopped = errors.New("the run has stopped")
	// ErrNoJob: the ledger has no job with this number or identity.
	ErrNoJob = errors.New("the ledger has no such job")
	// ErrImported: the ledger has a job with this identity.
	ErrImported = errors.New("the ledger has this job already")
	// ErrOvertaken: another sender has moved the item on, and nothing was recorded.
	ErrOvertaken = errors.New("another sender has moved the row on")
	// ErrFenced: this sender's lease was over, and another one has taken its jobs over. It must not send any more.
	ErrFenced = errors.New("another sender has taken over, since the lease of this one was over")
	// ErrPastDeadline: this sender's lease may be over, so that nothing may leave until it is renewed.
	ErrPastDeadline = errors.New("the lease could not be renewed in time")
	// ErrLeases: what was asked for is not done while a process sends.
	ErrLeases = errors.New("a process sends from this ledger")
	// ErrFailedOver: the database is behind what it had acknowledged, or another one. Nobody sends until a person has said how to go on.
	ErrFailedOver = errors.New("the database has gone back behind what it had acknowledged, or another server has taken its place")
	// ErrReadOnly: the database takes no changes, as a standby does.
	ErrReadOnly = errors.New("the database is read-only")
	// ErrDenied: the database lets this user in not at all, or not to the ledger.
	ErrDenied = errors.New("the database refuses it")
	// ErrUnreachable: the database does not answer, or the connection to it broke.
	ErrUnreachable = errors.New("the database cannot be reached")
	// ErrUntrusted: what answers at the database's address has no certificate that is trusted.
	ErrUntrusted = errors.New("the certificate of the database's server is not trusted")
	// ErrUnsafe: the database's settings would lose what it acknowledges.
	ErrUnsafe = errors.New("the database may lose what it has acknowledged")
	// ErrKept: the job is not purged, since it has open rows or live links.
	ErrKept = errors.New("the job has open rows or live links")
	// ErrNotLedger: what is there is no ledger of paylinks. It has not been touched.
	ErrNotLedger = errors.New("the file is not a paylinks ledger")
	// ErrDamaged: it is a ledger, but its engine cannot read it.
	ErrDamaged = errors.New("the ledger is damaged")
	// ErrReadOnlyPlace: a run has left changes beside the ledger, or is making some, and where it is nobody may write what is needed to
	// read them.
	ErrReadOnlyPlace = errors.New("it cannot be read without writing beside it, since its -wal has changes that are not in the ledger's file yet")
	// ErrGone: the ledger was moved or deleted while it was in use. What is written to it is lost.
	ErrGone = errors.New("the ledger file or its -wal was moved or deleted while it was in use")
	// ErrDropped: tables of the ledger are not there any more, or are not as they were.
	ErrDropped = errors.New("tables of the ledger were dropped, or changed by hand, while it was in use")
	// ErrNotUpdated: the ledger has an older schema, and updating it failed. It is unchanged.
	ErrNotUpdated = errors.New("it is of an older paylinks and cannot be brought up to date; nothing in it was changed")
	// ErrUnknownSchema: the ledger's tables are not those of the version that it claims to have. It is unchanged.
	ErrUnknownSchema = errors.New("it was made by a version of paylinks that was never released; nothing in it was changed")
	// ErrNotBackup: the file in the backup's place is none. It has not been touched.
	ErrNotBackup = errors.New("the file there is not an earlier backup")
)

// HeldError means that another process sends from this ledger, or this job, now.
type HeldError struct {
	JobID  int64  // 0: it holds the whole ledger
	Holder string // what that process said of itself; may be empty
}

func (e *HeldError) Error() string {
	if e.Holder == "" {
		return "in use by another process"
	}
	return "in use by " + e.Holder
}

// TransferError means that the ledger is not the one to send from: it is being moved to another one, or filled from it, or was moved.
type TransferError struct {
	State Transfer
	Other string // the other ledger's name, without a password
}

// Transfer is how far the transfer of a ledger to another one is.
type Transfer string

const (
	TransferMoving  Transfer = "moving"  // this one is being copied to Other
	TransferMoved   Transfer = "moved"   // Other is the ledger now
	TransferFilling Transfer = "filling" // this one is being filled from Other
)

func (e *TransferError) Error() string {
	switch e.State {
	case TransferMoved:
		return "it was moved to " + e.Other
	case TransferFilling:
		return "it is being filled from " + e.Other + ", and that has not come to its end"
	}
	return "it is being moved to " + e.Other + ", and that has not come to its end"
}

// VersionError means that the ledger's schema is not the one that this program knows.
type VersionError struct {
	Found, Known int
}

func (e *VersionError) Error() string {
	if e.Found > e.Known {
		return fmt.Sprintf("it was made by a newer paylinks (schema %d, this one knows up to %d)", e.Found, e.Known)
	}
	return fmt.Sprintf("it is of an older paylinks (schema %d, this one reads %d), and cannot be brought up to date now", e.Found, e.Known)
}

// NoFolderError means that the folder of the ledger is not there. Nothing has been made.
type NoFolderError struct {
	Folder string
}

func (e *NoFolderError) Error() string { return "there is no folder " + e.Folder }

// NetworkError means that the ledger would be on a network file system. Nothing has been touched.
type NetworkError struct {
	FileSystem string
}

func (e *NetworkError) Error() string {
	return fmt.Sprintf("the folder is on a network file system (%s), where two machines could send at once", e.FileSystem)
}

// LinkedError means that the ledger's file has several names (hard links). Each name would have a lock of its own.
type LinkedError struct {
	Names int
}

func (e *LinkedError) Error() string {
	return fmt.Sprintf("the file has %d names (hard links), and must have one", e.Names)
}

// ConflictError means that a row cannot be imported, since another job has, or may have, a link for its invoice.
type ConflictError struct {
	Row int
	Resolution
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("row %d: %s; %s", e.Row, e.What(), e.Advice())
}
