// Package job is what a payment-link job is: an invoice file's rows become [Item]s, and a [Runner] creates
// one Clink checkout session for each, at a safe pace, with every step on record in a [Ledger].
//
// # How a row becomes a link
//
// The runner's dispatcher decides alone when the next request may leave: pace, pauses, outages and retries
// are its state and nobody else's. It hands items to a fixed pool of workers. A worker records the intent
// ([Ledger.Begin]), sends, lets [Decide] judge the answer, and records the end ([Ledger.End]). An intent is
// durable before its request leaves, so a crash leaves at most one item in doubt per worker.
//
// # What decides
//
// The rules are pure functions, tested by tables: [Decide] (what an attempt's end means), [Resolve] (the same invoice in two jobs) and
// [Backoff]. Whether a refusal is about one row or about all is decided by control.go; a test explores all orders of answers to a few rows.
//
// # What makes it fast
//
// Each intent and each answer is on disk before anything rests on it. Two things make up for that. A ledger records what waits at the
// same moment together, so that many workers share one fsync. And a worker does not wait until a created item's end is on record: the
// end goes before its next intent, so that both are recorded together and there is still one item in doubt per worker at most. Files
// are read, judged and recorded by goroutines of their own. Clink's limits are far below what this reaches: see cmd/bench.
package job

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	"paylinks/job/invoice"
)

// Environment names which Clink a job talks to.
type Environment string

const (
	Simulator  Environment = "simulator"  // a stand-in, no real money: in-process or on loopback
	Sandbox    Environment = "sandbox"    // Clink's own test environment
	Production Environment = "production" // real money
)

// InProcess is the base URL on record for the in-process simulator: its port differs from run to run, but it
// counts as one address.
const InProcess = "in-process"

// Policy says what happens to an item that Clink may or may not have made a session for.
type Policy string

const (
	Retry Policy = "retry" // it is sent again after a pause
	Hold  Policy = "hold"  // it is never sent again without a person's word
)

// Identity is what makes two runs the same job: the same bytes, for the same address, read the same way. A links file that is adopted and
// the same file run as an input are two jobs.
type Identity struct {
	FileDigest  [sha256.Size]byte // of the file's raw bytes
	Environment Environment
	BaseURL     string
	Options     string // canonical JSON of the options that shape requests
	Adopted     bool   // the file is a links file, whose links were made from another ledger
}

// Key is the identity as one value, for look-ups.
func (id Identity) Key() [sha256.Size]byte {
	kind := "job"
	if id.Adopted {
		kind = "adopted job"
	}
	return digest(kind, string(id.FileDigest[:]), string(id.Environment), id.BaseURL, id.Options)
}

// InvoiceKey tells an invoice apart from every other at this job's address: the same key in another file is
// the same invoice.
func (id Identity) InvoiceKey(inv invoice.Invoice) [16]byte {
	parts := []string{"invoice", string(id.Environment), id.BaseURL, string(inv.Identity[:])}
	if inv.Series != "" {
		parts = append(parts, inv.Series)
	}
	sum := digest(parts...)
	return [16]byte(sum[:16])
}

// Series is the series of the job's invoices; see [invoice.Options].
func (id Identity) Series() string { return invoice.SeriesOf(id.Options) }

// GeneratedReference is the reference at Clink of a row without an invoice id. It holds the file's digest and
// the row, so that it is unique there.
func (id Identity) GeneratedReference(row int) string {
	return fmt.Sprintf("paylinks-%x-%d", id.FileDigest[:8], row)
}

// digest hashes the parts with their lengths, so that no two lists of parts run together.
func digest(parts ...string) [sha256.Size]byte {
	buf := make([]byte, 0, 256) // on the stack, where it is enough
	for _, part := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	return sha256.Sum256(buf)
}

// Job is one file's content, in one environment at one base URL, read with one set of options.
type Job struct {
	ID int64 // 1, 2, … in its ledger
	Identity
	File         string   // absolute path, as last given
	Columns      []string // the input's own columns, as they were
	Delimiter    rune     // of the input, and so of the links file
	OnUnknown    Policy
	AllowRepeats bool
	RawCells     bool   // write the user's cells without the formula guard
	BOM          bool   // begin the links file with a byte order mark
	Output       string // absolute path of the links file; "-" is standard output; "" where a later job writes that file now
	OutputHost   string // the host where its links file is, which this one cannot write: Output is "" then; "" where that is no matter
	Written      bool   // the links file at Output has all that is on record
	CreatedAt    time.Time
	FurtherLines int // rows of the file beside those of its items: further lines of their invoices
	LastRun      LastRun
	RefreshedAt  time.Time // when refresh last asked about its links; zero before the first time
	PurgedAt     time.Time // when the customers' data was taken out of it; zero: it was not
}

// Unwritten says whether the job has a links file that lags behind what is on record: the run that was to write it could not, or
// was killed.
func (j Job) Unwritten() bool {
	return !j.Written && j.Output != "" && j.Output != "-" && j.PurgedAt.IsZero()
}

// FileName is the name of its file without the folder.
func (j Job) FileName() string { return filepath.Base(j.File) }
